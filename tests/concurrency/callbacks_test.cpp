// C4, C5, C6: what the host is told, by whom, and what it may do meanwhile.
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using insync::IsrChange;
using insync::NodeId;
using insync::PublishedIsr;
using insync::Result;
using insync::WaitResult;
using insync::testing::ManualClock;
using insync::testing::ScriptedView;

namespace {

using Manager = insync::IsrManager<ScriptedView, ManualClock>;

struct Host {
    ManualClock clock;
    ScriptedView view;
    Manager isr{1, view, {}, clock};

    void lead(const std::string& topic) {
        view.lead(topic, 0, 1, 1, 100);
        for (const NodeId node : {2, 3}) view.follower(topic, 0, node, 100, clock.now());
        REQUIRE(isr.initialize_isr(topic, 0, {1, 2, 3}) == Result::ok);
    }

    /// Every public call there is, on a partition of its own.
    void call_everything(const std::string& topic) {
        (void)isr.reserve(topic, 4);
        (void)isr.initialize_isr(topic, 3, {1, 2, 3});
        (void)isr.set_assignment(topic, 3, {1, 2, 3, 4});
        (void)isr.set_min_insync_replicas(topic, 3, 1);
        (void)isr.set_min_insync_replicas(topic, 1);
        (void)isr.update_isr(topic, 3);
        (void)isr.add_to_isr(topic, 3, 2);
        (void)isr.remove_from_isr(topic, 3, 2);
        (void)isr.update_heartbeat(topic, 3, 2);
        const auto handle = isr.find(topic, 3);
        isr.notify(handle);
        (void)isr.record_leader(handle, 1, {1, 1, 1});
        (void)isr.record_progress(handle, 1, 2, 1, clock.now());
        (void)isr.apply_published_isr(topic, 3, PublishedIsr{2, 9, 9, {1, 2, 3}});
        (void)isr.await_replication(handle, 1, 1, clock.now(), [](WaitResult) {});
        (void)isr.has_min_isr(topic, 3);
        (void)isr.get_isr(topic, 3);
        (void)isr.is_in_sync(topic, 3, 2);
        (void)isr.high_watermark(topic, 3);
        (void)isr.explain(topic, 3, 2);
        (void)isr.safe_to_stop(2);
        (void)isr.get_isr_stats();
        (void)isr.counters();
        (void)isr.next_deadline();
        isr.for_each_partition([](const insync::PartitionReport&) {});
        isr.unsubscribe(isr.subscribe([](const IsrChange&) {}));
        isr.tick();
        (void)isr.remove_partition(topic, 3);
    }
};

} // namespace

TEST_CASE("every public call is legal inside every callback", "[concurrency]") {
    Host host;
    host.lead("t");
    int listened = 0;
    int logged = 0;
    int ended = 0;
    int published = 0;
    const auto once = [&](int& count, const std::string& topic) {
        if (++count == 1) host.call_everything(topic); // the changes it makes come here, too
    };
    struct Store {
        std::function<void()> call;
        void publish(insync::TopicPartition, const PublishedIsr&) { call(); }
    } store{[&] { once(published, "in-store"); }};
    host.isr.subscribe([&](const IsrChange&) { once(listened, "in-listener"); });
    host.isr.set_log_sink([&](std::string_view) { once(logged, "in-log"); });
    host.isr.publish_to(store);
    const auto handle = host.isr.find("t", 0);
    REQUIRE(host.isr.await_replication(handle, 1, 200, host.clock.now() + 1h,
                                       [&](WaitResult) { once(ended, "in-wait"); }) == Result::ok);
    REQUIRE(host.isr.remove_from_isr("t", 0, 3) == Result::ok);
    REQUIRE(host.isr.remove_from_isr("t", 0, 2) == Result::ok); // below min ISR: the wait ends
    CHECK(listened > 0);
    CHECK(logged > 0);
    CHECK(ended == 1);
    CHECK(published > 0);
    CHECK(host.isr.get_isr_stats().partitions == 1);
}

TEST_CASE("each partition's changes come without a gap, once, in order, from many writers",
          "[concurrency]") {
    constexpr int kWriters = 4;
    constexpr int kPartitions = 3;
    ManualClock clock;
    ScriptedView view;
    Manager isr{9, view, {}, clock};
    for (int p = 0; p < kPartitions; ++p) {
        view.follow("t", p, 1, 1);
        REQUIRE(isr.initialize_isr("t", p, {1, 2, 3}) == Result::ok);
    }
    std::map<int, std::vector<std::pair<insync::Version, insync::Version>>> seen;
    std::atomic<int> at_once{0};
    std::atomic<int> most_at_once{0};
    isr.subscribe([&](const IsrChange& change) {
        most_at_once = std::max(most_at_once.load(), ++at_once);
        seen[change.partition].emplace_back(change.before.version(), change.after.version());
        --at_once;
    });
    std::atomic<int> applied{0};
    const auto write = [&](int writer) {
        for (insync::Version v = 1; v <= 800; ++v)
            for (int p = 0; p < kPartitions; ++p) {
                // All of one version say the same, so whoever comes first decides it.
                const PublishedIsr with{1, 1, v, {1, 2, 3}};
                const PublishedIsr without{1, 1, v, {1, 2}};
                const Result result = isr.apply_published_isr("t", p, v % 2 == 0 ? with : without);
                applied += result == Result::ok ? 1 : 0;
                if ((v + static_cast<unsigned>(writer)) % 50 == 0) isr.tick();
            }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < kWriters; ++i) threads.emplace_back(write, i);
    for (std::thread& thread : threads) thread.join();
    isr.tick();
    CHECK(most_at_once == 1);
    for (const auto& [partition, changes] : seen) {
        insync::Version last = 0;
        for (const auto& [before, after] : changes) {
            REQUIRE(before == last);
            REQUIRE(after > before);
            last = after;
        }
        CHECK(last == 800);
        CHECK(isr.get_isr("t", partition)->version() == 800);
    }
    CHECK(seen.size() == kPartitions);
}

