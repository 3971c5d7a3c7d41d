// S9: what can be seen. The Prometheus text is tested with its exporter.

#include "support/one_partition.hpp"

#include <insync/explain.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using insync::PublishedIsr;
using insync::Result;
using support::Nodes;
using support::OnePartition;

TEST_CASE("the size of the ISR is known on every node", "[s9]") {
    OnePartition leader;
    leader.start_healthy(100);
    CHECK(leader.report().isr.size() == 3);
    OnePartition follower;
    follower.group().follow(2, 4);
    REQUIRE(follower.inherit({2, 4, 7, {1, 2}}) == Result::ok);
    CHECK(follower.report().isr.size() == 2);
}

TEST_CASE("each replica that leaves or joins is counted once", "[s9]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(p.isr.counters().shrinks == 0);
    p.clock.advance(11s); // both leave in one change
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.isr.counters().shrinks == 2);
    p.hear({2, 3}, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.isr.counters().expands == 2);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.isr.counters().shrinks == 3);
    CHECK(p.isr.counters().expands == 2);
}

TEST_CASE("refused inputs are counted by reason, normal outcomes are not", "[s9]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(p.initialize({1, 1}) == Result::duplicate_replica);
    CHECK(p.isr.initialize_isr("a/b", 0, {1}) == Result::invalid_topic);
    CHECK(p.isr.update_isr("other", 0) == Result::unknown_partition);
    CHECK(p.isr.update_heartbeat("other", 0, 2) == Result::unknown_partition);
    CHECK(p.isr.record_progress(p.handle(), 4, 2, 50, insync::kNever) == Result::stale);
    const insync::IsrCounters counters = p.isr.counters();
    CHECK(counters.rejected(Result::duplicate_replica) == 1);
    CHECK(counters.rejected(Result::invalid_topic) == 1);
    CHECK(counters.rejected(Result::unknown_partition) == 2);
    CHECK(counters.rejected(Result::stale) == 0);
}

TEST_CASE("a learner does not make a partition under-replicated", "[s9]") {
    // A replica that is being added must not raise the alarm.
    OnePartition p;
    p.start_healthy(100);
    p.group().kind(3, insync::ReplicaKind::learner);
    REQUIRE(p.observe() == Result::ok);
    REQUIRE(p.members() == Nodes{1, 2});
    CHECK(p.isr.get_isr_stats().under_replicated == 0);
    p.group().kind(3, insync::ReplicaKind::voter);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.isr.get_isr_stats().under_replicated == 1);
}

TEST_CASE("a silent replica of an idle partition does make it under-replicated", "[s9]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(11s, [&] { p.hear(2, 100); });
    CHECK(p.isr.get_isr_stats().under_replicated == 1);
    p.sweep_until(12s, [&] { p.hear({2, 3}, 100); }); // and it is over at once, without a record
    CHECK(p.isr.get_isr_stats().under_replicated == 0);
}

TEST_CASE("gauges of below and at min ISR follow the effective value", "[s9]") {
    OnePartition p{{.min_insync_replicas = 3}};
    p.start_healthy(100);
    CHECK(p.isr.get_isr_stats().at_min_isr == 1);
    CHECK(p.isr.get_isr_stats().under_min_isr == 0);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.isr.get_isr_stats().at_min_isr == 0);
    CHECK(p.isr.get_isr_stats().under_min_isr == 1);
    REQUIRE(p.isr.set_min_insync_replicas("my-topic", 0, 1) == Result::ok);
    CHECK(p.isr.get_isr_stats().at_min_isr == 0);
    CHECK(p.isr.get_isr_stats().under_min_isr == 0);
}

TEST_CASE("a lost quorum refuses produce without being below min ISR", "[s9]") {
    OnePartition p;
    p.start_healthy(100);
    p.group().quorum(insync::Quorum::lost);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.isr.get_isr_stats().refusing_produce == 1);
    CHECK(p.isr.get_isr_stats().under_min_isr == 0);
}

TEST_CASE("a node can be stopped when no partition falls below min ISR without it", "[s9]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(p.isr.safe_to_stop(1).safe());
    CHECK(p.isr.safe_to_stop(2).safe());
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.isr.safe_to_stop(3).safe()); // it is missing already
    CHECK(p.isr.safe_to_stop(9).safe()); // nobody's replica
    const insync::SafeToStop answer = p.isr.safe_to_stop(2);
    CHECK_FALSE(answer.safe());
    REQUIRE(answer.would_fall_short.size() == 1);
    CHECK(answer.would_fall_short[0].topic == "my-topic");
    CHECK(answer.would_fall_short[0].partition == 0);
    CHECK(answer.would_fall_short[0].isr_size == 2);
    CHECK(answer.would_fall_short[0].min_isr == 2);
    CHECK_FALSE(p.isr.safe_to_stop(1).safe());
}

TEST_CASE("stopping is judged over all partitions that the node is told of", "[s9]") {
    OnePartition p;
    p.start_healthy(100);
    p.view.follow("t", 0, 2, 1);
    REQUIRE(p.isr.initialize_isr("t", 0, {1, 2, 3}, PublishedIsr{2, 1, 1, {2, 3}}) == Result::ok);
    const insync::SafeToStop answer = p.isr.safe_to_stop(3);
    REQUIRE(answer.would_fall_short.size() == 1); // by the published set of another leader
    CHECK(answer.would_fall_short[0].topic == "t");
}

TEST_CASE("a partition that is below min ISR already is not safe to lose another member of",
          "[s9]") {
    OnePartition p{{.min_insync_replicas = 3}};
    p.start_healthy(100);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK_FALSE(p.isr.safe_to_stop(2).safe());
}

TEST_CASE("questions change nothing", "[s9]") {
    OnePartition p;
    p.start_healthy(100);
    p.clock.advance(60s); // everybody is overdue
    (void)p.explain(3);
    (void)p.isr.get_isr_stats();
    (void)p.isr.safe_to_stop(2);
    (void)p.report();
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.set().version() == 1);
    CHECK(p.isr.counters().sweeps == 0);
}

TEST_CASE("sweeps, reads and refusals are counted", "[s9]") {
    OnePartition p;
    p.start_healthy(100);
    const auto before = p.isr.counters();
    p.sweep();
    p.sweep();
    p.isr.count_refused_produce();
    const auto after = p.isr.counters();
    CHECK(after.sweeps == before.sweeps + 2);
    CHECK(after.views_read == before.views_read + 2);
    CHECK(after.refused_produces == before.refused_produces + 1);
}

namespace {

/// A clock on which every reading takes a while.
struct SlowClock {
    insync::testing::ManualClock clock{};
    insync::TimePoint now() const noexcept {
        const auto now = clock.now();
        clock.advance(2ms);
        return now;
    }
    std::int64_t wall_ms() const noexcept { return 0; }
};

} // namespace

TEST_CASE("the duration of the last sweep is told", "[s9]") {
    insync::testing::ScriptedView view;
    insync::IsrManager isr{1, view, {}, SlowClock{}};
    CHECK(isr.last_sweep_duration() == 0ms);
    isr.tick();
    CHECK(isr.last_sweep_duration() == 2ms); // from its first reading of the clock to its last
}
