// Three brokers step by step: what clients are told when nodes stop, and that any node will do.

#include "kafka/messages/configs.hpp"
#include "mini_broker/simulation/sim_story.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

using namespace mini_broker;
using namespace mini_broker::simulation;
using mini_broker::kafka::Error;

namespace {

constexpr Millis kPatience{30'000};

struct Cluster3 {
    explicit Cluster3(MinIsrError error = MinIsrError::documented, std::uint64_t seed = 1)
        : world(seed), cluster(world, quick_options(error), false) {
        for (const NodeId id : cluster.ids()) cluster.start(id);
        (void)expect_whole(world, cluster, kPatience);
    }

    Error create(NodeId node, const std::string& name, std::int16_t replication_factor = 3) {
        const auto answer = wait_for<kafka::CreateTopicsResponse>(
            world, cluster, node, 5, create_request(name, 1, replication_factor));
        REQUIRE(answer);
        return answer->topics.at(0).error_code;
    }
    Error remove(NodeId node, const std::string& name) {
        const auto answer =
            wait_for<kafka::DeleteTopicsResponse>(world, cluster, node, 4, delete_request(name));
        REQUIRE(answer);
        return answer->responses.at(0).error_code;
    }
    kafka::ProduceResponse::Partition produce(NodeId node,
                                              const std::string& batch,
                                              std::int16_t acks = -1) {
        const auto answer = wait_for<kafka::ProduceResponse>(
            world, cluster, node, 9, produce_request("topic", 0, batch, acks));
        REQUIRE(answer);
        return answer->responses.at(0).partition_responses.at(0);
    }
    kafka::FetchResponse::Partition fetch(NodeId node, Offset offset, int version = 10) {
        const auto answer = wait_for<kafka::FetchResponse>(world, cluster, node, version,
                                                           fetch_request("topic", 0, offset));
        REQUIRE(answer);
        return answer->responses.at(0).partitions.at(0);
    }
    kafka::MetadataResponse::Partition partition(NodeId node) {
        const auto answer =
            wait_for<kafka::MetadataResponse>(world, cluster, node, 12, all_topics());
        REQUIRE(answer);
        return answer->topics.at(0).partitions.at(0);
    }
    NodeId leader() {
        (void)expect_whole(world, cluster, kPatience);
        return static_cast<NodeId>(partition(1).leader_id);
    }
    std::vector<NodeId> others(NodeId node) {
        std::vector<NodeId> others;
        for (const NodeId id : cluster.ids())
            if (id != node) others.push_back(id);
        return others;
    }

    World world;
    BrokerCluster cluster;
};

} // namespace

TEST_CASE("The survivor of three refuses acks=all with a reason and shows what is committed",
          "[broker]") {
    const bool exact = GENERATE(false, true);
    const bool leader_survives = GENERATE(false, true);
    Cluster3 three{exact ? MinIsrError::exact : MinIsrError::documented,
                   exact ? std::uint64_t{7} : std::uint64_t{8}};
    REQUIRE(three.create(2, "topic") == Error::none);
    const NodeId leader = three.leader();
    REQUIRE(three.produce(leader, batch_of("first")).error_code == Error::none);
    three.world.run_for(Millis{1000});
    const NodeId survivor = leader_survives ? leader : three.others(leader)[0];
    for (const NodeId id : three.others(survivor)) three.cluster.end(id, End::kill);
    three.world.run_for(Millis{5000});

    const auto refused = three.produce(survivor, batch_of("second"));
    CHECK(refused.error_code ==
          (exact ? Error::not_enough_replicas : Error::not_enough_replicas_after_append));
    CHECK(three.cluster.hung_up() == 1); // so that the client looks for a real leader
    CHECK(three.produce(survivor, batch_of("third"), 1).error_code ==
          Error::not_leader_or_follower);

    const auto described = three.partition(survivor);
    CHECK(described.error_code == Error::none);
    CHECK(described.leader_id == survivor);
    CHECK(described.isr_nodes == std::vector<std::int32_t>{static_cast<std::int32_t>(survivor)});
    CHECK(described.offline_replicas.size() == 2);

    const auto shown = three.fetch(survivor, 0);
    CHECK(shown.error_code == Error::none);
    CHECK(batches_in(shown.records) == std::vector<Shown>{{0, 1, "first"}});
    CHECK(three.fetch(survivor, 2).error_code == Error::offset_not_available);

    for (const NodeId id : three.others(survivor)) three.cluster.start(id);
    const NodeId again = three.leader();
    CHECK(three.produce(again, batch_of("fourth")).base_offset == 1);
    const auto all = read_all(three.world, three.cluster, again, "topic", 0);
    CHECK(all == std::vector<Shown>{{0, 1, "first"}, {1, 1, "fourth"}});
}

TEST_CASE("With two of three in sync acks=all is taken, and refused before the append below that",
          "[broker]") {
    const bool exact = GENERATE(false, true);
    Cluster3 three{exact ? MinIsrError::exact : MinIsrError::documented};
    REQUIRE(three.create(1, "topic") == Error::none);
    const NodeId leader = three.leader();
    const std::vector<NodeId> others = three.others(leader);
    three.cluster.end(others[0], End::kill);
    three.world.run_for(Millis{3000});
    CHECK(three.partition(leader).isr_nodes.size() == 2);
    CHECK(three.produce(leader, batch_of("taken")).error_code == Error::none);

    // Configured above the number in sync while a quorum stands: has_min_isr is what refuses.
    kafka::IncrementalAlterConfigsRequest request;
    request.resources.push_back({2, "topic", {{"min.insync.replicas", 0, "3"}}});
    const auto changed = wait_for<kafka::IncrementalAlterConfigsResponse>(
        three.world, three.cluster, leader, 0, request);
    REQUIRE(changed);
    CHECK(changed->responses.at(0).error_code == Error::none);
    three.world.run_for(Millis{100});
    const auto refused = three.produce(leader, batch_of("refused"));
    CHECK(refused.error_code ==
          (exact ? Error::not_enough_replicas : Error::not_enough_replicas_after_append));
    CHECK(three.produce(leader, batch_of("with acks=1"), 1).error_code == Error::none);
    three.world.run_for(Millis{500});
    const auto all = read_all(three.world, three.cluster, leader, "topic", 0);
    CHECK(all == std::vector<Shown>{{0, 1, "taken"}, {1, 1, "with acks=1"}});
}

TEST_CASE("Topics are created and deleted by any node, and whoever is told so finds it so",
          "[broker]") {
    Cluster3 three;
    for (const NodeId node : three.cluster.ids()) {
        const std::string name = "of" + std::to_string(node);
        CHECK(three.create(node, name) == Error::none);
        const auto seen =
            wait_for<kafka::MetadataResponse>(three.world, three.cluster, node, 12, all_topics());
        REQUIRE(seen);
        CHECK(seen->topics.size() == 1);
        CHECK(three.create(node % 3 + 1, name) == Error::topic_already_exists);
        const NodeId other = node % 3 + 1;
        CHECK(three.remove(other, name) == Error::none);
        CHECK(three.remove(other, name) == Error::unknown_topic_or_partition);
    }
    CHECK(three.create(1, "many", 4) == Error::invalid_replication_factor);
    CHECK(three.create(1, "a/b") == Error::invalid_topic);
}

TEST_CASE("A node that comes back is asked nothing before it knows which topics there are",
          "[broker]") {
    const End how = GENERATE(End::kill, End::power_cut, End::orderly);
    const NodeId node = GENERATE(1, 2, 3);
    Cluster3 three;
    REQUIRE(three.create(node, "topic") == Error::none);
    three.cluster.end(node, how); // so soon that its disk may not say yet that this is committed
    for (const NodeId other : three.others(node)) {
        three.cluster.cut(node, other);
        three.cluster.cut(other, node);
    }
    three.cluster.start(node);
    three.world.run_for(Millis{3000});
    CHECK_FALSE(three.cluster.broker(node)->ready());
    CHECK_FALSE(
        wait_for<kafka::MetadataResponse>(three.world, three.cluster, node, 12, all_topics()));
    three.cluster.heal();
    for (int i = 0; i < 1000 && !three.cluster.broker(node)->ready(); ++i)
        three.world.run_for(Millis{5});
    const auto known =
        wait_for<kafka::MetadataResponse>(three.world, three.cluster, node, 12, all_topics());
    REQUIRE(known);
    CHECK(known->topics.size() == 1);
}

TEST_CASE("A topic deleted and created anew under its name begins empty", "[broker]") {
    Cluster3 three;
    for (int round = 0; round < 5; ++round) {
        REQUIRE(three.create(1, "topic") == Error::none);
        const NodeId leader = three.leader();
        CHECK(three.fetch(leader, 0).high_watermark == 0);
        CHECK(three.produce(leader, batch_of("record")).base_offset == 0);
        REQUIRE(three.remove(2, "topic") == Error::none);
    }
}

TEST_CASE("A batch that a producer sends again is answered with the offset of the first",
          "[broker]") {
    Cluster3 three;
    REQUIRE(three.create(1, "topic") == Error::none);
    const NodeId leader = three.leader();
    const auto batch = [](std::int32_t sequence) {
        return batch_of("record", {.producer = 5, .epoch = 0, .first_sequence = sequence});
    };
    CHECK(three.produce(leader, batch(0)).base_offset == 0);
    CHECK(three.produce(leader, batch(1)).base_offset == 1);
    CHECK(three.produce(leader, batch(0)).base_offset == 0);
    three.cluster.end(leader, End::power_cut);
    three.world.run_for(Millis{4000});
    const auto next = static_cast<NodeId>(three.partition(three.others(leader)[0]).leader_id);
    CHECK(three.produce(next, batch(1)).base_offset == 1);
    CHECK(three.produce(next, batch(2)).base_offset == 2);
}

TEST_CASE("An in-sync follower is read by clients that ask for it, and by no others", "[broker]") {
    Cluster3 three;
    REQUIRE(three.create(1, "topic") == Error::none);
    const NodeId leader = three.leader();
    REQUIRE(three.produce(leader, batch_of("record")).error_code == Error::none);
    three.world.run_for(Millis{500});
    const NodeId follower = three.others(leader)[0];
    CHECK(three.fetch(follower, 0, 10).error_code == Error::not_leader_or_follower);
    CHECK(batches_in(three.fetch(follower, 0, 11).records).size() == 1);
    CHECK(three.produce(follower, batch_of("x")).error_code == Error::not_leader_or_follower);
}

TEST_CASE("What no client may write is refused before it is appended", "[broker]") {
    Cluster3 three;
    REQUIRE(three.create(1, "topic") == Error::none);
    const NodeId leader = three.leader();
    std::string flipped = batch_of("record");
    flipped.back() = 'x';
    CHECK(three.produce(leader, flipped).error_code == Error::corrupt_message);
    CHECK(three.produce(leader, std::string(1'100'000, 'x')).error_code == Error::corrupt_message);
    CHECK(three.produce(leader, batch_of(std::string(1'100'000, 'x'))).error_code ==
          Error::message_too_large);
    CHECK(three.produce(leader, batch_of("record"), 2).error_code == Error::invalid_required_acks);
    CHECK(three.produce(leader, batch_of("record"), -7).error_code == Error::invalid_required_acks);
    CHECK(three.fetch(leader, -5).error_code == Error::offset_out_of_range);
    CHECK(three.fetch(leader, 1).error_code == Error::offset_out_of_range);
    CHECK(three.fetch(leader, 0).high_watermark == 0);

    const auto unknown = wait_for<kafka::ProduceResponse>(
        three.world, three.cluster, leader, 9, produce_request("topic", 2'147'483'647, flipped));
    REQUIRE(unknown);
    CHECK(unknown->responses.at(0).partition_responses.at(0).error_code ==
          Error::unknown_topic_or_partition);
    auto replica = fetch_request("topic", 0, 0);
    replica.replica_id = 2;
    const auto refused =
        wait_for<kafka::FetchResponse>(three.world, three.cluster, leader, 10, replica);
    REQUIRE(refused);
    CHECK(refused->error_code == Error::invalid_request);
}

TEST_CASE("With acks=0 nothing is answered and the record is written", "[broker]") {
    Cluster3 three;
    REQUIRE(three.create(1, "topic") == Error::none);
    const NodeId leader = three.leader();
    const auto answer = wait_for<kafka::ProduceResponse>(
        three.world, three.cluster, leader, 9, produce_request("topic", 0, batch_of("silent"), 0));
    CHECK(!answer);
    three.world.run_for(Millis{500});
    CHECK(batches_in(three.fetch(leader, 0).records).size() == 1);
}

TEST_CASE("A node that leaves in order is out of the ISR before it is gone", "[broker]") {
    Cluster3 three;
    REQUIRE(three.create(1, "topic") == Error::none);
    const NodeId leader = three.leader();
    bool ended = false;
    three.cluster.leave(leader, [&ended] { ended = true; });
    three.world.run_for(Millis{1300});
    CHECK(ended);
    const auto seen = three.partition(three.others(leader)[0]);
    CHECK(seen.leader_id != leader);
    CHECK(seen.leader_id >= 0);
    CHECK(seen.isr_nodes.size() == 2);
    CHECK(three.produce(static_cast<NodeId>(seen.leader_id), batch_of("at once")).error_code ==
          Error::none);
}

TEST_CASE("A fetch that waits is answered by the write that comes", "[broker]") {
    Cluster3 three;
    REQUIRE(three.create(1, "topic") == Error::none);
    const NodeId leader = three.leader();
    std::optional<kafka::FetchResponse> got;
    three.cluster.ask<kafka::FetchResponse>(
        leader, 10, fetch_request("topic", 0, 0, 4'000), Millis{30'000},
        [&got](std::optional<kafka::FetchResponse> response) { got = std::move(response); });
    three.world.run_for(Millis{3000});
    CHECK(!got);
    REQUIRE(three.produce(leader, batch_of("record")).error_code == Error::none);
    three.world.run_for(Millis{500});
    REQUIRE(got);
    CHECK(batches_in(got->responses.at(0).partitions.at(0).records).size() == 1);
}

TEST_CASE("Requests that were sent ahead are served from within the answers before them",
          "[broker]") {
    constexpr std::size_t kWrites = 200;
    Cluster3 three;
    REQUIRE(three.create(1, "topic") == Error::none);
    const NodeId leader = three.leader();
    const std::string batch = batch_of("record");
    std::vector<Offset> offsets;
    std::function<void()> next;
    const auto answered = [&](const std::optional<kafka::ProduceResponse>& response) {
        REQUIRE(response);
        const auto& answer = response->responses.at(0).partition_responses.at(0);
        offsets.push_back(answer.error_code == Error::none ? answer.base_offset : -1);
        if (offsets.size() < kWrites) next();
    };
    next = [&] {
        three.cluster.ask_at_once<kafka::ProduceResponse>(
            leader, 9, produce_request("topic", 0, batch), answered);
    };
    three.cluster.ask<kafka::MetadataResponse>(
        leader, 12, all_topics(), Millis{1000}, [](const auto&) {},
        [&](bool is_answer) {
            if (is_answer) next();
        });
    three.world.run_for(Millis{20'000});
    REQUIRE(offsets.size() == kWrites);
    for (std::size_t i = 0; i < kWrites; ++i) CHECK(offsets[i] == static_cast<Offset>(i));
}

TEST_CASE("A partition that is deleted is gone from every disk, also of a node that was away",
          "[broker]") {
    Cluster3 three;
    REQUIRE(three.create(1, "topic") == Error::none);
    (void)three.leader();
    const auto groups = [&three](NodeId id) { return three.cluster.disk(id).list("groups"); };
    CHECK(groups(3) == std::vector<std::string>{"1"});
    three.cluster.end(3, End::kill);
    three.world.run_for(Millis{2000});
    REQUIRE(three.remove(1, "topic") == Error::none);
    three.world.run_for(Millis{1000});
    CHECK(groups(1).empty());
    CHECK(groups(2).empty());
    CHECK(groups(3) == std::vector<std::string>{"1"});
    three.cluster.start(3);
    three.world.run_for(Millis{5000});
    CHECK(groups(3).empty());
}
