// C8: memory gives out at every single point. Replaces operator new, so it is not built under a
// sanitizer.
#include "support/allocations.hpp"

#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using insync::NodeId;
using insync::PublishedIsr;
using insync::Result;
using insync::WaitResult;
using insync::testing::ManualClock;
using insync::testing::ScriptedView;

namespace {

using Manager = insync::IsrManager<ScriptedView, ManualClock>;

struct Store {
    int published = 0;
    void publish(insync::TopicPartition, const PublishedIsr&) { ++published; }
};

/// A leader with a listener, a log and a store, so that every change has something to describe.
struct Host {
    ManualClock clock;
    ScriptedView view;
    Store store;
    int changes = 0;
    int ended = 0;
    Manager isr{1, view, {}, clock};

    Host() {
        isr.subscribe([this](const insync::IsrChange&) { ++changes; });
        isr.set_log_sink([](std::string_view) {});
        isr.publish_to(store);
        view.lead("t", 0, 1, 1, 100);
        for (const NodeId node : {2, 3, 4, 5}) view.follower("t", 0, node, 100, clock.now());
        view.lead("fresh", 7, 1, 1, 100);
        REQUIRE(isr.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    }
    [[nodiscard]] insync::IsrSet set() const { return *isr.get_isr("t", 0); }
};

using Call = std::function<Result(Host&)>;
struct Operation {
    std::string name;
    Call call;
};

const std::vector<Operation>& operations() {
    static const std::vector<Operation> all = {
        {"initialize",
         [](Host& h) {
             return h.isr.initialize_isr("fresh", 7, {1, 2, 3, 4}, PublishedIsr{1, 1, 3, {1, 2}});
         }},
        {"initialize in a new segment",
         [](Host& h) { return h.isr.initialize_isr("t", 77, {1, 6, 8}); }},
        {"reserve",
         [](Host& h) {
             return h.isr.reserve("a-topic-whose-name-does-not-fit-into-one-cache-line", 100);
         }},
        {"set_assignment", [](Host& h) { return h.isr.set_assignment("t", 0, {1, 2, 3, 4, 5}); }},
        {"remove_from_isr", [](Host& h) { return h.isr.remove_from_isr("t", 0, 3); }},
        {"record_leader",
         [](Host& h) { return h.isr.record_leader(h.isr.find("t", 0), 1, {200, 150, 120}); }},
        {"await_replication",
         [](Host& h) {
             return h.isr.await_replication(h.isr.find("t", 0), 1, 500, h.clock.now() + 1h,
                                            [&h](WaitResult) { ++h.ended; });
         }},
        {"apply_published_isr",
         [](Host& h) { return h.isr.apply_published_isr("t", 0, PublishedIsr{2, 9, 1, {1, 2}}); }},
        {"update_isr on a new epoch",
         [](Host& h) {
             h.view.lead("t", 0, 1, h.view.group("t", 0).state().epoch + 0, 300);
             return h.isr.update_isr("t", 0);
         }},
    };
    return all;
}

} // namespace

TEST_CASE("an allocation that fails is no_memory, changes nothing, and a second try succeeds",
          "[concurrency]") {
    int refused = 0;
    for (const Operation& operation : operations()) {
        INFO(operation.name);
        for (std::size_t nth = 0;; ++nth) {
            REQUIRE(nth < 200);
            Host host;
            const insync::IsrSet before = host.set();
            Result result = Result::ok;
            bool failed = false;
            {
                const support::FailAllocation failing{nth};
                result = operation.call(host);
                failed = support::FailAllocation::happened();
            }
            if (!failed) {
                CHECK(result == Result::ok);
                break;
            }
            if (result == Result::ok) continue; // it was the description of something, or can wait
            ++refused;
            REQUIRE(result == Result::no_memory);
            REQUIRE(host.set() == before);
            REQUIRE(host.isr.counters().rejected(Result::no_memory) >= 1);
            REQUIRE(operation.call(host) == Result::ok);
        }
    }
    CHECK(refused > 20);
}

TEST_CASE("a sweep that runs out of memory for one partition still judges the others",
          "[concurrency]") {
    for (std::size_t nth = 0; nth < 12; ++nth) {
        Host host;
        for (const char* const topic : {"a", "b", "c"}) {
            host.view.lead(topic, 0, 1, 1, 100);
            for (const NodeId node : {2, 3})
                host.view.follower(topic, 0, node, 100, host.clock.now());
            REQUIRE(host.isr.initialize_isr(topic, 0, {1, 2, 3}) == Result::ok);
        }
        for (int second = 0; second < 10; ++second) {
            host.clock.advance(1s);
            host.isr.tick();
        }
        host.clock.advance(1s);
        {
            const support::FailAllocation failing{nth}; // as 2 and 3 fall out
            host.isr.tick();
        }
        int left = 0;
        for (const char* const topic : {"t", "a", "b", "c"})
            left += host.isr.get_isr(topic, 0)->size() == 3 ? 1 : 0;
        CHECK(left <= 1);
        host.clock.advance(1s);
        host.isr.tick();
        for (const char* const topic : {"t", "a", "b", "c"})
            CHECK(host.isr.get_isr(topic, 0)->size() == 1);
    }
}

TEST_CASE("waits end exactly once, also when there is no memory at the end", "[concurrency]") {
    Host host;
    for (insync::Index index = 101; index < 111; ++index)
        REQUIRE(host.isr.await_replication(host.isr.find("t", 0), 1, index, host.clock.now() + 1h,
                                           [&](WaitResult) { ++host.ended; }) == Result::ok);
    for (std::size_t nth = 0; nth < 6; ++nth) {
        const support::FailAllocation failing{nth};
        (void)host.isr.remove_partition("t", 0);
    }
    CHECK(host.ended == 10);
}

TEST_CASE("reads, recorded progress and an idle sweep allocate nothing", "[concurrency]") {
    Host host;
    host.isr.tick();
    const auto handle = host.isr.find("t", 0);
    bool all = true;
    const support::CountAllocations counted;
    all = all && host.isr.has_min_isr("t", 0) && host.isr.has_min_isr(handle);
    all = all && host.isr.get_isr("t", 0)->size() == 3 && host.isr.is_in_sync("t", 0, 2);
    all = all && host.isr.find("t", 0) == handle && host.isr.high_watermark(handle) == 100;
    for (int i = 0; i < 100; ++i) {
        host.clock.advance(10ms);
        all = all && host.isr.record_progress(handle, 1, 2, 100, host.clock.now()) == Result::ok;
    }
    const std::size_t count = counted.count();
    CHECK(all);
    CHECK(count == 0);
}
