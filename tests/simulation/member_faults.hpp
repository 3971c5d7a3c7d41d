#pragma once

// Part of world.hpp: members that leave a group and come back with nothing.
#include "simulation/world.hpp" // IWYU pragma: keep

#include <algorithm>
#include <optional>
#include <vector>

namespace simulation {

inline void World::member_fault(unsigned kind) {
    const GroupNumber group = any_group();
    const NodeId node = any_node();
    if (kind < 3) {
        if (take_out(group, node, kind < 2)) come_back(group, node);
        return;
    }
    (void)take_out(group, node, kind == 3); // if it is a member
    if (!report_.failed()) live_alone(group, node);
}

/// The members of a group have changed: a host hears of that from its library, and looks (S2).
inline void World::look_at_members(GroupNumber group) {
    for (NodeId node = 1; node <= last_node(); ++node)
        if (host(node).up() && !cluster_.is_paused(node)) host(node).look(group);
}

/// A member is removed, and what it held is taken off its disk once that is committed.
/// \return false if it has all that it had
inline bool World::take_out(GroupNumber group, NodeId node, bool stays_assigned) {
    std::vector<NodeId> assigned = truth_.groups[group].assigned;
    if (std::erase(assigned, node) == 0 || assigned.empty()) return false;
    if (cluster_.is_paused(node) || !cluster_.change_member(group, node, std::nullopt))
        return false;
    report_.note("group {}: {} is taken out, and {} assigned", group, node,
                 stays_assigned ? "stays" : "is not");
    look_at_members(group);
    if (!stays_assigned) assign(group, assigned);
    // Long enough to be committed, if all is well, and perhaps for sweeps.
    live_until(now() + plan_.cluster.heartbeat / 4 * static_cast<int>(1 + tape_.below(12)));
    if (report_.failed() || cluster_.is_paused(node) || !cluster_.empty_disk(group, node))
        return false;
    report_.note("group {}: what {} held is gone", group, node);
    for (const auto& each : hosts_)
        if (each->up()) each->tracked(group).emptied.insert(node);
    look_at_members(group);
    if (host(node).up()) host(node).begin_anew(group);
    return true;
}

/// It is added again, perhaps so that it does not get at the data for some time.
inline void World::come_back(GroupNumber group, NodeId node) {
    using insync::ReplicaKind;
    const Millis time = some_time();
    switch (tape_.below(5)) {
    case 1: cluster_.isolate(node); break;
    case 2: cluster_.set_flush_delay(node, time); break;
    case 3: stop(node, true, time); break;
    case 4: live_until(now() + time); break;
    default: break;
    }
    const ReplicaKind kind = tape_.chance(20) ? ReplicaKind::learner : ReplicaKind::voter;
    if (report_.failed() || !cluster_.change_member(group, node, kind)) return;
    report_.note("group {}: {} is added again, and has nothing", group, node);
    const NodeId leader = cluster_.leader(group);
    if (host(leader).up() && host(leader).tracked(group).last.own())
        report_.reach(Mark::came_back_empty);
    look_at_members(group);
    std::vector<NodeId> assigned = truth_.groups[group].assigned;
    if (std::find(assigned.begin(), assigned.end(), node) != assigned.end()) return;
    assigned.push_back(node);
    std::sort(assigned.begin(), assigned.end());
    assign(group, assigned);
}

/// A node that is no member leads a group of its own for a time, in epochs that the group may never
/// reach, and then is added to it.
inline void World::live_alone(GroupNumber group, NodeId node) {
    const Epoch epoch = 1 + tape_.below(40);
    if (cluster_.is_paused(node) || !cluster_.lead_alone(group, node, epoch, 1 + tape_.below(100)))
        return;
    report_.note("group {}: {} leads alone in epoch {}", group, node, epoch);
    truth_.groups[group].alone.insert({node, cluster_.replica(group, node).epoch});
    host(node).begin_anew(group);
    joins_late_ = tape_.chance(50) ? some_time() : Millis{0};
    live_until(now() + some_time());
    if (!report_.failed()) come_back(group, node);
}

/// A node has joined a group with an empty log: its host begins anew, at once or after a while.
inline void World::join(GroupNumber group, NodeId node) {
    const auto& t = host(node).up() ? host(node).tracked(group).last : insync::IsrSet{};
    if (t.epoch() > cluster_.replica(group, node).epoch) report_.reach(Mark::epoch_fell);
    report_.note("group {}: {} joins, in epoch {}", group, node,
                 cluster_.replica(group, node).epoch);
    if (!host(node).up()) return;
    host(node).tracked(group).anew_at = now() + joins_late_;
    if (joins_late_.count() == 0) host(node).begin_anew(group);
}

} // namespace simulation
