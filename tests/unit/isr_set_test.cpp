#include "support/one_partition.hpp"

#include <insync/isr_set.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <type_traits>

using namespace std::chrono_literals;
using insync::IsrSet;
using insync::NodeId;
using insync::Result;
using insync::TimePoint;
using support::Nodes;
using support::OnePartition;

namespace {

IsrSet make(NodeId leader,
            const Nodes& members,
            const Nodes& catching_up = {},
            insync::Epoch epoch = 0,
            insync::Version version = 0) {
    return IsrSet{leader, members, catching_up, epoch, version};
}

Nodes catching_up_of(const IsrSet& set) {
    return {set.catching_up().begin(), set.catching_up().end()};
}

} // namespace

TEST_CASE("isr_set_creation", "[isr_set][design]") {
    const IsrSet set = make(1, {3, 1, 2}, {5, 4}, 7, 9);
    CHECK(set.leader() == 1);
    CHECK(set.to_vec() == Nodes{1, 2, 3});
    CHECK(catching_up_of(set) == Nodes{4, 5});
    CHECK(set.size() == 3);
    CHECK(set.replica_count() == 5);
    CHECK(set.epoch() == 7);
    CHECK(set.version() == 9);

    // What a manager gives out for a fresh partition: the leader and its in-sync followers.
    OnePartition p;
    p.start_healthy();
    CHECK(p.set().leader() == 1);
    CHECK(p.set().to_vec() == Nodes{1, 2, 3});
    CHECK(catching_up_of(p.set()).empty());
}

TEST_CASE("isr_set_add_remove", "[isr_set][design]") {
    OnePartition p;
    p.start_healthy();
    const IsrSet before = p.set();

    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
    const IsrSet without = p.set();
    CHECK(without.to_vec() == Nodes{1, 3});
    CHECK(catching_up_of(without) == Nodes{2});
    CHECK_FALSE(without.contains(2));
    CHECK(without.version() == before.version() + 1);

    REQUIRE(p.isr.add_to_isr("my-topic", 0, 2) == Result::ok);
    CHECK(p.set().to_vec() == Nodes{1, 2, 3});
    CHECK(catching_up_of(p.set()).empty());
    CHECK(p.set().contains(2));
    CHECK(p.set().version() == before.version() + 2);

    CHECK(before.to_vec() == Nodes{1, 2, 3}); // a set is a value: what was read stays as it was
    CHECK(without.to_vec() == Nodes{1, 3});
}

TEST_CASE("a default set is empty and led by nobody", "[isr_set]") {
    const IsrSet set{};
    CHECK(set.leader() == insync::kNoNode);
    CHECK(set.members().empty());
    CHECK(set.catching_up().empty());
    CHECK(set.size() == 0);
    CHECK_FALSE(set.contains(insync::kNoNode)); // nobody is not a member
    CHECK_FALSE(set.contains(0));
}

TEST_CASE("a set contains its members and not those that catch up", "[isr_set]") {
    const IsrSet set = make(2, {2, 5}, {3});
    CHECK(set.contains(2));
    CHECK(set.contains(5));
    CHECK_FALSE(set.contains(3));
    CHECK_FALSE(set.contains(4));
}

TEST_CASE("a set holds as many replicas as a partition may have", "[isr_set]") {
    Nodes nodes;
    for (NodeId node = insync::kMaxReplicas; node > 0; --node)
        nodes.push_back(node * 1'000'000'007);
    const IsrSet all = make(nodes.front(), nodes);
    CHECK(all.size() == insync::kMaxReplicas);
    const IsrSet none = make(insync::kNoNode, {}, nodes);
    CHECK(none.size() == 0);
    CHECK(none.catching_up().size() == insync::kMaxReplicas);
    CHECK(none.catching_up().front() == 1'000'000'007);
}

TEST_CASE("sets are equal when members, assignment, epoch and version are, whoever leads",
          "[isr_set]") {
    const IsrSet set = make(1, {1, 2}, {3}, 4, 5);
    CHECK(set == make(1, {2, 1}, {3}, 4, 5)); // the order in which they were named is nothing
    CHECK(set == make(2, {1, 2}, {3}, 4, 5));
    CHECK_FALSE(set == make(1, {1, 2, 3}, {}, 4, 5)); // the same replicas, the line elsewhere
    CHECK_FALSE(set == make(1, {1, 3}, {2}, 4, 5));
    CHECK_FALSE(set == make(1, {1, 2}, {}, 4, 5));
    CHECK_FALSE(set == make(1, {1, 2}, {3}, 5, 5));
    CHECK_FALSE(set == make(1, {1, 2}, {3}, 4, 6));
}

TEST_CASE("equality does not look at times and flags", "[isr_set]") {
    OnePartition leader;
    leader.clock.advance(5s);
    leader.start_healthy();
    const IsrSet own = leader.set();
    const IsrSet built = make(1, {1, 2, 3}, {}, own.epoch(), own.version());
    CHECK(own.own());
    CHECK_FALSE(built.own());
    CHECK(own.changed_at() != built.changed_at());
    CHECK(own == built);
}

TEST_CASE("a set's age is the time since it changed, never negative", "[isr_set]") {
    OnePartition p;
    p.clock.advance(3s);
    p.start_healthy();
    const IsrSet set = p.set();
    CHECK(set.changed_at() == TimePoint{3s});
    CHECK(set.age(TimePoint{10s}) == 7s);
    CHECK(set.age(TimePoint{3s}) == 0ms);
    CHECK(set.age(TimePoint{1s}) == 0ms);
}

TEST_CASE("a set is copied like a number and fits into three cache lines", "[isr_set]") {
    STATIC_REQUIRE(std::is_trivially_copyable_v<IsrSet>);
    STATIC_REQUIRE(sizeof(IsrSet) <= 3 * 64);
}

namespace {

template <class Set>
concept GivesMembers = requires(Set&& set) { static_cast<Set&&>(set).members(); };
template <class Set>
concept GivesCatchingUp = requires(Set&& set) { static_cast<Set&&>(set).catching_up(); };

} // namespace

TEST_CASE("members of a temporary set do not compile", "[isr_set]") {
    // for (NodeId n : manager.get_isr(...)->members()) would look at freed memory in C++20.
    STATIC_REQUIRE(GivesMembers<const IsrSet&>);
    STATIC_REQUIRE(GivesCatchingUp<IsrSet&>);
    STATIC_REQUIRE_FALSE(GivesMembers<IsrSet>);
    STATIC_REQUIRE_FALSE(GivesCatchingUp<const IsrSet>);
}
