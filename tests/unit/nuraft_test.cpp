// What is particular to the adapter; tests/conformance has the rest.
#include "conformance/nuraft_double.hpp"
#include "toy_raft.hpp"

#include <insync/adapters/nuraft.hpp>
#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <optional>

using namespace std::chrono_literals;
using insync::FollowerRow;
using insync::GroupState;
using insync::kNever;
using insync::NodeId;
using insync::ReadResult;

namespace {

constexpr std::array<NodeId, 3> kReplicas{1, 2, 3};
constexpr insync::TimePoint kT0{100s};

struct Host {
    using Group = nuraft_double::raft_server*;

    Group find_group(insync::TopicPartition) { return running ? &*running : nullptr; }
    static nuraft_double::raft_server* server(Group group) { return group; }
    const insync::NuraftAnswers& answers(Group) const { return noted; }

    std::optional<nuraft_double::raft_server> running;
    insync::NuraftAnswers noted;
};
struct DurableHost : Host {
    static insync::Index durable_index(Group) { return 1; }
};

template <class HostType>
struct Fixture {
    toy::Rig rig;
    HostType host;
    insync::NuraftView<HostType> view{1, host, 20ms};
    GroupState state;

    Fixture() {
        host.running.emplace(rig.node(1), [](auto, auto*) { return nuraft_double::cb_func::Ok; });
    }
    ReadResult read() {
        state = {};
        return view.read(view.find_group({"t", 0}, kReplicas), state);
    }
    [[nodiscard]] const FollowerRow& row(NodeId node) const {
        for (const FollowerRow& row : state.followers)
            if (row.node == node) return row;
        FAIL("no row");
        return state.followers.front();
    }
};

} // namespace

TEST_CASE("a NuRaft group that is not running cannot be read", "[nuraft]") {
    Fixture<Host> f;
    f.host.running.reset();
    CHECK(f.read() == ReadResult::unavailable);
}

TEST_CASE("a NuRaft peer's index is believed once an acceptance was noted in the term",
          "[nuraft]") {
    Fixture<Host> f;
    f.rig.elect(1);
    f.rig.advance(100ms);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.row(2).verified); // the library has its index, but nobody listened
    CHECK(f.row(2).contact == kNever);

    f.host.noted.note_accepted(2, f.state.epoch, kT0);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).verified);
    CHECK(f.row(2).match == f.state.end);
    CHECK(f.row(2).contact == kT0);
    CHECK_FALSE(f.row(3).verified);
}

TEST_CASE("a NuRaft leader tells where its term began, and a follower does not", "[nuraft]") {
    Fixture<Host> f;
    f.rig.elect(1);
    f.rig.append(1);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.epoch_start == 1);
    f.rig.advance(100ms);
    f.rig.elect(2);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.epoch_start == 0);
}

TEST_CASE("a NuRaft server that has won and still catches up does not lead yet", "[nuraft]") {
    Fixture<Host> f;
    f.rig.elect(1);
    f.host.running->waiting_for_sm_catchup = true;
    REQUIRE(f.host.running->get_leader() == 1);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.state.leading);
    CHECK(f.state.leader == insync::kNoNode);
    CHECK(f.state.followers.empty());
}

TEST_CASE("what NuRaft's log store calls durable is what a read says, where the host tells",
          "[nuraft]") {
    Fixture<Host> plain;
    plain.rig.elect(1);
    plain.rig.append(1);
    REQUIRE(plain.read() == ReadResult::ok);
    CHECK(plain.state.durable == 2);

    Fixture<DurableHost> telling;
    telling.rig.elect(1);
    telling.rig.append(1);
    REQUIRE(telling.read() == ReadResult::ok);
    CHECK(telling.state.end == 2);
    CHECK(telling.state.durable == 1);
}
