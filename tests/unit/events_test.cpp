#include <insync/events.hpp>
#include <insync/isr_set.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <optional>
#include <string>

using namespace std::chrono_literals;
using insync::ChangeCause;
using insync::IsrChange;
using insync::log_line;
using insync::MovedReplica;

namespace {

std::string line(const std::string& topic, insync::PartitionId partition, const MovedReplica& one) {
    IsrChange change;
    change.topic = topic;
    change.partition = partition;
    return log_line(change, one);
}

} // namespace

TEST_CASE("a replica that left is logged word for word as the documents have it", "[events]") {
    CHECK(line("my-topic", 0, {.node = 3, .added = false, .lag_entries = 5000, .lag_ms = 10s}) ==
          "ISR SHRINK: my-topic-0 removed replica 3 (lag: 5000 entries, 10000 ms)");
}

TEST_CASE("a replica that joined is logged word for word as the documents have it", "[events]") {
    CHECK(line("my-topic", 0, {.node = 3, .added = true, .lag_entries = 100, .lag_ms = 500ms}) ==
          "ISR EXPAND: my-topic-0 added replica 3 (lag: 100 entries, 500 ms)");
}

TEST_CASE("a lag that was not confirmed is called unknown, not 0", "[events]") {
    CHECK(line("t.2_x", 17, {.node = 12, .lag_entries = std::nullopt, .lag_ms = 10'001ms}) ==
          "ISR SHRINK: t.2_x-17 removed replica 12 (lag: unknown entries, 10001 ms)");
    CHECK(line("t", 0, {.node = 12, .lag_entries = 0}) ==
          "ISR SHRINK: t-0 removed replica 12 (lag: 0 entries, 0 ms)");
}

TEST_CASE("numbers of any size stand in full", "[events]") {
    constexpr insync::NodeId kNode = 9'223'372'036'854'775'807;
    CHECK(line("t", insync::kMaxPartition,
               {.node = kNode, .added = true, .lag_entries = insync::kMaxIndex}) ==
          "ISR EXPAND: t-1048575 added replica 9223372036854775807 (lag: 9223372036854775807 "
          "entries, 0 ms)");
}

TEST_CASE("each cause of a change has its own name", "[events]") {
    CHECK(insync::to_string(ChangeCause::became_leader) == "became_leader");
    CHECK(insync::to_string(ChangeCause::lag) == "lag");
    CHECK(insync::to_string(ChangeCause::membership) == "membership");
    CHECK(insync::to_string(ChangeCause::manual) == "manual");
    CHECK(insync::to_string(ChangeCause::quorum_lost) == "quorum_lost");
    CHECK(insync::to_string(ChangeCause::published) == "published");
    CHECK(insync::to_string(ChangeCause::renumbered) == "renumbered");
    CHECK(insync::to_string(static_cast<ChangeCause>(99)) == "unknown");
}
