#pragma once

#include <insync/clock.hpp>
#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>

namespace insync {

/// The little that almost every consensus library can be asked: who leads, in which epoch, where
/// the log ends, and how far each follower is.
///
/// **You promise**, for one partition's `Group`, a handle that is cheap to copy:
/// - `epoch` never falls, and rises with every change of leadership (a Raft term does).
/// - `leader` is the leader in that epoch as far as this node knows, else `kNoNode`.
/// - `last_index` is the end of this node's own log: not its commit index, and not its applied
///   index, which would hide the lag behind a slow state machine.
/// - `match_index(group, node)` is the last index that the *follower* has confirmed to this
///   leadership, durably; 0 until it has. So begins the matchIndex of the Raft paper with each
///   term, and that of most libraries (etcd, raft-rs, hashicorp/raft). One that keeps the number of
///   an earlier term also offers `confirmed_epoch`.
/// - `last_contact(group, node)` is when the follower last answered a leader, an append or a
///   heartbeat, accepted or refused, on the time line of the manager's clock; `kNever` before that.
///   It may be a leftover of an earlier leadership. A vote or a ping must not move it.
/// - All may be called on any thread that calls the manager, and do not call the manager. One that
///   throws makes the read `unavailable`.
///
/// **Optional**
/// - `commit_index(group)`, the consensus commit index.
/// - `confirmed_epoch(group, node)`: the epoch in which the follower last confirmed its
///   `match_index`, where that outlives a leadership.
///
/// **You get**: followers are asked for only while `leader` is this node, and never about itself.
template <class Q>
concept ConsensusQueries =
    requires(Q& queries, TopicPartition partition, const typename Q::Group& group, NodeId node) {
        requires std::copyable<typename Q::Group>;
        requires std::default_initializable<typename Q::Group>;
        { queries.find_group(partition) } -> std::convertible_to<typename Q::Group>;
        { queries.epoch(group) } -> std::convertible_to<Epoch>;
        { queries.leader(group) } -> std::convertible_to<NodeId>;
        { queries.last_index(group) } -> std::convertible_to<Index>;
        { queries.match_index(group, node) } -> std::convertible_to<Index>;
        { queries.last_contact(group, node) } -> std::same_as<TimePoint>;
    };

/// Lifts such queries into a `ConsensusView`. What they do not say is lost, or made up for:
///
/// - *One instant*: epoch and leader are read before and after the rows; `torn` if they moved.
/// - *Whether a match is of this epoch*: one above 0 is, unless `confirmed_epoch` denies it. An
///   answer alone proves that a follower is alive, not what it holds: the first one to a new leader
///   often refuses. While the log is empty, an answer says that it is as empty there.
/// - *Whether a contact is of this leadership*: it is if it is later than the moment when this view
///   first saw the epoch with its leader. Until then the follower was never heard of.
/// - *What is on the leader's disk*: durable = end, so an acknowledgement may rest on what the
///   leader loses in a power cut.
/// - *Commit index*, where not offered: what a majority holds, of the leader and the verified rows.
///   Right for waits, because Raft has committed what is of this epoch and held by a majority.
/// - *Membership*: every assigned replica is taken for a voter, and nobody else is in the group.
/// - *Quorum*: unreported, so the manager derives it from the contacts (S5).
/// - *Epoch start and applied index*: 0, not known.
///
/// A library that says more of itself deserves a view of its own: examples/custom_view.cpp.
///
/// \par Thread safety
///     Safe, if the queries are. No lock is held while a query runs.
template <class Queries, class C = SteadyClock>
class QueriesView {
    static_assert(ConsensusQueries<Queries>, "Queries must satisfy insync::ConsensusQueries");
    static_assert(Clock<C>, "C must satisfy insync::Clock");

    struct Partition;

public:
    using Group = Partition*;
    static constexpr ContactSource contact_source = ContactSource::response;

    /// \param self     this node
    /// \param queries  must outlive the view
    /// \param slack    by how much contact times may be late, at most: one round trip where they
    ///                 tell when an answer arrived
    /// \param clock    the one that the manager has
    QueriesView(NodeId self, Queries& queries, Millis slack, C clock = C{})
        : self_(self), slack_(slack), queries_(queries), clock_(std::move(clock)) {}

    /// Groups live as long as the view. A partition that was removed and is registered again gets
    /// the library's new group and starts unverified.
    Group find_group(TopicPartition partition, std::span<const NodeId>) {
        typename Queries::Group library = queries_.find_group(partition);
        const std::lock_guard lock{mutex_};
        Partition& found = partitions_[{std::string{partition.topic}, partition.partition}];
        const std::lock_guard inner{found.mutex}; // a read by an older handle may be under way
        found.group = std::move(library);
        found.seen = {};
        return &found;
    }

