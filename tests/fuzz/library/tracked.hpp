#pragma once

#include "fuzz/library/argument_faults.hpp"
#include "fuzz/support/require.hpp"

#include <insync/handle.hpp>
#include <insync/isr_set.hpp>
#include <insync/isr_store.hpp>
#include <insync/reports.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace fuzz {

inline constexpr NodeId kSelf = 1;

/// What the model knows of a partition that is registered.
struct Tracked {
    std::set<NodeId> replicas;
    int min_isr = 0; ///< 0: the configured one
    insync::PartitionHandle handle;
    std::pair<insync::Epoch, insync::Version> newest{};
    std::pair<insync::Epoch, insync::Index> high_watermark{};
};

/// Whether a set is the published one, without members that are not assigned.
inline bool shows(const insync::IsrSet& set,
                  const insync::PublishedIsr& isr,
                  const Tracked& known) {
    std::set<NodeId> due(isr.members.begin(), isr.members.end());
    std::erase_if(due, [&](NodeId node) { return !known.replicas.contains(node); });
    NodeId leader = known.replicas.contains(isr.leader) ? isr.leader : insync::kNoNode;
    if (leader == kSelf && !set.own()) leader = insync::kNoNode; // S5
    const bool named = set.leader_ahead() || set.leader() == leader;
    return set.to_vec() == Nodes(due.begin(), due.end()) && named && set.epoch() == isr.epoch &&
           set.version() == isr.version;
}

/// What must hold of every partition at every moment (S3 to S6, S10).
template <class Manager>
void check_report(const Manager& manager, const insync::PartitionReport& report, Tracked& known) {
    const insync::IsrSet& isr = report.isr;
    const std::set<NodeId> members(isr.members().begin(), isr.members().end());
    std::set<NodeId> replicas = members;
    replicas.insert(isr.catching_up().begin(), isr.catching_up().end());
    require(replicas == known.replicas && isr.replica_count() == replicas.size(),
            "members and the others are the assigned replicas");
    require(isr.leader() == insync::kNoNode || isr.leader_ahead() || isr.contains(isr.leader()),
            "a leader is in its own ISR");
    require(isr.own() || isr.leader() != kSelf, "who does not lead does not name itself");
    require(isr.own() == report.leading && (!isr.own() || isr.leader() == kSelf),
            "only the leader decides");
    const auto min_isr = static_cast<std::size_t>(
        known.min_isr > 0 ? known.min_isr : manager.config().min_insync_replicas);
    require(report.min_isr == std::min(min_isr, replicas.size()), "min ISR is as it was set");
    require(!report.has_min_isr || (isr.own() && isr.size() >= report.min_isr),
            "writes are accepted by a leader with enough replicas alone");
    require(manager.has_min_isr(report.topic, report.partition) == report.has_min_isr &&
                manager.has_min_isr(known.handle) == report.has_min_isr &&
                *manager.get_isr(known.handle) == isr &&
                *manager.get_isr(report.topic, report.partition) == isr,
            "name and handle give the same answers");
    const std::pair order{isr.epoch(), isr.version()};
    require(order >= known.newest, "epoch and version never go back");
    known.newest = order;
    if (!report.leading) return;
    require(report.high_watermark <= report.end, "the high watermark is within the log");
    const std::pair watermark{isr.epoch(), report.high_watermark};
    require(watermark >= known.high_watermark, "it never falls within an epoch");
    known.high_watermark = watermark;
}

} // namespace fuzz
