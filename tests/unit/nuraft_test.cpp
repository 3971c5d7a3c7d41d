// What a NuraftGroup makes of single calls; tests/conformance has it on servers.
#include <insync/adapters/nuraft.hpp>
#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
using insync::FollowerRow;
using insync::GroupState;
using insync::kNever;
using insync::kNoNode;
using insync::NodeId;
using insync::ReadResult;
using insync::ReplicaKind;

namespace {

constexpr insync::TimePoint kT0{100s};

enum Type {
    ReceivedAppendEntriesReq,
    ReceivedAppendEntriesResp,
    BecomeLeader,
    BecomeFollower,
    NewConfig,
    HeartBeat,
};
struct Param {
    const void* ctx = nullptr;
};
struct Message {
    std::uint64_t term = 0;
    int source = 0;
    bool accepted = true;
    std::uint64_t next = 0;

    [[nodiscard]] std::uint64_t get_term() const { return term; }
    [[nodiscard]] int get_src() const { return source; }
    [[nodiscard]] bool get_accepted() const { return accepted; }
    [[nodiscard]] std::uint64_t get_next_idx() const { return next; }
};
struct Config {
    struct Server {
        int id;
        bool learner = false;
        bool joiner = false;
        [[nodiscard]] int get_id() const { return id; }
        [[nodiscard]] bool is_learner() const { return learner; }
        [[nodiscard]] bool is_new_joiner() const { return joiner; }
    };
    std::vector<std::shared_ptr<Server>> servers;
    [[nodiscard]] const auto& get_servers() const { return servers; }
    [[nodiscard]] std::uint64_t get_log_idx() const { return servers.size(); }
};
struct Log {
    bool fails = false;
    [[nodiscard]] std::uint64_t last_durable_index() const {
        if (fails) throw std::runtime_error{"the disk is gone"};
        return 9;
    }
};
struct Server {
    std::uint64_t term = 4;
    bool leads = true;
    int leader = 1;
    std::shared_ptr<Config> config = std::make_shared<Config>();
    std::shared_ptr<Log> log = std::make_shared<Log>();

    [[nodiscard]] std::uint64_t get_term() const { return term; }
    [[nodiscard]] bool is_leader() const { return leads; }
    [[nodiscard]] int get_leader() const { return leader; }
    [[nodiscard]] auto get_config() const { return config; }
    [[nodiscard]] auto get_log_store() const { return log; }
    [[nodiscard]] std::uint64_t get_log_idx_at_becoming_leader() const { return 3; }
    [[nodiscard]] std::uint64_t get_committed_log_idx() const { return 7; }
    [[nodiscard]] std::uint64_t get_target_committed_log_idx() const { return 8; }
    [[nodiscard]] std::uint64_t get_last_log_idx() const { return 10; }
};
using Group = insync::NuraftGroup<Server, Message, Message>;

struct Host {
    Group* find_group(insync::TopicPartition) { return &group; }
    Group group;
};

struct Fixture {
    Host host;
    std::shared_ptr<Server> server = std::make_shared<Server>();
    insync::NuraftView<Host> view{1, host, 20ms};
    GroupState state;

    Fixture() { set_members({1, 2, 3}); }
    void set_members(const std::vector<int>& ids) {
        server->config = std::make_shared<Config>();
        for (const int id : ids)
            server->config->servers.push_back(std::make_shared<Config::Server>(id));
    }
    void note(Type type, const void* what, insync::TimePoint now = kT0) {
        const Param param{what};
        host.group.note(type, &param, now);
    }
    void note_term(Type type, std::uint64_t term) { note(type, &term); }
    void note_config() { note_term(NewConfig, 0); }
    void lead(std::uint64_t term = 4) {
        host.group.open(server);
        note_term(BecomeLeader, term);
    }
    void answer(Message message, insync::TimePoint now = kT0) {
        note(ReceivedAppendEntriesResp, &message, now);
    }
    void request(Message message) { note(ReceivedAppendEntriesReq, &message); }
    ReadResult read() {
        state = {};
        return view.read(view.find_group({"t", 0}, {}), state);
    }
    const FollowerRow& row(NodeId node) {
        REQUIRE(read() == ReadResult::ok);
        for (const FollowerRow& row : state.followers)
            if (row.node == node) return row;
        FAIL("no row");
        return state.followers.front();
    }
};

} // namespace

TEST_CASE("a NuRaft group without a server takes calls, and cannot be read", "[nuraft]") {
    Fixture f;
    f.note_term(BecomeLeader, 4);
    f.note_config();
    f.answer({.term = 4, .source = 2, .next = 11});
    for (const Type type : {ReceivedAppendEntriesReq, ReceivedAppendEntriesResp, BecomeLeader,
                            BecomeFollower, NewConfig, HeartBeat})
        f.note(type, nullptr);
    f.host.group.note(NewConfig, static_cast<const Param*>(nullptr), kT0);
    CHECK(f.read() == ReadResult::unavailable);

    f.host.group.open(f.server);
    CHECK_FALSE(f.row(2).verified); // what was said before is not known to be of a member
    f.answer({.term = 4, .source = 2, .next = 11});
    CHECK(f.row(2).verified); // but that it leads is

    f.host.group.close();
    CHECK(f.read() == ReadResult::unavailable);
    CHECK(f.server.use_count() == 1);
    f.host.group.open(f.server);
    CHECK_FALSE(f.row(2).verified); // members may have come and gone
}

