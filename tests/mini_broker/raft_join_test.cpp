// Nodes that come back without their disk: what they may not do until they have joined again.
#include "mini_broker/simulation/sim_cluster.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace mini_broker;
using namespace mini_broker::simulation;

namespace {

constexpr Millis kElection{300};

struct Trio {
    explicit Trio(bool careful = true) : Trio(shape(careful)) {}
    explicit Trio(const Shape& shape) : cluster(world, shape, marks) {
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

TEST_CASE("A node without its disk waits for a leader that knows what was committed before it",
          "[raft][join]") {
    Shape shape = Trio::shape(true);
    shape.raft.window_bytes = 2000; // all of them take longer than votes can be on their way
    Trio trio{shape};
    trio.write(300);
    trio.world.run_for(Millis{200});
    const Index committed = trio.group(trio.leader()).commit_index();
    for (const NodeId node : {2, 3}) trio.cluster.end(node, End::power_cut);
    trio.cluster.lose_disk(1);
    trio.world.run_for(6 * kElection);
    for (const NodeId node : {2, 3}) trio.cluster.start(node);
    while (trio.leader() == insync::kNoNode) trio.world.run_for(Millis{1});
    const NodeId leader = trio.leader();
    trio.cluster.end(5 - leader, End::kill);
    REQUIRE(trio.group(leader).commit_index() < committed);
    trio.cluster.network().set_quality(0, Millis{60});
    trio.cluster.start(1);
    for (int i = 0; i < 1000 && trio.group(1).joining(); ++i) trio.world.run_for(Millis{10});
    CHECK_FALSE(trio.group(1).joining());
    CHECK(trio.group(1).last_index() >= committed);
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
