#include <insync/config.hpp>
#include <insync/errors.hpp>
#include <insync/isr_manager.hpp>
#include <insync/isr_set.hpp>
#include <insync/isr_store.hpp>
#include <insync/kafka/error_codes.hpp>
#include <insync/kafka/metadata.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

using namespace std::chrono_literals;
using insync::IsrConfig;
using insync::IsrSet;
using insync::NodeId;
using insync::Result;
using insync::kafka::describe;
using insync::kafka::ErrorCode;
using insync::kafka::PartitionMetadata;
using insync::testing::ManualClock;
using insync::testing::ScriptedView;

namespace {

using Ids = std::vector<std::int32_t>;

Ids isr_of(const PartitionMetadata& metadata) {
    return {metadata.isr_nodes.begin(), metadata.isr_nodes.end()};
}

/// A broker's own response, with Kafka's field names.
struct PartitionResponse {
    std::int16_t error_code = 99;
    std::int32_t leader_id = 99;
    std::int32_t leader_epoch = 99;
    Ids replica_nodes{1, 2, 3};
    Ids isr_nodes{9};
    Ids offline_replicas{3};
};
struct OldPartitionResponse {
    ErrorCode error_code = ErrorCode::unknown_server_error;
    std::int32_t leader_id = 99;
    Ids isr_nodes;
};

struct Broker {
    ManualClock clock;
    ScriptedView view;
    insync::IsrManager<ScriptedView, ManualClock> manager{1, view, IsrConfig{}, clock};
};

} // namespace

TEST_CASE("metadata shows leader, epoch and members of the ISR", "[kafka_metadata]") {
    const std::array<NodeId, 2> members{3, 1};
    const std::array<NodeId, 1> catching_up{2};
    const PartitionMetadata metadata = describe(IsrSet{3, members, catching_up, 7, 1});
    CHECK(metadata.error == ErrorCode::none);
    CHECK(metadata.leader_id == 3);
    CHECK(metadata.leader_epoch == 7);
    CHECK(isr_of(metadata) == Ids{1, 3});
    CHECK(metadata.tracked);
}

TEST_CASE("a partition without a known leader says so, and still shows its ISR",
          "[kafka_metadata]") {
    const std::array<NodeId, 2> members{1, 2};
    const PartitionMetadata metadata = describe(IsrSet{insync::kNoNode, members, {}, 7, 1});
    CHECK(metadata.error == ErrorCode::leader_not_available);
    CHECK(metadata.leader_id == -1);
    CHECK(isr_of(metadata) == Ids{1, 2});
}

TEST_CASE("what 32 bits cannot hold is left out rather than cut off", "[kafka_metadata]") {
    constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
    CHECK(insync::kafka::broker_id(0) == 0);
    CHECK(insync::kafka::broker_id(kMost) == kMost);
    CHECK(insync::kafka::broker_id(NodeId{kMost} + 1) == std::nullopt);
    CHECK(insync::kafka::broker_id(-1) == std::nullopt);
    CHECK(insync::kafka::leader_epoch(kMost) == kMost);
    CHECK(insync::kafka::leader_epoch(insync::Epoch{kMost} + 1) == -1);

    const std::array<NodeId, 2> members{NodeId{1} << 32, 2};
    const PartitionMetadata metadata = describe(IsrSet{members[0], members, {}, 7, 1});
    CHECK(metadata.error == ErrorCode::leader_not_available);
    CHECK(isr_of(metadata) == Ids{2});
}

TEST_CASE("a partition without tracking is its assigned broker alone", "[kafka_metadata]") {
    const Broker broker;
    const PartitionMetadata metadata = describe(broker.manager, "else", 0, 5);
    CHECK(metadata.error == ErrorCode::none);
    CHECK(metadata.leader_id == 5);
    CHECK(isr_of(metadata) == Ids{5});
    CHECK_FALSE(metadata.tracked);

    const PartitionMetadata nobody = describe(broker.manager, "else", 0, insync::kNoNode);
    CHECK(nobody.error == ErrorCode::leader_not_available);
    CHECK(nobody.isr_nodes.empty());
}

TEST_CASE("metadata on the leader follows its ISR", "[kafka_metadata]") {
    Broker broker;
    broker.view.lead("t", 0, 1, 4, 100).follower(3, 100, broker.clock.now());
    REQUIRE(broker.manager.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    for (int second = 0; second < 12; ++second) {
        broker.clock.advance(1s);
        broker.view.follower("t", 0, 2, 100, broker.clock.now());
        broker.manager.tick();
    }
    const PartitionMetadata metadata = describe(broker.manager, "t", 0, 1);
    CHECK(metadata.leader_id == 1);
    CHECK(metadata.leader_epoch == 4);
    CHECK(isr_of(metadata) == Ids{1, 2});
}

TEST_CASE("a broker that does not lead shows what the leader published, not itself",
          "[kafka_metadata]") {
    Broker broker;
    broker.view.follow("t", 0, 2, 4);
    REQUIRE(broker.manager.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    REQUIRE(broker.manager.apply_published_isr("t", 0, {2, 4, 9, {2, 3}}) == Result::ok);
    REQUIRE(broker.manager.update_isr("t", 0) == Result::ok);

    const PartitionMetadata metadata = describe(broker.manager, "t", 0, 1);
    CHECK(metadata.leader_id == 2);
    CHECK(metadata.leader_epoch == 4);
    CHECK(isr_of(metadata) == Ids{2, 3});
    CHECK_FALSE(metadata.stale);
}

TEST_CASE("a broker that has heard of no leader for long says that its metadata is stale",
          "[kafka_metadata]") {
    Broker broker;
    broker.view.follow("t", 0, 2, 4);
    REQUIRE(broker.manager.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    REQUIRE(broker.manager.apply_published_isr("t", 0, {2, 4, 9, {1, 2, 3}}) == Result::ok);
    broker.view.lose_leader("t", 0);
    for (int second = 0; second < 12; ++second) {
        broker.clock.advance(1s);
        broker.manager.tick();
    }
    CHECK(describe(broker.manager, "t", 0, 1).stale);
}

TEST_CASE("filling a response leaves replicas and offline replicas to the host",
          "[kafka_metadata]") {
    const std::array<NodeId, 2> members{1, 2};
    PartitionResponse response;
    insync::kafka::fill(response, describe(IsrSet{2, members, {}, 7, 1}));
    CHECK(response.error_code == 0);
    CHECK(response.leader_id == 2);
    CHECK(response.leader_epoch == 7);
    CHECK(response.isr_nodes == Ids{1, 2});
    CHECK(response.replica_nodes == Ids{1, 2, 3});
    CHECK(response.offline_replicas == Ids{3});
}

TEST_CASE("a response without a leader epoch, and with codes of its own, can be filled",
          "[kafka_metadata]") {
    OldPartitionResponse response;
    PartitionMetadata metadata;
    metadata.error = ErrorCode::leader_not_available;
    insync::kafka::fill(response, metadata);
    CHECK(response.error_code == ErrorCode::leader_not_available);
    CHECK(response.leader_id == -1);
    CHECK(response.isr_nodes.empty());
}