TEST_CASE("a NuRaft answer counts in the term that it carries, if that is the one led in",
          "[nuraft]") {
    Fixture f;
    f.lead();
    f.answer({.term = 3, .source = 2, .next = 11});
    CHECK(f.row(2).contact == kNever);
    f.answer({.term = 4, .source = 2, .next = 11});
    CHECK(f.row(2).verified);
    CHECK(f.row(2).match == 10);
    CHECK(f.row(2).contact == kT0);

    f.server->term = 5; // it is another's by now, and the callback has not come yet
    CHECK_FALSE(f.row(2).verified);
    CHECK(f.row(2).contact == kNever);
    f.note_term(BecomeLeader, 5);
    CHECK_FALSE(f.row(2).verified);
}

TEST_CASE("a NuRaft refusal is a contact, and takes back what a shorter log cannot hold",
          "[nuraft]") {
    Fixture f;
    f.lead();
    f.answer({.term = 4, .source = 2, .accepted = false, .next = 6});
    CHECK(f.row(2).contact == kT0);
    CHECK_FALSE(f.row(2).verified);
    f.answer({.term = 4, .source = 2, .next = 9}, kT0 + 1s);
    CHECK(f.row(2).match == 8);
    f.answer({.term = 4, .source = 2, .accepted = false, .next = 9}, kT0 + 2s);
    CHECK(f.row(2).match == 8); // it holds that, and refuses for another reason
    f.answer({.term = 4, .source = 2, .accepted = false, .next = 8}, kT0 + 3s);
    CHECK_FALSE(f.row(2).verified);
    CHECK(f.row(2).match == 0);
    CHECK(f.row(2).contact == kT0 + 3s);
    f.answer({.term = 4, .source = 2, .next = 0});
    CHECK(f.row(2).match == 0);
}

TEST_CASE("what a NuRaft member that was removed had answered is nobody's", "[nuraft]") {
    Fixture f;
    f.lead();
    f.answer({.term = 4, .source = 2, .next = 11});
    f.answer({.term = 4, .source = 3, .next = 11});
    f.set_members({1, 2});
    f.note_config();
    f.answer({.term = 4, .source = 3, .next = 11}, kT0 + 1s); // it hears of it only now
    CHECK(f.row(2).verified);
    CHECK(f.state.followers.size() == 1);
    f.set_members({1, 2, 3});
    f.note_config();
    CHECK_FALSE(f.row(3).verified);
    CHECK(f.row(3).contact == kNever);
    CHECK(f.row(2).verified);
}

TEST_CASE("NuRaft's learners and joiners are shown as such", "[nuraft]") {
    Fixture f;
    f.server->config->servers[1]->learner = true;
    f.server->config->servers[2]->joiner = true;
    f.lead();
    CHECK(f.row(2).kind == ReplicaKind::learner);
    CHECK(f.row(3).kind == ReplicaKind::joining);
    CHECK(f.state.membership == 3);
}

TEST_CASE("the leader of a NuRaft term is who sent an append of it", "[nuraft]") {
    Fixture f;
    f.host.group.open(f.server);
    f.server->leads = false;
    f.server->leader = 2; // NuRaft says so, of whichever term
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == kNoNode);
    f.request({.term = 4, .source = 3});
    f.request({.term = 3, .source = 2}); // late
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == 3);
    CHECK(f.state.followers.empty());

    f.server->leader = -1; // nothing was heard for an election timeout
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == kNoNode);

    f.server->leader = 3;
    f.server->term = 5; // and the callback has not come yet
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == kNoNode);
    f.note_term(BecomeFollower, 5);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == kNoNode);
}

TEST_CASE("a NuRaft leader that steps down names nobody in its own term", "[nuraft]") {
    Fixture f;
    f.lead();
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == 1);
    f.server->leads = false;
    f.note_term(BecomeFollower, 4);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == kNoNode);
}

TEST_CASE("a NuRaft term that falls is followed", "[nuraft]") {
    Fixture f;
    f.lead(9);
    f.server->leads = false;
    f.server->term = 4;
    f.note_term(BecomeFollower, 4);
    f.request({.term = 4, .source = 2});
    f.server->leader = 2;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.epoch == 4);
    CHECK(f.state.leader == 2);
}

TEST_CASE("a NuRaft leader's positions are its own", "[nuraft]") {
    Fixture f;
    f.lead();
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.end == 10);
    CHECK(f.state.durable == 9);
    CHECK(f.state.commit == 8);
    CHECK(f.state.applied == 7);
    CHECK(f.state.epoch_start == 3);
    f.server->log->fails = true;
    CHECK(f.read() == ReadResult::unavailable);
}

TEST_CASE("more NuRaft servers than a state has rows are unavailable rather than cut off",
          "[nuraft]") {
    constexpr int kMost = 2 * static_cast<int>(insync::kMaxReplicas) + 1;
    std::vector<int> members;
    for (int id = 1; id <= kMost + 3; ++id) members.push_back(id);
    Fixture f;
    f.set_members(members);
    f.lead();
    CHECK(f.read() == ReadResult::unavailable);
    members.resize(kMost);
    f.set_members(members);
    f.note_config();
    CHECK(f.read() == ReadResult::ok);
    CHECK(f.state.followers.size() == kMost - 1);
}

TEST_CASE("a partition that a NuRaft host does not know is unavailable", "[nuraft]") {
    Fixture f;
    CHECK(f.view.read(nullptr, f.state) == ReadResult::unavailable);
}