    ReadResult read(const Group& group, GroupState& state) noexcept {
        if (group == nullptr) return ReadResult::unavailable;
        try {
            return read_rows(*group, state);
        } catch (...) {
            return ReadResult::unavailable;
        }
    }

    [[nodiscard]] Millis contact_slack() const noexcept { return slack_; }

private:
    /// An epoch with its leader, and when this view first saw the two together.
    struct Leadership {
        Epoch epoch = 0;
        NodeId leader = kNoNode;
        TimePoint since = kNever;
    };
    struct Partition {
        std::mutex mutex;
        typename Queries::Group group{};
        Leadership seen;
    };
    using Matches = boost::container::static_vector<Index, 2 * kMaxReplicas + 1>;

    ReadResult read_rows(Partition& partition, GroupState& state) {
        const auto library = library_group(partition);
        state.epoch = queries_.epoch(library);
        state.leader = queries_.leader(library);
        state.leading = state.leader == self_;
        Leadership current{state.epoch, state.leader, clock_.now()};
        if (!recognise(partition, current)) return ReadResult::torn;

        Matches matches;
        if (state.leading) {
            for (const NodeId node : state.assigned)
                if (node != self_) add_row(library, node, current.since, state, matches);
        }
        // The commit index before the end and the end after the matches: whatever is appended in
        // between, no follower seems to hold, and nothing seems committed, beyond the end.
        if constexpr (kHasCommitIndex) state.commit = queries_.commit_index(library);
        state.end = state.durable = queries_.last_index(library);
        if constexpr (!kHasCommitIndex)
            if (state.leading) state.commit = held_by_majority(matches, state.end);

        const bool moved = static_cast<Epoch>(queries_.epoch(library)) != state.epoch ||
                           static_cast<NodeId>(queries_.leader(library)) != state.leader;
        return moved ? ReadResult::torn : ReadResult::ok;
    }

    typename Queries::Group library_group(Partition& partition) {
        const std::lock_guard lock{partition.mutex};
        return partition.group;
    }

    /// Puts into `current.since` when its leadership was first seen.
    /// \return false if a newer epoch was seen already, by a read that overtook this one
    static bool recognise(Partition& partition, Leadership& current) {
        const std::lock_guard lock{partition.mutex};
        Leadership& seen = partition.seen;
        if (current.epoch < seen.epoch) return false;
        if (current.epoch != seen.epoch || current.leader != seen.leader || seen.since == kNever)
            seen = current;
        current.since = seen.since;
        return true;
    }

    void add_row(const typename Queries::Group& library,
                 NodeId node,
                 TimePoint since,
                 GroupState& state,
                 Matches& matches) {
        FollowerRow row{.node = node};
        const TimePoint contact = queries_.last_contact(library, node);
        if (contact > since) row.contact = contact;
        // The match last: in the other order one of an earlier epoch could pass for confirmed.
        if constexpr (kHasConfirmedEpoch)
            row.verified =
                static_cast<Epoch>(queries_.confirmed_epoch(library, node)) == state.epoch;
        const Index match = queries_.match_index(library, node);
        if constexpr (!kHasConfirmedEpoch)
            row.verified = match > 0 || (row.contact != kNever && log_is_empty(library));
        if (row.verified) row.match = match;
        state.followers.push_back(row);
        matches.push_back(row.match);
    }

    bool log_is_empty(const typename Queries::Group& library) {
        return static_cast<Index>(queries_.last_index(library)) == 0;
    }

    /// The highest index that a majority of the voters holds, the leader with all of its log.
    static Index held_by_majority(Matches& matches, Index end) {
        matches.push_back(end);
        const auto middle = matches.begin() + static_cast<std::ptrdiff_t>(matches.size() / 2);
        std::nth_element(matches.begin(), middle, matches.end(), std::greater<>{});
        return std::min(*middle, end);
    }

    static constexpr bool kHasCommitIndex =
        requires(Queries& queries, const typename Queries::Group& group) {
            { queries.commit_index(group) } -> std::convertible_to<Index>;
        };

    static constexpr bool kHasConfirmedEpoch =
        requires(Queries& queries, const typename Queries::Group& group, NodeId node) {
            { queries.confirmed_epoch(group, node) } -> std::convertible_to<Epoch>;
        };

    NodeId self_;
    Millis slack_;
    Queries& queries_;
    C clock_;
    std::mutex mutex_;
    std::map<std::pair<std::string, PartitionId>, Partition> partitions_; // nodes never move
};

} // namespace insync
