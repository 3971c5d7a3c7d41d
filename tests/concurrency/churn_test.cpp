// C7: partitions come and go while readers and pushes look at them.
#include "support/steady_view.hpp"

#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

using insync::NodeId;
using insync::PartitionHandle;
using insync::Result;
using insync::testing::ManualClock;

namespace {

using support::SteadyView;
using Manager = insync::IsrManager<SteadyView, ManualClock>;

const std::array<std::string, 4> kTopics = {
    "short", "twenty-three-characters", "a-name-that-is-longer-than-twenty-four-characters", "to"};

} // namespace

TEST_CASE("reads, pushes and sweeps are right while partitions are removed and added again",
          "[concurrency]") {
    ManualClock clock;
    SteadyView view{clock};
    Manager isr{1, view, {}, clock};
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    const auto read = [&] {
        while (!stop)
            for (const std::string& topic : kTopics)
                for (int partition = 0; partition < 12; ++partition) {
                    (void)isr.has_min_isr(topic, partition);
                    const PartitionHandle handle = isr.find(topic, partition);
                    const auto set = isr.get_isr(topic, partition);
                    // Each topic has its own replicas, so a set of another partition shows.
                    const auto own = static_cast<NodeId>(topic.size());
                    if (set) wrong += set->members().back() == own && set->size() == 2 ? 0 : 1;
                    const Result pushed = isr.record_progress(handle, 1, own, 100, clock.now());
                    wrong += pushed == Result::ok || pushed == Result::stale ||
                                     pushed == Result::unknown_partition ||
                                     pushed == Result::not_leader
                                 ? 0
                                 : 1;
                }
    };
    const auto churn = [&](int first) {
        for (int round = 0; round < 400; ++round)
            for (const std::string& topic : kTopics) {
                const int partition = first + round % 6;
                const auto other = static_cast<NodeId>(topic.size());
                wrong += isr.initialize_isr(topic, partition, {1, other}) == Result::ok ? 0 : 1;
                wrong += isr.remove_partition(topic, partition) == Result::ok ? 0 : 1;
            }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(read);
    threads.emplace_back([&] {
        while (!stop) {
            clock.advance(insync::Millis{1'000});
            isr.tick();
        }
    });
    std::thread one{churn, 0};
    std::thread two{churn, 6};
    one.join();
    two.join();
    stop = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(isr.get_isr_stats().partitions == 0);
}

TEST_CASE("partitions are registered anew, and nodes die, while readers and pushes look at them",
          "[concurrency]") {
    ManualClock clock;
    SteadyView view{clock};
    Manager isr{1, view, {}, clock};
    REQUIRE(isr.initialize_isr("t", 0, {1, 2}) == Result::ok);
    const PartitionHandle handle = isr.find("t", 0);
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] {
            while (!stop) {
                const auto set = isr.get_isr(handle);
                wrong += set && set->replica_count() == 2 && set->contains(1) ? 0 : 1;
                wrong +=
                    isr.record_progress(handle, 1, 2, 100, clock.now()) == Result::unknown_partition
                        ? 1
                        : 0;
            }
        });
    threads.emplace_back([&] {
        while (!stop) {
            clock.advance(insync::Millis{1'000});
            isr.tick();
        }
    });
    for (int round = 0; round < 2000; ++round) {
        wrong += (round % 2 == 0 ? isr.mark_dead(2) : isr.mark_alive(2)) == Result::ok ? 0 : 1;
        wrong += isr.register_anew("t", 0) == Result::ok ? 0 : 1;
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(isr.update_isr(handle) == Result::ok);
    CHECK(isr.has_min_isr(handle));
}

TEST_CASE("a handle of a removed partition answers false for ever, also when it is back",
          "[concurrency]") {
    ManualClock clock;
    SteadyView view{clock};
    Manager isr{1, view, {}, clock};
    REQUIRE(isr.initialize_isr("t", 0, {1, 2}) == Result::ok);
    const PartitionHandle old = isr.find("t", 0);
    REQUIRE(isr.has_min_isr(old));
    // More often than a slot has generations: a number that wraps would make it true again.
    for (int i = 0; i < 70'000; ++i) {
        REQUIRE(isr.remove_partition("t", 0) == Result::ok);
        REQUIRE(isr.initialize_isr("t", 0, {1, 2}) == Result::ok);
        if (isr.has_min_isr(old) || old || isr.get_isr(old)) FAIL("after " << i << " times");
    }
    CHECK(isr.has_min_isr(isr.find("t", 0)));
    CHECK(isr.record_progress(old, 1, 2, 100, clock.now()) == Result::unknown_partition);
}
