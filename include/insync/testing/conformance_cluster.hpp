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
    learners,         ///< `set_kind(node, ReplicaKind::learner)`
    joining_replicas, ///< `set_kind(node, ReplicaKind::joining)`
    leaving_replicas, ///< `set_kind(node, ReplicaKind::leaving)`
    interrupted_reads ///< `during_read(node, action)`
};

/// Nodes of one consensus group in virtual time, as `check_conformance` drives them.
///
/// The consensus is the host's own library, on links, disks and a clock that a test holds; each
/// node that runs has the view that is to be judged. Everything happens on one thread.
///
/// **You promise**
/// - `nodes()` are three voters or more, all of them running and connected at first. A leader goes
///   on until it is cut off, is stopped, or another one is elected.
/// - `elect(node)` makes a node the leader of a new epoch, with the votes of those that it reaches,
///   and returns once its view can say so, before any follower need have answered. It may let time
///   pass; false if nothing came of it. Where `node` leads already it may do nothing.
/// - `append(node)` appends one entry to the leader's log, at once, and returns its index.
/// - `cut(node)` takes the node off the network: what is on the way is lost. `heal()` mends all.
/// - `stop(node)` ends the process without notice; its disk stays. `start(node)` starts it again on
///   that disk, with a new view. A stopped node is asked nothing.
/// - `advance(span)` lets time pass: messages arrive, timers fire.
/// - `clock()` tells the time line of the views' contacts.
/// - `heartbeat_limit()` is how old the latest contact of a healthy follower ever gets: the longest
///   pause of an idle leader, and a round trip.
/// - `election_limit()` is how long a leader without its quorum may go on at most, if it steps down
///   by itself, and how long nodes need to find together again after `heal` or `start`.
/// - `cannot(ability)` is empty for what the cluster can do, else a reason in a few words.
///
/// **Optional**
/// - `set_kind(node, ReplicaKind)`: the leader's group has `node` as a learner, or as one that
///   joins or leaves, or as a voter again.
/// - `during_read(node, action)`: calls `action` once, within the next read of the node's view, at
///   some moment after it has begun to ask the library and before it has the last answer. Needed of
///   every view that asks for more than one thing without a lock. `action` elects another node.
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

} // namespace insync::testing
