#include <insync/adapters/raft_c.hpp>
#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/errors.hpp>
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

using namespace std::chrono_literals;
using insync::FollowerRow;
using insync::GroupState;
using insync::kNever;
using insync::kNoNode;
using insync::NodeId;
using insync::Quorum;
using insync::ReadResult;
using insync::ReplicaKind;

namespace {

constexpr insync::TimePoint kT0{100s};

/// What the wrapper says next: a script, whose address is the group's name.
struct Script {
    insync_raft_state state{};
    std::vector<insync_raft_peer> peers;
    std::int32_t refusal = 0;
    std::uint64_t version = 1;
};

std::int32_t read_script(insync_raft_group group,
                         insync_raft_state* state,
                         insync_raft_peer* peers,
                         std::uint32_t capacity) {
    if (group == 0) return INSYNC_RAFT_BROKEN;
    const auto& script =
        *reinterpret_cast<const Script*>(group); // NOLINT(performance-no-int-to-ptr)
    if (script.refusal != 0) return script.refusal;
    *state = script.state;
    const auto fits = std::min<std::size_t>(capacity, script.peers.size());
    std::copy_n(script.peers.begin(), fits, peers);
    return static_cast<std::int32_t>(script.peers.size());
}

std::uint64_t version_of_script(insync_raft_group group) {
    return reinterpret_cast<const Script*>(group)->version; // NOLINT(performance-no-int-to-ptr)
}

constexpr insync_raft_reader kReader{INSYNC_RAFT_ABI, 0, &read_script, &version_of_script};

insync_raft_peer peer(std::uint64_t id, std::uint64_t matched, unsigned member = 0) {
    insync_raft_peer row{};
    row.id = id;
    row.matched = matched;
    row.confirmed = matched != 0 ? 1 : 0;
    row.member = static_cast<std::uint8_t>(member);
    row.recent_active = 1;
    return row;
}

/// What a broker keeps of its groups: of one.
struct Groups {
    using Group = const Script*;

    [[nodiscard]] Group find_group(insync::TopicPartition) const { return &script; }
    [[nodiscard]] static insync_raft_group raft(Group group) noexcept {
        return reinterpret_cast<insync_raft_group>(group);
    }
    [[nodiscard]] const insync::RaftContacts& contacts(Group) const noexcept { return log; }

    Script script;
    insync::RaftContacts log;
};

/// Node 1 of a group of three, which it leads in term 4.
struct Host : Groups {
    Host() {
        script.state = {.id = 1,
                        .term = 4,
                        .leader = 1,
                        .epoch_start = 8,
                        .last = 12,
                        .persisted = 11,
                        .committed = 10,
                        .applied = 9,
                        .membership = 7,
                        .role = INSYNC_RAFT_LEADER,
                        .check_quorum = 1,
                        .reserved = {}};
        script.peers = {peer(1, 11), peer(2, 12), peer(3, 0)};
        log.lead(4);
        log.note_append(2, 4, true, kT0);
    }
    GroupState read() {
        GroupState state;
        REQUIRE(try_read(state) == ReadResult::ok);
        return state;
    }
    ReadResult try_read(GroupState& state) { return view.read(&script, state); }

    insync::RaftCView<Groups> view{kReader, *this, 40ms};
};
static_assert(insync::VersionedView<insync::RaftCView<Groups>>);

FollowerRow row_of(const GroupState& state, NodeId node) {
    const auto found = std::find_if(state.followers.begin(), state.followers.end(),
                                    [&](const FollowerRow& row) { return row.node == node; });
    REQUIRE(found != state.followers.end());
    return *found;
}

} // namespace

TEST_CASE("a leader behind raft_c.h says where its log ends and what of it is durable",
          "[raft_c]") {
    Host host;
    const GroupState state = host.read();
    CHECK(state.leading);
    CHECK(state.leader == 1);
    CHECK(state.epoch == 4);
    CHECK(state.epoch_start == 8);
    CHECK(state.end == 12);
    CHECK(state.durable == 11);
    CHECK(state.commit == 10);
    CHECK(state.applied == 9);
    CHECK(state.membership == 7);
    CHECK(host.view.contact_slack() == 40ms);
}

TEST_CASE("the rows of raft_c.h are the others, verified once they confirmed in the term",
          "[raft_c]") {
    Host host;
    const GroupState state = host.read();
    REQUIRE(state.followers.size() == 2);
    CHECK(row_of(state, 2).verified);
    CHECK(row_of(state, 2).match == 12);
    CHECK(row_of(state, 2).contact == kT0);
    CHECK_FALSE(row_of(state, 3).verified); // for all that it is recently active
    CHECK(row_of(state, 3).match == 0);
    CHECK(row_of(state, 3).contact == kNever);
}

TEST_CASE("a match of raft_c.h that nobody confirmed is not verified, whatever its number",
          "[raft_c]") {
    Host host;
    host.script.peers[1].confirmed = 0;
    host.script.peers[2].confirmed = 1; // of nothing
    const GroupState state = host.read();
    CHECK_FALSE(row_of(state, 2).verified);
    CHECK(row_of(state, 2).match == 0);
    CHECK_FALSE(row_of(state, 3).verified);
}

TEST_CASE("node 0 of raft_c.h is nobody", "[raft_c]") {
    Host host;
    host.script.state.role = INSYNC_RAFT_CANDIDATE;
    host.script.state.leader = 0;
    const GroupState state = host.read();
    CHECK(state.leader == kNoNode);
    CHECK_FALSE(state.leading);
    CHECK(state.followers.empty()); // though the library still has rows
    host.script.state.leader = 3;
    CHECK(host.read().leader == 3);
}

