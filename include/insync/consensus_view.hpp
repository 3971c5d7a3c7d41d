#pragma once

#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>

namespace insync {

/// What a replica is in the consensus group. Only a voter can be in sync (S3).
enum class ReplicaKind : std::uint8_t { voter, learner, joining, leaving };

/// How a view knows when a follower was last alive. The better the source, the smaller the slack
/// that `contact_slack()` must admit: by so much longer than `max_lag_ms`, which must be more, a
/// replica that died may stay in the ISR. Nothing makes up for a slack that says too little.
enum class ContactSource : std::uint8_t {
    none,            ///< no time at all: refused at compile time, lag in time cannot be judged
    election_window, ///< a bit that the library clears once an election timeout, as raft-rs's
                     ///< `recent_active` with `check_quorum`; slack: that and a round trip
    response,        ///< when an answer arrived; slack: one round trip
    request,         ///< when the request left that was answered: a true lower bound, no slack
};

/// Whether the leader still reaches a majority of the voters.
enum class Quorum : std::uint8_t {
    unreported, ///< the manager derives it from the contacts (S5, `quorum_contact_ms`)
    held,
    lost,
};

/// Whether a view's read is to be believed.
enum class ReadResult : std::uint8_t {
    ok,
    torn,        ///< leadership or epoch moved while the rows were being read
    unavailable, ///< no answer: the group is not open, its thread has ended, the host is stopping
};

/// One replica other than the reader's own, as the leader sees it.
struct FollowerRow {
    NodeId node = kNoNode;
    ReplicaKind kind = ReplicaKind::voter;
    /// Whether `match` was confirmed by this replica in the state's epoch. After an election it was
    /// not, whatever number the library still holds.
    bool verified = false;
    /// Last index the replica is known to hold durably.
    Index match = 0;
    /// When it was last known to be alive and following this leader; `kNever` if not yet.
    TimePoint contact = kNever;
};

/// One partition's consensus state at one instant, filled by `ConsensusView::read`.
struct GroupState {
    Epoch epoch = 0;
    Index epoch_start = 0;   ///< first index of this epoch; 0 where it is not known
    NodeId leader = kNoNode; ///< who leads in `epoch`, as far as this node knows
    bool leading = false;    ///< this node is the leader
    Quorum quorum = Quorum::unreported;
    Index end = 0;     ///< this node's last index
    Index durable = 0; ///< its last index on stable storage
    Index commit = 0;  ///< the consensus commit index
    Index applied = 0;
    std::uint64_t membership = 0; ///< rises with every change of membership
    /// The others, in any order; empty unless leading. The leader itself is never one of them.
    boost::container::static_vector<FollowerRow, 2 * kMaxReplicas> followers;
    /// In: the replicas that the manager tracks, for views that must be asked node by node.
    std::span<const NodeId> assigned;

    /// Forgets all but `assigned`. The manager calls it before every read.
    void clear() noexcept {
        const auto keep = assigned;
        epoch = epoch_start = end = durable = commit = applied = membership = 0;
        leader = kNoNode;
        leading = false;
        quorum = Quorum::unreported;
        followers.clear();
        assigned = keep;
    }
};

/// A host's consensus, one group a partition, as the manager reads it (S2). Whether a view keeps
/// what is promised here, testing/conformance.hpp can tell.
///
/// **You promise**
/// - `find_group` gives a handle whose copies are cheap and do not throw; it stays valid until the
///   partition is removed. It is called at registration, and again by `register_anew`.
/// - `read` fills the *whole* state from one instant, or returns `torn`. Where the library has no
///   atomic snapshot: read epoch and leader, then the rows, then epoch and leader again.
/// - Every number belongs to `state.epoch`; a match that was not confirmed in it is not `verified`.
///   Nor is what a node confirmed before it was removed and added again: its disk is another one.
/// - `epoch` never falls. Where a library's term can, as when a node joins a cluster in a lower
///   one, the host calls `register_anew`.
/// - The leader (this node, when it leads) is never one of the rows; each other member of the group
///   is one row, with its kind. An assigned replica without a row is taken for no member of the
///   group, and leaves the ISR at once.
/// - Contact times are on the time line of the manager's `Clock`, late by at most
///   `contact_slack()`. Appends and heartbeats that were answered are contacts; votes are none.
/// - *Groups that sleep*, whose leader sends nothing while nothing is appended: the contact of a
///   follower that held everything when its group fell asleep is when its **node** was last heard
///   of, by whatever heartbeats nodes exchange (examples/sleeping_groups.cpp); a host that pushes
///   may call the manager's `update_heartbeat` instead. While the group is awake the follower's own
///   answers count and nothing else. Without this a healthy group falls apart after `max_lag_ms`.
/// - `read` does not throw, does not call the manager, and may run on any thread that calls the
///   manager.
///
/// **You get**
/// - It is read by `initialize_isr`, `update_isr` and `tick`, on the thread that calls them, and
///   by nothing else. No reader (`has_min_isr`, `get_isr`) ever calls it, and it is never called
///   while a lock of the manager is held, so it may take the library's own locks.
/// - Rows are levels: what a row does not say any more is forgotten, and its replica leaves.
/// - A read that is `torn` or `unavailable` changes nothing and is repeated soon; contact ages go
///   on rising, and after `max_lag_ms` without a good one the partition is treated as having lost
///   its quorum (S7). `unavailable` is for what is gone; for a lock that is held briefly, wait.
///
/// **Optional**
/// - `version(group)`: a number that changes whenever `read` would say something else, contact
///   times excepted. An unchanged group then costs one call a sweep.
/// - `static constexpr bool pushes = true`: you promise to call the manager's `notify` for every
///   change of leadership, membership and quorum, and `record_leader` and `record_progress` for
///   positions and contacts; a read knows of all that was pushed before it began. A sweep then
///   reads only what was pushed as changed or is about to expire. Lost pushes are made good when
///   their effect is about to expire, at most `max_lag_ms` later; doubled and reordered ones change
///   nothing.
template <class V>
concept ConsensusView = requires(V& view,
                                 TopicPartition partition,
                                 std::span<const NodeId> replicas,
                                 const typename V::Group& group,
                                 GroupState& state) {
    requires std::copyable<typename V::Group>;
    requires std::is_nothrow_copy_constructible_v<typename V::Group>;
    requires std::is_nothrow_copy_assignable_v<typename V::Group>;
    requires std::default_initializable<typename V::Group>;
    { view.find_group(partition, replicas) } -> std::same_as<typename V::Group>;
    { view.read(group, state) } noexcept -> std::same_as<ReadResult>;
    { V::contact_source } -> std::convertible_to<ContactSource>;
    { view.contact_slack() } noexcept -> std::same_as<Millis>;
    requires V::contact_source != ContactSource::none;
};

/// A view whose unchanged groups can be skipped.
template <class V>
concept VersionedView = ConsensusView<V> && requires(V& view, const typename V::Group& group) {
    { view.version(group) } noexcept -> std::same_as<std::uint64_t>;
};

/// A view that reports every change, so that a sweep need not ask.
template <class V>
concept PushingView = ConsensusView<V> && requires { requires V::pushes; };

} // namespace insync
