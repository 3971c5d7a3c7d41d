// What a node says of a log's end that stands in for a leader: never that less is there than a
// client may have read elsewhere.

#include "kafka/messages/list_offsets.hpp"
#include "mini_broker/simulation/sim_story.hpp"

#include <catch2/catch_test_macros.hpp>

#include <utility>

using namespace mini_broker;
using namespace mini_broker::simulation;
using mini_broker::kafka::Error;

namespace {

/// The epoch that a node names for the only topic, and where it says that this epoch ends.
std::pair<std::int32_t, kafka::OffsetForLeaderEpochResponse::Partition> end_of_epoch(
    World& world, BrokerCluster& cluster, NodeId node) {
    const auto named = wait_for<kafka::MetadataResponse>(world, cluster, node, 12, all_topics());
    REQUIRE(named);
    const std::int32_t epoch = named->topics.at(0).partitions.at(0).leader_epoch;
    kafka::OffsetForLeaderEpochRequest request;
    request.replica_id = -1;
    request.topics.push_back({"topic", {{0, -1, epoch}}});
    const auto answer =
        wait_for<kafka::OffsetForLeaderEpochResponse>(world, cluster, node, 4, request);
    REQUIRE(answer);
    return {epoch, answer->topics.at(0).partitions.at(0)};
}

} // namespace

TEST_CASE("Who stands in for a leader cuts no log short that a client has read further",
          "[acting_leader]") {
    constexpr Millis kPatience{30'000};
    World world{3};
    BrokerCluster cluster{world, quick_options(MinIsrError::exact), false};
    for (const NodeId id : cluster.ids()) cluster.start(id);
    (void)expect_whole(world, cluster, kPatience);
    const auto created =
        wait_for<kafka::CreateTopicsResponse>(world, cluster, 1, 5, create_request("topic", 1, 3));
    REQUIRE(created);
    const auto whole = expect_whole(world, cluster, kPatience);
    const auto leader = static_cast<NodeId>(whole.topics.at(0).partitions.at(0).leader_id);
    const std::string batch = batch_of("first");
    const auto produced = wait_for<kafka::ProduceResponse>(world, cluster, leader, 9,
                                                           produce_request("topic", 0, batch));
    REQUIRE(produced);
    world.run_for(Millis{1000});
    const auto [epoch, end] = end_of_epoch(world, cluster, leader);
    CHECK(end.error_code == Error::none);
    CHECK(end.end_offset == 1);

    const NodeId survivor = leader == 3 ? 2 : 3;
    for (const NodeId id : cluster.ids())
        if (id != survivor) cluster.end(id, End::kill);
    world.run_for(Millis{5000});
    // The two others may have committed a second record that this one has never heard of.
    const auto [named, shorter] = end_of_epoch(world, cluster, survivor);
    CHECK(named == epoch);
    CHECK(shorter.error_code == Error::offset_not_available);
}
