#include <insync/detail/dead_nodes.hpp>

#include <catch2/catch_test_macros.hpp>

using insync::detail::DeadNodes;

TEST_CASE("a node is dead from when it is added until it is removed", "[dead_nodes]") {
    DeadNodes dead;
    CHECK_FALSE(dead.contains(3));
    dead.add(3);
    dead.add(1);
    dead.add(3); // twice is once
    CHECK(dead.contains(1));
    CHECK(dead.contains(3));
    CHECK_FALSE(dead.contains(2));
    dead.remove(3);
    dead.remove(2); // never was
    CHECK_FALSE(dead.contains(3));
    CHECK(dead.contains(1));
}
