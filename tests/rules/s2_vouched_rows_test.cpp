// S2: what is known of a follower is known only for as long as its row vouches for it.

#include "support/one_partition.hpp"

#include <insync/consensus_view.hpp>
#include <insync/explain.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::kNever;
using insync::NodeId;
using insync::ReplicaKind;
using insync::ReplicaState;
using insync::Result;
using insync::WaitResult;
using support::Ended;
using support::Nodes;
using support::OnePartition;

namespace {

/// Node 3 leaves the group and comes back in the same epoch, with an empty disk.
void leave_and_return(OnePartition<>& p) {
    p.group().without(3);
    p.sweep();
    p.group().follower(3, 0, kNever, false);
    p.sweep();
}

} // namespace

TEST_CASE("a replica that comes back in the same epoch starts outside and unknown", "[s2]") {
    OnePartition p;
    p.start_healthy();
    leave_and_return(p);
    CHECK(p.members() == Nodes{1, 2});
    CHECK_FALSE(p.explain(3).match);
    CHECK(p.explain(3).state == ReplicaState::unconfirmed);
    CHECK(p.report(3).last_contact == kNever);
}

TEST_CASE("one that left and came back between two looks is out at the next", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.group().follower(3, 0, kNever, false); // nobody has seen it gone
    p.sweep();
    CHECK(p.members() == Nodes{1, 2});
    CHECK_FALSE(p.explain(3).match);
}

TEST_CASE("it is out even if our own pause came between", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.sweep();
    p.clock.advance(5s); // a sweep that comes late evicts nobody whose row still vouches for it
    p.group().follower(3, 0, kNever, false);
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("one that came back joins once it has confirmed what it holds", "[s2]") {
    OnePartition p;
    p.start_healthy();
    leave_and_return(p);
    p.hear({2, 3}, 100);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("an acknowledgement never rests on what a replica held before it left", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.group().without(3);
    p.sweep();
    REQUIRE(p.isr.record_progress(p.kTopic, 0, 4, 3, 100, p.clock.now()) == Result::not_a_replica);
    p.group().follower(3, 0, p.clock.now(), true); // and so 100 entries behind, within the limit
    p.sweep();
    CHECK(p.explain(3).match == 0);
    p.lead(4, 101);
    p.hear(2, 101);
    const Ended& ended = p.await(4, 101);
    (void)p.observe();
    CHECK(p.members() == Nodes{1, 2});
    CHECK(ended == Ended{WaitResult::committed}); // by 1 and 2, who hold it
}

TEST_CASE("a verified match that falls within an epoch is believed", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.group().follower(3, 40, p.clock.now());
    (void)p.observe();
    CHECK(p.explain(3).match == 40);
    CHECK(p.await(4, 41).size() == (p.members() == Nodes{1, 2} ? 1u : 0u));
}

TEST_CASE("who was caught up before its match fell is not caught up after it", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.group().follower(3, 0, p.clock.now());
    p.sweep();
    CHECK(p.members() == Nodes{1, 2}); // no sample says when it held nothing
}

TEST_CASE("a row whose match is not verified any more leaves at once", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.group().follower(3, 100, p.clock.now(), false);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("a voter that was a learner meanwhile is judged by its row", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.group().kind(3, ReplicaKind::learner);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2});
    p.group().kind(3, ReplicaKind::voter).follower(3, 0, kNever, false);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2});
    CHECK_FALSE(p.explain(3).match);
}

TEST_CASE("an assignment that is changed and changed back leaves nothing known", "[s2]") {
    OnePartition p;
    p.start_healthy();
    REQUIRE(p.isr.set_assignment(p.kTopic, 0, {1, 2}) == Result::ok);
    REQUIRE(p.isr.set_assignment(p.kTopic, 0, {1, 2, 3}) == Result::ok);
    CHECK_FALSE(p.explain(3).match);
    // An answer that its former self gave.
    CHECK(p.isr.record_progress(p.kTopic, 0, 4, 3, 100, p.clock.now()) == Result::not_a_replica);
    p.group().follower(3, 0, kNever, false);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("in a large group a replica that comes back starts outside, too", "[s2]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear({2, 3, 4, 5}, 100);
    (void)p.initialize({1, 2, 3, 4, 5});
    REQUIRE(p.members() == Nodes{1, 2, 3, 4, 5});
    leave_and_return(p);
    CHECK(p.members() == Nodes{1, 2, 4, 5});
    CHECK_FALSE(p.explain(3).match);
}

TEST_CASE("stopping another replica is not safe on the word of one that came back", "[s2]") {
    OnePartition p{{.min_insync_replicas = 2}};
    p.start_healthy();
    leave_and_return(p);
    CHECK_FALSE(p.isr.safe_to_stop(2).safe());
}

TEST_CASE("a read of an earlier moment than what was pushed denies nothing", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.lead(4, 110);
    p.hear({2, 3}, 110);
    (void)p.observe();
    p.group().positions({100, 100, 100}); // as a host that reads a copy of its group's state
    p.hear({2, 3}, 100);
    p.sweep();
    CHECK(p.explain(3).match == 110);
    CHECK(p.members() == Nodes{1, 2, 3});
}
