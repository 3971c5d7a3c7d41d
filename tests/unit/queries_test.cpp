#include <insync/adapters/queries.hpp>
#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/errors.hpp>
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using insync::Epoch;
using insync::FollowerRow;
using insync::GroupState;
using insync::Index;
using insync::IsrConfig;
using insync::kNever;
using insync::kNoNode;
using insync::NodeId;
using insync::QueriesView;
using insync::ReadResult;
using insync::Result;
using insync::TimePoint;
using insync::TopicPartition;
using insync::testing::ManualClock;

namespace {

/// A consensus library that can be asked little, with numbers beside it that are not the answer.
struct Library {
    using Group = int;
    struct Peer {
        Index match = 0;
        TimePoint contact = kNever;
        Epoch confirmed = 0;
    };

    Group find_group(TopicPartition) { return ++groups; }
    Epoch epoch(Group group) {
        last_group = group;
        return call("epoch"), current_epoch;
    }
    NodeId leader(Group) { return call("leader"), current_leader; }
    Index last_index(Group) { return call("last_index"), end; }
    Index match_index(Group, NodeId node) { return call("match_index"), peer(node).match; }
    TimePoint last_contact(Group, NodeId node) { return call("last_contact"), peer(node).contact; }
    Index applied_index(Group) { return applied; }

    Peer& peer(NodeId node) {
        asked.push_back(node);
        return peers[node];
    }
    void call(const char* query) {
        if (before) before(query);
    }
    /// A follower accepts an append, or with 0 refuses it.
    void answer(NodeId node, Index match, TimePoint now) {
        peers[node] = {match, now, current_epoch};
    }
    /// As most libraries begin a leadership: they know of contacts, of no match.
    void elect(NodeId leader, Epoch epoch) {
        current_leader = leader;
        current_epoch = epoch;
        for (auto& [node, peer] : peers) peer.match = 0;
    }

    int groups = 0;
    Group last_group = 0;
    Epoch current_epoch = 1;
    NodeId current_leader = 1;
    Index end = 0;
    Index commit = 0;
    Index applied = 0;
    std::map<NodeId, Peer> peers;
    std::vector<NodeId> asked;
    std::function<void(std::string_view)> before; ///< runs as each query begins
};

struct LibraryWithCommit : Library {
    Index commit_index(Group) { return commit; }
};

/// One that keeps its matches from one leadership to the next.
struct LibraryThatKeeps : Library {
    Epoch confirmed_epoch(Group, NodeId node) { return peer(node).confirmed; }
};

constexpr std::array<NodeId, 3> kReplicas{1, 2, 3};

template <class Lib = Library>
struct Fixture {
    ManualClock clock;
    Lib library;
    QueriesView<Lib, ManualClock> view{1, library, 50ms, clock};
    typename QueriesView<Lib, ManualClock>::Group group = view.find_group({"t", 0}, kReplicas);
    GroupState state;

    ReadResult read() {
        state = {};
        state.assigned = kReplicas;
        return view.read(group, state);
    }
    const FollowerRow& row(NodeId node) const {
        return *std::find_if(state.followers.begin(), state.followers.end(),
                             [&](const FollowerRow& row) { return row.node == node; });
    }
};

using Manager = insync::IsrManager<QueriesView<Library, ManualClock>, ManualClock>;

/// A second of traffic in which the given followers answer from `match`.
void pass_a_second(Fixture<>& f, Manager& manager, const std::map<NodeId, Index>& matches) {
    f.clock.advance(1s);
    for (const auto& [node, match] : matches) f.library.answer(node, match, f.clock.now());
    manager.tick();
}

std::vector<NodeId> isr(const Manager& manager) {
    return manager.get_isr("t", 0)->to_vec();
}

} // namespace

TEST_CASE("queries become a view whose positions are log ends, not applied or committed ones",
          "[queries]") {
    Fixture f;
    f.library.end = 1000;
    f.library.commit = 700;
    f.library.applied = 300;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 400, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.end == 1000);
    CHECK(f.state.durable == 1000);
    CHECK(f.state.leading);
    CHECK(f.row(2).match == 400); // the follower's own position, whatever the leader committed
    CHECK(f.view.contact_slack() == 50ms);
}

