#include "support/three_nodes.hpp"

#include <insync/isr_manager.hpp>
#include <insync/testing/simulated_cluster.hpp>

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace std::chrono_literals;
using insync::GroupState;
using insync::kNoNode;
using insync::NodeId;
using insync::ReadResult;
using insync::ReplicaKind;
using insync::testing::GroupNumber;
using insync::testing::SimulatedCluster;
using insync::testing::SimulatedOptions;
using support::Three;

TEST_CASE("a group without orders elects one leader, and commits what it appends",
          "[simulated_cluster]") {
    SimulatedCluster cluster;
    const GroupNumber group = cluster.add_group("t", 0, {1, 2, 3});
    CHECK(cluster.leader(group) == kNoNode);
    cluster.advance(3s);
    const NodeId leader = cluster.leader(group);
    REQUIRE(leader != kNoNode);
    CHECK(cluster.append(group, 10));
    cluster.advance(300ms);
    for (const NodeId node : {1, 2, 3}) {
        CHECK(cluster.replica(group, node).leader == leader);
        CHECK(cluster.replica(group, node).commit == 11); // and the first entry of the epoch
    }
}

TEST_CASE("a replica that lacks committed entries wins no election", "[simulated_cluster]") {
    Three three;
    SimulatedCluster& cluster = three.cluster;
    cluster.isolate(3);
    cluster.append(three.group, 5);
    cluster.advance(100ms);
    cluster.heal();
    cluster.campaign(three.group, 3);
    cluster.advance(100ms); // time for votes, not for an election timeout
    CHECK(cluster.replica(three.group, 3).epoch > cluster.replica(three.group, 3).log.last_epoch());
    CHECK_FALSE(three.read(3).leading);
    cluster.heal();
    cluster.advance(5s);
    CHECK(cluster.elect(three.group, 3)); // by now it has them
}

TEST_CASE("after an election a match is a left-over until the first answer of the epoch",
          "[simulated_cluster]") {
    Three three;
    SimulatedCluster& cluster = three.cluster;
    cluster.append(three.group, 50);
    cluster.advance(300ms);
    REQUIRE(cluster.elect(three.group, 2));
    cluster.campaign(three.group, 1);
    for (bool elected = false; !elected;) {
        const auto step = cluster.step(cluster.now() + 1s);
        REQUIRE(step);
        elected = step->elected;
    }
    GroupState state = three.read(1);
    REQUIRE(state.leading);
    CHECK_FALSE(three.row(state, 2).verified);
    CHECK(three.row(state, 2).match >= 50); // of the epoch before
    CHECK(three.row(state, 2).contact == insync::kNever);
    cluster.advance(50ms);
    state = three.read(1);
    REQUIRE(state.leading);
    CHECK(three.row(state, 2).verified);
    CHECK(three.row(state, 2).match == state.end);
}

TEST_CASE("what a slow disk does not hold counts for nothing, and goes with the power",
          "[simulated_cluster]") {
    Three three;
    SimulatedCluster& cluster = three.cluster;
    cluster.set_flush_delay(1, 10s);
    cluster.isolate(3);
    const insync::Index before = three.read(1).end;
    cluster.append(three.group, 5);
    cluster.advance(300ms);
    GroupState state = three.read(1);
    CHECK(state.end == before + 5);
    CHECK(state.durable == before);
    CHECK(three.row(state, 2).match == before + 5);
    CHECK(state.commit == before); // one of three holds it
    cluster.lose_power(1);
    CHECK(cluster.replica(three.group, 1).log.end() == before);
    GroupState none;
    CHECK(cluster.read(three.group, 1, none) == ReadResult::unavailable);
}

TEST_CASE("contacts tell by the leader's own clock when a request left", "[simulated_cluster]") {
    SimulatedOptions options;
    options.network = {.least_delay = 30ms, .most_delay = 30ms};
    Three three{options};
    SimulatedCluster& cluster = three.cluster;
    cluster.time_of(1).set_time(cluster.now(), insync::TimePoint{1h});
    cluster.time_of(1).set_rate(cluster.now(), 50);
    cluster.advance(2s);
    auto step = cluster.step(cluster.now() + 1s);
    while (step && step->answered_by != 2) step = cluster.step(cluster.now() + 1s);
    REQUIRE(step);
    const auto contact = three.row(three.read(1), 2).contact;
    CHECK(contact > insync::TimePoint{1h});
    CHECK(cluster.local_now(1) - contact == 30ms); // there and back, by a clock at half speed
}

