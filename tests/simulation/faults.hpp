#pragma once

// Part of world.hpp: the alphabet of faults. A byte of 0 is none of them.
#include "simulation/world.hpp" // IWYU pragma: keep

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace simulation {

/// One fault, if the plan knows its class; each class has its bit.
inline void World::happen() {
    using Class = void (World::*)(unsigned);
    static constexpr std::array<std::pair<Class, unsigned>, 11> kClasses{{
        {&World::link_fault, 12},
        {&World::node_fault, 8},
        {&World::leadership_fault, 4},
        {&World::clock_fault, 6},
        {&World::view_fault, 6},
        {&World::config_fault, 6},
        {&World::metadata_fault, 3},
        {&World::push_fault, 4},
        {&World::callback_fault, 3},
        {&World::member_fault, 5},
        {&World::group_fault, 7},
    }};
    fail_allocations();
    unsigned kind = tape_.byte();
    if (kind == 0) return;
    kind = (kind - 1) % 64;
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
        const auto& [act, kinds] = kClasses[i];
        if (kind < kinds) {
            // Links, nodes and leadership are the ground of all the others.
            if (i < 3 || (plan_.classes >> i & 1) != 0) (this->*act)(kind);
            return;
        }
        kind -= kinds;
    }
}

inline void World::link_fault(unsigned kind) {
    const NodeId node = any_node();
    switch (kind) {
    case 0: report_.note("node {} is cut off", node); return cluster_.isolate(node);
    case 1: {
        const NodeId other = any_node();
        report_.note("nothing gets from {} to {}", node, other);
        return cluster_.cut(node, other);
    }
    case 2: {
        const Millis beat = plan_.cluster.heartbeat;
        const insync::testing::NetworkQuality bad{
            Millis{1}, Millis{1} + beat * static_cast<int>(tape_.below(3)),
            static_cast<unsigned>(tape_.below(31)), static_cast<unsigned>(tape_.below(51))};
        report_.note("links delay up to {} ms, lose {} %, double {} %", bad.most_delay.count(),
                     bad.lost_percent, bad.doubled_percent);
        return cluster_.set_network(bad);
    }
    case 3: return cluster_.set_network({});
    case 4: {
        const NodeId other = any_node();
        report_.note("answers of {} to {} are kept on their way", node, other);
        return cluster_.hold_answers(node, other);
    }
    case 5: return cluster_.stop_holding_answers();
    case 6:
        report_.note("{} answers arrive that were kept", cluster_.held_answers());
        return cluster_.release_answers();
    default: report_.note("links are mended"); return cluster_.heal();
    }
}

inline void World::stop(NodeId node, bool loses_power, Millis away) {
    if (!host(node).up()) return;
    const auto at = static_cast<std::size_t>(node) - 1;
    report_.note("node {} {}, for {} ms", node, loses_power ? "loses power" : "stops",
                 away.count());
    if (loses_power) {
        ++report_.totals().lossy_restarts;
        for (GroupNumber group = 0; group < plan_.groups; ++group) {
            const auto& log = cluster_.replica(group, node).log;
            const NodeId leader = cluster_.leader(group);
            if (log.durable() < log.end() && leader != kNoNode && host(leader).up() &&
                host(leader).tracked(group).last.contains(node))
                report_.reach(Mark::lossy_restart_of_member);
        }
    }
    host(node).stop();
    loses_power ? cluster_.lose_power(node) : cluster_.stop(node);
    start_at_[at] = now() + away;
    resume_at_[at] = TimePoint::max();
}

