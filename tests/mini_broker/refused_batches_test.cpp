// Idempotent producers whose batches were refused: what they had sent behind those.

#include "cluster/refused_batches.hpp"

#include "kafka/messages/configs.hpp"
#include "mini_broker/simulation/sim_story.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <limits>
#include <string>

using namespace mini_broker;
using namespace mini_broker::simulation;
using mini_broker::kafka::Error;

namespace {

constexpr TimePoint kStart{Millis{1000}};

ProducerBatch sent(std::int32_t sequence, std::int64_t producer = 7, std::int16_t epoch = 0) {
    return {producer, epoch, sequence, sequence};
}

/// A topic of three nodes, whose leader is told how many replicas a write needs.
struct Topic {
    Topic() : cluster(world, quick_options(MinIsrError::exact), false) {
        for (const NodeId id : cluster.ids()) cluster.start(id);
        (void)expect_whole(world, cluster, kPatience);
        REQUIRE(wait_for<kafka::CreateTopicsResponse>(world, cluster, 1, 5,
                                                      create_request("topic", 1, 3)));
        leader = static_cast<NodeId>(
            expect_whole(world, cluster, kPatience).topics.at(0).partitions.at(0).leader_id);
    }

    void lose_a_follower() {
        cluster.end(leader == 3 ? 2 : 3, End::kill);
        world.run_for(Millis{3000});
    }

    void set_min_isr(const std::string& least) {
        kafka::IncrementalAlterConfigsRequest request;
        request.resources.push_back({2, "topic", {{"min.insync.replicas", 0, least}}});
        REQUIRE(
            wait_for<kafka::IncrementalAlterConfigsResponse>(world, cluster, leader, 0, request));
        world.run_for(Millis{100});
    }
    Error produce(std::int32_t sequence) { return produce_at(leader, sequence); }
    Error produce_at(NodeId node, std::int32_t sequence) {
        log_test::Wanted wanted;
        wanted.producer = 7;
        wanted.epoch = 0;
        wanted.first_sequence = sequence;
        const std::string batch = batch_of("record " + std::to_string(sequence), wanted);
        const auto answer = wait_for<kafka::ProduceResponse>(world, cluster, node, 9,
                                                             produce_request("topic", 0, batch));
        REQUIRE(answer);
        return answer->responses.at(0).partition_responses.at(0).error_code;
    }

