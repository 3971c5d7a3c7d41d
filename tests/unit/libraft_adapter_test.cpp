#include <insync/adapters/contact_log.hpp>
#include <insync/adapters/libraft.hpp>
#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/errors.hpp>
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

/// The part of libraft that the view touches: the same names, field types and enumerators.
namespace raft_double {

enum { RAFT_STANDBY, RAFT_VOTER, RAFT_SPARE };
enum { RAFT_UNAVAILABLE, RAFT_FOLLOWER, RAFT_CANDIDATE, RAFT_LEADER };

struct raft_server {
    unsigned long long id;
    char* address;
    int role;
};
struct raft_configuration {
    raft_server* servers;
    unsigned n;
};
struct raft {
    raft_configuration configuration;
    unsigned long long configuration_committed_index = 1;
    unsigned long long configuration_uncommitted_index = 0;
    unsigned long long last_stored = 0;
    struct {
        unsigned long long match = 1;
    } follower_state{};

    int state = RAFT_FOLLOWER;
    unsigned long long term = 1;
    unsigned long long last = 0;
    unsigned long long commit = 0;
    unsigned long long leader = 0;
    std::map<unsigned long long, unsigned long long> match{};
};

int raft_state(raft* r) {
    return r->state;
}
unsigned long long raft_current_term(const raft* r) {
    return r->term;
}
unsigned long long raft_last_index(raft* r) {
    return r->last;
}
unsigned long long raft_commit_index(const raft* r) {
    return r->commit;
}
void raft_leader(raft* r, unsigned long long* id, const char** address) {
    *id = r->leader;
    *address = nullptr;
}
int raft_match_index(const raft* r, unsigned long long id, unsigned long long* index) {
    const auto found = r->match.find(id);
    if (found == r->match.end()) return 1; // RAFT_BADID
    *index = found->second;
    return 0;
}

} // namespace raft_double

using insync::ContactLog;
using insync::FollowerRow;
using insync::GroupState;
using insync::IsrConfig;
using insync::kNever;
using insync::kNoNode;
using insync::NodeId;
using insync::ReadResult;
using insync::ReplicaKind;
using insync::Result;
using insync::TimePoint;
using insync::testing::ManualClock;

namespace {

constexpr std::array<NodeId, 3> kReplicas{1, 2, 3};
constexpr TimePoint kT0{100s};

/// What a host keeps of a partition.
struct PartitionGroup {
    std::vector<raft_double::raft_server> servers{{1, nullptr, raft_double::RAFT_VOTER},
                                                  {2, nullptr, raft_double::RAFT_VOTER},
                                                  {3, nullptr, raft_double::RAFT_VOTER}};
    raft_double::raft core{{servers.data(), static_cast<unsigned>(servers.size())}};
    ContactLog contacts;
    bool open = true;

    void set_servers(std::vector<raft_double::raft_server> changed) {
        servers = std::move(changed);
        core.configuration = {servers.data(), static_cast<unsigned>(servers.size())};
    }
    void become_leader(unsigned long long term, unsigned long long last) {
        core.state = raft_double::RAFT_LEADER;
        core.term = term;
        core.last = core.last_stored = last;
        core.match = {{1, last}, {2, 0}, {3, 0}};
    }
    /// As a host does when an AppendEntries result arrives, the step having been taken.
    void receive(NodeId from,
                 unsigned long long term,
                 bool accepted,
                 unsigned long long index,
                 TimePoint now) {
        if (accepted) core.match[static_cast<unsigned long long>(from)] = index;
        if (core.state == raft_double::RAFT_LEADER && term == core.term)
            contacts.note_append_result(from, term, accepted, now);
    }
};

struct Host {
    using Group = PartitionGroup*;
    Group find_group(insync::TopicPartition) { return &only; }
    raft_double::raft* core(Group group) noexcept {
        return group != nullptr && group->open ? &group->core : nullptr;
    }
    const ContactLog& contacts(Group group) noexcept { return group->contacts; }

