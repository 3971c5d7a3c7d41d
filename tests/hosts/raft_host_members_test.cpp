// Who leads and who is a member, over the interface of the wrapped libraries.
#include "any_library.hpp"
#include "raft_group.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>

using insync::tests::any_library;
using insync::tests::any_options;
using insync::tests::RaftGroup;

TEST_CASE("leadership moves to the node that it is transferred to", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, any_options(), {1, 2, 3});
    const auto leader = group.wait_for_leader();
    const std::uint64_t other = leader % 3 + 1;
    REQUIRE(host.transfer(group[leader], other) == RAFT_HOST_OK);
    group.settle();
    CHECK(group.state(other).role == INSYNC_RAFT_LEADER);
    CHECK(group.append(leader, "too late") == 0);
    CHECK(group.error(leader) == "does not lead");
}

TEST_CASE("a member that was removed, wiped and added again holds nothing at first",
          "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, any_options(), {1, 2, 3});
    REQUIRE(group.elect(1));
    const auto index = group.append(1, "before");
    group.settle();
    REQUIRE(group.change(1, {{3, RAFT_HOST_REMOVE, 0}}, RAFT_HOST_SIMPLE) == RAFT_HOST_OK);
    group.settle();
    CHECK(group.peer(1, 3).id == 0);
    CHECK(group.state(1).membership == index + 1);
    REQUIRE(host.wipe(group[3]) == RAFT_HOST_DOWN);
    REQUIRE(host.crash(group[3]) == RAFT_HOST_OK);
    REQUIRE(host.wipe(group[3]) == RAFT_HOST_OK);
    REQUIRE(host.restart(group[3]) == RAFT_HOST_OK);
    CHECK(group.disk(3).last == 0);
    group.cut(3);
    REQUIRE(group.change(1, {{3, RAFT_HOST_ADD_VOTER, 0}}, RAFT_HOST_SIMPLE) == RAFT_HOST_OK);
    group.settle();
    CHECK(group.peer(1, 3).matched == 0);
    CHECK(group.peer(1, 3).confirmed == 0);
    CHECK(group.peer(1, 3).recent_active == 1); // and was not heard of
    group.heal();
    group.tick(3);
    CHECK(group.disk(3).first > 2); // it was sent a snapshot
    CHECK(group.state(3).last == group.state(1).last);
    CHECK(group.peer(1, 3).confirmed == 1);
    raft_host_entry entry{};
    CHECK(host.disk_entry(group[3], index, &entry) == RAFT_HOST_COMPACTED);
}

TEST_CASE("a change of membership while one is pending becomes an empty entry", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, {.asynchronous = GENERATE(false, true)}, {1, 2, 3});
    REQUIRE(group.elect(1));
    group.cut(1);
    CHECK(group.change(1, {{4, RAFT_HOST_ADD_LEARNER, 0}}, RAFT_HOST_SIMPLE) == RAFT_HOST_OK);
    CHECK(group.change(1, {{5, RAFT_HOST_ADD_LEARNER, 0}}, RAFT_HOST_SIMPLE) == RAFT_HOST_REPLACED);
    CHECK(group.change(1, {{0, RAFT_HOST_REMOVE, 0}}, RAFT_HOST_SIMPLE) == RAFT_HOST_BAD_ARGUMENT);
}

TEST_CASE("rows say who learns, joins and leaves", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, any_options(), {1, 2, 3});
    group.add_empty(4);
    group.add_empty(5);
    REQUIRE(group.elect(1));
    REQUIRE(group.change(1, {{4, RAFT_HOST_ADD_LEARNER, 0}}, RAFT_HOST_SIMPLE) == RAFT_HOST_OK);
    group.settle();
    CHECK(group.peer(1, 4).member == INSYNC_RAFT_LEARNER);
    REQUIRE(group.change(1, {{5, RAFT_HOST_ADD_VOTER, 0}, {3, RAFT_HOST_REMOVE, 0}},
                         RAFT_HOST_ENTER_JOINT) == RAFT_HOST_OK);
    group.settle();
    CHECK(group.peer(1, 5).member == INSYNC_RAFT_JOINING);
    CHECK(group.peer(1, 3).member == INSYNC_RAFT_LEAVING);
    CHECK(group.peer(1, 2).member == INSYNC_RAFT_VOTER);
    CHECK(group.peer(1, 4).member == INSYNC_RAFT_LEARNER);
    REQUIRE(group.change(1, {}, RAFT_HOST_LEAVE_JOINT) == RAFT_HOST_OK);
    group.settle();
    CHECK(group.peer(1, 5).member == INSYNC_RAFT_VOTER);
    CHECK(group.peer(1, 3).id == 0);
    group.tick(3);
    CHECK(group.peer(1, 4).matched == group.state(1).last);
}

TEST_CASE("a leader that applies its own removal steps down and goes on running", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, any_options(), {1, 2, 3});
    REQUIRE(group.elect(1));
    REQUIRE(group.change(1, {{1, RAFT_HOST_REMOVE, 0}}, RAFT_HOST_SIMPLE) == RAFT_HOST_OK);
    group.settle();
    CHECK(group.state(1).role == INSYNC_RAFT_FOLLOWER);
    const auto leader = group.wait_for_leader();
    CHECK((leader == 2 || leader == 3));
    CHECK(group.append(leader, "without it") != 0);
    group.tick(3);
    CHECK(group.state(leader).committed == group.state(leader).last);
    CHECK(host.tick(group[1]) == RAFT_HOST_OK);
}