    static constexpr Millis kPatience{30'000};
    World world{5};
    BrokerCluster cluster;
    NodeId leader = 0;
};

} // namespace

TEST_CASE("What was sent behind a refused batch is refused until that has come again",
          "[refused_batches]") {
    Topic topic;
    topic.lose_a_follower();
    const int known = GENERATE(0, 1); // of a producer that is new, and of one that is not
    if (known == 1) REQUIRE(topic.produce(0) == Error::none);
    topic.set_min_isr("3");
    CHECK(topic.produce(known) == Error::not_enough_replicas);
    topic.set_min_isr("1");
    CHECK(topic.produce(known + 1) == Error::not_enough_replicas);
    CHECK(topic.produce(known + 2) == Error::not_enough_replicas);
    for (std::int32_t sequence = known; sequence < known + 3; ++sequence)
        CHECK(topic.produce(sequence) == Error::none);
    const auto read = read_all(topic.world, topic.cluster, topic.leader, "topic", 0);
    REQUIRE(read);
    const std::vector<Shown>& all = *read;
    REQUIRE(all.size() == static_cast<std::size_t>(known) + 3);
    for (std::size_t i = 0; i < all.size(); ++i)
        CHECK(all[i] == Shown{static_cast<Offset>(i), 1, "record " + std::to_string(i)});
}

TEST_CASE("A batch that a node refused before it led counts as refused once it leads",
          "[refused_batches]") {
    Topic topic;
    REQUIRE(topic.produce(0) == Error::none);
    const NodeId heir = topic.leader == 3 ? 2 : 3;
    for (const NodeId id : topic.cluster.ids()) {
        if (id == topic.leader || id == heir) continue;
        topic.cluster.end(id, End::kill); // so that there is one heir only
        topic.world.run_for(Millis{3000});
        topic.cluster.end(topic.leader, End::kill);
        topic.cluster.start(id);
    }
    CHECK(topic.produce_at(heir, 1) == Error::not_leader_or_follower);
    topic.world.run_for(Millis{3000});
    CHECK(topic.produce_at(heir, 2) == Error::not_enough_replicas);
    CHECK(topic.produce_at(heir, 1) == Error::none);
    CHECK(topic.produce_at(heir, 2) == Error::none);
}

TEST_CASE("Who does not send a refused batch again hears of the gap in the end",
          "[refused_batches]") {
    Topic topic;
    topic.lose_a_follower();
    REQUIRE(topic.produce(0) == Error::none);
    topic.set_min_isr("3");
    CHECK(topic.produce(1) == Error::not_enough_replicas);
    topic.set_min_isr("1");
    topic.world.run_for(RefusedBatches::kAwaited + Millis{1});
    CHECK(topic.produce(2) == Error::out_of_order_sequence_number);
}

TEST_CASE("A batch that overtakes another is let wait for it, but not for ever",
          "[refused_batches]") {
    Topic topic;
    REQUIRE(topic.produce(0) == Error::none);
    CHECK(topic.produce(2) == Error::not_enough_replicas);
    CHECK(topic.produce(1) == Error::none);
    CHECK(topic.produce(2) == Error::none);
    CHECK(topic.produce(5) == Error::not_enough_replicas);
    topic.world.run_for(RefusedBatches::kAwaited + Millis{1});
    CHECK(topic.produce(5) == Error::out_of_order_sequence_number);
    CHECK(topic.produce(5) == Error::out_of_order_sequence_number);
    CHECK(topic.produce(3) == Error::none);
}

TEST_CASE("Only what comes behind the first refused batch of the same producer waits",
          "[refused_batches]") {
    RefusedBatches refused;
    CHECK_FALSE(refused.is_behind(sent(6), kStart));
    refused.note(sent(5), kStart);
    refused.note(sent(8), kStart);
    CHECK_FALSE(refused.is_behind(sent(4), kStart));
    CHECK_FALSE(refused.is_behind(sent(5), kStart));
    CHECK(refused.is_behind(sent(6), kStart));
    CHECK_FALSE(refused.is_behind(sent(6, 8), kStart));
    CHECK_FALSE(refused.is_behind(sent(6, 7, 1), kStart));
    refused.taken(sent(4));
    CHECK(refused.is_behind(sent(6), kStart));
    refused.taken(sent(5));
    CHECK_FALSE(refused.is_behind(sent(6), kStart));
}

TEST_CASE("A refused batch is waited for so long after its last refusal", "[refused_batches]") {
    RefusedBatches refused;
    const TimePoint later = kStart + RefusedBatches::kAwaited;
    refused.note(sent(5), kStart);
    CHECK(refused.is_behind(sent(6), later));
    CHECK_FALSE(refused.is_behind(sent(6), later + Millis{1}));
    refused.note(sent(5), later);
    CHECK(refused.is_behind(sent(6), later + Millis{1}));
}

TEST_CASE("A refusal of long ago does not shorten the wait at a new gap", "[refused_batches]") {
    RefusedBatches refused;
    refused.note(sent(5), kStart); // and appended by another leader
    const TimePoint later = kStart + 2 * RefusedBatches::kAwaited;
    CHECK(refused.is_behind(sent(9), 8, later));
    CHECK(refused.is_behind(sent(9), 8, later + RefusedBatches::kAwaited));
    CHECK_FALSE(refused.is_behind(sent(9), 8, later + RefusedBatches::kAwaited + Millis{1}));
}

TEST_CASE("A sequence that wraps round comes behind the one before it", "[refused_batches]") {
    RefusedBatches refused;
    refused.note(sent(std::numeric_limits<std::int32_t>::max()), kStart);
    CHECK(refused.is_behind(sent(0), kStart));
    refused.note(sent(0, 8), kStart);
    CHECK_FALSE(refused.is_behind(sent(std::numeric_limits<std::int32_t>::max(), 8), kStart));
}

TEST_CASE("Refusals of ever more producers are remembered only so far", "[refused_batches]") {
    RefusedBatches refused;
    const auto most = static_cast<std::int64_t>(RefusedBatches::kMost);
    for (std::int64_t producer = 0; producer <= most; ++producer)
        refused.note(sent(5, producer), kStart);
    CHECK(refused.is_behind(sent(6, most - 1), kStart));
    CHECK_FALSE(refused.is_behind(sent(6, most), kStart));
    const TimePoint later = kStart + RefusedBatches::kAwaited + Millis{1};
    refused.note(sent(5, most), later);
    CHECK(refused.is_behind(sent(6, most), later));
}