TEST_CASE("a follower that is far behind goes out although the leader's state machine is slower",
          "[queries]") {
    Fixture f;
    Manager manager{1, f.view, IsrConfig{.max_lag_entries = 100}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    for (int second = 0; second < 4; ++second) {
        f.library.end += 100;
        f.library.applied = 1; // commit and applied index say nothing of a follower
        f.library.commit = 1;
        pass_a_second(f, manager, {{2, f.library.end}, {3, 1}});
    }
    CHECK(isr(manager) == std::vector<NodeId>{1, 2});
    CHECK(manager.explain("t", 0, 3)->lag.entries == Index{399});
}

TEST_CASE("followers that answer stay in sync for ever, one that falls silent goes out",
          "[queries]") {
    Fixture f;
    Manager manager{1, f.view, IsrConfig{}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    for (int second = 0; second < 100; ++second) {
        pass_a_second(f, manager, {{2, 0}, {3, 0}});
        REQUIRE(isr(manager) == std::vector<NodeId>{1, 2, 3});
    }
    for (int second = 0; second <= 10; ++second) pass_a_second(f, manager, {{2, 0}});
    CHECK(isr(manager) == std::vector<NodeId>{1, 2});
}

TEST_CASE("lost leadership ends the right to write and a new leader is reported", "[queries]") {
    Fixture f;
    Manager manager{1, f.view, IsrConfig{}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    pass_a_second(f, manager, {{2, 0}, {3, 0}});
    REQUIRE(manager.has_min_isr("t", 0));

    f.library.current_epoch = 2;
    f.library.current_leader = 3;
    f.clock.advance(1s);
    manager.tick();
    CHECK_FALSE(manager.has_min_isr("t", 0));
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == 3);
    CHECK(f.state.epoch == 2);
    CHECK_FALSE(f.state.leading);
    CHECK(f.state.followers.empty());
}

TEST_CASE("a change of assignment changes whom the queries are asked for", "[queries]") {
    Fixture f;
    Manager manager{1, f.view, IsrConfig{}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    pass_a_second(f, manager, {{2, 0}, {3, 0}});
    REQUIRE(manager.set_assignment("t", 0, {1, 2, 4}) == Result::ok);
    CHECK_FALSE(manager.is_in_sync("t", 0, 3));
    CHECK(manager.add_to_isr("t", 0, 3) == Result::not_a_replica);

    f.library.asked.clear();
    pass_a_second(f, manager, {{2, 0}, {3, 0}, {4, 0}});
    CHECK(std::count(f.library.asked.begin(), f.library.asked.end(), 3) == 0);
    CHECK(std::count(f.library.asked.begin(), f.library.asked.end(), 4) > 0);
    CHECK(isr(manager) == std::vector<NodeId>{1, 2, 4});
    CHECK(manager.get_isr("t", 0)->catching_up().empty());
}

TEST_CASE("the leader is never asked about itself", "[queries]") {
    Fixture f;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.followers.size() == 2);
    CHECK(std::count(f.library.asked.begin(), f.library.asked.end(), 1) == 0);
}

TEST_CASE("nobody is asked for followers while another node leads", "[queries]") {
    Fixture f;
    f.library.current_leader = 2;
    f.library.end = 12;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.library.asked.empty());
    CHECK(f.state.end == 12);
    CHECK(f.state.commit == 0);
}

TEST_CASE("a read is torn when epoch or leader move while the rows are read", "[queries]") {
    Fixture f;
    REQUIRE(f.read() == ReadResult::ok);
    const auto move = GENERATE(0, 1);
    f.library.before = [&](std::string_view query) {
        if (query != "match_index") return;
        if (move == 0) f.library.current_epoch = 2;
        if (move == 1) f.library.current_leader = kNoNode;
    };
    CHECK(f.read() == ReadResult::torn);
}

TEST_CASE("a match that is left over from an earlier epoch is not believed", "[queries]") {
    Fixture<LibraryThatKeeps> f;
    f.library.end = 100;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 100, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    REQUIRE(f.row(2).verified);

    // Another node led in epoch 2 and cut the follower's log back; this one leads again.
    f.clock.advance(1s);
    f.library.current_epoch = 3;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.row(2).verified);
    CHECK(f.row(2).match == 0);
    CHECK(f.row(2).contact == kNever);

    f.clock.advance(1s);
    f.library.answer(2, 60, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).verified);
    CHECK(f.row(2).match == 60);
    CHECK(f.row(2).contact == f.clock.now());
}

TEST_CASE("an answer from before this node was the epoch's leader is no contact", "[queries]") {
    Fixture f;
    f.library.current_leader = kNoNode; // the epoch has begun, its election has not ended
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 5, f.clock.now());
    f.clock.advance(1s);
    f.library.elect(1, f.library.current_epoch);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).contact == kNever);
    CHECK_FALSE(f.row(2).verified);
}

TEST_CASE("a first answer that accepts nothing proves life, and no match", "[queries]") {
    Fixture f;
    f.library.end = 100;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 0, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.row(2).verified);
    CHECK(f.row(2).contact == f.clock.now());
}

