#pragma once

// Part of world.hpp: what goes wrong, by the bytes of the tape. A byte of 0 is harmless everywhere.
#include "hosts/world.hpp" // IWYU pragma: keep

namespace hosts {

inline void World::happen() {
    report_.set_now(now());
    const unsigned what = tape_.byte();
    if (what == 0) return;
    const unsigned kind = what / 8;
    switch (what % 8) {
    case 0:
    case 1: return link_fault(kind);
    case 2: return node_fault(kind);
    case 3:
    case 4: return membership_fault(kind);
    case 5: return leadership_fault(kind);
    case 6: return broker_fault(kind);
    default: return node_fault(kind + 3);
    }
}

inline void World::link_fault(unsigned kind) {
    switch (kind % 7) {
    case 0:
    case 1: {
        report_.note("the links are whole");
        cluster_.heal_links();
        cluster_.set_late(0, Millis{0});
        return cluster_.set_doubled(0);
    }
    case 2: {
        const NodeId id = any_node();
        report_.note("node {} is cut off", id);
        return cluster_.isolate(id);
    }
    case 3: {
        const NodeId from = any_node();
        const NodeId to = any_node();
        report_.note("nothing comes from {} to {}", from, to);
        return cluster_.cut(from, to, true);
    }
    case 4: {
        const NodeId from = any_node();
        const NodeId to = any_node();
        report_.note("messages from {} to {} are slow", from, to);
        return cluster_.slow(from, to, Millis{tape_.between(5, 40)});
    }
    case 5: {
        const auto percent = static_cast<unsigned>(tape_.between(5, 40));
        report_.note("{} of 100 messages are late", percent);
        return cluster_.set_late(percent, Millis{60});
    }
    default:
        report_.note("messages come twice");
        return cluster_.set_doubled(static_cast<unsigned>(tape_.between(5, 50)));
    }
}

inline void World::crash(NodeId id, Millis away) {
    Node& node = cluster_.node(id);
    if (!node.up) return;
    if (node.queued != 0 && cluster_.library().newest_write(node.raft) != 0)
        report_.reach(Mark::lost_writes);
    report_.note("node {} crashes", id);
    broker(id).stop();
    cluster_.crash(id);
    cluster_.at(now() + away, [this, id] {
        if (report_.failed() || cluster_.node(id).up || !cluster_.node(id).member) return;
        report_.set_now(now());
        report_.note("node {} starts again", id);
        cluster_.restart(id);
        start(id);
    });
}

inline void World::node_fault(unsigned kind) {
    switch (kind % 7) {
    case 0: return crash(any_node(), some_time());
    case 1: {
        const Millis away = some_time();
        for (const NodeId id : cluster_.ids()) crash(id, away);
        return;
    }
    case 2: {
        const NodeId id = any_node();
        const Millis span = some_time();
        if (!cluster_.node(id).up || cluster_.node(id).paused) return;
        report_.note("node {} stands still for {} ms", id, span.count());
        report_.reach(Mark::paused);
        cluster_.pause(id);
        cluster_.at(now() + span, [this, id] {
            if (report_.failed() || !cluster_.node(id).paused) return;
            report_.set_now(now());
            report_.note("node {} goes on", id);
            broker(id).excuse(now() + plan_.config.max_lag_ms);
            cluster_.resume(id);
            if (broker(id).up() && !published_.members.empty())
                broker(id).apply_published(published_);
        });
        return;
    }
    case 3:
    case 4: {
        const NodeId id = any_node();
        constexpr std::array<int, 6> kDelays{0, 3, 15, 40, 80, 200};
        cluster_.node(id).disk_delay = Millis{kDelays[tape_.below(kDelays.size())]};
        return report_.note("a write of node {} takes {} ms", id,
                            cluster_.node(id).disk_delay.count());
    }
    case 5: return crash(leader() == kNoNode ? any_node() : leader(), some_time());
    default: {
        const NodeId id = any_node();
        const Shown shown = cluster_.show(id);
        if (!cluster_.node(id).up || cluster_.node(id).paused || shown.state.applied < 3) return;
        const Index index = shown.state.applied - tape_.below(3);
        if (cluster_.compact(id, index) != RAFT_HOST_OK) return;
        report_.note("node {} compacts its log up to {}", id, index);
        return report_.reach(Mark::compacted);
    }
    }
}

inline void World::leadership_fault(unsigned kind) {
    const NodeId id = any_node();
    const NodeId from = leader();
    if (!cluster_.node(id).up || cluster_.node(id).paused) return;
    if (kind % 3 == 0) {
        report_.note("node {} campaigns", id);
        (void)cluster_.campaign(id);
        return;
    }
    if (from == kNoNode || cluster_.node(from).paused) return;
    report_.note("leadership is to go from {} to {}", from, id);
    if (cluster_.transfer(from, id) == RAFT_HOST_OK) report_.reach(Mark::transferred);
}

inline void World::membership_fault(unsigned kind) {
    const NodeId id = any_node();
    const bool spare = !cluster_.node(id).member;
    if (wishes_.size() > 2) return;
    const auto step = [&](std::uint32_t what) {
        return raft_host_change{static_cast<std::uint64_t>(id), what, 0};
    };
    if (spare) {
        if (kind % 2 == 0) return want(RAFT_HOST_ADD_LEARNER, id);
        return want(RAFT_HOST_ADD_VOTER, id);
    }
    switch (kind % 8) {
    case 0: return want(RAFT_HOST_ADD_LEARNER, id);
    case 1: return want(RAFT_HOST_ADD_VOTER, id);
    case 2:
    case 3: {
        if (joint_) return;
        return wishes_.push_back(
            {RAFT_HOST_ENTER_JOINT,
             {step(kind % 2 == 0 ? RAFT_HOST_ADD_LEARNER : RAFT_HOST_ADD_VOTER)},
             false,
             {}});
    }
    default: {
        if (joint_) return;
        const bool wipes = kind % 8 != 4;
        // At once, or when the others have gone on.
        const Millis returns = tape_.chance(50) ? some_time() : Millis{1};
        wishes_.push_back({RAFT_HOST_SIMPLE, {step(RAFT_HOST_REMOVE)}, wipes, returns});
    }
    }
}

inline void World::broker_fault(unsigned kind) {
    switch (kind % 5) {
    case 0: {
        publish_lost_percent_ = static_cast<unsigned>(tape_.between(0, 90));
        return report_.note("{} of 100 decisions are lost", publish_lost_percent_);
    }
    case 1: {
        const NodeId id = any_node();
        if (!broker(id).up() || broker(id).view().failing) return;
        report_.note("reads of node {} fail", id);
        report_.reach(Mark::failed_reads);
        broker(id).view().failing = true;
        cluster_.at(now() + some_time(), [this, id] {
            if (!broker(id).up()) return;
            broker(id).view().failing = false;
            broker(id).excuse(now() + 2 * plan_.config.check_interval_ms);
        });
        return;
    }
    case 2: {
        // A replica is assigned no more, and again.
        const NodeId id = any_node();
        auto rest = assigned_;
        if (plan_.reassigns || std::erase(rest, id) == 0 || rest.empty()) return;
        report_.note("node {} is assigned no more", id);
        assign(rest);
        cluster_.at(now() + some_time(), [this, id] {
            if (report_.failed() || std::ranges::find(assigned_, id) != assigned_.end()) return;
            report_.set_now(now());
            report_.note("node {} is assigned again", id);
            auto more = assigned_;
            more.push_back(id);
            std::sort(more.begin(), more.end());
            assign(more);
        });
        return;
    }
    case 3: {
        load_gap_ = load_gap_.count() == 0 ? plan_.load_gap : Millis{0};
        return report_.note("clients {}", load_gap_.count() == 0 ? "are idle" : "write");
    }
    default: {
        const NodeId id = any_node();
        if (!broker(id).up() || cluster_.node(id).paused) return;
        report_.note("node {} tracks the partition anew", id);
        broker(id).stop();
        start(id);
    }
    }
}

} // namespace hosts
