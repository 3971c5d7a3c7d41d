#pragma once

// Part of world.hpp: all is mended, and everything must come back in sync.
#include "hosts/world.hpp" // IWYU pragma: keep

namespace hosts {

inline void World::heal() {
    report_.note("all is mended");
    cluster_.heal_links();
    cluster_.set_late(0, Millis{0});
    cluster_.set_doubled(0);
    publish_lost_percent_ = 0;
    load_gap_ = Millis{0};
    for (const NodeId id : cluster_.ids()) {
        cluster_.node(id).disk_delay = Millis{0};
        if (cluster_.node(id).paused) cluster_.resume(id);
        if (broker(id).up()) broker(id).view().failing = false;
    }
    live_until(now() + 2 * plan_.config.max_lag_ms); // what was to happen later, happens
    for (const NodeId id : cluster_.ids()) {
        if (cluster_.node(id).up || !cluster_.node(id).member) continue;
        cluster_.restart(id);
        start(id);
    }
    for (const NodeId id : cluster_.ids()) want(RAFT_HOST_ADD_VOTER, id);
}

/// What is not as it should be now that all is well; nothing if all is.
inline std::optional<std::string> World::what_is_amiss() {
    const NodeId at = leader();
    if (at == kNoNode) return "nobody leads";
    if (pending_ || !wishes_.empty()) return "a change of membership is not through";
    const Shown shown = cluster_.show(at);
    if (shown.state.persisted != shown.state.last || shown.state.committed != shown.state.last)
        return fmt::format("leader {} has an end of {}, durable {}, committed {}", at,
                           shown.state.last, shown.state.persisted, shown.state.committed);
    for (const NodeId id : cluster_.ids()) {
        if (!broker(id).up()) return fmt::format("node {} is down", id);
        if (!truth_.holds_as(id, shown.state.last, at))
            return fmt::format("node {} lacks entries that leader {} has", id, at);
    }
    const auto set = broker(at).manager().get_isr(broker(at).handle());
    if (!set->own() || set->to_vec() != cluster_.ids())
        return fmt::format("leader {} has {} in its ISR, and not {}", at, set->members(),
                           set->catching_up());
    if (!broker(at).manager().has_min_isr(broker(at).handle()))
        return fmt::format("leader {} refuses writes", at);
    if (broker(at).manager().high_watermark(broker(at).handle()) != shown.state.last)
        return fmt::format("the high watermark of leader {} is not at the end, {}", at,
                           shown.state.last);
    for (const NodeId id : cluster_.ids()) {
        const auto other = broker(id).manager().get_isr(broker(id).handle());
        if (*other != *set || other->stale())
            return fmt::format("node {} shows {} of epoch {}, leader {} has {} of epoch {}", id,
                               other->members(), other->epoch(), at, set->members(), set->epoch());
        if (broker(id).waits() != 0) return fmt::format("a wait of node {} goes on", id);
    }
    return std::nullopt;
}

inline void World::tell_state(NodeId id) {
    const Shown shown = cluster_.show(id);
    const insync_raft_state& state = shown.state;
    report_.note(
        "node {}{}: role {}, term {}, leader {}, last {}, durable {}, committed {}, applied "
        "{}, membership {}",
        id, cluster_.node(id).up ? "" : " (down)", state.role, state.term, state.leader, state.last,
        state.persisted, state.committed, state.applied, state.membership);
    for (const insync_raft_peer& peer : shown.peers)
        report_.note("    has {} as kind {}, matched {}, progress {}", peer.id, peer.member,
                     peer.matched, peer.progress);
}

/// V: within some time all is in sync, and everything that was acknowledged is everywhere.
inline void World::converge() {
    const TimePoint patience = now() + 10 * plan_.config.max_lag_ms + Millis{10'000};
    while (now() < patience && !report_.failed() && what_is_amiss()) live_until(now() + Millis{50});
    if (report_.failed()) return;
    if (const auto amiss = what_is_amiss()) {
        for (const NodeId id : cluster_.ids()) tell_state(id);
        return report_.fail("V", "all is well again, and {}", *amiss);
    }
    for (const NodeId id : cluster_.ids()) truth_.check_acknowledged(id);
    report_.reach(Mark::converged);
}

} // namespace hosts
