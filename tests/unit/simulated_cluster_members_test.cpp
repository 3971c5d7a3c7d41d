#include "support/three_nodes.hpp"

#include <insync/testing/byte_tape.hpp>
#include <insync/testing/simulated_cluster.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <map>

using namespace std::chrono_literals;
using insync::GroupState;
using insync::kNoNode;
using insync::Millis;
using insync::NodeId;
using insync::ReadResult;
using insync::ReplicaKind;
using insync::testing::GroupNumber;
using insync::testing::SimulatedCluster;
using insync::testing::SimulatedOptions;
using support::Three;

TEST_CASE("answers that were held back arrive in a later epoch, and prove nothing there",
          "[simulated_cluster]") {
    Three three;
    SimulatedCluster& cluster = three.cluster;
    const insync::Epoch first = three.read(1).epoch;
    cluster.hold_answers(3, 1);
    cluster.append(three.group, 5);
    cluster.advance(100ms);
    const insync::Index claimed = three.read(1).end;
    CHECK(three.row(three.read(1), 3).match < claimed);
    REQUIRE(cluster.held_answers() > 0);
    REQUIRE(cluster.elect(three.group, 2));
    cluster.isolate(3);
    REQUIRE(cluster.elect(three.group, 1)); // again, in a newer epoch
    cluster.advance(100ms);
    cluster.release_answers();
    bool came_late = false;
    const auto soon = cluster.now() + 10ms;
    while (const auto step = cluster.step(soon)) {
        if (!step->answer || step->answer->from != 3) continue;
        came_late = came_late || (step->node == 1 && step->answer->accepted &&
                                  step->answer->epoch == first && step->answer->match == claimed);
        CHECK(step->answered_by == kNoNode);
    }
    CHECK(came_late);
    CHECK(cluster.held_answers() == 0);
    REQUIRE(three.read(1).leading);
    CHECK_FALSE(three.row(three.read(1), 3).verified);
}

TEST_CASE("a member that comes back with an empty disk in one epoch is a new one",
          "[simulated_cluster]") {
    Three three;
    SimulatedCluster& cluster = three.cluster;
    const insync::Epoch epoch = three.read(1).epoch;
    cluster.append(three.group, 20);
    cluster.advance(300ms);
    CHECK_FALSE(cluster.empty_disk(three.group, 3)); // a member
    cluster.hold_answers(3, 1);
    cluster.append(three.group, 20);
    cluster.advance(100ms);
    REQUIRE(cluster.held_answers() > 0);
    REQUIRE(cluster.change_member(three.group, 3, std::nullopt));
    CHECK_FALSE(cluster.empty_disk(three.group, 3)); // its removal is not committed
    cluster.advance(300ms);
    REQUIRE(cluster.empty_disk(three.group, 3));
    cluster.isolate(3);
    REQUIRE(cluster.change_member(three.group, 3, ReplicaKind::voter));
    cluster.heal();
    cluster.release_answers(); // of the member that it was: nobody hears them
    cluster.lose_power(3);
    cluster.advance(300ms);
    GroupState state = three.read(1);
    CHECK(state.epoch == epoch);
    CHECK_FALSE(three.row(state, 3).verified);
    CHECK(three.row(state, 3).match == 0);
    cluster.start(3);
    cluster.advance(500ms);
    state = three.read(1);
    CHECK(state.epoch == epoch);
    CHECK(three.row(state, 3).verified);
    CHECK(three.row(state, 3).match == state.end);
    CHECK(cluster.elect(three.group, 3));
}

TEST_CASE("what was being written to a disk that was emptied never gets onto the new one",
          "[simulated_cluster]") {
    Three three;
    SimulatedCluster& cluster = three.cluster;
    cluster.set_flush_delay(3, 2s);
    cluster.append(three.group, 5);
    cluster.advance(50ms);
    REQUIRE(cluster.change_member(three.group, 3, std::nullopt));
    cluster.advance(50ms);
    REQUIRE(cluster.empty_disk(three.group, 3));
    REQUIRE(cluster.change_member(three.group, 3, ReplicaKind::voter));
    cluster.advance(1950ms); // the old writes are done, the new ones are not
    CHECK(cluster.replica(three.group, 3).log.end() > 5);
    CHECK(cluster.replica(three.group, 3).log.durable() == 0);
    CHECK(three.row(three.read(1), 3).match == 0);
    cluster.advance(1s);
    CHECK(three.row(three.read(1), 3).match > 5);
}

TEST_CASE("a node on an empty disk votes for nobody who takes it for the member that it was",
          "[simulated_cluster]") {
    Three three;
    SimulatedCluster& cluster = three.cluster;
    cluster.isolate(2); // it will not hear of the removal
    REQUIRE(cluster.change_member(three.group, 3, std::nullopt));
    cluster.advance(100ms);
    CHECK_FALSE(cluster.empty_disk(three.group, 3)); // one of two holds the removal
    cluster.heal();
    cluster.advance(300ms);
    cluster.set_flush_delay(2, 1h); // or forgets it
    REQUIRE(cluster.empty_disk(three.group, 3));
    CHECK_FALSE(cluster.elect(three.group, 3, 2s)); // nor does it stand
    CHECK(cluster.replica(three.group, 3).voted_for == kNoNode);
    CHECK(cluster.replica(three.group, 3).epoch == 0);
}

