#pragma once

#include "broker_metrics.hpp"
#include "cluster/controller.hpp"
#include "cluster/image.hpp"
#include "cluster/isr.hpp"
#include "cluster/replica.hpp"
#include "io/disk.hpp"
#include "io/loop.hpp"
#include "io/peers.hpp"
#include "logger.hpp"
#include "types.hpp"

#include <insync/config.hpp>
#include <insync/events.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mini_broker {

struct ReplicasOptions {
    NodeId self = insync::kNoNode;
    std::string directory = "groups";
    RaftOptions raft;
    insync::IsrConfig isr;
    BrokerClock clock;
    std::function<void(std::chrono::nanoseconds)> synced; ///< a log's sync has taken so long
};

/// All partitions of which this node has a replica, and the manager of their in-sync replicas.
///
/// Which ones there are follows from the cluster's image, by `reconcile`. What their Raft groups
/// tell goes to the manager at once, what the manager decides goes to the metadata (S8).
class Replicas {
public:
    Replicas(ReplicasOptions options,
             Disk& disk,
             Loop& loop,
             Peers& peers,
             Logger& logger,
             Controller& controller);
    ~Replicas();
    Replicas(const Replicas&) = delete;
    Replicas& operator=(const Replicas&) = delete;

    /// Takes in what the metadata says; opening and closing is done by the next `tick`.
    void apply(const Image::Change& change);
    /// To be called every few milliseconds.
    void tick();
    /// A Raft message of one of the groups; of one that is not here it is dropped.
    void receive(NodeId from, GroupId group, std::uint8_t type, std::string_view payload);

    /// Null for a partition of which this node has no replica.
    [[nodiscard]] Replica* find(std::string_view topic, std::int32_t partition) noexcept;
    [[nodiscard]] Isr& isr() noexcept { return isr_; }
    /// Shows terms and commit indexes, and no longer those of what was closed.
    void show(BrokerMetrics& metrics);

    /// Another node is about to stop: it leaves every ISR that is decided here.
    void node_leaving(NodeId node);
    /// A node has connected anew.
    void node_returned(NodeId node);
    /// This node is about to stop: hands over what it leads. \return whether nothing is left
    bool hand_over();

private:
    /// Where decisions go: all of one turn as one command.
    struct Store {
        Replicas& replicas;
        void publish(insync::TopicPartition partition, const insync::PublishedIsr& isr);
    };

    void reconcile();
    void open(const Image::Topic& topic, std::int32_t number);
    void close(GroupId group);
    void remove_files(GroupId group);
    void remove_leftovers();
    void configure(Replica& replica, const Image::Topic& topic);
    [[nodiscard]] RaftEvents events_of(Replica& replica);
    [[nodiscard]] static LogFields about(const Replica& replica, const LogFields& more = {});
    void log_change(const insync::IsrChange& change);
    void log_role(Replica& replica);
    void send_decisions();
    void take_out_gone(Replica& replica);
    void take_out_dead(Replica& replica);
    void mark_dead_nodes();
    void welcome_back(Replica& replica, NodeId follower, Index match);
    void prefer_first_replica(Replica& replica);
    [[nodiscard]] bool is_write_pending(const Replica& replica) const;
    [[nodiscard]] bool answers(const RaftGroup& raft, NodeId follower) const;
    [[nodiscard]] NodeId best_successor(const Replica& replica) const;

    ReplicasOptions options_;
    Disk& disk_;
    Loop& loop_;
    Peers& peers_;
    Logger& logger_;
    Controller& controller_;
    std::map<GroupId, std::unique_ptr<Replica>> by_group_;
    std::map<std::pair<std::string, std::int32_t>, Replica*, std::less<>> by_name_;
    RaftHost host_;
    RaftView view_;
    Isr isr_;
    Store store_{*this};
    std::map<std::pair<Uuid, std::int32_t>, insync::PublishedIsr> decided_; // not sent yet
    std::set<NodeId> known_dead_;                                           // and logged
    std::set<NodeId> gone_;                     // said that they stop, and did not return
    std::set<std::pair<GroupId, NodeId>> left_; // taken out of an ISR for that
    std::vector<std::pair<std::string, std::int32_t>> closed_; // shown until now
    bool dirty_ = true;
    bool leftovers_removed_ = false;
    std::set<GroupId> removed_; // by an earlier run, though the metadata may not say so yet
    /// This node has lost its disk, and may not know yet of every partition that was on it. Who
    /// has all of the metadata's log on its disk, and has acted on it, has its partitions there.
    bool may_have_been_here_;
    TimePoint next_chores_{};
};

} // namespace mini_broker
