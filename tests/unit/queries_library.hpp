#pragma once

#include <insync/adapters/queries.hpp>
#include <insync/consensus_view.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <string_view>
#include <vector>

/// What the tests of `QueriesView` ask.
namespace queried {

using namespace std::chrono_literals;
using insync::Epoch;
using insync::FollowerRow;
using insync::GroupState;
using insync::Index;
using insync::kNever;
using insync::NodeId;
using insync::QueriesView;
using insync::ReadResult;
using insync::TimePoint;
using insync::TopicPartition;
using insync::testing::ManualClock;

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

inline constexpr std::array<NodeId, 3> kReplicas{1, 2, 3};

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

} // namespace queried
