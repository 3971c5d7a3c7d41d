// Brokers that start without data: what begins at once, and what waits until they have it again.

#include "mini_broker/simulation/sim_story.hpp"
#include "raft/group_meta.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>

using namespace mini_broker;
using namespace mini_broker::simulation;
using mini_broker::kafka::Error;

namespace {

constexpr Millis kPatience{30'000};
constexpr Millis kVotesAreOver{4000};
const ClientOracle::Partition kPartition{"topic", 0};

struct Lab {
    explicit Lab(std::uint64_t seed = 1) : world(seed), cluster(world, quick_options(), false) {}

    void start_all() {
        for (const NodeId id : cluster.ids()) cluster.start(id);
    }
    kafka::MetadataResponse whole() { return expect_whole(world, cluster, kPatience); }
    Error create(NodeId node, const std::string& name, std::int16_t replication_factor = 3) {
        const auto answer = wait_for<kafka::CreateTopicsResponse>(
            world, cluster, node, 5, create_request(name, 1, replication_factor));
        return answer ? answer->topics.at(0).error_code : Error::request_timed_out;
    }
    Error produce(NodeId node, const std::string& value) {
        const auto answer = wait_for<kafka::ProduceResponse>(
            world, cluster, node, 9, produce_request("topic", 0, batch_of(value)));
        return answer ? answer->responses.at(0).partition_responses.at(0).error_code
                      : Error::request_timed_out;
    }
    NodeId leader() {
        for (const NodeId id : cluster.ids())
            if (epoch_of(cluster, id, kPartition) != 0) return id;
        return insync::kNoNode;
    }
    void replace_disk(NodeId node) {
        cluster.lose_disk(node);
        world.run_for(kVotesAreOver);
        cluster.start(node);
    }
    /// Whether a group votes for nobody yet; nothing for one that is not on the disk.
    std::optional<bool> joining(NodeId node, const std::string& directory) {
        const auto bytes = cluster.disk(node).read_whole(directory + "/meta");
        if (!bytes) return std::nullopt;
        return GroupMeta::decode(*bytes).value().joining;
    }
    bool joins_any(NodeId node) {
        if (joining(node, "metadata").value_or(true)) return true;
        for (const std::string& group : cluster.disk(node).list("groups"))
            if (joining(node, "groups/" + group).value_or(true)) return true;
        return false;
    }

    World world;
    BrokerCluster cluster;
};

} // namespace

TEST_CASE("Two of three new nodes begin a cluster at once, and the third joins it",
          "[broker][join]") {
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{21}));
    INFO("seed " << seed);
    Lab lab{seed};
    lab.cluster.start(1);
    lab.cluster.start(2);
    lab.world.run_for(Millis{4000});
    REQUIRE(lab.create(1, "two", 2) == Error::none);
    lab.world.run_for(Millis{1000});
    const ClientOracle::Partition two{"two", 0};
    CHECK(epoch_of(lab.cluster, 1, two) + epoch_of(lab.cluster, 2, two) != 0);
    lab.cluster.start(3);
    (void)lab.whole();
    CHECK(lab.create(3, "topic") == Error::none);
    (void)lab.whole();
    lab.world.run_for(Millis{4000});
    for (const NodeId node : lab.cluster.ids()) CHECK_FALSE(lab.joins_any(node));
}

TEST_CASE("A broker without its disk elects nobody who lacks what it had acknowledged",
          "[broker][join]") {
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{11}));
    INFO("seed " << seed);
    Lab lab{seed};
    lab.start_all();
    (void)lab.whole();
    REQUIRE(lab.create(1, "topic") == Error::none);
    (void)lab.whole();
    const NodeId leader = lab.leader();
    const NodeId behind = leader % 3 + 1;
    const NodeId replaced = behind % 3 + 1;
    lab.cluster.end(behind, End::kill);
    lab.world.run_for(Millis{4000}); // out of the in-sync replicas
    const NodeId alone = lab.leader();
    REQUIRE(alone != insync::kNoNode);
    std::set<std::string> acknowledged;
    for (int i = 0; i < 20; ++i) {
        const std::string value = fmt::format("value {}", i);
        if (lab.produce(alone, value) == Error::none) acknowledged.insert(value);
    }
    REQUIRE(acknowledged.size() > 10);
    lab.cluster.end(leader, End::kill);
    lab.cluster.lose_disk(replaced);
    lab.cluster.start(behind);
    lab.world.run_for(kVotesAreOver);
    lab.cluster.start(replaced);
    lab.world.run_for(Millis{10'000});
    CHECK(lab.leader() == insync::kNoNode);
    CHECK(lab.joining(replaced, "metadata") == true);

    lab.cluster.start(leader);
    (void)lab.whole();
    lab.world.run_for(Millis{1000});
    const NodeId now = lab.leader();
    REQUIRE(now != insync::kNoNode);
    const auto all = read_all(lab.world, lab.cluster, now, "topic", 0);
    REQUIRE(all);
    for (const Shown& batch : *all) acknowledged.erase(batch.value);
    CHECK(acknowledged.empty());
    lab.world.run_for(Millis{6000});
    CHECK_FALSE(lab.joins_any(replaced));
}

TEST_CASE("A broker without its disk has opened all its partitions before it joins the metadata",
          "[broker][join]") {
    constexpr int kTopics = 5;
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{11}));
    INFO("seed " << seed);
    Lab lab{seed};
    lab.start_all();
    (void)lab.whole();
    for (int i = 0; i < kTopics; ++i)
        REQUIRE(lab.create(1, fmt::format("topic{}", i)) == Error::none);
    (void)lab.whole();
    const auto replaced = static_cast<NodeId>(seed % 3 + 1);
    lab.replace_disk(replaced);
    std::set<std::string> careful;
    for (int i = 0; i < 4000 && lab.joining(replaced, "metadata").value_or(true); ++i) {
        lab.world.run_for(Millis{5});
        for (const std::string& group : lab.cluster.disk(replaced).list("groups"))
            if (lab.joining(replaced, "groups/" + group) == true) careful.insert(group);
    }
    CHECK(lab.joining(replaced, "metadata") == false);
    CHECK(careful.size() == kTopics);
    (void)lab.whole();
    lab.world.run_for(Millis{4000});
    CHECK_FALSE(lab.joins_any(replaced));
}

TEST_CASE("A new topic has its leader at once while one of its brokers is without its old disk",
          "[broker][join]") {
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{11}));
    INFO("seed " << seed);
    Lab lab{seed};
    lab.start_all();
    (void)lab.whole();
    const auto replaced = static_cast<NodeId>(seed % 3 + 1);
    lab.replace_disk(replaced);
    lab.world.run_for(Millis{300});
    CHECK(lab.joining(replaced, "metadata") == true);
    const NodeId other = replaced % 3 + 1;
    for (int i = 0; i < 3; ++i) {
        const std::string name = fmt::format("topic{}", i);
        while (lab.create(other, name) != Error::none) lab.world.run_for(Millis{50});
        lab.world.run_for(Millis{1500});
        std::uint64_t epoch = 0;
        for (const NodeId id : lab.cluster.ids())
            epoch = std::max(epoch, epoch_of(lab.cluster, id, {name, 0}));
        CHECK(epoch != 0);
    }
}
