#pragma once

#include "property/naive_model.hpp"
#include "simulation/plan.hpp"

#include <insync/handle.hpp>
#include <insync/isr_set.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace simulation {

/// An acks=all request that its client waits for.
struct PendingWait {
    Epoch epoch = 0;
    Index index = 0;
    TimePoint deadline; ///< by the node's clock
};

/// What one host knows of one partition, and what was seen of its manager there.
struct Tracked {
    GroupNumber group = 0;
    insync::PartitionHandle handle;
    std::vector<NodeId> assigned;
    int min_isr = 1; ///< as configured
    insync::IsrSet last;
    insync::IsrSet folded; ///< what the events add up to
    Index high_watermark = 0;
    bool fell_below_min = false;
    bool resigned = false;
    bool failed = false;                    ///< its last read by a sweep failed, and is repeated
    TimePoint began = insync::kNever;       ///< of its leadership, by the node's clock
    TimePoint anew_at = TimePoint::max();   ///< when its host will begin anew for that
    std::uint64_t first_members = 0;        ///< who was a member then, a bit each
    Epoch heard = 0;                        ///< the newest that was told, whatever the view says
    std::map<NodeId, TimePoint> heartbeats; ///< those that it was told of apart from the view
    std::map<int, PendingWait> waits;
    std::set<NodeId> emptied;   ///< who lost all that it held since this manager last saw the truth
    Epoch vouched_in = 0;       ///< of the next two: as reads that told the truth said
    std::set<NodeId> vouched;   ///< who has confirmed what it holds
    std::set<NodeId> disavowed; ///< who had, or left the group, and has not since
    std::optional<PendingWait> appended; ///< the newest that this node asked for

    [[nodiscard]] TimePoint told_alive(NodeId node) const {
        const auto told = heartbeats.find(node);
        return told == heartbeats.end() ? insync::kNever : told->second;
    }
    /// Whether the node may be in the grace of the inherited (S3): one that joined at the very
    /// beginning looks like them.
    [[nodiscard]] bool may_be_in_grace(NodeId node, TimePoint since) const {
        return (first_members >> node & 1) != 0 && began >= since;
    }

    // The naive model beside it, and what is compared with it.
    std::unique_ptr<property::NaivePartition> model;
    std::vector<property::NaiveEvent> events;
    std::vector<std::pair<int, insync::WaitResult>> ended;
};

/// What is true of all nodes together, whatever anybody believes.
struct Truth {
    struct Group {
        std::map<Epoch, NodeId> leaders{};
        std::map<Epoch, Index> acknowledged{}; ///< the highest index, by the epoch of its entry
        std::vector<NodeId> assigned;
        TimePoint born{};
        /// Who led a group of its own, and in which epoch.
        std::set<std::pair<NodeId, Epoch>> alone{};
    };
    insync::testing::SimulatedCluster& cluster;
    std::vector<Group> groups;
    std::set<NodeId> dead; ///< whom the cluster takes for dead, and tells every host so

    [[nodiscard]] bool led(GroupNumber group, Epoch epoch, NodeId node) const {
        const auto& leaders = groups[group].leaders;
        const auto leader = leaders.find(epoch);
        return leader != leaders.end() && leader->second == node;
    }
    /// Up to where a node holds, durably, what a leader's log says.
    [[nodiscard]] Index held(GroupNumber group, NodeId node, NodeId leader) const {
        const auto& log = cluster.replica(group, node).log;
        const auto& ours = cluster.replica(group, leader).log;
        return std::min(log.durable(), log.agrees_until(ours));
    }
    [[nodiscard]] bool holds(GroupNumber group, NodeId node, Index index, Epoch epoch) const {
        const auto& log = cluster.replica(group, node).log;
        return log.durable() >= index && log.holds(index, epoch);
    }
};

} // namespace simulation
