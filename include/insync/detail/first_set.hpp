#pragma once

#include <insync/detail/dead_nodes.hpp>
#include <insync/errors.hpp>
#include <insync/isr_store.hpp>
#include <insync/partition_options.hpp>
#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <span>

namespace insync::detail {

using Nodes = boost::container::static_vector<NodeId, kMaxReplicas>;

[[nodiscard]] inline std::span<const NodeId> as_span(const Nodes& nodes) noexcept {
    return {nodes.data(), nodes.size()};
}

/// Checks a list of nodes and puts it in order. \return `ok` or what is wrong with it
[[nodiscard]] inline Result sort_nodes(std::span<const NodeId> nodes, Nodes& sorted) {
    if (nodes.size() > kMaxReplicas) return Result::too_many_replicas;
    sorted.assign(nodes.begin(), nodes.end());
    std::sort(sorted.begin(), sorted.end());
    if (!sorted.empty() && sorted.front() < 0) return Result::invalid_node;
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
        return Result::duplicate_replica;
    return Result::ok;
}

/// Checks a set that comes from the host's metadata (S10).
[[nodiscard]] inline Result check_published(const PublishedIsr& isr, Nodes& sorted) {
    if (const Result bad = sort_nodes(as_span(isr.members), sorted); bad != Result::ok) return bad;
    if (sorted.empty()) return Result::invalid_isr;
    if (isr.epoch > kMaxEpoch || isr.version > kMaxVersion) return Result::epoch_exhausted;
    if (isr.leader < kNoNode) return Result::invalid_node;
    if (isr.leader != kNoNode && !std::binary_search(sorted.begin(), sorted.end(), isr.leader))
        return Result::invalid_isr;
    return Result::ok;
}

/// What a partition begins with: the set that the metadata last knew, or one that is new.
struct FirstSet {
    Nodes members;
    NodeId leader = kNoNode;
    Epoch epoch = 0;
    Version version = 0;
    bool masked = false; ///< members of a published set were left out
};

/// \return whether any was left out
template <class Unwanted>
bool leave_out(Nodes& nodes, const Unwanted& unwanted) {
    const auto kept = std::remove_if(nodes.begin(), nodes.end(), unwanted);
    const bool any = kept != nodes.end();
    nodes.erase(kept, nodes.end());
    return any;
}

[[nodiscard]] inline bool contains(std::span<const NodeId> nodes, NodeId node) noexcept {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

/// Decides what a partition begins with. A set that was published is shown as it was published,
/// whoever is dead: no grace is given to the dead (`IsrEngine::begin_epoch`).
/// \param assigned  its replicas, in order
/// \return `ok`, or what is wrong with the options
[[nodiscard]] inline Result first_set(NodeId self,
                                      std::span<const NodeId> assigned,
                                      const PartitionOptions& options,
                                      const DeadNodes& dead,
                                      FirstSet& first) {
    if (options.min_isr && *options.min_isr < 1) return Result::invalid_min_isr;
    first.members.assign(assigned.begin(), assigned.end());
    if (options.inherited != nullptr) {
        const PublishedIsr& inherited = *options.inherited;
        Nodes members;
        if (const Result bad = check_published(inherited, members); bad != Result::ok) return bad;
        // Members that are not assigned any more are left out; somebody must remain.
        (void)leave_out(first.members,
                        [&](NodeId node) { return !contains(as_span(members), node); });
        first.leader = inherited.leader;
        first.epoch = inherited.epoch;
        first.version = inherited.version;
    } else if (!options.alive) {
        const auto is_dead = [&](NodeId node) { return node != self && dead.contains(node); };
        // Where nobody is known to be up, none of them is better than another.
        if (!std::all_of(assigned.begin(), assigned.end(), is_dead))
            (void)leave_out(first.members, is_dead);
    }
    if (options.alive) {
        const std::span<const NodeId> alive = options.alive->nodes();
        const bool any = leave_out(
            first.members, [&](NodeId node) { return node != self && !contains(alive, node); });
        first.masked = any && options.inherited != nullptr;
    }
    return first.members.empty() ? Result::invalid_isr : Result::ok;
}

} // namespace insync::detail