TEST_CASE("a healthy follower whose first answer to a new leader refuses stays in sync",
          "[queries]") {
    Fixture f;
    f.library.end = 20'000;
    Manager manager{1, f.view, IsrConfig{}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    pass_a_second(f, manager, {{2, 20'000}, {3, 20'000}});
    f.library.elect(1, 3); // another led between
    pass_a_second(f, manager, {});
    pass_a_second(f, manager, {{2, 0}, {3, 20'000}}); // 2 asks for an earlier entry
    CHECK(isr(manager) == std::vector<NodeId>{1, 2, 3});
    pass_a_second(f, manager, {{2, 20'000}, {3, 20'000}});
    CHECK(isr(manager) == std::vector<NodeId>{1, 2, 3});
}

TEST_CASE("while the log is empty an answer says that it is empty there, too", "[queries]") {
    Fixture f;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 0, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).verified);
    CHECK(f.row(2).match == 0);
    CHECK_FALSE(f.row(3).verified);
}

TEST_CASE("an answer at the very moment when the epoch is first seen is no contact", "[queries]") {
    Fixture f;
    f.library.answer(2, 5, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).contact == kNever);
    f.clock.advance(1ms);
    f.library.answer(2, 5, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).contact == f.clock.now());
}

TEST_CASE("an answer that comes between two queries cannot verify the match before it",
          "[queries]") {
    Fixture<LibraryThatKeeps> f;
    f.library.end = 200;
    f.library.peers[2].match = 120; // a leftover: the follower was cut back to 80
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    bool first = true;
    f.library.before = [&](std::string_view query) {
        if (query != "last_contact" && query != "match_index") return;
        if (!std::exchange(first, false)) f.library.answer(2, 80, f.clock.now());
    };
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE((f.row(2).verified && f.row(2).match == 120));
}

TEST_CASE("entries that are appended while the rows are read put no follower beyond the end",
          "[queries]") {
    Fixture<LibraryWithCommit> f;
    f.library.end = 10;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.before = [&](std::string_view query) {
        if (query != "match_index" && query != "last_contact") return;
        ++f.library.end;
        f.library.commit = f.library.end;
        f.library.answer(2, f.library.end, f.clock.now());
    };
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).match <= f.state.end);
    CHECK(f.state.commit <= f.state.end);
}

TEST_CASE("a commit index that is offered is taken", "[queries]") {
    Fixture<LibraryWithCommit> f;
    f.library.end = 10;
    f.library.commit = 7;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 7);
    f.library.current_leader = 3;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 7);
}

TEST_CASE("without a commit index, it is what a majority holds for certain", "[queries]") {
    Fixture<LibraryThatKeeps> f;
    f.library.end = 100;
    f.library.peers[2].match = 100; // a leftover
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 0);
    f.clock.advance(1s);
    f.library.answer(2, 60, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 60);
    f.library.answer(3, 80, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 80);
}

TEST_CASE("with two replicas, nothing is committed that the other does not hold", "[queries]") {
    Fixture f;
    const std::array<NodeId, 2> two{1, 2};
    const auto group = f.view.find_group({"two", 0}, two);
    const auto read = [&] {
        f.state = {};
        f.state.assigned = two;
        return f.view.read(group, f.state);
    };
    f.library.end = 100;
    REQUIRE(read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 60, f.clock.now());
    REQUIRE(read() == ReadResult::ok);
    CHECK(f.state.commit == 60);
}

TEST_CASE("a query that throws makes the read unavailable", "[queries]") {
    Fixture f;
    f.library.before = [](std::string_view query) {
        if (query == "match_index") throw std::runtime_error{"group is closing"};
    };
    CHECK(f.read() == ReadResult::unavailable);
    f.library.before = nullptr;
    CHECK(f.read() == ReadResult::ok);
    CHECK(f.view.read(nullptr, f.state) == ReadResult::unavailable);
}

TEST_CASE("a read that was overtaken by a newer epoch is torn", "[queries]") {
    Fixture f;
    f.library.current_epoch = 5;
    REQUIRE(f.read() == ReadResult::ok);
    f.library.current_epoch = 4;
    CHECK(f.read() == ReadResult::torn);
}

TEST_CASE("a partition that is registered again gets its new group, with no contact known",
          "[queries]") {
    Fixture f;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 5, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    REQUIRE(f.row(2).verified);

    const int groups = f.library.groups;
    CHECK(f.view.find_group({"t", 0}, kReplicas) == f.group);
    CHECK(f.library.groups == groups + 1);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.library.last_group == groups + 1);
    CHECK(f.row(2).contact == kNever);
}