    PartitionGroup only;
};

struct PushingHost : Host {
    static constexpr bool pushes = true;
};

struct Fixture {
    Host host;
    PartitionGroup& group = host.only;
    insync::LibraftView<Host> view{1, host, 20ms};
    GroupState state;

    ReadResult read() {
        state = {};
        return view.read(view.find_group({"t", 0}, kReplicas), state);
    }
    const FollowerRow& row(NodeId node) const {
        return *std::find_if(state.followers.begin(), state.followers.end(),
                             [&](const FollowerRow& row) { return row.node == node; });
    }
};

} // namespace

TEST_CASE("the leader's own server is not among the rows", "[libraft]") {
    Fixture f;
    f.group.become_leader(4, 100);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leading);
    CHECK(f.state.leader == 1);
    CHECK(f.state.epoch == 4);
    CHECK(f.state.quorum == insync::Quorum::held);
    REQUIRE(f.state.followers.size() == 2);
    CHECK(f.state.followers[0].node == 2);
    CHECK(f.state.followers[1].node == 3);
}

TEST_CASE("positions are the log's end, what is stored, and what is committed", "[libraft]") {
    Fixture f;
    f.group.become_leader(4, 100);
    f.group.core.last_stored = 90;
    f.group.core.commit = 80;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.end == 100);
    CHECK(f.state.durable == 90);
    CHECK(f.state.commit == 80);
}

TEST_CASE("libraft's match of 0 before the first answer is unknown, not nothing", "[libraft]") {
    Fixture f;
    f.group.become_leader(4, 100);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.row(2).verified);
    CHECK(f.row(2).contact == kNever);

    f.group.receive(2, 4, false, 0, kT0);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.row(2).verified);
    CHECK(f.row(2).contact == kT0);

    f.group.receive(2, 4, true, 70, kT0 + 1s);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).verified);
    CHECK(f.row(2).match == 70);
    CHECK(f.row(2).contact == kT0 + 1s);
}

TEST_CASE("contacts of an earlier leadership do not count in the next", "[libraft]") {
    Fixture f;
    f.group.become_leader(4, 100);
    f.group.receive(2, 4, true, 100, kT0);
    f.group.become_leader(6, 100);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.row(2).verified);
    CHECK(f.row(2).contact == kNever);
}

TEST_CASE("stand-by and spare servers are learners", "[libraft]") {
    Fixture f;
    f.group.set_servers({{1, nullptr, raft_double::RAFT_VOTER},
                         {2, nullptr, raft_double::RAFT_STANDBY},
                         {3, nullptr, raft_double::RAFT_SPARE},
                         {4, nullptr, raft_double::RAFT_VOTER}});
    f.group.become_leader(4, 100);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).kind == ReplicaKind::learner);
    CHECK(f.row(3).kind == ReplicaKind::learner);
    CHECK(f.row(4).kind == ReplicaKind::voter);
    CHECK_FALSE(f.row(4).verified); // libraft knows no match of it
}

TEST_CASE("a follower names the leader it knows, and none where libraft says 0", "[libraft]") {
    Fixture f;
    f.group.core.term = 7;
    f.group.core.leader = 3;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.state.leading);
    CHECK(f.state.leader == 3);
    CHECK(f.state.followers.empty());
    f.group.core.leader = 0;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == kNoNode);
    f.group.core.state = raft_double::RAFT_CANDIDATE;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.state.leading);
}

TEST_CASE("the leader of libraft's older term is not named in the newer one", "[libraft]") {
    Fixture f;
    f.group.core.term = 7;
    f.group.core.leader = 3;
    REQUIRE(f.read() == ReadResult::ok);
    REQUIRE(f.state.leader == 3);
    f.group.core.term = 8; // it has voted for another
    f.group.core.follower_state.match = 0;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == kNoNode);
    f.group.core.leader = 2;
    f.group.core.follower_state.match = 20;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == 2);
}

TEST_CASE("a libraft server that was removed and added again in one term is not verified",
          "[libraft]") {
    Fixture f;
    f.group.become_leader(4, 100);
    f.group.receive(3, 4, true, 100, kT0);
    REQUIRE(f.read() == ReadResult::ok);
    REQUIRE(f.row(3).verified);
    f.group.core.match[3] = 0; // libraft begins anew, and nobody told the host's log
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.row(3).verified);
    f.group.receive(3, 4, true, 60, kT0 + 1s);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(3).verified);
    CHECK(f.row(3).match == 60);
}

