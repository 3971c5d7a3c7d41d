// S5, S7, S8: whom a node names that does not lead: never itself, and whom its consensus knows.

#include "support/one_partition.hpp"

#include <insync/explain.hpp>
#include <insync/format.hpp>
#include <insync/isr_store.hpp>
#include <insync/kafka/error_codes.hpp>
#include <insync/kafka/metadata.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using insync::kNoNode;
using insync::PublishedIsr;
using insync::ReplicaState;
using insync::Result;
using support::Nodes;
using support::OnePartition;

namespace {

std::vector<int> isr_nodes(const insync::kafka::PartitionMetadata& metadata) {
    return {metadata.isr_nodes.begin(), metadata.isr_nodes.end()};
}

} // namespace

TEST_CASE("a deposed leader that knows no other names nobody", "[s5]") {
    OnePartition p;
    p.start_healthy();
    REQUIRE(p.set().leader() == 1);
    p.group().lose_leader();
    p.sweep();
    CHECK(p.set().leader() == kNoNode);
    CHECK(p.members() == Nodes{1, 2, 3});
    const auto metadata = insync::kafka::describe(p.set());
    CHECK(metadata.leader_id == insync::kafka::kNoBroker);
    CHECK(metadata.error == insync::kafka::ErrorCode::leader_not_available);
}

TEST_CASE("a deposed leader names the leader that its consensus knows", "[s5]") {
    OnePartition p;
    p.start_healthy(); // epoch 4
    p.group().follow(2, 5);
    p.sweep();
    CHECK(p.set().leader() == 2);
    CHECK(p.set().leader_ahead());
    CHECK(p.set().epoch() == 4); // of the set, which is still its own
}

TEST_CASE("a follower without a published set names the leader that its consensus knows", "[s5]") {
    OnePartition p;
    p.group().follow(3, 7);
    REQUIRE(p.initialize() == Result::ok);
    CHECK(p.set().leader() == 3);
    CHECK(p.set().leader_ahead());
}

TEST_CASE("a leader that is ahead of the set is named without an epoch, as a member", "[s5]") {
    OnePartition p;
    p.group().follow(3, 7);
    REQUIRE(p.inherit({1, 6, 2, {1, 2}}) == Result::ok);
    const auto metadata = insync::kafka::describe(p.set());
    CHECK(metadata.error == insync::kafka::ErrorCode::none);
    CHECK(metadata.leader_id == 3);
    CHECK(metadata.leader_epoch == insync::kafka::kNoLeaderEpoch); // 6 would be fenced by 3
    CHECK(isr_nodes(metadata) == std::vector<int>{1, 2, 3});
}

TEST_CASE("what the leader then publishes is named with its epoch", "[s5]") {
    OnePartition p;
    p.group().follow(3, 7);
    REQUIRE(p.initialize() == Result::ok);
    REQUIRE(p.isr.apply_published_isr(p.kTopic, 0, {3, 7, 1, {1, 3}}) == Result::ok);
    CHECK(p.set().leader() == 3);
    CHECK_FALSE(p.set().leader_ahead());
    CHECK(insync::kafka::describe(p.set()).leader_epoch == 7);
}

TEST_CASE("an older set that comes late names its leader only until the view is read", "[s5]") {
    OnePartition p;
    p.group().follow(3, 7);
    REQUIRE(p.initialize() == Result::ok);
    REQUIRE(p.isr.apply_published_isr(p.kTopic, 0, {2, 6, 4, {1, 2}}) == Result::ok);
    CHECK(p.set().leader() == 2);
    CHECK_FALSE(p.set().leader_ahead());
    p.sweep();
    CHECK(p.set().leader() == 3);
    CHECK(p.set().leader_ahead());
    CHECK(p.isr.apply_published_isr(p.kTopic, 0, {2, 6, 4, {1, 2}}) == Result::ok); // no conflict
    CHECK(p.set().leader() == 3);
}

TEST_CASE("a restarted leader does not name itself by the set that it published", "[s5]") {
    OnePartition p;
    p.group().lose_leader();
    REQUIRE(p.inherit({1, 4, 7, {1, 2}}) == Result::ok);
    CHECK(p.set().leader() == kNoNode);
    CHECK(p.isr.apply_published_isr(p.kTopic, 0, {1, 4, 7, {1, 2}}) ==
          Result::ok); // it is the same
    CHECK(p.set().leader() == kNoNode);
}

TEST_CASE("to name another leader is no change of the set", "[s5]") {
    OnePartition p;
    p.start_healthy();
    p.changes.clear();
    const auto version = p.set().version();
    p.group().follow(2, 5);
    p.sweep();
    p.group().follow(3, 6);
    p.sweep();
    CHECK(p.set().leader() == 3);
    CHECK(p.set().version() == version);
    CHECK(p.changes.empty());
}

TEST_CASE("a leader that led alone and then joined another does not name itself for ever", "[s5]") {
    OnePartition p;
    p.start_healthy();      // epoch 4
    p.group().follow(2, 3); // it took the lower term of those that it joined
    p.sweep_until(13s);
    CHECK(p.set().leader() == kNoNode);
    CHECK_FALSE(p.has_min());
}

TEST_CASE("explain says whose word a set is on a node that does not lead", "[s9]") {
    OnePartition p;
    p.group().follow(3, 7);
    REQUIRE(p.initialize() == Result::ok);
    CHECK(fmt::format("{}", p.explain(2)) ==
          "replica 2 is in the ISR: so it began, and nothing was published yet; replica 3 leads "
          "(epoch 0)");
    REQUIRE(p.isr.apply_published_isr(p.kTopic, 0, {3, 7, 1, {1, 3}}) == Result::ok);
    CHECK(fmt::format("{}", p.explain(2)) ==
          "replica 2 is out of the ISR: so replica 3 published it (epoch 7)");
    p.group().follow(2, 8);
    p.sweep();
    CHECK(fmt::format("{}", p.explain(2)) ==
          "replica 2 is out of the ISR: so it was last published; replica 2 leads (epoch 7)");
}

TEST_CASE("explain says that a former leader decided a set itself", "[s9]") {
    OnePartition p;
    p.start_healthy();
    p.group().follow(2, 5);
    p.sweep();
    CHECK(p.explain(3).state == ReplicaState::as_decided);
    CHECK(fmt::format("{}", p.explain(3)) ==
          "replica 3 is in the ISR: so this node decided while it led; replica 2 leads (epoch 4)");
}

TEST_CASE("explain says that an assigned replica is no member of the group", "[s9]") {
    OnePartition p;
    p.start_healthy();
    p.group().without(3);
    p.sweep();
    CHECK(p.explain(3).state == ReplicaState::not_a_member);
    CHECK(fmt::format("{}", p.explain(3)) ==
          "replica 3 is out of the ISR: its consensus group has no such member (epoch 4)");
}

TEST_CASE("who was named last is not named over who has published since", "[s5]") {
    OnePartition p;
    p.group().follow(3, 7);
    REQUIRE(p.initialize() == Result::ok);
    REQUIRE(p.set().leader() == 3);
    p.group().follow(kNoNode, 9); // a candidate, of a term that nobody leads in
    p.sweep();
    CHECK(p.set().leader() == 3); // the last that was known
    REQUIRE(p.isr.apply_published_isr(p.kTopic, 0, {2, 8, 1, {1, 2}}) == Result::ok);
    CHECK(p.set().leader() == 2);
    CHECK_FALSE(p.set().leader_ahead());
}