TEST_CASE("who led alone joins with an empty log, and its epoch falls", "[simulated_cluster]") {
    Three three{SimulatedOptions{.nodes = 4}};
    SimulatedCluster& cluster = three.cluster;
    CHECK_FALSE(cluster.lead_alone(three.group, 2, 50)); // a member
    REQUIRE(cluster.lead_alone(three.group, 4, 50, 1000));
    CHECK(cluster.append_on(three.group, 4, 10));
    cluster.advance(1s);
    GroupState alone = three.read(4);
    CHECK(alone.leading);
    CHECK(alone.epoch == 50);
    CHECK(alone.followers.empty());
    CHECK(alone.commit == alone.end);
    CHECK(cluster.leader(three.group) == 1); // nobody else knows of it
    cluster.stop(4);
    cluster.start(4); // for a moment it follows, alone
    CHECK_FALSE(three.read(4).leading);
    cluster.advance(2s);
    CHECK(three.read(4).leading);
    CHECK(three.read(4).epoch == 51);
    const insync::Epoch epoch = three.read(1).epoch;
    REQUIRE(cluster.change_member(three.group, 4, ReplicaKind::voter));
    int joined = 0;
    const auto until = cluster.now() + 500ms;
    while (const auto step = cluster.step(until))
        if (step->joined && step->node == 4) ++joined;
    CHECK(joined == 1);
    alone = three.read(4);
    CHECK_FALSE(alone.leading);
    CHECK(alone.leader == 1);
    CHECK(alone.epoch == epoch); // it fell
    CHECK(three.read(1).leading);
    CHECK(three.read(1).epoch == epoch); // and nobody was disturbed
    CHECK(alone.end == three.read(1).end);
    CHECK(three.row(three.read(1), 4).match == three.read(1).end);
}

TEST_CASE("reads of a busy node fail as often as they are told to, and change no history",
          "[simulated_cluster]") {
    Three three;
    SimulatedCluster copy = three.cluster;
    three.cluster.set_reads(
        1, {.unavailable_percent = 70, .torn_percent = 50, .until = three.cluster.now() + 2s});
    int good = 0;
    int torn = 0;
    for (int i = 0; i < 1000; ++i) {
        three.cluster.advance(1ms);
        GroupState state;
        const ReadResult result = three.cluster.read(three.group, 1, state);
        good += result == ReadResult::ok ? 1 : 0;
        torn += result == ReadResult::torn ? 1 : 0;
        CHECK(three.read(2).leader == 1); // others are not concerned
    }
    CHECK(good > 100);
    CHECK(good < 200);
    CHECK(torn > 100);
    CHECK(torn < 200);
    three.cluster.advance(1s);
    for (int i = 0; i < 20; ++i) CHECK(three.read(1).leading);
    copy.advance(2s);
    copy.append(three.group);
    three.cluster.append(three.group);
    CHECK(copy.replica(three.group, 1).election_due ==
          three.cluster.replica(three.group, 1).election_due);
}

TEST_CASE("no leader ever lacks what was committed, and no epoch has two", "[simulated_cluster]") {
    std::uint64_t elections = 0;
    std::uint64_t emptied = 0;
    std::uint64_t joined = 0;
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        INFO("seed " << seed);
        insync::testing::SeededNumbers numbers{seed};
        SimulatedOptions options{.nodes = 5};
        options.seed = seed;
        SimulatedCluster cluster{options};
        const GroupNumber group = cluster.add_group("t", 0, {1, 2, 3});
        std::map<insync::Epoch, NodeId> leaders;
        insync::Index committed = 0;
        insync::Epoch its_epoch = 0;
        const auto any = [&] { return static_cast<NodeId>(numbers.below(5) + 1); };
        const auto act = [&] {
            switch (numbers.below(14)) {
            case 0: return cluster.isolate(any());
            case 1: return cluster.cut(any(), any());
            case 2: return cluster.lose_power(any());
            case 3: return cluster.stop(any());
            case 4: return cluster.campaign(group, any());
            case 5: return cluster.hold_answers(any(), any());
            case 6: return cluster.release_answers();
            case 7: return cluster.set_flush_delay(any(), Millis{numbers.below(2) * 300});
            case 8: emptied += cluster.empty_disk(group, any()) ? 1u : 0u; return;
            case 9: (void)cluster.lead_alone(group, any(), numbers.below(100)); return;
            case 10: (void)cluster.change_member(group, any(), std::nullopt); return;
            case 11: (void)cluster.change_member(group, any(), ReplicaKind::voter); return;
            case 12: return cluster.heal();
            default:
                for (NodeId node = 1; node <= 5; ++node) cluster.start(node);
            }
        };
        for (int i = 0; i < 400; ++i) {
            act();
            cluster.append(group, 3);
            const auto until = cluster.now() + Millis{numbers.below(400)};
            while (const auto step = cluster.step(until)) {
                const auto& at = cluster.replica(group, step->node);
                if (at.alone) continue;
                if (step->elected) {
                    ++elections;
                    REQUIRE(leaders.try_emplace(at.epoch, step->node).second);
                    REQUIRE((at.epoch < its_epoch || at.log.holds(committed, its_epoch)));
                }
                if (at.disk > 1 && at.leader != kNoNode && !at.leads()) ++joined;
                if (at.commit <= committed) continue;
                REQUIRE((at.log.epoch_at(at.commit) >= its_epoch));
                REQUIRE((at.log.holds(committed, its_epoch)));
                committed = at.commit;
                its_epoch = at.log.epoch_at(committed);
            }
        }
    }
    CHECK(elections > 1000);
    CHECK(emptied > 1000);
    CHECK(joined > 1000);
}
