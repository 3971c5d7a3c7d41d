// Nodes that come back without their disk: what they may not do until they have joined again.
#include "mini_broker/simulation/sim_cluster.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace mini_broker;
using namespace mini_broker::simulation;

namespace {

constexpr Millis kElection{300};

struct Trio {
    explicit Trio(bool careful = true) : cluster(world, shape(careful), marks) {
        for (int i = 0; i < 100 && leader() == insync::kNoNode; ++i) world.run_for(Millis{50});
        world.run_for(6 * kElection);
    }

    static Shape shape(bool careful) {
        Shape shape;
        shape.nodes = {1, 2, 3};
        shape.raft.heartbeat = Millis{60};
        shape.raft.election_timeout = kElection;
        shape.raft.may_have_been_here = careful;
        return shape;
    }
    NodeId leader() { return cluster.leader(0); }
    RaftGroup& group(NodeId node) { return *cluster.group(node, 0); }
    void write(int batches) {
        for (int i = 0; i < batches; ++i) {
            cluster.propose(leader(), 0, 50);
            world.run_for(Millis{10});
        }
    }

    World world{1};
    Marks marks;
    Cluster cluster;
};

} // namespace

TEST_CASE("All nodes of a new group have joined at once, or soon after", "[raft][join]") {
    Trio trio;
    for (const NodeId node : {1, 2, 3}) CHECK_FALSE(trio.group(node).joining());
}

TEST_CASE("A node without its disk elects nobody who lacks what it held", "[raft][join]") {
    Trio trio;
    const NodeId leader = trio.leader();
    const NodeId behind = leader % 3 + 1;
    const NodeId replaced = behind % 3 + 1;
    trio.cluster.end(behind, End::kill);
    trio.write(20); // held by the leader and the one that loses its disk
    trio.world.run_for(Millis{200});
    const Index committed = trio.group(leader).commit_index();
    trio.cluster.end(leader, End::kill);
    trio.cluster.lose_disk(replaced);
    trio.cluster.start(behind);
    trio.cluster.start(replaced);
    trio.world.run_for(20 * kElection);
    CHECK(trio.leader() == insync::kNoNode);
    CHECK(trio.group(replaced).joining());

    trio.cluster.start(leader);
    trio.world.run_for(20 * kElection);
    CHECK(trio.leader() != insync::kNoNode);
    CHECK(trio.group(replaced).commit_index() > committed);
    CHECK_FALSE(trio.group(replaced).joining());
}

TEST_CASE("A node that has lost its disk still knows so after another restart", "[raft][join]") {
    Trio trio;
    const NodeId replaced = trio.leader() % 3 + 1;
    trio.write(5);
    trio.cluster.lose_disk(replaced);
    trio.cluster.start(replaced);
    trio.world.run_for(kElection);
    REQUIRE(trio.group(replaced).joining());
    trio.cluster.end(replaced, End::power_cut);
    trio.cluster.start(replaced);
    CHECK(trio.group(replaced).joining());
    trio.world.run_for(20 * kElection);
    CHECK_FALSE(trio.group(replaced).joining());
}

TEST_CASE("A leader survives a follower that comes back empty, and gives it everything",
          "[raft][join]") {
    Trio trio;
    const NodeId leader = trio.leader();
    const Term term = trio.group(leader).term();
    trio.write(20);
    const NodeId replaced = leader % 3 + 1;
    trio.cluster.lose_disk(replaced);
    trio.cluster.start(replaced); // before anybody has missed it
    for (int i = 0; i < 100; ++i) {
        trio.world.run_for(Millis{50});
        if (trio.leader() != insync::kNoNode) trio.write(1);
    }
    trio.world.run_for(Millis{500});
    const NodeId now = trio.leader();
    REQUIRE(now != insync::kNoNode);
    CHECK(trio.group(now).term() > term);
    CHECK(trio.group(replaced).last_index() == trio.group(now).last_index());
    CHECK(trio.group(replaced).high_watermark() == trio.group(now).high_watermark());
}