TEST_CASE("a quorum of raft_c.h is held only where the library lets a leader step down without it",
          "[raft_c]") {
    Host host;
    CHECK(host.read().quorum == Quorum::held);
    host.script.state.check_quorum = 0;
    CHECK(host.read().quorum == Quorum::unreported);
    host.script.state.check_quorum = 1;
    host.script.state.role = INSYNC_RAFT_FOLLOWER;
    CHECK(host.read().quorum == Quorum::unreported);
}

TEST_CASE("only a voter of raft_c.h is a voter", "[raft_c]") {
    Host host;
    const auto kind = [&](unsigned member) {
        host.script.peers[1] = peer(2, 12, member);
        return row_of(host.read(), 2).kind;
    };
    CHECK(kind(INSYNC_RAFT_VOTER) == ReplicaKind::voter);
    CHECK(kind(INSYNC_RAFT_LEARNER) == ReplicaKind::learner);
    CHECK(kind(INSYNC_RAFT_JOINING) == ReplicaKind::joining);
    CHECK(kind(INSYNC_RAFT_LEAVING) == ReplicaKind::leaving);
    CHECK(kind(99) != ReplicaKind::voter);
}

TEST_CASE("a group of raft_c.h that cannot be read whole is unavailable", "[raft_c]") {
    Host host;
    GroupState state;
    SECTION("it is not open") {
        host.script.refusal = INSYNC_RAFT_UNAVAILABLE;
    }
    SECTION("its library panicked") {
        host.script.refusal = INSYNC_RAFT_BROKEN;
    }
    SECTION("it has more members than a state has rows") {
        for (std::uint64_t id = 4; id < 40; ++id) host.script.peers.push_back(peer(id, 1));
    }
    SECTION("it has one row more than a state") {
        host.script.peers.clear();
        for (std::uint64_t id = 2; id < 33; ++id) host.script.peers.push_back(peer(id, 1));
    }
    SECTION("a member is nobody") {
        host.script.peers[1].id = 0;
    }
    SECTION("a member has an id that no node can have") {
        host.script.peers[1].id = ~0ull;
    }
    SECTION("it does not know its own id") {
        host.script.state.id = 0;
    }
    CHECK(host.try_read(state) == ReadResult::unavailable);
}

TEST_CASE("a group of raft_c.h may have as many members as a state has rows, and its own",
          "[raft_c]") {
    Host host;
    host.script.peers.clear();
    for (std::uint64_t id = 1; id <= 2 * insync::kMaxReplicas + 1; ++id)
        host.script.peers.push_back(peer(id, 1));
    CHECK(host.read().followers.size() == 2 * insync::kMaxReplicas);
}

TEST_CASE("the version of raft_c.h is the wrapper's", "[raft_c]") {
    Host host;
    host.script.version = 17;
    CHECK(host.view.version(&host.script) == 17);
}

TEST_CASE("answered appends and heartbeats are contacts of a raft group, in their term only",
          "[raft_c]") {
    Host host;
    host.log.note_heartbeat(3, 4, kT0 + 1s);
    CHECK(row_of(host.read(), 3).contact == kT0 + 1s);
    CHECK_FALSE(row_of(host.read(), 3).verified); // an answered heartbeat proves no match
    host.log.note_append(3, 5, true, kT0 + 2s);   // of a term that this node does not lead
    CHECK(row_of(host.read(), 3).contact == kT0 + 1s);
    host.script.state.term = 6;
    host.log.lead(6);
    CHECK(row_of(host.read(), 3).contact == kNever);
    CHECK(row_of(host.read(), 2).contact == kNever);
}

TEST_CASE("a member of a raft group that was removed and added again is unknown", "[raft_c]") {
    Host host;
    host.log.forget(2);
    host.script.peers.erase(host.script.peers.begin() + 1);
    CHECK(host.read().followers.size() == 1);
    host.log.note_heartbeat(2, 4, kT0 + 1s); // was on its way
    host.log.admit(2);
    host.script.peers.push_back(peer(2, 0));
    CHECK_FALSE(row_of(host.read(), 2).verified);
    CHECK(row_of(host.read(), 2).contact == kNever);
    host.log.note_append(2, 4, true, kT0 + 2s);
    host.script.peers.back() = peer(2, 1);
    CHECK(row_of(host.read(), 2).match == 1);
    CHECK(row_of(host.read(), 2).contact == kT0 + 2s);
}

TEST_CASE("a member of a raft group that is added again is unknown, though a term began meanwhile",
          "[raft_c]") {
    Host host;
    host.script.state.term = 5;
    host.log.forget(2); // before anything was noted in the term
    host.log.lead(5);
    host.log.note_heartbeat(2, 5, kT0 + 1s); // was on its way
    host.log.admit(2);
    CHECK(row_of(host.read(), 2).contact == kNever);
}

TEST_CASE("a manager takes in what a raft group behind raft_c.h says", "[raft_c]") {
    Host host;
    insync::testing::ManualClock clock{kT0};
    insync::IsrManager isr{1, host.view, {}, clock};
    REQUIRE(isr.initialize_isr("t", 0, {1, 2, 3}) == insync::Result::ok);
    CHECK(isr.has_min_isr("t", 0));
    CHECK(isr.is_in_sync("t", 0, 3)); // in grace
    clock.advance(11s);
    host.log.note_heartbeat(2, 4, clock.now());
    ++host.script.version;
    REQUIRE(isr.update_isr("t", 0) == insync::Result::ok);
    CHECK(isr.is_in_sync("t", 0, 2));
    CHECK_FALSE(isr.is_in_sync("t", 0, 3));
}
