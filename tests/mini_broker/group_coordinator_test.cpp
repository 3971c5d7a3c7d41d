#include "mini_broker/group_clients.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

namespace {

using namespace group_clients;

/// Two members, stable; `a` leads.
struct Pair {
    explicit Pair(World& world) : a(world, "a"), b(world, "b") {
        a.join_twice();
        b.join_twice();
        world.wait(200);
        if (b.leads()) b.sync();
        a.sync();
        if (!b.leads()) b.sync();
    }
    Client& leader() { return a.leads() ? a : b; }
    Client& follower() { return a.leads() ? b : a; }
    Client a;
    Client b;
};

TEST_CASE("A dynamic member is told its id first, and older clients join at once", "[groups]") {
    World world;
    Client a(world, "a");
    a.join();
    REQUIRE(a.joined);
    CHECK(a.joined->error_code == Error::member_id_required);
    CHECK(a.member == "a-1");
    CHECK(world.coordinator.describe("g").members.empty());
    a.join();
    CHECK(a.waiting);
    world.wait(200);
    CHECK(a.joined->error_code == Error::none);
    CHECK(a.generation == 1);
    CHECK(a.leads());

    World other;
    Client old(other, "old");
    old.join(3);
    CHECK(old.waiting);
    other.wait(200);
    CHECK(old.joined->error_code == Error::none);
}

TEST_CASE("The first members of a group are waited for, within the rebalance timeout", "[groups]") {
    World world;
    Client a(world, "a");
    Client b(world, "b");
    a.join_twice();
    world.wait(199);
    b.join_twice();
    world.wait(199);
    CHECK(a.waiting);
    CHECK(b.waiting);
    world.wait(1);
    CHECK_FALSE(a.waiting);
    CHECK_FALSE(b.waiting);
    CHECK(a.generation == b.generation);
    CHECK(a.joined->leader == b.joined->leader);
    CHECK(a.joined->members.size() + b.joined->members.size() == 2); // the leader's alone

    GroupOptions at_once;
    at_once.initial_rebalance_delay = Millis{0};
    World other(at_once);
    Client c(other, "c");
    c.join_twice();
    CHECK_FALSE(c.waiting);
}

TEST_CASE("Assignments reach every member once the leader has brought them", "[groups]") {
    World world;
    Client a(world, "a");
    Client b(world, "b");
    a.join_twice();
    b.join_twice();
    world.wait(200);
    Client& leader = a.leads() ? a : b;
    Client& follower = a.leads() ? b : a;
    follower.sync();
    CHECK(follower.waiting);
    CHECK(follower.commit() == Error::rebalance_in_progress);
    leader.sync();
    CHECK_FALSE(follower.waiting);
    REQUIRE(follower.synced);
    CHECK(follower.synced->assignment == "for " + follower.name());
    CHECK(leader.synced->assignment == "for " + leader.name());
    CHECK(leader.synced->protocol_name == "range");
    CHECK(follower.heartbeat() == Error::none);
    CHECK(follower.commit() == Error::none);
    follower.sync(); // its answer was lost
    CHECK(follower.synced->assignment == "for " + follower.name());

    const auto described = world.coordinator.describe("g");
    CHECK(described.group_state == "Stable");
    CHECK(described.protocol_data == "range");
    REQUIRE(described.members.size() == 2);
    CHECK(described.members[0].client_host == "here");
    CHECK(described.members[0].member_assignment == "for " + described.members[0].client_id);
    const auto list = world.coordinator.list();
    REQUIRE(list.size() == 1);
    CHECK(list[0] == ListGroupsResponse::Group{"g", "consumer", "Stable"});
}

TEST_CASE("A new member makes the others join again", "[groups]") {
    World world;
    Pair pair(world);
    Client c(world, "c");
    c.join_twice();
    CHECK(c.waiting);
    CHECK(pair.a.heartbeat() == Error::rebalance_in_progress);
    CHECK(pair.a.commit() == Error::none); // what it has read in the old generation
    pair.a.join();
    CHECK(pair.a.waiting);
    pair.b.join();
    CHECK_FALSE(c.waiting);
    CHECK(c.generation == 2);
    CHECK(pair.a.generation == 2);
    CHECK(pair.leader().joined->members.size() == 3);
    CHECK(pair.leader().joined->leader != c.member); // the leader stays
}

TEST_CASE("Who does not join again in time is left out", "[groups]") {
    World world;
    Pair pair(world);
    Client c(world, "c");
    c.join_twice();
    pair.a.join();
    for (int i = 0; i < 29; ++i) {
        CHECK(pair.b.heartbeat() == Error::rebalance_in_progress); // alive, but does not join
        world.wait(1'000);
    }
    CHECK(c.waiting);
    world.wait(1'000);
    CHECK_FALSE(c.waiting);
    CHECK(c.generation == 2);
    CHECK(pair.b.heartbeat() == Error::unknown_member_id);
    CHECK(world.coordinator.describe("g").members.size() == 2);
}

TEST_CASE("A silent member is let go of, and the others are told to join again", "[groups]") {
    World world;
    Pair pair(world);
    world.wait(9'999);
    CHECK(pair.a.heartbeat() == Error::none);
    world.wait(1);
    CHECK(pair.b.heartbeat() == Error::unknown_member_id);
    CHECK(pair.a.heartbeat() == Error::rebalance_in_progress);
    pair.a.join();
    CHECK(pair.a.generation == 2);
    CHECK(pair.a.leads());
    pair.a.sync();
    world.wait(10'000);
    CHECK(world.coordinator.list().empty());
    CHECK(world.coordinator.describe("g").group_state == "Dead");
}

TEST_CASE("A leader that never brings assignments is let go of", "[groups]") {
    World world;
    Client a(world, "a");
    Client b(world, "b");
    a.join_twice();
    b.join_twice();
    world.wait(200);
    Client& leader = a.leads() ? a : b;
    Client& follower = a.leads() ? b : a;
    follower.sync();
    for (int i = 0; i < 30; ++i) {
        CHECK(follower.waiting);
        CHECK(leader.heartbeat() == Error::none);
        world.wait(1'000);
    }
    CHECK_FALSE(follower.waiting);
    CHECK(follower.synced->error_code == Error::rebalance_in_progress);
    CHECK(leader.heartbeat() == Error::unknown_member_id);
    follower.join();
    CHECK(follower.leads());
}

TEST_CASE("A member that leaves is gone at once", "[groups]") {
    World world;
    Pair pair(world);
    CHECK(pair.follower().leave() == Error::none);
    CHECK(pair.follower().leave() == Error::unknown_member_id);
    CHECK(pair.leader().heartbeat() == Error::rebalance_in_progress);
    CHECK(pair.leader().leave() == Error::none);
    CHECK(world.coordinator.list().empty());

    LeaveGroupRequest list;
    list.group_id = "g";
    list.members = {{"nobody", {}, {}}, {"", "no instance", {}}};
    const auto response = world.coordinator.leave(world.now, list);
    CHECK(response.error_code == Error::none);
    REQUIRE(response.members.size() == 2);
    CHECK(response.members[0].error_code == Error::unknown_member_id);
    CHECK(response.members[1].error_code == Error::unknown_member_id);
}

TEST_CASE("A member that was told its id and does not return is waited for no longer", "[groups]") {
    World world;
    Pair pair(world);
    Client ghost(world, "ghost");
    ghost.session_ms = 6'000;
    ghost.join();
    CHECK(pair.a.heartbeat() == Error::none); // it has not joined
    Client c(world, "c");
    c.join_twice();
    pair.a.join();
    pair.b.join();
    CHECK(c.waiting); // for the ghost
    world.wait(6'000);
    CHECK_FALSE(c.waiting);
    CHECK(world.coordinator.describe("g").members.size() == 3);
}

TEST_CASE("The protocol is one that all members know", "[groups]") {
    World world;
    Client a(world, "a");
    Client b(world, "b");
    Client c(world, "c");
    a.protocols = {"range", "sticky"};
    b.protocols = {"sticky"};
    c.protocols = {"other"};
    a.join_twice();
    b.join_twice();
    c.join();
    CHECK(c.joined->error_code == Error::inconsistent_group_protocol);
    c.protocols = {"sticky"};
    c.protocol_type = "connect";
    c.join();
    CHECK(c.joined->error_code == Error::inconsistent_group_protocol);
    world.wait(200);
    CHECK(a.joined->protocol_name == "sticky");
    CHECK(b.joined->protocol_name == "sticky");
}

TEST_CASE("An answer of an older generation is refused", "[groups]") {
    World world;
    Pair pair(world);
    --pair.a.generation;
    CHECK(pair.a.heartbeat() == Error::illegal_generation);
    CHECK(pair.a.commit() == Error::illegal_generation);
    pair.a.sync();
    CHECK(pair.a.synced->error_code == Error::illegal_generation);
    pair.a.member = "somebody";
    pair.a.join();
    CHECK(pair.a.joined->error_code == Error::unknown_member_id);
}

TEST_CASE("Offsets are committed without membership only while nobody is a member", "[groups]") {
    World world;
    Client outside(world, "outside");
    CHECK(outside.commit() == Error::none);
    outside.generation = 3;
    CHECK(outside.commit() == Error::illegal_generation);
    outside.generation = -1;
    Pair pair(world);
    CHECK(outside.commit() == Error::unknown_member_id);
    CHECK(pair.a.commit() == Error::none);
}

TEST_CASE("A static member that restarts takes its place, and the other is fenced", "[groups]") {
    World world;
    Client first(world, "first", "one");
    first.join();
    CHECK(first.waiting); // no need to come twice
    world.wait(200);
    first.sync();
    Client second(world, "second", "one");
    second.protocols = {"new"};
    second.join();
    CHECK_FALSE(second.waiting);
    CHECK(second.joined->error_code == Error::none);
    CHECK(second.member != first.member);
    CHECK(first.heartbeat() == Error::fenced_instance_id);
    first.join();
    CHECK(first.joined->error_code == Error::fenced_instance_id);
    CHECK(second.heartbeat() == Error::none);
    CHECK(world.coordinator.describe("g").members.size() == 1);
    // An operator removes it by its instance alone.
    LeaveGroupRequest list;
    list.group_id = "g";
    list.members = {{"", "one", {}}};
    CHECK(world.coordinator.leave(world.now, list).members.at(0).error_code == Error::none);
    CHECK(world.coordinator.list().empty());
}

TEST_CASE("A static member keeps its place through a rebalance until its session ends",
          "[groups]") {
    World world;
    Client fixed(world, "fixed", "one");
    fixed.session_ms = 60'000;
    fixed.join();
    world.wait(200);
    fixed.sync();
    Client b(world, "b");
    b.join_twice();
    CHECK(b.waiting);
    world.wait(30'000);
    CHECK_FALSE(b.waiting);
    CHECK(b.leads());
    CHECK(b.joined->members.size() == 2);
    b.sync();
    for (int i = 0; i < 6; ++i) {
        CHECK(b.heartbeat() == Error::none);
        world.wait(5'000);
    }
    CHECK(b.heartbeat() == Error::rebalance_in_progress);
    CHECK(world.coordinator.describe("g").members.size() == 1);
}

TEST_CASE("Requests that no group could take are refused", "[groups]") {
    GroupOptions options;
    options.members_max = 2;
    options.groups_max = 1;
    World world(options);
    Client a(world, "a");
    a.session_ms = 5'999;
    a.join();
    CHECK(a.joined->error_code == Error::invalid_session_timeout);
    a.session_ms = 1'800'001;
    a.join();
    CHECK(a.joined->error_code == Error::invalid_session_timeout);
    a.session_ms = 6'000;
    a.protocols = {};
    a.join();
    CHECK(a.joined->error_code == Error::inconsistent_group_protocol);
    a.protocols.assign(101, "p");
    a.join();
    CHECK(a.joined->error_code == Error::invalid_request);
    a.protocols = {std::string(2u << 20, 'p')};
    a.join();
    CHECK(a.joined->error_code == Error::invalid_request);
    CHECK(world.coordinator.list().empty());

    Pair pair(world);
    Client c(world, "c");
    c.join();
    CHECK(c.joined->error_code == Error::group_max_size_reached);
    JoinGroupRequest other;
    other.session_timeout_ms = 6'000;
    other.protocol_type = "consumer";
    other.protocols = {{"range", ""}};
    Error error = Error::none;
    const auto note = [&](const JoinGroupResponse& response) { error = response.error_code; };
    world.coordinator.join(world.now, 9, other, {}, note);
    CHECK(error == Error::invalid_group_id);
    other.group_id = "another";
    world.coordinator.join(world.now, 9, other, {}, note);
    CHECK(error == Error::group_max_size_reached);
}

TEST_CASE("A coordinator that resigns answers everybody who waits", "[groups]") {
    World world;
    Pair pair(world);
    Client c(world, "c");
    c.join_twice();
    CHECK(c.waiting);
    world.coordinator.resign();
    CHECK_FALSE(c.waiting);
    CHECK(c.joined->error_code == Error::not_coordinator);
    CHECK(pair.a.heartbeat() == Error::unknown_member_id);
    CHECK(world.coordinator.list().empty());
}

TEST_CASE("An answer may lead to the next request at once", "[groups]") {
    GroupOptions at_once;
    at_once.initial_rebalance_delay = Millis{0};
    World world(at_once);
    JoinGroupRequest join;
    join.group_id = "g";
    join.session_timeout_ms = 6'000;
    join.protocol_type = "consumer";
    join.protocols = {{"range", ""}};
    std::string assignment;
    world.coordinator.join(world.now, 3, join, {"me", ""}, [&](const JoinGroupResponse& joined) {
        SyncGroupRequest sync;
        sync.group_id = "g";
        sync.generation_id = joined.generation_id;
        sync.member_id = joined.member_id;
        sync.assignments = {{joined.member_id, "all"}};
        world.coordinator.sync(world.now, sync, [&](const SyncGroupResponse& synced) {
            assignment = synced.assignment;
            LeaveGroupRequest leave{"g", joined.member_id, {}};
            CHECK(world.coordinator.leave(world.now, leave).error_code == Error::none);
        });
    });
    CHECK(assignment == "all");
    CHECK(world.coordinator.list().empty());
}

} // namespace