TEST_CASE("a leader without a majority steps down, or stays as it was told",
          "[simulated_cluster]") {
    for (const bool steps_down : {true, false}) {
        SimulatedOptions options;
        options.steps_down = steps_down;
        Three three{options};
        three.cluster.isolate(1);
        three.cluster.advance(3s);
        CHECK(three.read(1).leading == !steps_down);
        CHECK(three.cluster.leader(three.group) != 1);
        three.cluster.heal();
        three.cluster.advance(5s);
        CHECK_FALSE((three.read(1).leading && three.cluster.leader(three.group) != 1));
    }
}

TEST_CASE("learners join and leave by the log, and do not vote", "[simulated_cluster]") {
    Three three{SimulatedOptions{.nodes = 4}};
    SimulatedCluster& cluster = three.cluster;
    CHECK_FALSE(cluster.elect(three.group, 4, 2s));
    REQUIRE(cluster.change_member(three.group, 4, ReplicaKind::learner));
    cluster.advance(500ms);
    CHECK(three.row(three.read(1), 4).kind == ReplicaKind::learner);
    CHECK(three.row(three.read(1), 4).match == three.read(1).end);
    CHECK_FALSE(cluster.elect(three.group, 4, 2s));
    REQUIRE(cluster.elect(three.group, 1));
    cluster.advance(500ms);
    REQUIRE(cluster.change_member(three.group, 4, ReplicaKind::voter));
    CHECK_FALSE(cluster.change_member(three.group, 3, std::nullopt)); // one at a time
    cluster.advance(500ms);
    REQUIRE(cluster.change_member(three.group, 3, std::nullopt));
    cluster.advance(500ms);
    CHECK(cluster.elect(three.group, 4));
    CHECK(cluster.membership(three.group, 4).members.size() == 3);
}

TEST_CASE("a paused node is late with everything, and a copy is a world of its own",
          "[simulated_cluster]") {
    Three three;
    SimulatedCluster& cluster = three.cluster;
    cluster.pause(1);
    cluster.advance(3s);
    CHECK(three.read(1).leading); // it has not learnt otherwise
    CHECK(cluster.leader(three.group) != 1);
    SimulatedCluster copy = cluster;
    cluster.resume(1);
    cluster.advance(0ms);
    CHECK_FALSE(three.read(1).leading); // all of it at once
    cluster.advance(500ms);
    CHECK(copy.is_paused(1));
    CHECK(copy.now() + 500ms == cluster.now());
}

TEST_CASE("the same seed gives the same history", "[simulated_cluster]") {
    const auto history = [](std::uint64_t seed) {
        SimulatedOptions options;
        options.seed = seed;
        options.network = {1ms, 90ms, 20, 20};
        SimulatedCluster cluster{options};
        const GroupNumber group = cluster.add_group("t", 0, {1, 2, 3});
        std::vector<std::uint64_t> seen;
        for (int i = 0; i < 200; ++i) {
            cluster.append(group, 3);
            cluster.advance(50ms);
            for (const NodeId node : {1, 2, 3}) {
                seen.push_back(cluster.replica(group, node).epoch);
                seen.push_back(cluster.replica(group, node).log.durable());
            }
        }
        return seen;
    };
    CHECK(history(1) == history(1));
    CHECK(history(1) != history(2));
}

TEST_CASE("managers over one cluster name the same members", "[simulated_cluster]") {
    Three three;
    SimulatedCluster& cluster = three.cluster;
    auto view = cluster.view(1);
    insync::IsrManager isr{1, view, {}, cluster.clock(1)};
    REQUIRE(isr.initialize_isr("t", 0, {1, 2, 3}) == insync::Result::ok);
    cluster.lose_power(3);
    for (int second = 0; second < 12; ++second) {
        cluster.advance(1s);
        isr.tick();
    }
    CHECK(isr.get_isr("t", 0)->to_vec() == std::vector<NodeId>{1, 2});
    cluster.start(3);
    cluster.advance(5s);
    isr.tick();
    CHECK(isr.get_isr("t", 0)->size() == (isr.get_isr("t", 0)->own() ? 3u : 2u));
}
