// Producer ids over restarts at any moment, on one node that is a cluster of its own; and which
// nodes are taken to be alive.

#include "cluster/producer_ids.hpp"

#include "cluster/nodes.hpp"
#include "mini_broker/simulation/sim_disk.hpp"
#include "mini_broker/simulation/sim_loop.hpp"
#include "mini_broker/simulation/sim_network.hpp"
#include "mini_broker/simulation/sim_peers.hpp"
#include "property/random.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <set>

using namespace mini_broker;
using namespace mini_broker::simulation;

namespace {

constexpr std::uint64_t kWorlds = 200;

/// What gives out ids on a node, over any number of runs.
class IdNode {
public:
    explicit IdNode(World& world)
        : world_(world), network_(world, [](NodeId, NodeId, const std::string&) {}), disk_(world) {}

    void start() {
        disk_.start();
        turn([this] {
            run_ = std::make_unique<Run>(*this);
            tick();
        });
    }
    void end(bool power_cut) {
        if (power_cut)
            disk_.lose_power();
        else
            disk_.kill();
        run_.reset();
    }
    [[nodiscard]] bool up() const noexcept { return run_ != nullptr; }
    [[nodiscard]] SimDisk& disk() noexcept { return disk_; }

    /// An id as a client gets it: nothing if the node ended over it.
    [[nodiscard]] std::optional<std::int64_t> take() {
        std::optional<std::int64_t> id;
        turn([this, &id] { id = run_->ids.take(); });
        return id;
    }

private:
    struct Run {
        explicit Run(IdNode& node)
            : loop(node.world_,
                   [&node](const std::function<void()>& task) {
                       if (node.run_) node.turn(task);
                   }),
              peers(node.network_, 1),
              controller(
                  1, {1}, "metadata", {}, node.disk_, loop, peers, [](const Image::Change&) {}),
              ids(node.disk_, "producer-ids", controller) {}
        SimLoop loop;
        SimPeers peers;
        Controller controller;
        ProducerIds ids;
    };

    void turn(const std::function<void()>& task) {
        try {
            task();
        } catch (const PowerCut&) {
            ended_ = true;
        }
        if (std::exchange(ended_, false)) // not while what ends is still in use
            world_.after(Millis{0}, [this] {
                if (run_) end(world_.chance(50));
            });
    }
    void tick() {
        run_->controller.tick();
        run_->ids.tick();
        run_->loop.after(Millis{10}, [this] { tick(); });
    }

    World& world_;
    Network network_;
    SimDisk disk_;
    std::unique_ptr<Run> run_;
    bool ended_ = false;
};

} // namespace

TEST_CASE("No producer id is given out twice, wherever a node ends", "[cluster][producers]") {
    const std::uint64_t replayed = property::from_environment("INSYNC_SEED", 0);
    const std::uint64_t worlds = property::from_environment("INSYNC_WORLDS", kWorlds);
    const std::uint64_t first = replayed != 0 ? replayed : 1;
    for (std::uint64_t seed = first; seed <= (replayed != 0 ? replayed : worlds); ++seed) {
        INFO("replay with INSYNC_SEED=" << seed);
        World world{seed};
        IdNode node{world};
        std::set<std::int64_t> given;
        for (int runs = 0; runs < 12; ++runs) {
            if (!node.up()) node.start();
            world.run_for(world.between(Millis{0}, Millis{200}));
            if (world.chance(50)) node.disk().cut_power_after(world.between(0, 6));
            const std::uint64_t wanted = world.chance(30) ? 1500 : world.between(0, 20);
            for (std::uint64_t i = 0; i < wanted && node.up(); ++i) {
                if (const auto id = node.take()) {
                    REQUIRE(*id >= 1000);
                    REQUIRE(given.insert(*id).second);
                }
                if (world.chance(5)) world.run_for(Millis{5});
            }
            world.run_for(world.between(Millis{1}, Millis{50}));
            if (node.up()) node.end(world.chance(50));
        }
        REQUIRE(given.size() > 0);
    }
}

TEST_CASE("Ids are there without a quorum for as long as the reserved block lasts",
          "[cluster][producers]") {
    World world{5};
    IdNode node{world};
    node.start();
    CHECK_FALSE(node.take()); // nothing was reserved yet
    world.run_for(Millis{1000});
    // Time stands still, so nothing more is reserved.
    std::set<std::int64_t> given;
    while (const auto id = node.take()) given.insert(*id);
    CHECK(given.size() == 1000);
    world.run_for(Millis{1000});
    CHECK(node.take());
    node.end(true);
}

TEST_CASE("A node is alive for a while after the start or a word of it, unless it said good-bye",
          "[cluster][nodes]") {
    World world{1};
    Network network{world, [](NodeId, NodeId, const std::string&) {}};
    SimPeers peers{network, 1};
    SimLoop loop{world, [](const std::function<void()>& task) { task(); }};
    Nodes nodes{1, {1, 2, 3}, loop, peers};
    CHECK(nodes.alive_count() == 3);
    CHECK_FALSE(nodes.alive(9));
    world.run_for(Nodes::kSession + Millis{1});
    CHECK(nodes.alive(1));
    CHECK_FALSE(nodes.alive(2));
    nodes.heard(2);
    nodes.heard(3);
    CHECK(nodes.alive_count() == 3);
    world.run_for(Nodes::kSession);
    CHECK(nodes.alive(2));
    world.run_for(Millis{1});
    CHECK_FALSE(nodes.alive(2));
    CHECK(nodes.alive_count() == 1);
    nodes.heard(2);
    CHECK(nodes.alive(2));
    nodes.left(2);
    CHECK_FALSE(nodes.alive(2));
}

TEST_CASE("A node tells every other that it is alive, well within their patience",
          "[cluster][nodes]") {
    World world{1};
    std::map<NodeId, int> heard;
    Network network{world, [&heard](NodeId to, NodeId, const std::string& frames) {
                        CHECK(for_each_frame(frames, [&](GroupId group, std::uint8_t type,
                                                         std::string_view payload) {
                            CHECK(group == kMetadataGroup);
                            CHECK(type == static_cast<std::uint8_t>(NodeMessage::ping));
                            CHECK(payload.empty());
                            ++heard[to];
                        }));
                    }};
    SimPeers peers{network, 2};
    SimLoop loop{world, [](const std::function<void()>& task) { task(); }};
    Nodes nodes{2, {1, 2, 3}, loop, peers};
    for (int ticks = 0; ticks < 200; ++ticks) {
        nodes.tick();
        peers.flush();
        world.run_for(Millis{10});
    }
    CHECK(heard[1] == 8);
    CHECK(heard[3] == 8);
    CHECK(heard.count(2) == 0);
}
