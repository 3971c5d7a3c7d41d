#pragma once

// Part of world.hpp: when the tape has ended, all is mended; what must come of it then (V).
#include "simulation/world.hpp" // IWYU pragma: keep

#include <algorithm>
#include <vector>

namespace simulation {

/// Nothing is wrong any more: every node is up, every link, disk, clock and view is good.
inline void World::heal() {
    report_.note("all is mended");
    cluster_.heal();
    cluster_.release_answers();
    joins_late_ = {};
    cluster_.set_network({});
    metadata_.set_quality({});
    for (NodeId node = 1; node <= last_node(); ++node) {
        const auto at = static_cast<std::size_t>(node) - 1;
        start_at_[at] = host(node).up() ? TimePoint::max() : now();
        resume_at_[at] = cluster_.is_paused(node) ? now() : TimePoint::max();
        stalled_to_[at] = insync::kNever;
        next_tick_[at] = std::min(next_tick_[at], now() + plan_.config.check_interval_ms);
        cluster_.set_flush_delay(node, {});
        cluster_.time_of(node).set_rate(now(), 100);
        // A clock that went back stands still for its manager until it has made that good.
        cluster_.time_of(node).set_time(
            now(), std::max(cluster_.local_now(node), host(node).latest_seen()));
        cluster_.set_reads(node, {});
        host(node).view().fault = ViewFault::none;
        for (GroupNumber group = 0; group < plan_.groups && host(node).up(); ++group) {
            auto& anew_at = host(node).tracked(group).anew_at;
            anew_at = std::min(anew_at, anew_at == TimePoint::max() ? anew_at : now());
        }
        host(node).throw_in_callbacks(0);
        host(node).forget_failing_allocation();
    }
    live_until(now() + Millis{1});
    if (load_ > 3) load_ = 3;
}

/// Lets every assigned replica be a voter again, and nobody else. \return whether that is so
inline bool World::make_whole() {
    bool whole = true;
    for (GroupNumber group = 0; group < plan_.groups; ++group) {
        const NodeId leader = cluster_.leader(group);
        if (leader == kNoNode) return false;
        const auto& assigned = truth_.groups[group].assigned;
        const auto members = cluster_.membership(group, leader).members;
        for (NodeId node = 1; node <= last_node(); ++node) {
            const bool due = std::find(assigned.begin(), assigned.end(), node) != assigned.end();
            const auto is = std::find_if(members.begin(), members.end(),
                                         [&](const auto& member) { return member.node == node; });
            const bool voter = is != members.end() && is->kind == insync::ReplicaKind::voter;
            if (!due && cluster_.replica(group, node).alone) {
                whole = false;
                if (cluster_.empty_disk(group, node)) host(node).begin_anew(group);
                continue;
            }
            if (due == voter && (due || is == members.end())) continue;
            whole = false;
            (void)cluster_.change_member(
                group, node, due ? std::optional{insync::ReplicaKind::voter} : std::nullopt);
        }
        const auto& log = cluster_.replica(group, leader).log;
        for (const NodeId node : assigned)
            whole = whole && cluster_.replica(group, node).log.durable() == log.end();
    }
    return whole;
}

/// Within some `max_lag_ms` all nodes must say the same of every partition, and go on saying it.
inline void World::converge() {
    const Millis lag = plan_.config.max_lag_ms;
    load_ = 0;
    const TimePoint patience = now() + 10 * lag;
    while (!make_whole() && now() < patience && !report_.failed()) live_until(now() + lag / 5);
    if (report_.failed()) return;
    if (!make_whole()) return report_.fail("V6", "a group has no leader, or does not catch up");
    live_until(now() + 3 * lag); // for what holds replicas out: dwell, and removal by hand
    std::uint64_t changes = 0;
    const auto moved = [&] {
        std::uint64_t sum = 0;
        for (const auto& host : hosts_) {
            const auto counters = host->manager().counters();
            sum += counters.shrinks + counters.expands;
        }
        return sum;
    };
    if (!report_.failed()) check_converged();
    changes = moved();
    load_ = 1;
    keep_reads_busy(true);
    live_until(now() + 3 * lag);
    if (report_.failed()) return;
    if (moved() != changes) report_.fail("V7", "an ISR changes though nothing is wrong");
    keep_reads_busy(false);
    load_ = 0;
    live_until(now() + lag);
    if (!report_.failed()) check_converged();
    check_acknowledged();
    report_.reach(Mark::converged);
}

/// Reads fail as those of a busy lock do, as often as can be borne: all that are made within a
/// `max_lag_ms` fail once in a billion times at most. Nothing else may come of it.
inline void World::keep_reads_busy(bool busy) {
    const auto intervals = plan_.config.max_lag_ms / plan_.config.check_interval_ms;
    const unsigned percent = intervals >= 8 ? 70 : intervals >= 5 ? 50 : 20;
    if (busy) report_.reach(Mark::busy_and_calm);
    for (NodeId node = 1; node <= last_node(); ++node) {
        host(node).expect_calm(busy);
        cluster_.set_reads(node, {.unavailable_percent = busy ? percent : 0});
    }
}

inline void World::check_converged() {
    for (GroupNumber group = 0; group < plan_.groups; ++group) {
        const NodeId leader = cluster_.leader(group);
        if (leader == kNoNode) return report_.fail("V6", "group {} has no leader", group);
        Host& at = host(leader);
        const auto set = at.manager().get_isr(at.tracked(group).handle);
        const auto& assigned = truth_.groups[group].assigned;
        if (!set->own() || set->to_vec() != assigned)
            report_.fail("V2", "group {}: leader {} has {} of {} in its ISR", group, leader,
                         set->members(), assigned);
        const std::size_t least =
            insync::effective_min_isr(at.tracked(group).min_isr, assigned.size());
        if (at.manager().has_min_isr(at.tracked(group).handle) != (set->size() >= least))
            report_.fail("V2", "group {}: leader {} refuses writes", group, leader);
        if (at.manager().high_watermark(at.tracked(group).handle) !=
            cluster_.replica(group, leader).log.end())
            report_.fail("V5", "group {}: the high watermark stays behind the end", group);
        for (const auto& host : hosts_) host->expect_converged(group, *set);
    }
}

/// G1: what was acknowledged is on every replica.
inline void World::check_acknowledged() {
    for (GroupNumber group = 0; group < plan_.groups; ++group)
        for (const NodeId node : truth_.groups[group].assigned)
            for (const auto& [epoch, index] : truth_.groups[group].acknowledged)
                if (!truth_.holds(group, node, index, epoch))
                    report_.fail("G1", "group {}: node {} lacks the acknowledged index {}", group,
                                 node, index);
}

} // namespace simulation
