// S3 after a change of leader: nothing is known of the others.

#include "support/one_partition.hpp"

#include <insync/consensus_view.hpp>
#include <insync/explain.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::kNever;
using insync::ReplicaState;
using insync::Result;
using insync::WaitResult;
using support::Ended;
using support::Nodes;
using support::OnePartition;

namespace {

/// Node 1 begins to lead in epoch 5 with a log that ends at 100. What the library still holds of
/// the others is of epoch 4, and is not verified.
void begin_epoch_5(OnePartition<>& p) {
    p.group().follow(2, 4);
    (void)p.inherit({2, 4, 7, {1, 2}});
    p.clock.advance(1s);
    p.lead(5, 100);
    p.group().quorum(insync::Quorum::held);
    p.group().follower(2, 100, kNever, false).follower(3, 100, kNever, false);
    (void)p.observe();
}

} // namespace

TEST_CASE("the inherited ISR stays for one max_lag_ms of grace", "[s3]") {
    OnePartition p;
    begin_epoch_5(p); // at 1 s
    CHECK(p.members() == Nodes{1, 2});
    p.sweep_until(11s);
    CHECK(p.members() == Nodes{1, 2}); // ten seconds: the bound itself
    p.sweep_until(12s);
    CHECK(p.members() == Nodes{1});
    CHECK(p.lines ==
          support::Lines{"ISR SHRINK: my-topic-0 removed replica 2 (lag: unknown entries, 11000 "
                         "ms)"});
}

TEST_CASE("S3* a member in grace counts for min ISR", "[s3][star]") {
    OnePartition p;
    begin_epoch_5(p);
    REQUIRE(p.explain(2).state == ReplicaState::grace);
    CHECK(p.has_min()); // or each election would stop all writes for a while
}

TEST_CASE("S3* a member in grace counts for no high watermark and no acknowledgement",
          "[s3][star]") {
    OnePartition p;
    begin_epoch_5(p);
    REQUIRE(p.explain(2).state == ReplicaState::grace);
    const Ended& ended = p.await(5, 50);
    CHECK(p.high_watermark() == 0); // the leftover 100 of epoch 4 is nothing
    CHECK(ended.empty());

    p.hear(2, 60); // it was truncated: the leftover would have lied
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.high_watermark() == 60);
    CHECK(ended == Ended{WaitResult::committed});
}

TEST_CASE("a member's entries are judged as soon as they are confirmed", "[s3]") {
    OnePartition p;
    begin_epoch_5(p);
    p.lead(5, 50'000);
    p.hear(2, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1}); // 49 900 behind, grace or not
}

TEST_CASE("a replica outside joins only once it is confirmed in the new epoch", "[s3]") {
    OnePartition p;
    begin_epoch_5(p);
    CHECK(p.explain(3).state == ReplicaState::unconfirmed);
    p.group().follower(3, 100, p.clock.now(), false); // alive, and nothing known
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.isr.add_to_isr("my-topic", 0, 3) == Result::not_confirmed);
    p.hear(3, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("a member in grace that was a learner meanwhile joins only once it is confirmed",
          "[s3]") {
    OnePartition p;
    begin_epoch_5(p);
    p.group().kind(2, insync::ReplicaKind::learner);
    REQUIRE(p.observe() == Result::ok);
    REQUIRE(p.members() == Nodes{1});
    p.group().kind(2, insync::ReplicaKind::voter).contact(2, p.clock.now());
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1}); // its grace is not over, but it is outside
    CHECK(p.explain(2).state == ReplicaState::unconfirmed);
    p.hear(2, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("unknown is neither in nor out: a state of its own", "[s3]") {
    OnePartition p;
    begin_epoch_5(p);
    CHECK(p.explain(2).state == ReplicaState::grace);
    CHECK_FALSE(p.explain(2).match.has_value());
    CHECK_FALSE(p.explain(2).lag.entries.has_value());
    CHECK(p.explain(3).state == ReplicaState::unconfirmed);
    CHECK_FALSE(p.report(3).match.has_value());
}

TEST_CASE("grace starts anew with each change of leader", "[s3]") {
    OnePartition p;
    begin_epoch_5(p); // at 1 s
    p.sweep_until(9s);
    p.lead(6, 100);
    p.group().quorum(insync::Quorum::held);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.explain(2).state == ReplicaState::grace);
    p.sweep_until(19s);
    CHECK(p.members() == Nodes{1, 2});
    p.sweep_until(20s);
    CHECK(p.members() == Nodes{1});
}

TEST_CASE("what was confirmed in an older epoch is unknown in the new one", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    REQUIRE(p.explain(2).match == 100);
    p.lead(5, 100); // the same node, elected again
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.explain(2).state == ReplicaState::grace);
    CHECK(p.high_watermark() == 0);
}

TEST_CASE("the same leader reported again in the same epoch resets nothing", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(5s, [&] {
        p.lead(4, 200);
        p.hear(2, 200);
        p.hear(3, 100);
    });
    const auto version = p.set().version();
    const auto high_watermark = p.high_watermark();
    const Ended& ended = p.await(4, 300);
    for (int i = 0; i < 5; ++i) REQUIRE(p.observe() == Result::ok);
    CHECK(p.set().version() == version);
    CHECK(p.high_watermark() == high_watermark);
    CHECK(p.explain(3).match == 100);
    CHECK(p.explain(3).lag.time == 5s); // no new grace
    CHECK(ended.empty());
}
