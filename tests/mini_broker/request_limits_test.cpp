// What one request, and one group, may take.

#include "kafka/fields/metadata.hpp"
#include "mini_broker/group_clients.hpp"
#include "mini_broker/kafka_messages.hpp"
#include "mini_broker/simulation/sim_story.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace mini_broker;
using mini_broker::kafka::Error;

namespace {

kafka::JoinGroupRequest join_of(const std::string& group, std::size_t metadata) {
    kafka::JoinGroupRequest request;
    request.group_id = group;
    request.session_timeout_ms = 10'000;
    request.rebalance_timeout_ms = 10'000;
    request.protocol_type = "consumer";
    request.protocols.push_back({"range", std::string(metadata, 'm')});
    return request;
}

} // namespace

TEST_CASE("A request has no more elements than may be looked up for it", "[kafka][limits]") {
    const auto read = [](std::size_t topics) {
        kafka::MetadataRequest request;
        request.topics.emplace();
        for (std::size_t i = 0; i < topics; ++i)
            request.topics->push_back({{}, "topic-" + std::to_string(i)});
        std::string bytes;
        kafka::encode(request, 4, bytes);
        kafka::MetadataRequest again;
        return kafka::decode(bytes, 4, again);
    };
    CHECK(read(50'000));
    CHECK_FALSE(read(50'001));
}

TEST_CASE("All groups together hold no more than they may", "[groups][limits]") {
    kafka::GroupOptions options;
    options.memory_max = 1u << 20;
    group_clients::World world{options};
    const auto join = [&world](const std::string& group, std::size_t metadata) {
        // Who may stay is answered later, when nobody asks any more.
        const auto error = std::make_shared<Error>(Error::none);
        world.coordinator.join(world.now, 3, join_of(group, metadata), {"client", "here"},
                               [error](const auto& response) { *error = response.error_code; });
        return *error;
    };
    int members = 0;
    while (members < 1000 && join("g" + std::to_string(members), 100'000) == Error::none) ++members;
    CHECK(members >= 8);
    CHECK(members <= 10);
    CHECK(join("another", 100'000) == Error::group_max_size_reached);
    CHECK(join("small", 10) == Error::none);
    // Who is gone gives back what it held.
    world.wait(10'000);
    world.wait(30'000);
    CHECK(world.coordinator.list().empty());
    CHECK(join("another", 100'000) == Error::none);
}

TEST_CASE("Members that were told to come back are counted, too", "[groups][limits]") {
    kafka::GroupOptions options;
    options.memory_max = 1u << 20;
    group_clients::World world{options};
    int told = 0;
    Error error = Error::member_id_required;
    while (told < 100'000 && error == Error::member_id_required) {
        world.coordinator.join(world.now, 9, join_of("g" + std::to_string(told), 0),
                               {std::string(1000, 'c'), "here"},
                               [&error](const auto& response) { error = response.error_code; });
        ++told;
        if (told % 50 == 0) world.wait(1);
    }
    CHECK(error == Error::group_max_size_reached);
    CHECK(told > 100);
    CHECK(told < 1000);
}

TEST_CASE("Fetches beyond those that may wait are answered at once, as are writes",
          "[broker][limits]") {
    using namespace mini_broker::simulation;
    Options options = quick_options();
    options.max_waits = 2;
    World world{13};
    BrokerCluster cluster{world, options, false};
    for (const NodeId id : cluster.ids()) cluster.start(id);
    (void)expect_whole(world, cluster, Millis{30'000});
    REQUIRE(wait_for<kafka::CreateTopicsResponse>(world, cluster, 1, 5, create_request("topic")));
    const auto whole = expect_whole(world, cluster, Millis{30'000});
    const auto leader = static_cast<NodeId>(whole.topics.at(0).partitions.at(0).leader_id);
    auto waits = fetch_request("topic", 0, 0);
    waits.max_wait_ms = 4000;
    waits.min_bytes = 1'000'000;
    int answered = 0;
    for (int i = 0; i < 5; ++i)
        cluster.ask<kafka::FetchResponse>(leader, 10, waits, Millis{20'000},
                                          [&answered](const auto&) { ++answered; });
    world.run_for(Millis{1000});
    CHECK(answered == 3);
    const auto write = wait_for<kafka::ProduceResponse>(
        world, cluster, leader, 9, produce_request("topic", 0, batch_of("late"), -1));
    REQUIRE(write);
    CHECK(write->responses.at(0).partition_responses.at(0).error_code == Error::request_timed_out);
    world.run_for(Millis{5000});
    CHECK(answered == 5);
    const auto again = wait_for<kafka::ProduceResponse>(
        world, cluster, leader, 9, produce_request("topic", 0, batch_of("again"), -1));
    REQUIRE(again);
    CHECK(again->responses.at(0).partition_responses.at(0).error_code == Error::none);
}
