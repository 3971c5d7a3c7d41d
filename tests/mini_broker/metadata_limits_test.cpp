// What clients can make the cluster's metadata hold.

#include "cluster/image.hpp"
#include "cluster/topic_rules.hpp"
#include "kafka/messages/list_offsets.hpp"
#include "mini_broker/simulation/sim_story.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace mini_broker;
using namespace mini_broker::simulation;
using mini_broker::kafka::Error;

namespace {

CreateTopic topic_of(const std::string& name, std::uint8_t id, std::size_t partitions) {
    CreateTopic command;
    command.name = name;
    command.id[0] = id;
    command.replicas.assign(partitions, {1, 2, 3});
    return command;
}

DeleteTopic deletion_of(const std::string& name) {
    return {name, {}};
}

Error result_of(Image& image, const Command& command) {
    const Image::Applied applied = image.apply(command);
    if (applied.result.error != Error::none) CHECK(applied.changes.empty());
    return applied.result.error;
}

CommitOffsets commit_of(const std::string& group, std::size_t metadata) {
    return {group, {{"topic", 0, 1, 1, std::string(metadata, 'm')}}};
}

} // namespace

TEST_CASE("Topics have no more partitions together than the cluster may have", "[image][limits]") {
    Image image;
    CHECK(result_of(image, topic_of("most", 1, kMostPartitions - 1)) == Error::none);
    CHECK(result_of(image, topic_of("two", 2, 2)) == Error::policy_violation);
    CHECK(image.topic("two") == nullptr);
    CHECK(result_of(image, topic_of("one", 3, 1)) == Error::none);
    CHECK(image.partition_count() == kMostPartitions);
    AddPartitions more;
    more.name = "one";
    more.topic[0] = 3;
    more.first = 1;
    more.replicas = {{1, 2, 3}};
    CHECK(result_of(image, more) == Error::policy_violation);
    CHECK(result_of(image, deletion_of("most")) == Error::none);
    CHECK(image.partition_count() == 1);
    CHECK(result_of(image, more) == Error::none);
    CHECK(image.partition_count() == 2);
}

TEST_CASE("Committed offsets take no more than their share, and give it back with their topic",
          "[image][limits]") {
    Image image;
    REQUIRE(result_of(image, topic_of("topic", 1, 1)) == Error::none);
    const auto fill = [&image] {
        std::size_t groups = 0;
        while (groups < 1'000'000 &&
               result_of(image, commit_of("g" + std::to_string(groups), 4096)) == Error::none)
            ++groups;
        return groups;
    };
    const std::size_t groups = fill();
    CHECK(groups > 10'000);
    CHECK(groups < Image::kMostOffsetMemory / 4096);
    CHECK(result_of(image, commit_of("another", 4096)) == Error::invalid_commit_offset_size);
    CHECK(image.offsets("another") == nullptr);
    REQUIRE(result_of(image, deletion_of("topic")) == Error::none);
    CHECK(image.groups().empty());
    REQUIRE(result_of(image, topic_of("topic", 2, 1)) == Error::none);
    CHECK(fill() == groups);
}

TEST_CASE("An offset that is committed again and again takes its place once", "[image][limits]") {
    Image image;
    REQUIRE(result_of(image, topic_of("topic", 1, 1)) == Error::none);
    for (int i = 0; i < 50'000; ++i)
        REQUIRE(result_of(image, commit_of("group", 4000)) == Error::none);
}

TEST_CASE("A number of a topic's configuration is no longer than a number", "[topics][limits]") {
    CHECK_FALSE(config_fault("retention.ms", "604800000"));
    CHECK_FALSE(config_fault("retention.ms", "9223372036854775807"));
    CHECK(config_fault("retention.ms", std::string(1000, '0') + "1"));
    const auto unknown = config_fault(std::string(30'000, 'k'), "1");
    REQUIRE(unknown);
    CHECK(unknown->size() < 200);
}

TEST_CASE("Clients make no more partitions than a node allows, in whatever way they ask",
          "[broker][limits]") {
    Options options = quick_options();
    options.max_partitions = 10;
    World world{11};
    BrokerCluster cluster{world, options, false};
    for (const NodeId id : cluster.ids()) cluster.start(id);
    (void)expect_whole(world, cluster, Millis{30'000});
    const auto create = [&](kafka::CreateTopicsRequest request) {
        auto answer = wait_for<kafka::CreateTopicsResponse>(world, cluster, 2, 5, request);
        REQUIRE(answer);
        return answer->topics;
    };
    auto three = create_request("one", 4);
    three.topics.push_back({"two", 4, 3, {}, {}});
    three.topics.push_back({"three", 3, 3, {}, {}});
    const auto created = create(three);
    CHECK(created.at(0).error_code == Error::none);
    CHECK(created.at(1).error_code == Error::none);
    CHECK(created.at(2).error_code == Error::policy_violation);

    kafka::CreatePartitionsRequest add;
    add.topics.push_back({"one", 7, {}});
    add.topics.push_back({"one", 5, {}});
    add.timeout_ms = 3000;
    const auto added = wait_for<kafka::CreatePartitionsResponse>(world, cluster, 2, 1, add);
    REQUIRE(added);
    CHECK(added->results.at(0).error_code == Error::policy_violation);
    CHECK(added->results.at(1).error_code == Error::invalid_request); // named twice
    CHECK(create(create_request("four", 2)).at(0).error_code == Error::none);

    kafka::MetadataRequest metadata;
    metadata.topics.emplace();
    for (const char* const name : {"auto", "auto", "other"})
        metadata.topics->push_back({{}, std::string{name}});
    metadata.allow_auto_topic_creation = true;
    const auto told = wait_for<kafka::MetadataResponse>(world, cluster, 2, 12, metadata);
    REQUIRE(told);
    CHECK(told->topics.size() == 2); // each once
    world.run_for(Millis{3000});
    CHECK(expect_whole(world, cluster, Millis{30'000}).topics.size() == 3);
}

TEST_CASE("Nobody who asks for an epoch's end may claim to be a replica", "[broker][limits]") {
    World world{12};
    BrokerCluster cluster{world, quick_options(), false};
    for (const NodeId id : cluster.ids()) cluster.start(id);
    (void)expect_whole(world, cluster, Millis{30'000});
    REQUIRE(wait_for<kafka::CreateTopicsResponse>(world, cluster, 1, 5, create_request("topic")));
    const auto whole = expect_whole(world, cluster, Millis{30'000});
    const auto leader = static_cast<NodeId>(whole.topics.at(0).partitions.at(0).leader_id);
    for (const std::int32_t replica : {0, 1, 2, -1, -2}) {
        kafka::OffsetForLeaderEpochRequest request;
        request.replica_id = replica;
        request.topics.push_back({"topic", {{0, -1, 1}}});
        const auto answer =
            wait_for<kafka::OffsetForLeaderEpochResponse>(world, cluster, leader, 3, request);
        REQUIRE(answer);
        CHECK(answer->topics.at(0).partitions.at(0).error_code ==
              (replica >= 0 ? Error::invalid_request : Error::none));
    }
}