inline void World::node_fault(unsigned kind) {
    const NodeId node = any_node();
    const auto at = static_cast<std::size_t>(node) - 1;
    const Millis time = some_time();
    switch (kind) {
    case 0: return stop(node, false, time);
    case 1: return stop(node, true, time);
    case 2:
        report_.reach(Mark::all_lost_power);
        for (NodeId each = 1; each <= last_node(); ++each) stop(each, true, some_time());
        return;
    case 3:
        if (!host(node).up()) return;
        report_.note("node {} stands still for {} ms", node, time.count());
        cluster_.pause(node);
        resume_at_[at] = now() + time;
        return;
    case 4:
        report_.note("node {} sweeps no more for {} ms", node, time.count());
        stalled_to_[at] = now() + time;
        return;
    case 5:
    case 6:
        report_.note("node {} has a slow disk: {} ms", node, time.count() / 4);
        return cluster_.set_flush_delay(node, time / 4);
    default:
        for (NodeId each = 1; each <= last_node(); ++each) cluster_.set_flush_delay(each, {});
        return;
    }
}

inline void World::leadership_fault(unsigned kind) {
    const GroupNumber group = any_group();
    const NodeId node = any_node();
    report_.note("node {} stands for election in group {}", node, group);
    cluster_.campaign(group, node);
    if (kind == 0) return;
    // And another one, before or just after that is known; then perhaps the first again.
    live_until(now() + Millis{static_cast<int>(tape_.below(8))});
    cluster_.campaign(group, any_node());
    if (kind == 1) return;
    live_until(now() + Millis{static_cast<int>(tape_.below(8))});
    cluster_.campaign(group, node);
}

inline void World::clock_fault(unsigned kind) {
    const NodeId node = any_node();
    auto& time = cluster_.time_of(node);
    const TimePoint local = cluster_.local_now(node);
    constexpr int kDay = 86'400'000;
    switch (kind) {
    case 0: {
        const Millis by = tape_.chance(20) ? Millis{kDay} : some_time();
        report_.note("the clock of {} jumps by {} ms", node, by.count());
        report_.reach(Mark::clock_jumped);
        return time.set_time(now(), local + by);
    }
    case 1: {
        const Millis by = some_time();
        report_.note("the clock of {} goes back by {} ms", node, by.count());
        report_.reach(Mark::clock_went_back);
        return time.set_time(now(), local - by);
    }
    case 2: report_.note("the clock of {} stands still", node); return time.set_rate(now(), 0);
    case 3: {
        const int percent = static_cast<int>(tape_.between(50, 200));
        report_.note("the clock of {} runs at {} %", node, percent);
        return time.set_rate(now(), percent);
    }
    default: report_.note("the clock of {} runs true", node); return time.set_rate(now(), 100);
    }
}

inline void World::view_fault(unsigned kind) {
    const NodeId node = any_node();
    HostView& view = host(node).view();
    if (!host(node).up()) return;
    if (kind > 3) return busy_reads(node);
    report_.note("reads of {}: {}", node,
                 std::array{"torn", "unavailable", "stand still", "good"}[kind]);
    cluster_.set_reads(node, {});
    switch (kind) {
    case 0: view.fault = ViewFault::torn; return;
    case 1: view.fault = ViewFault::unavailable; return;
    case 2: report_.reach(Mark::frozen_view); return view.freeze();
    default: view.fault = ViewFault::none; return;
    }
}

/// Many reads fail, as those of a lock that is nearly always held.
inline void World::busy_reads(NodeId node) {
    const insync::testing::ReadQuality quality{
        .unavailable_percent = static_cast<unsigned>(tape_.between(20, 95)),
        .torn_percent = static_cast<unsigned>(tape_.below(50)),
        .until = now() + 2 * some_time()};
    report_.note("reads of {}: {} % unavailable, and {} % of the others torn", node,
                 quality.unavailable_percent, quality.torn_percent);
    cluster_.set_reads(node, quality);
}

inline void World::assign(GroupNumber group, const std::vector<NodeId>& nodes) {
    truth_.groups[group].assigned = nodes;
    for (NodeId node = 1; node <= last_node(); ++node)
        if (host(node).up()) host(node).set_assignment(group, nodes);
}