TEST_CASE("a libraft core that was not started, or has failed, is unavailable", "[libraft]") {
    Fixture f;
    f.group.core.state = raft_double::RAFT_UNAVAILABLE;
    CHECK(f.read() == ReadResult::unavailable);
}

TEST_CASE("a leader that is handing over still leads, though libraft names none", "[libraft]") {
    Fixture f;
    f.group.become_leader(4, 100);
    f.group.core.leader = 0;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == 1);
}

TEST_CASE("the membership number moves when a change is proposed and when it commits",
          "[libraft]") {
    Fixture f;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.membership == 1);
    f.group.core.configuration_uncommitted_index = 50;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.membership == 50);
    f.group.core.configuration_uncommitted_index = 0;
    f.group.core.configuration_committed_index = 50;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.membership == 50);
}

TEST_CASE("a group that is not open is unavailable", "[libraft]") {
    Fixture f;
    f.group.open = false;
    CHECK(f.read() == ReadResult::unavailable);
    CHECK(f.view.read(nullptr, f.state) == ReadResult::unavailable);
}

TEST_CASE("more servers than a state can hold are unavailable rather than cut off", "[libraft]") {
    Fixture f;
    std::vector<raft_double::raft_server> servers;
    for (unsigned long long id = 1; id <= 2 * insync::kMaxReplicas + 2; ++id)
        servers.push_back({id, nullptr, raft_double::RAFT_VOTER});
    f.group.set_servers(servers);
    f.group.become_leader(4, 100);
    CHECK(f.read() == ReadResult::unavailable);
    servers.pop_back();
    f.group.set_servers(servers);
    CHECK(f.read() == ReadResult::ok);
}

TEST_CASE("only the event loop's thread may read", "[libraft]") {
    Fixture f;
    ReadResult elsewhere = ReadResult::ok;
    std::thread{[&] { elsewhere = f.read(); }}.join();
    CHECK(elsewhere == ReadResult::unavailable);

    std::thread{[&] {
        f.view.bind_to_this_thread();
        elsewhere = f.read();
    }}.join();
    CHECK(elsewhere == ReadResult::ok);
    CHECK(f.read() == ReadResult::unavailable);
}

TEST_CASE("a libraft view pushes if its host says so", "[libraft]") {
    STATIC_CHECK(insync::ConsensusView<insync::LibraftView<Host>>);
    STATIC_CHECK_FALSE(insync::PushingView<insync::LibraftView<Host>>);
    STATIC_CHECK(insync::PushingView<insync::LibraftView<PushingHost>>);
}

TEST_CASE("over libraft, a stopped follower leaves the ISR and comes back", "[libraft]") {
    Fixture f;
    ManualClock clock{kT0};
    f.group.become_leader(1, 0);
    insync::IsrManager manager{1, f.view, IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    const auto pass_a_second = [&](std::initializer_list<NodeId> alive) {
        clock.advance(1s);
        f.group.core.last += 10;
        f.group.core.last_stored = f.group.core.last;
        for (const NodeId node : alive)
            f.group.receive(node, f.group.core.term, true, f.group.core.last, clock.now());
        manager.tick();
    };
    for (int second = 0; second < 20; ++second) pass_a_second({2, 3});
    CHECK(manager.get_isr("t", 0)->size() == 3);
    for (int second = 0; second < 12; ++second) pass_a_second({2});
    CHECK(manager.get_isr("t", 0)->to_vec() == std::vector<NodeId>{1, 2});
    pass_a_second({2, 3});
    CHECK(manager.get_isr("t", 0)->size() == 3);

    f.group.core.state = raft_double::RAFT_FOLLOWER;
    f.group.core.term = 2;
    f.group.core.leader = 2;
    clock.advance(1s);
    manager.tick();
    CHECK_FALSE(manager.has_min_isr("t", 0));
}
