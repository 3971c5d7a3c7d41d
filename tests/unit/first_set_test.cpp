#include <insync/detail/dead_nodes.hpp>
#include <insync/detail/first_set.hpp>
#include <insync/errors.hpp>
#include <insync/isr_store.hpp>
#include <insync/node_list.hpp>
#include <insync/partition_options.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <vector>

using insync::NodeId;
using insync::NodeList;
using insync::PublishedIsr;
using insync::Result;
using insync::detail::DeadNodes;
using insync::detail::FirstSet;

namespace {

constexpr std::array<NodeId, 3> kAssigned{1, 2, 3};

std::vector<NodeId> members(const FirstSet& first) {
    return {first.members.begin(), first.members.end()};
}

} // namespace

TEST_CASE("a new set has all replicas but the dead", "[first_set]") {
    DeadNodes dead;
    FirstSet first;
    REQUIRE(insync::detail::first_set(1, kAssigned, {}, dead, first) == Result::ok);
    CHECK(members(first) == std::vector<NodeId>{1, 2, 3});
    dead.add(2);
    REQUIRE(insync::detail::first_set(1, kAssigned, {}, dead, first) == Result::ok);
    CHECK(members(first) == std::vector<NodeId>{1, 3});
    CHECK_FALSE(first.masked);
}

TEST_CASE("an inherited set keeps its order and loses who is not assigned", "[first_set]") {
    const DeadNodes dead;
    const PublishedIsr inherited{2, 4, 7, {2, 3, 9}};
    FirstSet first;
    REQUIRE(insync::detail::first_set(1, kAssigned, {.inherited = &inherited}, dead, first) ==
            Result::ok);
    CHECK(members(first) == std::vector<NodeId>{2, 3});
    CHECK(first.leader == 2);
    CHECK(first.epoch == 4);
    CHECK(first.version == 7);
    CHECK_FALSE(first.masked);
}

TEST_CASE("an inherited set that lost a node which is not alive may get it back", "[first_set]") {
    const DeadNodes dead;
    const PublishedIsr inherited{2, 4, 7, {1, 2, 3}};
    FirstSet first;
    REQUIRE(insync::detail::first_set(1, kAssigned,
                                      {.alive = NodeList{1, 2}, .inherited = &inherited}, dead,
                                      first) == Result::ok);
    CHECK(members(first) == std::vector<NodeId>{1, 2});
    CHECK(first.masked);
}

TEST_CASE("options that cannot be are refused by what is wrong with them", "[first_set]") {
    const DeadNodes dead;
    const PublishedIsr strangers{8, 4, 7, {8, 9}};
    FirstSet first;
    CHECK(insync::detail::first_set(1, kAssigned, {.min_isr = 0}, dead, first) ==
          Result::invalid_min_isr);
    CHECK(insync::detail::first_set(1, kAssigned, {.inherited = &strangers}, dead, first) ==
          Result::invalid_isr);
    CHECK(insync::detail::first_set(5, kAssigned, {.alive = NodeList{5}}, dead, first) ==
          Result::invalid_isr);
}
