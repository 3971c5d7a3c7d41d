#pragma once

// Part of world.hpp: partitions that are made while nodes are dead, and what the cluster takes for
// dead.
#include "simulation/world.hpp" // IWYU pragma: keep

#include <algorithm>
#include <vector>

namespace simulation {

inline void World::group_fault(unsigned kind) {
    switch (kind) {
    case 0:
    case 1: // the cluster notices who is down
        for (NodeId node = 1; node <= last_node(); ++node)
            if (!host(node).up()) take_for_dead(node, true);
        return;
    case 2: return take_for_dead(any_node(), true); // rightly, or not
    case 3: return take_for_dead(any_node(), false);
    case 4: {
        const NodeId node = any_node();
        const bool loses_power = tape_.chance(50); // in this order, whatever the compiler
        stop(node, loses_power, some_time());
        take_for_dead(node, true);
        return create_group();
    }
    default: return create_group();
    }
}

/// All hosts learn that a node is dead, or that it is back.
inline void World::take_for_dead(NodeId node, bool dead) {
    if (truth_.dead.contains(node) == dead) return;
    report_.note("node {} is taken for {}", node, dead ? "dead" : "alive");
    dead ? (void)truth_.dead.insert(node) : (void)truth_.dead.erase(node);
    for (NodeId each = 1; each <= last_node(); ++each)
        if (host(each).up()) host(each).mark(node, dead);
}

inline void World::add_group(GroupNumber group) {
    const std::size_t nodes = cluster_.nodes();
    std::vector<NodeId> replicas;
    for (std::size_t i = 0; i < plan_.replicas; ++i)
        replicas.push_back(static_cast<NodeId>((group + i) % nodes + 1));
    std::sort(replicas.begin(), replicas.end());
    (void)cluster_.add_group("t", static_cast<insync::PartitionId>(group), replicas);
    truth_.groups.push_back({.assigned = replicas, .born = now()});
}

/// A topic is created while all this goes on.
inline void World::create_group() {
    if (plan_.groups == kMostGroups) return;
    const auto group = static_cast<GroupNumber>(plan_.groups++);
    add_group(group);
    metadata_.add_group();
    const auto& assigned = truth_.groups[group].assigned;
    report_.note("group {} is made, of {}", group, assigned);
    for (const NodeId node : assigned)
        if (truth_.dead.contains(node)) report_.reach(Mark::born_with_dead);
    const bool tells = tape_.chance(50); // by the options of this partition, too
    for (const auto& each : hosts_)
        if (each->up()) each->make(group, tells);
}

} // namespace simulation
