#include <insync/node_list.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

using insync::NodeId;
using insync::NodeList;

namespace {

std::vector<NodeId> taken(NodeList list) {
    return {list.nodes().begin(), list.nodes().end()};
}

} // namespace

TEST_CASE("a node list is made of what holds node ids side by side", "[node_list]") {
    CHECK(taken({3, 1, 2}) == std::vector<NodeId>{3, 1, 2});
    CHECK(taken(std::vector<NodeId>{3, 1}) == std::vector<NodeId>{3, 1});
    CHECK(taken(std::array<NodeId, 2>{5, 4}) == std::vector<NodeId>{5, 4});
    constexpr std::array<NodeId, 3> kNodes{7, 8, 9};
    CHECK(taken(std::span{kNodes}.subspan(1)) == std::vector<NodeId>{8, 9});
    const NodeId plain[] = {1, 2};
    CHECK(taken(plain) == std::vector<NodeId>{1, 2});
}

TEST_CASE("a node list may be empty; whether that is legal is not its question", "[node_list]") {
    CHECK(taken({}).empty());
    CHECK(taken(std::vector<NodeId>{}).empty());
}

TEST_CASE("a node list is not made of other numbers or of text", "[node_list]") {
    STATIC_REQUIRE_FALSE(std::is_convertible_v<std::vector<int>, NodeList>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<std::string, NodeList>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<NodeId, NodeList>);
}
