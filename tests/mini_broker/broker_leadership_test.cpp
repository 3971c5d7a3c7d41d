// Leadership that goes back to a partition's first replica, and the clients that write meanwhile.

#include "mini_broker/simulation/sim_story.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <utility>

using namespace mini_broker;
using namespace mini_broker::simulation;
using mini_broker::kafka::Error;

namespace {

constexpr Millis kPatience{30'000};
const ClientOracle::Partition kPartition{"topic", 0};

NodeId leader_of(BrokerCluster& cluster) {
    NodeId leader = insync::kNoNode;
    std::uint64_t newest = 0;
    for (const NodeId id : cluster.ids())
        if (const std::uint64_t epoch = epoch_of(cluster, id, kPartition); epoch > newest) {
            newest = epoch;
            leader = id;
        }
    return leader;
}

/// Sends values one after the other with acks=all and no producer id: what is answered with an
/// error is sent again, though it may have been appended.
class SimpleProducer {
public:
    SimpleProducer(World& world, BrokerCluster& cluster, std::string name)
        : world_(world), cluster_(cluster), name_(std::move(name)) {
        send(0);
    }
    void stop() { stopping_ = true; }

private:
    void send(int number) {
        if (stopping_) return;
        const NodeId leader = leader_of(cluster_);
        if (leader == insync::kNoNode)
            return world_.after(Millis{5}, [this, number] { send(number); });
        cluster_.ask<kafka::ProduceResponse>(
            leader, 9,
            produce_request("topic", 0, batch_of(fmt::format("{} {}", name_, number)), -1),
            Millis{5000}, [this, number](const std::optional<kafka::ProduceResponse>& response) {
                const bool done =
                    response &&
                    response->responses.at(0).partition_responses.at(0).error_code == Error::none;
                send(done ? number + 1 : number);
            });
    }

    World& world_;
    BrokerCluster& cluster_;
    std::string name_;
    bool stopping_ = false;
};

} // namespace

TEST_CASE("Leadership goes back to the first replica without a write being sent twice",
          "[broker]") {
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{11}));
    INFO("seed " << seed);
    World world{seed};
    BrokerCluster cluster{world, quick_options(), false};
    for (const NodeId id : cluster.ids()) cluster.start(id);
    (void)expect_whole(world, cluster, kPatience);
    REQUIRE(wait_for<kafka::CreateTopicsResponse>(world, cluster, 1, 5, create_request("topic")));
    const kafka::MetadataResponse whole = expect_whole(world, cluster, kPatience);
    const auto first = static_cast<NodeId>(whole.topics.at(0).partitions.at(0).replica_nodes.at(0));
    cluster.end(first, End::kill);
    world.run_for(Millis{2000});
    cluster.start(first);
    (void)expect_whole(world, cluster, kPatience);
    SimpleProducer one{world, cluster, "one"};
    SimpleProducer two{world, cluster, "two"};
    for (int i = 0; i < 120 && epoch_of(cluster, first, kPartition) == 0; ++i)
        world.run_for(Millis{100});
    CHECK(epoch_of(cluster, first, kPartition) != 0);
    world.run_for(Millis{500});
    one.stop();
    two.stop();
    world.run_for(Millis{6000}); // what they still wait for is answered, or given up
    const auto all = read_all(world, cluster, first, "topic", 0);
    REQUIRE(all);
    std::set<std::string> values;
    for (const Shown& batch : *all) CHECK(values.insert(batch.value).second);
    CHECK(values.size() > 10);
}
