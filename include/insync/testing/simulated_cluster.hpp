#pragma once

#include <insync/consensus_view.hpp>
#include <insync/testing/byte_tape.hpp>
#include <insync/testing/simulated_events.hpp>
#include <insync/testing/simulated_node.hpp>
#include <insync/testing/simulated_replica.hpp>
#include <insync/types.hpp>

#include <algorithm> // IWYU pragma: keep
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace insync::testing {

class SimulatedView;
class SimulatedClock;

/// What a simulated cluster is made of and how fast it lives.
struct SimulatedOptions {
    std::size_t nodes = 3; ///< named 1 to this number; at most 15
    Millis heartbeat{100};
    /// A follower that hears nothing for this long, up to twice as long, stands for election.
    Millis election_timeout{400};
    /// A leader that hears from no majority for an election timeout steps down, and its view
    /// reports a quorum; else it leads on, and the manager must judge by the contacts (S5).
    bool steps_down = true;
    NetworkQuality network{};
    /// What delays, losses and election timeouts are drawn from.
    std::uint64_t seed = 1;
};

/// Names a group of one cluster.
using GroupNumber = std::uint32_t;

/// An answer that came in, as a library's callback has it: perhaps late, of an older epoch, or
/// when this node does not lead any more. What it proves is for the epoch that it names.
struct SimulatedAnswer {
    NodeId from = kNoNode;
    Epoch epoch = 0;
    bool accepted = false;
    Index match = 0;  ///< held durably in that epoch, if accepted
    TimePoint sent{}; ///< by the clock of the node that asked, when the request left
};

/// What became of one event; of interest to hosts that push.
struct SimulatedStep {
    NodeId node = kNoNode; ///< whose replica it befell
    GroupNumber group = 0;
    bool elected = false;         ///< the node has just begun to lead
    NodeId answered_by = kNoNode; ///< the node leads, and took in an answer of this follower
    bool joined = false; ///< it has become a member with an empty log; its epoch may have fallen
    std::optional<SimulatedAnswer> answer; ///< what arrived, whether or not the node took it in
};

/// Brokers with simulated Raft groups between them, in virtual time: what a host's own tests can
/// run `IsrManager`s against, one a node, with all that goes wrong between them.
///
/// Elections are real: by votes, of a majority, for logs that are no older than the voter's.
/// Entries are sent, compared and exchanged as in Raft, and committed when a majority holds them
/// *durably*; what has not reached the disk is lost with the power. Members come and go, also with
/// an empty disk, one at a time. Left out: snapshots, payloads.
///
/// Nothing happens but within `advance` and `step`; the same calls with the same seed give the same
/// history. A value: a copy is another world that goes on from the same moment.
///
/// \par Thread safety
///     Single: the cluster, its views and its clocks belong to one thread.
///
/// **Example**:
///
///     insync::testing::SimulatedCluster cluster;
///     const auto group = cluster.add_group("my-topic", 0, {1, 2, 3});
///     insync::testing::SimulatedView view = cluster.view(1);
///     insync::IsrManager isr{1, view, config, cluster.clock(1)};
///     cluster.elect(group, 1);
///     cluster.append(group, 100);
///     cluster.advance(1s);
///     isr.tick();
class SimulatedCluster {
public:
    explicit SimulatedCluster(const SimulatedOptions& options = {});

    /// \pre the voters are nodes of this cluster
    GroupNumber add_group(std::string_view topic,
                          PartitionId partition,
                          std::vector<NodeId> voters);
    [[nodiscard]] std::size_t groups() const noexcept { return groups_.size(); }
    [[nodiscard]] std::optional<GroupNumber> find_group(TopicPartition name) const;

    /// A node stands for election now, though there may be a leader. It takes time, and votes.
    void campaign(GroupNumber group, NodeId node);
    /// Lets the node campaign, and time pass, until it leads. \return false if it cannot win
    bool elect(GroupNumber group, NodeId node, Millis patience = Millis{10'000});
    /// Appends entries on a node that leads, in its own opinion. \return false if it does not
    bool append_on(GroupNumber group, NodeId node, Index count = 1);
    /// The same on the group's leader.
    bool append(GroupNumber group, Index count = 1) {
        return append_on(group, leader(group), count);
    }
    /// Changes what one node is in the group, through the leader's log; nothing removes it.
    /// \return false if there is no leader, if it is not ready for it, or if it would be the last
    bool change_member(GroupNumber group, NodeId node, std::optional<ReplicaKind> kind);
    /// Takes what a node that was removed holds of the group off its disk, as a host does. If it is
    /// added again it is a new member with an empty log, perhaps in the same epoch.
    /// \return false if its removal is not committed
    bool empty_disk(GroupNumber group, NodeId node);
    /// Lets a node that is no member lead a group of its own under the same name, from `epoch` on,
    /// with so many entries. When it is added, and hears of the leader, it throws all of that away
    /// and takes the group's epoch, though that be lower.
    /// \return false if it is a member, or its removal not committed, or if it is down
    bool lead_alone(GroupNumber group, NodeId node, Epoch epoch, Index entries = 1);

    /// Who leads in the newest epoch, and is up; `kNoNode` if nobody does.
    [[nodiscard]] NodeId leader(GroupNumber group) const;
    [[nodiscard]] const SimulatedReplica& replica(GroupNumber group, NodeId node) const {
        return groups_[group].replicas[static_cast<std::size_t>(node)];
    }
    /// The members as the node knows them.
    [[nodiscard]] const SimulatedMembership& membership(GroupNumber group, NodeId node) const {
        return groups_[group].memberships[replica(group, node).membership];
    }

    [[nodiscard]] std::size_t nodes() const noexcept { return nodes_.size() - 1; }
    [[nodiscard]] bool is_up(NodeId node) const { return node_at(node).up; }
    [[nodiscard]] bool is_paused(NodeId node) const { return node_at(node).paused; }
    /// Ends a node's process: in order, or by a loss of power, with which goes what its disk did
    /// not hold.
    void stop(NodeId node) { end(node, false); }
    void lose_power(NodeId node) { end(node, true); }
    void start(NodeId node);
    /// Nothing of a paused node runs; what would have befallen it does when it goes on.
    void pause(NodeId node) { node_at(node).paused = true; }
    void resume(NodeId node);
    /// How the node's reads fare from now on.
    void set_reads(NodeId node, const ReadQuality& quality) { node_at(node).reads = quality; }
    /// How long the node's disk takes from now on until what was written is durable.
    void set_flush_delay(NodeId node, Millis delay) { node_at(node).flush_delay = delay; }

    /// Whatever is sent from one to the other is lost, until `heal`.
    void cut(NodeId from, NodeId to) { cuts_.insert({from, to}); }
    /// The same for a node and all others, both ways.
    void isolate(NodeId node);
    void heal() { cuts_.clear(); }
    /// From now on answers of `from` to `to` are kept on their way, whatever the link does.
    void hold_answers(NodeId from, NodeId to) { holding_.insert({from, to}); }
    /// Later ones pass, and overtake those that are kept.
    void stop_holding_answers() { holding_.clear(); }
    /// All that were kept arrive, whoever leads by now and in whichever epoch; later ones pass.
    void release_answers();
    [[nodiscard]] std::size_t held_answers() const noexcept { return held_answers_.size(); }
    void set_network(const NetworkQuality& quality) { options_.network = quality; }

    [[nodiscard]] TimePoint now() const noexcept { return line_.now(); }
    void advance(Millis by) { advance_to(saturating_add(now(), by)); }
    void advance_to(TimePoint until) {
        while (step(until)) {}
    }
    /// Lets one event happen, if one is due until then; else time is `until` afterwards.
    std::optional<SimulatedStep> step(TimePoint until);
    /// A node's own clock, of which its manager's is a copy.
    [[nodiscard]] SimulatedTime& time_of(NodeId node) { return node_at(node).time; }
    [[nodiscard]] TimePoint local_now(NodeId node) const { return node_at(node).time.at(now()); }

    /// The consensus as a node sees it. Views and clocks are valid while the cluster stays where it
    /// is.
    [[nodiscard]] SimulatedView view(NodeId node);
    [[nodiscard]] SimulatedClock clock(NodeId node) const;
    /// What a view's read says; `unavailable` of a node that is down, or if this read fails.
    ReadResult read(GroupNumber group, NodeId node, GroupState& state) const;

private:
    using Event = SimulatedEvent;
    using Role = SimulatedReplica::Role;
    struct Group {
        std::string topic;
        PartitionId partition = 0;
        std::vector<SimulatedMembership> memberships; ///< every one that was ever appended
        std::vector<SimulatedReplica> replicas;       ///< by node number; that of 0 stays empty
        std::uint32_t disks = 1;                      ///< the highest number of one
    };

    [[nodiscard]] SimulatedNode& node_at(NodeId node) {
        return nodes_[static_cast<std::size_t>(node)];
    }
    [[nodiscard]] const SimulatedNode& node_at(NodeId node) const {
        return nodes_[static_cast<std::size_t>(node)];
    }
    [[nodiscard]] SimulatedReplica& replica_at(GroupNumber group, NodeId node) {
        return groups_[group].replicas[static_cast<std::size_t>(node)];
    }
    [[nodiscard]] static std::uint64_t bit(NodeId node) noexcept { return 1ull << node; }

    // simulated_cluster_raft.ipp
    void handle(const Event& event);
    void on_timer(const Event& event);
    void on_vote(const Event& event);
    void on_vote_result(const Event& event);
    void on_append(const Event& event);
    void on_append_result(const Event& event);
    void on_flush(const Event& event);
    void stand(GroupNumber group, NodeId node, bool transfer);
    void lead(GroupNumber group, NodeId node);
    void follow(GroupNumber group, NodeId node, Epoch epoch, NodeId leader);
    void send_entries(GroupNumber group, NodeId leader, NodeId to);
    void send_to_all(GroupNumber group, NodeId leader);
    void write_to_disk(GroupNumber group, NodeId node);
    void raise_commit(GroupNumber group, NodeId node);
    void find_membership(GroupNumber group, NodeId node);
    [[nodiscard]] bool may_stand(GroupNumber group, NodeId node) const;
    [[nodiscard]] bool hears_majority(GroupNumber group, NodeId node) const;

    // simulated_cluster_members.ipp
    [[nodiscard]] bool is_meant(const Event& event);
    void begin_disk(GroupNumber group, NodeId node, std::uint32_t disk);
    [[nodiscard]] bool is_removed(GroupNumber group, NodeId node) const;

    // simulated_cluster_world.ipp
    void send(Event event);
    void arm(GroupNumber group, NodeId node, TimePoint when);
    void put_off_election(SimulatedReplica& replica);
    void end(NodeId node, bool loses_power);

    SimulatedOptions options_;
    SeededNumbers numbers_;
    EventLine line_;
    std::vector<SimulatedNode> nodes_; // by node number; 0 is nobody
    std::vector<Group> groups_;
    std::map<std::pair<std::string, PartitionId>, GroupNumber> names_;
    std::set<std::pair<NodeId, NodeId>> cuts_;
    std::set<std::pair<NodeId, NodeId>> holding_; ///< from, to
    std::vector<Event> held_answers_;
    SimulatedStep current_;
};

/// One node's view of a cluster (S2), to be given to its manager. A contact is the time when a
/// request left that was answered, so it has no slack.
class SimulatedView {
public:
    /// A group's number, one more; 0 where there is no such group.
    using Group = std::uint32_t;
    static constexpr ContactSource contact_source = ContactSource::request;

    SimulatedView(const SimulatedCluster& cluster, NodeId node) : cluster_(&cluster), node_(node) {}

    Group find_group(TopicPartition partition, std::span<const NodeId>) {
        const auto group = cluster_->find_group(partition);
        return group ? *group + 1 : 0;
    }
    ReadResult read(const Group& group, GroupState& state) noexcept {
        if (group == 0) return ReadResult::unavailable;
        return cluster_->read(group - 1, node_, state);
    }
    [[nodiscard]] Millis contact_slack() const noexcept { return Millis{0}; }

private:
    const SimulatedCluster* cluster_;
    NodeId node_;
};
static_assert(ConsensusView<SimulatedView>);

/// One node's clock (S11), to be given to its manager.
class SimulatedClock {
public:
    SimulatedClock(const SimulatedCluster& cluster, NodeId node)
        : cluster_(&cluster), node_(node) {}

    [[nodiscard]] TimePoint now() const noexcept { return cluster_->local_now(node_); }
    /// True time, since a day in 2020.
    [[nodiscard]] std::int64_t wall_ms() const noexcept {
        return 1'600'000'000'000 + cluster_->now().time_since_epoch().count();
    }

private:
    const SimulatedCluster* cluster_;
    NodeId node_;
};

inline SimulatedView SimulatedCluster::view(NodeId node) {
    return {*this, node};
}
inline SimulatedClock SimulatedCluster::clock(NodeId node) const {
    return {*this, node};
}

} // namespace insync::testing

// What the members do, in files of one idea each.
#include <insync/testing/simulated_cluster_members.ipp> // IWYU pragma: keep
#include <insync/testing/simulated_cluster_raft.ipp>    // IWYU pragma: keep
#include <insync/testing/simulated_cluster_world.ipp>   // IWYU pragma: keep
