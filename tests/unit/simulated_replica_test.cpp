#include <insync/testing/simulated_replica.hpp>

#include <catch2/catch_test_macros.hpp>

using insync::ReplicaKind;
using insync::testing::held_by_majority;
using insync::testing::SimulatedMembership;
using insync::testing::SimulatedReplica;

TEST_CASE("a majority of the voters holds what half of them and one more hold, verified",
          "[simulated_replica]") {
    const SimulatedMembership members{
        .members = {{1}, {2}, {3}, {4, ReplicaKind::learner}, {5, ReplicaKind::learner}}};
    CHECK(members.voters() == 3);
    CHECK(members.is_voter(3));
    CHECK_FALSE(members.is_voter(4));
    SimulatedReplica leader;
    leader.peers.resize(6);
    leader.log.append(1, 10);
    CHECK(held_by_majority(leader, 1, members) == 0); // nothing has reached a disk
    leader.log.flush(8, 1);
    leader.peers[2].match = 9;              // a left-over
    for (const std::size_t at : {4u, 5u}) { // learners: with them it would be three of five
        leader.peers[at].match = 9;
        leader.peers[at].verified = true;
    }
    CHECK(held_by_majority(leader, 1, members) == 0);
    leader.peers[2].verified = true;
    CHECK(held_by_majority(leader, 1, members) == 8);
    leader.peers[3].match = 10;
    leader.peers[3].verified = true;
    CHECK(held_by_majority(leader, 1, members) == 9);
}
