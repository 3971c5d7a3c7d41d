#pragma once

#include <insync/clock.hpp>
#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace insync::testing {

/// The one partition of a `ConformanceCluster`: what its views are asked for.
inline constexpr TopicPartition kConformancePartition{"conformance", 0};

/// What a cluster may be unable to do. It says why (`cannot`), and the checks that need it are
/// reported as not applicable.
enum class ClusterAbility : std::uint8_t {
    learners,          ///< `set_kind(node, ReplicaKind::learner)`
    joining_replicas,  ///< `set_kind(node, ReplicaKind::joining)`
    leaving_replicas,  ///< `set_kind(node, ReplicaKind::leaving)`
    interrupted_reads, ///< `during_read(node, action)`
    held_disks,        ///< `hold_disk(node)`, `release_disk(node)`
    lost_appends,      ///< `lose_appends(node)`
    held_answers,      ///< `hold_answers(node)`, `deliver_answers(node)`
    removed_members,   ///< `remove(node)`, `add(node)`
    vain_campaigns,    ///< `campaign_in_vain(node)`
    lasting_leaders,   ///< `keep_leaders()`
    round_trips        ///< `round_trip()`
};

/// Nodes of one consensus group in virtual time, as `check_conformance` drives them.
///
/// The consensus is the host's own library, on links, disks and a clock that a test holds; each
/// node that runs has the view that is to be judged. The kit calls on one thread. A library that
/// has threads of its own can be judged in real time: `advance` then really waits, and is the only
/// place where a run spends time (examples/real_time_kit.cpp).
///
/// **You promise**
/// - `nodes()` are three voters or more, all of them running and connected at first. A leader goes
///   on until it is cut off, is stopped, or another one is elected.
/// - `elect(node)` makes a node the leader of a new epoch, with the votes of those that it reaches,
///   and returns once its view can say so, before any follower need have answered. It may let time
///   pass; false if nothing came of it. Where `node` leads already it may do nothing.
///   *Where a campaign beside a live leader is ignored* (raft-rs and etcd with `check_quorum`, a
///   lease): ask the leader, if `node` reaches it, to transfer, and campaign only where there is
///   none to ask. *Where a second campaign throws away the votes of the first* (the same): wait for
///   a round trip at least before trying again.
/// - `append(node)` appends one entry to the leader's log, at once, and returns its index.
/// - `cut(node)` takes the node off the network: what is on the way is lost. `heal()` mends all.
/// - `stop(node)` ends the process without notice: no farewell, no transfer. What it had not
///   written to its disk is lost, the rest stays. Where nodes share a process, drop the library's
///   object, and what its threads still send. `start(node)` starts it again on that disk, with a
///   new view. A stopped node is asked nothing.
/// - `advance(span)` lets time pass: messages arrive, timers fire.
/// - `clock()` tells the time line of the views' contacts.
/// - `heartbeat_limit()` is how old the latest contact of a healthy follower ever gets: the longest
///   pause of an idle leader, and a round trip.
/// - `election_limit()` is how long a leader without its quorum may go on at most, if it steps down
///   by itself, and how long nodes need to find together again after `heal` or `start`. With
///   `check_quorum` a leader goes on for up to two election timeouts, since it asks once in each;
///   count with the longest where they are drawn at random.
/// - `cannot(ability)` is empty for what the cluster can do, else a reason in a few words.
///
/// **Optional**, each for the abilities of that name
/// - `set_kind(node, ReplicaKind)`: the leader's group has `node` as a learner, or as one that
///   joins or leaves, or as a voter again.
/// - `during_read(node, action)`: calls `action` once, within the next read of the node's view, at
///   some moment after it has begun to ask the library and before it has the last answer. Needed of
///   every view that asks for more than one thing without a lock. `action` elects another node.
/// - `hold_disk(node)`: what the node appends from now on does not reach its disk, until
///   `release_disk(node)`: what a library with asynchronous writes is told later.
/// - `lose_appends(node)`: appends to the node are lost and heartbeats arrive, until `heal`. For
///   libraries that answer heartbeats apart; where a heartbeat is an append, there is none to lose.
/// - `hold_answers(node)`: what the node sends stays on its way, also when it is stopped and
///   others are elected, until `deliver_answers(node)`: then it arrives, at whoever it was for.
/// - `remove(node)`: takes the node out of the leader's group for good and returns once the leader
///   has it so; its process ends, and its disk is lost. `add(node)`: makes it a member again, as a
///   voter or as what the library has on the way to that, with an empty disk, a new view and the
///   same leader in the same epoch. It may be cut off meanwhile, and need not have caught up.
/// - `campaign_in_vain(node)`: the node, which was cut off, asks the others for their votes, as its
///   library does, pre-votes too; what it sends arrives and what is sent to it is lost, until
///   `heal`. It may ask more often. A leader that it deposes thereby is no fault.
/// - `keep_leaders()`: leaders do not step down by themselves, however long they are cut off. It is
///   called first of all. For libraries in which that is an option, as `check_quorum` is.
/// - `round_trip()`: how long a request and its answer are on their way, at most, in `Millis`.
template <class C>
concept ConformanceCluster =
    requires(C& cluster, const C& constant, NodeId node, Millis span, ClusterAbility ability) {
        requires ConsensusView<typename C::View>;
        { constant.nodes() } -> std::convertible_to<std::span<const NodeId>>;
        { cluster.view(node) } -> std::same_as<typename C::View&>;
        { constant.clock() } -> Clock;
        { cluster.elect(node) } -> std::same_as<bool>;
        { cluster.append(node) } -> std::same_as<Index>;
        cluster.cut(node);
        cluster.heal();
        cluster.stop(node);
        cluster.start(node);
        cluster.advance(span);
        { constant.heartbeat_limit() } -> std::same_as<Millis>;
        { constant.election_limit() } -> std::same_as<Millis>;
        { constant.cannot(ability) } -> std::convertible_to<std::string_view>;
    };

