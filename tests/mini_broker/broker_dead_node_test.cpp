// A node that the cluster knows to be dead holds up no write: not in partitions that are made
// meanwhile, and not where leadership moves. The lag limit of these clusters is ten seconds, by
// which nobody would be taken out in time.

#include "mini_broker/simulation/sim_story.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace mini_broker;
using namespace mini_broker::simulation;
using mini_broker::kafka::Error;

namespace {

constexpr Millis kPatience{30'000};
constexpr Millis kKnownBy{3'000}; // a session, and the way through the metadata's log

struct Cluster3 {
    explicit Cluster3(std::uint64_t seed) : world(seed), cluster(world, options(), false) {
        for (const NodeId id : cluster.ids()) cluster.start(id);
        (void)expect_whole(world, cluster, kPatience);
    }

    static Options options() {
        Options options = quick_options();
        options.isr.max_lag_ms = Millis{10'000};
        return options;
    }

    NodeId another_than(NodeId node) const { return node % 3 + 1; }

    void create(NodeId node, const std::string& name, std::int32_t partitions) {
        const auto answer = wait_for<kafka::CreateTopicsResponse>(world, cluster, node, 5,
                                                                  create_request(name, partitions));
        REQUIRE(answer);
        REQUIRE(answer->topics.at(0).error_code == Error::none);
    }

    kafka::MetadataResponse::Partition partition(NodeId node,
                                                 const std::string& topic,
                                                 std::int32_t number) {
        kafka::MetadataRequest request;
        request.topics = {{{}, topic}};
        const auto answer = wait_for<kafka::MetadataResponse>(world, cluster, node, 12, request);
        REQUIRE(answer);
        const auto& partitions = answer->topics.at(0).partitions;
        const auto at = static_cast<std::size_t>(number);
        return at < partitions.size() ? partitions[at] : kafka::MetadataResponse::Partition{};
    }

    /// Writes with acks=all, as a client does that looks for the leader again and again.
    /// \return how long it took
    Millis write(NodeId asked, const std::string& topic, std::int32_t number) {
        const TimePoint began = world.now();
        while (world.now() - began < kPatience) {
            const auto seen = partition(asked, topic, number);
            if (seen.error_code == Error::none && seen.leader_id > 0 &&
                cluster.broker(seen.leader_id) != nullptr) {
                const auto answer = wait_for<kafka::ProduceResponse>(
                    world, cluster, seen.leader_id, 9,
                    produce_request(topic, number, batch_of("value")), kPatience);
                if (answer &&
                    answer->responses.at(0).partition_responses.at(0).error_code == Error::none)
                    break;
            }
            world.run_for(Millis{20});
        }
        return insync::saturating_age(world.now(), began);
    }

    World world;
    BrokerCluster cluster;
};

} // namespace

TEST_CASE("A partition made while a node is dead takes acks=all within a second", "[broker]") {
    const auto dead = GENERATE(NodeId{1}, NodeId{2}, NodeId{3});
    const bool restarted = GENERATE(false, true);
    Cluster3 three{static_cast<std::uint64_t>(dead)};
    const NodeId asked = three.another_than(dead);
    const NodeId other = three.another_than(asked);
    three.cluster.end(dead, End::kill);
    three.world.run_for(kKnownBy);
    if (restarted) { // who starts now has it from the log alone
        three.cluster.end(asked, End::kill);
        three.cluster.start(asked);
        three.world.run_for(Millis{1000});
    }

    three.create(asked, "made", 3); // each node is the first replica of one
    for (std::int32_t p = 0; p < 3; ++p) CHECK(three.write(asked, "made", p) < Millis{1000});
    kafka::CreatePartitionsRequest more;
    more.topics.push_back({"made", 6, {}});
    more.timeout_ms = 3000;
    REQUIRE(wait_for<kafka::CreatePartitionsResponse>(three.world, three.cluster, asked, 2, more));
    for (std::int32_t p = 3; p < 6; ++p) CHECK(three.write(asked, "made", p) < Millis{1000});
    CHECK(three.write(other, "by-itself", 0) < Millis{1000}); // whoever asks for it creates it

    std::vector<std::int32_t> both{static_cast<std::int32_t>(asked),
                                   static_cast<std::int32_t>(other)};
    std::sort(both.begin(), both.end());
    for (const NodeId node : {asked, other})
        for (std::int32_t p = 0; p < 6; ++p)
            CHECK(three.partition(node, "made", p).isr_nodes == both);

    three.cluster.start(dead);
    (void)expect_whole(three.world, three.cluster, kPatience);
}

TEST_CASE("A leader that is lost holds up acks=all no longer than the cluster needs to know it",
          "[broker]") {
    const std::uint64_t seed =
        GENERATE(Catch::Generators::range(std::uint64_t{1}, std::uint64_t{6}));
    INFO("seed " << seed);
    Cluster3 three{seed};
    three.create(1, "topic", 1);
    (void)expect_whole(three.world, three.cluster, kPatience);
    const auto lost = static_cast<NodeId>(three.partition(1, "topic", 0).leader_id);
    const NodeId asked = three.another_than(lost);
    three.cluster.end(lost, End::kill);
    CHECK(three.write(asked, "topic", 0) < kKnownBy + Millis{1000});
}

TEST_CASE("A leader that begins gives no time to a node that is known to be dead", "[broker]") {
    Cluster3 three{1};
    three.create(1, "topic", 1);
    (void)expect_whole(three.world, three.cluster, kPatience);
    const auto first = static_cast<NodeId>(three.partition(1, "topic", 0).leader_id);
    const NodeId dead = three.another_than(first);
    const NodeId next = three.another_than(dead);
    three.cluster.end(dead, End::kill);
    three.world.run_for(kKnownBy);
    CHECK(three.partition(next, "topic", 0).isr_nodes.size() == 3); // its lag is within the limit
    bool left = false;
    three.cluster.leave(first, [&left] { left = true; });
    for (int i = 0; i < 2000 && !left; ++i) three.world.run_for(Millis{1});
    three.cluster.start(first);
    CHECK(three.write(next, "topic", 0) < Millis{2000});
    CHECK(three.partition(next, "topic", 0).isr_nodes.size() < 3);
}

TEST_CASE("A node that has said that it stops is in no partition's first ISR", "[broker]") {
    Cluster3 three{1};
    const NodeId stopping = 2;
    bool ended = false;
    three.cluster.leave(stopping, [&ended] { ended = true; });
    for (int i = 0; i < 2000 && !ended; ++i) three.world.run_for(Millis{1});
    REQUIRE(ended);
    three.create(1, "topic", 3);
    for (std::int32_t p = 0; p < 3; ++p) CHECK(three.write(1, "topic", p) < Millis{1000});
    three.cluster.start(stopping);
    (void)expect_whole(three.world, three.cluster, kPatience);
}
