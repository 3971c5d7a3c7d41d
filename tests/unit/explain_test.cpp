#include "support/one_partition.hpp"

#include <insync/config.hpp>
#include <insync/explain.hpp>
#include <insync/isr_rules.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::Explanation;
using insync::kNever;
using insync::ReplicaState;
using insync::Result;
using insync::TimePoint;
using insync::Verdict;
using support::OnePartition;

TEST_CASE("each state of a replica has its own name", "[explain]") {
    CHECK(insync::to_string(ReplicaState::leader) == "leader");
    CHECK(insync::to_string(ReplicaState::in_sync) == "in_sync");
    CHECK(insync::to_string(ReplicaState::grace) == "grace");
    CHECK(insync::to_string(ReplicaState::catching_up) == "catching_up");
    CHECK(insync::to_string(ReplicaState::held_out) == "held_out");
    CHECK(insync::to_string(ReplicaState::unconfirmed) == "unconfirmed");
    CHECK(insync::to_string(ReplicaState::not_eligible) == "not_eligible");
    CHECK(insync::to_string(ReplicaState::as_published) == "as_published");
    CHECK(insync::to_string(static_cast<ReplicaState>(99)) == "unknown");
}

TEST_CASE("nothing is explained of what is not tracked", "[explain]") {
    OnePartition p;
    p.start_healthy();
    CHECK(p.isr.explain("my-topic", 0, 3).has_value());
    CHECK_FALSE(p.isr.explain("my-topic", 0, 4).has_value());
    CHECK_FALSE(p.isr.explain("my-topic", 1, 3).has_value());
    CHECK_FALSE(p.isr.explain("other", 0, 3).has_value());
    CHECK_FALSE(p.isr.explain("my-topic", 0, insync::kNoNode).has_value());
}

TEST_CASE("the leader is explained as the leader", "[explain]") {
    OnePartition p;
    p.start_healthy();
    const Explanation why = p.explain(1);
    CHECK(why.state == ReplicaState::leader);
    CHECK(why.member);
    CHECK(why.node == 1);
    CHECK(why.leader == 1);
}

TEST_CASE("a healthy member is explained with its match, lag, limits and set", "[explain]") {
    OnePartition p;
    p.clock.advance(2s);
    p.start_healthy(100);
    p.clock.advance(3s);
    const Explanation why = p.explain(2);
    CHECK(why.state == ReplicaState::in_sync);
    CHECK(why.verdict == Verdict::in_sync);
    CHECK(why.member);
    CHECK(why.match == 100);
    CHECK(why.lag.entries == 0);
    CHECK(why.lag.time == 3s); // asked 3 s after it was last heard of
    CHECK(why.last_contact == TimePoint{2s});
    CHECK(why.limits.entries == 10'000);
    CHECK(why.limits.time == 10s);
    CHECK(why.epoch == 4);
    CHECK(why.version == p.set().version());
    CHECK(why.since == TimePoint{2s});
}

TEST_CASE("the rule that fails is named, with by how much", "[explain]") {
    OnePartition p;
    p.start_healthy(10);
    p.sweep_until(3s, [&] {
        p.lead(4, 20'011);
        p.hear(2, 20'011);
        p.hear(3, 10'010);
    });
    const Explanation entries = p.explain(3);
    CHECK(entries.state == ReplicaState::catching_up);
    CHECK_FALSE(entries.member);
    CHECK(entries.verdict == Verdict::lag_entries);
    CHECK(entries.lag.entries == 10'001);

    p.sweep_until(14s, [&] { p.hear(2, 20'011); });
    p.hear(3, 20'010);
    REQUIRE(p.observe() == Result::ok);
    const Explanation time = p.explain(3);
    CHECK(time.verdict == Verdict::lag_ms);
    CHECK(time.lag.entries == 1);
    CHECK(time.lag.time > 10s);
}

TEST_CASE("a replica's lag in time is asked for at any moment, not only after a sweep",
          "[explain]") {
    OnePartition p;
    p.start_healthy();
    p.clock.advance(4s);
    CHECK(p.explain(3).lag.time == 4s);
    p.clock.advance(500ms);
    CHECK(p.explain(3).lag.time == 4500ms);
}

TEST_CASE("a member in grace is not called in sync", "[explain]") {
    OnePartition p;
    p.lead(4, 100);
    p.group().follower(2, 0, kNever, false).follower(3, 0, kNever, false);
    REQUIRE(p.initialize() == Result::ok);
    const Explanation why = p.explain(3);
    CHECK(why.state == ReplicaState::grace);
    CHECK(why.member);
    CHECK_FALSE(why.match.has_value());
    CHECK_FALSE(why.lag.entries.has_value());
    CHECK(why.last_contact == kNever);
}

TEST_CASE("an outsider that was not heard of in this epoch is unconfirmed", "[explain]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear(2, 100);
    p.group().follower(3, 100, kNever, false);
    REQUIRE(p.inherit({1, 3, 7, {1, 2}}) == Result::ok);
    const Explanation why = p.explain(3);
    CHECK(why.state == ReplicaState::unconfirmed);
    CHECK(why.verdict == Verdict::not_confirmed);
    CHECK_FALSE(why.member);
    CHECK_FALSE(why.match.has_value());
}

TEST_CASE("a learner is not eligible, whatever it holds", "[explain]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear({2, 3}, 100);
    p.group().kind(3, insync::ReplicaKind::learner);
    REQUIRE(p.initialize() == Result::ok);
    CHECK(p.explain(3).state == ReplicaState::not_eligible);
    CHECK(p.explain(3).verdict == Verdict::not_eligible);
    CHECK_FALSE(p.explain(3).member);
}

TEST_CASE("a replica taken out by hand is held out, not lagging", "[explain]") {
    OnePartition p;
    p.start_healthy();
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.explain(3).state == ReplicaState::held_out);
    CHECK(p.explain(3).verdict == Verdict::in_sync);
    CHECK_FALSE(p.explain(3).member);
}

TEST_CASE("an outsider is held against the limits for joining", "[explain]") {
    OnePartition p{{.damping = {.join_percent = 50}}};
    p.lead(4, 10'000);
    p.hear(2, 10'000);
    p.hear(3, 1'000);
    REQUIRE(p.inherit({1, 3, 7, {1, 2}}) == Result::ok);
    CHECK(p.explain(2).limits.entries == 10'000);
    CHECK(p.explain(3).limits.entries == 5'000);
    CHECK(p.explain(3).limits.time == 5s);
}

TEST_CASE("a node that does not lead says only what was published", "[explain]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2}}) == Result::ok);
    for (const insync::NodeId node : {1, 2, 3}) {
        const Explanation why = p.explain(node);
        CHECK(why.state == ReplicaState::as_published);
        CHECK(why.member == (node != 3));
        CHECK(why.leader == 2);
        CHECK(why.epoch == 4);
        CHECK(why.version == 7);
        CHECK_FALSE(why.match.has_value());
    }
}