/// A cluster whose members can be more than voters.
template <class C>
concept HasReplicaKinds = ConformanceCluster<C> && requires(C& cluster, NodeId node) {
    cluster.set_kind(node, ReplicaKind::learner);
};

/// A cluster in which leadership can move while a view reads.
template <class C>
concept HasInterruptedReads = ConformanceCluster<C> && requires(C& cluster, NodeId node) {
    cluster.during_read(node, std::function<void()>{});
};

/// A cluster whose disks can be kept waiting.
template <class C>
concept HasHeldDisks = ConformanceCluster<C> && requires(C& cluster, NodeId node) {
    cluster.hold_disk(node);
    cluster.release_disk(node);
};

/// A cluster in which appends can be lost that heartbeats survive.
template <class C>
concept HasLostAppends =
    ConformanceCluster<C> && requires(C& cluster, NodeId node) { cluster.lose_appends(node); };

/// A cluster whose answers can arrive late.
template <class C>
concept HasHeldAnswers = ConformanceCluster<C> && requires(C& cluster, NodeId node) {
    cluster.hold_answers(node);
    cluster.deliver_answers(node);
};

/// A cluster whose members can be removed and added again.
template <class C>
concept HasRemovedMembers = ConformanceCluster<C> && requires(C& cluster, NodeId node) {
    cluster.remove(node);
    cluster.add(node);
};

/// A cluster whose nodes can ask for votes that they do not get.
template <class C>
concept HasVainCampaigns =
    ConformanceCluster<C> && requires(C& cluster, NodeId node) { cluster.campaign_in_vain(node); };

/// A cluster whose leaders can be kept from stepping down.
template <class C>
concept HasLastingLeaders =
    ConformanceCluster<C> && requires(C& cluster) { cluster.keep_leaders(); };

/// A cluster that knows how slow its links are.
template <class C>
concept HasRoundTrips = ConformanceCluster<C> && requires(const C& cluster) {
    { cluster.round_trip() } -> std::same_as<Millis>;
};

} // namespace insync::testing