inline void World::config_fault(unsigned kind) {
    using insync::ReplicaKind;
    const GroupNumber group = any_group();
    const NodeId node = any_node();
    std::vector<NodeId> assigned = truth_.groups[group].assigned;
    const auto at = std::find(assigned.begin(), assigned.end(), node);
    const bool is_assigned = at != assigned.end();
    if (kind == 0) {
        const int min_isr = static_cast<int>(tape_.below(6));
        report_.note("group {}: min ISR {}", group, min_isr);
        for (NodeId each = 1; each <= last_node(); ++each)
            if (host(each).up()) host(each).set_min_isr(group, min_isr);
        return;
    }
    if (kind == 1) {
        constexpr std::array<Index, 5> kLoads{1, 0, 3, 50, 600};
        load_ = kLoads[tape_.below(kLoads.size())];
        return report_.note("clients append {} at a time", load_);
    }
    if (kind == 2) {
        const bool add = tape_.chance(50);
        for (NodeId each = 1; each <= last_node(); ++each)
            if (host(each).up() && host(each).tracked(group).last.own())
                host(each).move_by_hand(group, node, add);
        return;
    }
    if (kind == 3 && is_assigned) {
        if (assigned.size() == 1) return;
        if (!cluster_.change_member(group, node, std::nullopt)) return;
        assigned.erase(at);
        report_.note("group {}: {} is removed", group, node);
    } else {
        constexpr std::array<ReplicaKind, 4> kKinds{ReplicaKind::voter, ReplicaKind::learner,
                                                    ReplicaKind::joining, ReplicaKind::leaving};
        const ReplicaKind to = kKinds[tape_.below(kKinds.size())];
        if (!cluster_.change_member(group, node, to)) return;
        if (!is_assigned) assigned.push_back(node);
        std::sort(assigned.begin(), assigned.end());
        report_.note("group {}: {} becomes of kind {}", group, node, static_cast<int>(to));
    }
    report_.reach(Mark::membership_changed);
    look_at_members(group);
    if (assigned != truth_.groups[group].assigned) assign(group, assigned);
}

inline void World::metadata_fault(unsigned kind) {
    if (kind == 0) return metadata_.set_quality({});
    const Metadata::Quality bad{static_cast<unsigned>(tape_.below(101)),
                                static_cast<unsigned>(tape_.below(51)), some_time() + Millis{1}};
    report_.note("decisions: {} % lost, {} % doubled, up to {} ms late", bad.lost_percent,
                 bad.doubled_percent, bad.most_delay.count());
    metadata_.set_quality(bad);
}

/// What comes late, from strangers, or says what cannot be.
inline void World::push_fault(unsigned kind) {
    const GroupNumber group = any_group();
    const NodeId node = any_node();
    const NodeId about = static_cast<NodeId>(tape_.below(cluster_.nodes() + 3));
    if (!host(node).up() || cluster_.is_paused(node)) return;
    const auto& replica = cluster_.replica(group, node);
    if (kind == 0) return host(node).push_heartbeat(group, node == about ? about + 1 : about);
    if (kind == 1) return host(node).track_anew(group);
    insync::FollowerRow row{.node = about, .match = 0, .contact = cluster_.local_now(node)};
    Epoch epoch = replica.epoch;
    if (kind == 2) { // of an older epoch, with what it then held
        epoch -= std::min<Epoch>(epoch, 1 + tape_.below(3));
        const Index beyond = tape_.below(100); // only what lies within the end can be believed
        row.match = replica.log.end() + (beyond % 2 == 0 ? 0 : beyond);
    } else { // beyond the end
        row.match = replica.log.end() + 1 + tape_.below(100);
    }
    report_.note("node {} group {}: told that {} holds {} in epoch {}", node, group, about,
                 row.match, epoch);
    host(node).push_row(group, epoch, row);
}

inline void World::callback_fault(unsigned) {
    const NodeId node = any_node();
    const int times = static_cast<int>(tape_.below(4)) + 1;
    if (host(node).up()) host(node).throw_in_callbacks(times);
}

/// One of the next allocations of each host fails, in worlds of that kind.
inline void World::fail_allocations() {
    if (!plan_.fails_to_allocate) return;
    for (NodeId node = 1; node <= last_node(); ++node) {
        const auto number = tape_.below(16);
        if (host(node).up() && options_.fails_allocations) host(node).fail_allocation(number);
    }
}

} // namespace simulation
