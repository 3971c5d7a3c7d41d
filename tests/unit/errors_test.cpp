#include <insync/errors.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <iterator>
#include <set>
#include <string_view>

using insync::Result;
using insync::WaitResult;

TEST_CASE("every result has a name of its own", "[errors]") {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < insync::kResultCount; ++i) {
        const std::string_view name = insync::to_string(static_cast<Result>(i));
        CHECK(name != "unknown");
        CHECK(names.insert(name).second);
    }
    CHECK(names.size() == insync::kResultCount);
}

TEST_CASE("a result is called by its enumerator's name", "[errors]") {
    // The names stand in a table beside the enumeration, so the danger is that one is off by one.
    struct Row {
        Result result;
        std::string_view name;
    };
    constexpr Row kRows[] = {
        {Result::ok, "ok"},
        {Result::stale, "stale"},
        {Result::unknown_partition, "unknown_partition"},
        {Result::already_exists, "already_exists"},
        {Result::not_leader, "not_leader"},
        {Result::invalid_topic, "invalid_topic"},
        {Result::invalid_partition, "invalid_partition"},
        {Result::invalid_node, "invalid_node"},
        {Result::empty_replicas, "empty_replicas"},
        {Result::duplicate_replica, "duplicate_replica"},
        {Result::too_many_replicas, "too_many_replicas"},
        {Result::not_a_replica, "not_a_replica"},
        {Result::invalid_isr, "invalid_isr"},
        {Result::invalid_min_isr, "invalid_min_isr"},
        {Result::invalid_index, "invalid_index"},
        {Result::beyond_leader_end, "beyond_leader_end"},
        {Result::epoch_conflict, "epoch_conflict"},
        {Result::epoch_exhausted, "epoch_exhausted"},
        {Result::leader_cannot_leave, "leader_cannot_leave"},
        {Result::not_confirmed, "not_confirmed"},
        {Result::not_eligible, "not_eligible"},
        {Result::inconsistent_view, "inconsistent_view"},
        {Result::torn, "torn"},
        {Result::unavailable, "unavailable"},
        {Result::superseded, "superseded"},
        {Result::too_many_waits, "too_many_waits"},
        {Result::no_memory, "no_memory"},
        {Result::shut_down, "shut_down"},
    };
    STATIC_REQUIRE(std::size(kRows) == insync::kResultCount);
    for (const Row& row : kRows) CHECK(insync::to_string(row.result) == row.name);
}

TEST_CASE("the way a wait ended is called by its enumerator's name", "[errors]") {
    CHECK(insync::to_string(WaitResult::committed) == "committed");
    CHECK(insync::to_string(WaitResult::not_enough_replicas) == "not_enough_replicas");
    CHECK(insync::to_string(WaitResult::not_leader) == "not_leader");
    CHECK(insync::to_string(WaitResult::timed_out) == "timed_out");
    CHECK(insync::to_string(WaitResult::shut_down) == "shut_down");
}

TEST_CASE("a value that is no enumerator is called unknown", "[errors]") {
    CHECK(insync::to_string(static_cast<Result>(insync::kResultCount)) == "unknown");
    CHECK(insync::to_string(static_cast<Result>(255)) == "unknown");
    CHECK(insync::to_string(static_cast<WaitResult>(255)) == "unknown");
}