TEST_CASE("after unsubscribing has returned, the listener does not run any more", "[concurrency]") {
    Host host;
    host.view.follow("t", 0, 2, 1);
    REQUIRE(host.isr.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    std::atomic<bool> stop{false};
    std::thread writer{[&] {
        for (insync::Version v = 1; !stop; ++v)
            (void)host.isr.apply_published_isr(
                "t", 0, v % 2 == 0 ? PublishedIsr{2, 2, v, {1, 2}} : PublishedIsr{2, 2, v, {2}});
    }};
    std::atomic<int> late{0};
    for (int i = 0; i < 300; ++i) {
        std::atomic<bool> gone{false};
        const auto subscription =
            host.isr.subscribe([&](const IsrChange&) { late += gone ? 1 : 0; });
        host.isr.unsubscribe(subscription);
        gone = true;
    }
    stop = true;
    writer.join();
    CHECK(late == 0);
}

TEST_CASE("unsubscribing waits for the listener that is running", "[concurrency]") {
    Host host;
    host.lead("t");
    std::atomic<bool> running{false};
    std::atomic<bool> may_end{false};
    std::atomic<bool> returned{false};
    const auto subscription = host.isr.subscribe([&](const IsrChange&) {
        running = true;
        while (!may_end) std::this_thread::yield();
    });
    std::thread writer{[&] { (void)host.isr.remove_from_isr("t", 0, 3); }};
    while (!running) std::this_thread::yield();
    std::thread leaver{[&] {
        host.isr.unsubscribe(subscription);
        returned = true;
    }};
    for (int i = 0; i < 20'000; ++i) std::this_thread::yield();
    const bool too_early = returned;
    may_end = true;
    writer.join();
    leaver.join();
    CHECK_FALSE(too_early);
    CHECK(returned);
}

TEST_CASE("a callback that throws stops neither the sweep nor the other callbacks",
          "[concurrency]") {
    Host host;
    for (const char* const topic : {"a", "b", "c"}) host.lead(topic);
    host.isr.subscribe([](const IsrChange&) { throw std::runtime_error{"listener"}; });
    int heard = 0;
    host.isr.subscribe([&](const IsrChange&) { ++heard; });
    host.isr.set_log_sink([](std::string_view) { throw std::runtime_error{"log"}; });
    int ended = 0;
    for (const char* const topic : {"a", "b", "c"})
        REQUIRE(host.isr.await_replication(host.isr.find(topic, 0), 1, 200, host.clock.now() + 1h,
                                           [&](WaitResult) {
                                               ++ended;
                                               throw std::runtime_error{"wait"};
                                           }) == Result::ok);
    for (int second = 0; second < 11; ++second) { // everybody falls silent
        host.clock.advance(1s);
        host.isr.tick();
    }
    CHECK(heard == 3);
    CHECK(ended == 3);
    CHECK(host.isr.counters().callbacks_thrown == 3 + 3 + 6);
    for (const char* const topic : {"a", "b", "c"}) CHECK(host.isr.get_isr(topic, 0)->size() == 1);
}

TEST_CASE("a wait ends exactly once, whoever comes to end it", "[concurrency]") {
    constexpr int kRounds = 150;
    constexpr int kWaits = 8;
    Host host;
    std::atomic<int> wrong{0};
    for (int round = 0; round < kRounds; ++round) {
        host.view.lead("t", 0, 1, 1, 100);
        for (const NodeId node : {2, 3}) host.view.follower("t", 0, node, 100, host.clock.now());
        REQUIRE(host.isr.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
        const auto handle = host.isr.find("t", 0);
        std::vector<std::atomic<int>> ended(kWaits);
        std::vector<Result> accepted(kWaits, Result::ok);
        std::thread waiter{[&] {
            for (std::size_t i = 0; i < kWaits; ++i)
                accepted[i] = host.isr.await_replication(handle, 1, 101 + i,
                                                         host.clock.now() + insync::Millis{i * 5},
                                                         [&, i](WaitResult) { ++ended[i]; });
        }};
        std::thread follower{[&] {
            (void)host.isr.record_leader(handle, 1, {105, 105, 105});
            for (const NodeId node : {2, 3})
                (void)host.isr.record_progress(handle, 1, node, 105, host.clock.now());
        }};
        std::thread ticker{[&] {
            host.clock.advance(insync::Millis{20});
            host.isr.tick();
        }};
        waiter.join();
        follower.join();
        ticker.join();
        REQUIRE(host.isr.remove_partition("t", 0) == Result::ok);
        for (std::size_t i = 0; i < kWaits; ++i)
            wrong += ended[i] == (accepted[i] == Result::ok ? 1 : 0) ? 0 : 1;
    }
    CHECK(wrong == 0);
}
