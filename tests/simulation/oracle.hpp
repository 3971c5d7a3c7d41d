#pragma once

// Part of host.hpp: what must be true after each call, by rule. Ids with S are those of
// docs/rules.md. L is what they imply: a set's shape and order (L1, L2, L28), evictions and joins
// (L6 to L8), the high watermark (L11, L12), waits (L23, L24), our own pauses (L25).
#include "simulation/host.hpp" // IWYU pragma: keep

#include <insync/isr_rules.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace simulation {

inline void Host::check(Tracked& t) {
    if (depth_ > 0) return;
    const auto set = manager_->get_isr(t.handle);
    if (!set) return report_.fail("S5", "node {} group {} is not tracked any more", self_, t.group);
    if (view_.vouches_wrongly())
        report_.fail("S2", "node {}: its view vouches for a match of another epoch", self_);
    check_set(t, *set);
    check_high_watermark(t, *set);
    check_waits(t, *set);
    if (t.model) compare_with_model(t, *set);
    t.last = *set;
}

inline void Host::check_set(Tracked& t, const insync::IsrSet& set) {
    const bool has_min = manager_->has_min_isr(t.handle);
    const std::size_t min_isr = insync::effective_min_isr(t.min_isr, t.assigned.size());
    std::uint64_t members = 0;
    for (const NodeId node : set.members()) members |= 1ull << node;
    report_.mix(members << 32 | set.epoch());
    report_.mix(set.version() << 8 | (set.own() ? 1u : 0u) | (has_min ? 2u : 0u) |
                (set.stale() ? 4u : 0u));
    const auto fail = [&](std::string_view rule, std::string_view what) {
        report_.fail(rule, "node {} group {}: {}: {} of {}, leader {}, epoch {} version {}{}{}",
                     self_, t.group, what, set.members(), t.assigned, set.leader(), set.epoch(),
                     set.version(), set.own() ? ", own" : "", has_min ? ", has min" : "");
    };
    if (set.own() && (set.leader() != self_ || !set.contains(self_)))
        fail("L1", "a leader is not in its own ISR");
    if (set.members().empty() && !t.assigned.empty() && set.own()) fail("L1", "an empty ISR");
    std::vector<NodeId> all(set.members().begin(), set.members().end());
    all.insert(all.end(), set.catching_up().begin(), set.catching_up().end());
    std::sort(all.begin(), all.end());
    if (all != t.assigned) fail("L2", "members and others are not those assigned");
    if (std::pair{set.epoch(), set.version()} < std::pair{t.last.epoch(), t.last.version()})
        fail("S4", "an older set came back");
    if (set != t.folded) fail("L28", "the events do not add up to the set");
    if (calm_ && !has_min && set.own() && set.size() >= min_isr)
        fail("S2", "a healthy partition lost its quorum, as reads failed");
    if (has_min && (!set.own() || set.size() < min_isr)) fail("S5", "writes are accepted");
    check_leader(t, set);
    if (manager_->has_min_isr("t", static_cast<insync::PartitionId>(t.group)) != has_min)
        fail("S5", "two answers by name and by handle");
    // How a leadership began and ended, for the checks that need to know.
    if (set.own() && (!t.last.own() || t.last.epoch() != set.epoch())) {
        t.began = seen_;
        t.first_members = members;
        t.high_watermark = 0;
        check_first_members(t, set);
        if (t.resigned) report_.reach(Mark::leads_again);
        if (set.epoch() > t.last.epoch() + 1) report_.reach(Mark::skipped_epochs);
    }
    if (t.last.own() && !set.own()) t.resigned = true;
    if (!set.own()) t.heartbeats.clear();
    if (set.own() && set.size() == 1 && t.assigned.size() > 1) report_.reach(Mark::leader_alone);
    if (set.own() && set.size() < min_isr) t.fell_below_min = true;
    if (has_min && std::exchange(t.fell_below_min, false)) report_.reach(Mark::below_min_and_back);
    if (set.stale()) report_.reach(Mark::stale_set);
    if (!set.own() && t.last.own() == set.own() && set.epoch() == t.last.epoch() &&
        set.version() > t.last.version() && set.size() < t.last.size() &&
        truth_.led(t.group, set.epoch(), self_))
        report_.reach(Mark::former_leader_shrank);
}

/// S5: who leads was elected in the epoch of its set, and who does not lead never names itself. A
/// leader that is ahead of the set was elected in a newer epoch.
inline void Host::check_leader(const Tracked& t, const insync::IsrSet& set) {
    const auto fail = [&](std::string_view what) {
        report_.fail("S5", "node {} group {}: {}: {} in epoch {}{}", self_, t.group, what,
                     set.leader(), set.epoch(), set.leader_ahead() ? ", ahead" : "");
    };
    const bool alone = truth_.groups[t.group].alone.contains({self_, set.epoch()});
    if (set.own() && !alone && !truth_.led(t.group, set.epoch(), self_))
        fail("leads in an epoch in which it was not elected");
    if (set.own() || set.leader() == kNoNode) return;
    if (set.leader() == self_) return fail("does not lead, and names itself");
    if (!set.leader_ahead()) {
        if (!truth_.led(t.group, set.epoch(), set.leader())) fail("names who was not elected");
        return;
    }
    report_.reach(Mark::leader_ahead);
    const auto& leaders = truth_.groups[t.group].leaders;
    const bool newer = std::any_of(leaders.upper_bound(set.epoch()), leaders.end(),
                                   [&](const auto& each) { return each.second == set.leader(); });
    if (!newer && !(set.epoch() == 0 || alone)) fail("names who was not elected later");
}

/// S6: it never falls within an epoch, and passes only what the leader and every member hold on
/// their disks.
inline void Host::check_high_watermark(Tracked& t, const insync::IsrSet& set) {
    const auto mark = manager_->high_watermark(t.handle);
    if (mark.has_value() != set.own())
        return report_.fail("S6", "node {} group {}: a high watermark without leading, or none",
                            self_, t.group);
    if (!mark) return;
    report_.mix(*mark);
    if (*mark < t.high_watermark)
        return report_.fail("L11", "node {} group {}: the high watermark falls from {} to {}",
                            self_, t.group, t.high_watermark, *mark);
    if (*mark == t.high_watermark) return;
    t.high_watermark = *mark;
    // Within callbacks the ISR may have changed again since.
    if (plan_.re_enters && set != t.last) return;
    const auto& replica = truth_.cluster.replica(t.group, self_);
    const std::size_t min_isr = insync::effective_min_isr(t.min_isr, t.assigned.size());
    if (set.size() < min_isr)
        report_.fail("L12", "node {} group {}: the high watermark moves below min ISR, to {}",
                     self_, t.group, *mark);
    if (replica.leads() && replica.epoch == set.epoch())
        for (const NodeId node : set.members())
            if (!t.emptied.contains(node) && truth_.held(t.group, node, self_) < *mark)
                report_.fail("L11",
                             "node {} group {}: the high watermark is {}, member {} holds "
                             "only {}",
                             self_, t.group, *mark, node, truth_.held(t.group, node, self_));
}

/// S6: what no wait outlives.
inline void Host::check_waits(Tracked& t, const insync::IsrSet& set) {
    if (t.waits.empty()) return;
    for (const auto& [id, wait] : t.waits)
        if (!set.own() || set.epoch() != wait.epoch)
            return report_.fail("L24", "node {} group {}: wait {} of epoch {} outlived it", self_,
                                t.group, id, wait.epoch);
    if (set.size() < insync::effective_min_isr(t.min_isr, t.assigned.size()))
        report_.fail("S6", "node {} group {}: waits go on below min ISR", self_, t.group);
}

/// S4: when a wait ends, the listener has heard of the change that may have ended it.
inline void Host::check_told(const Tracked& t) {
    if (plan_.re_enters || !up()) return;
    const auto set = manager_->get_isr(t.handle);
    if (set && *set != t.folded)
        report_.fail("S4", "node {} group {}: a wait ended before the change to {} was told", self_,
                     t.group, set->members());
}

/// S6: committed by consensus, and at this instant on the disks of all members, which are enough.
inline void Host::check_committed(const Tracked& t, const PendingWait& wait) {
    auto& group = truth_.groups[t.group];
    if (!group.alone.contains({self_, wait.epoch})) {
        Index& highest = group.acknowledged[wait.epoch];
        highest = std::max(highest, wait.index);
    }
    if (plan_.re_enters) return; // another callback may have changed it all since
    const auto set = manager_->get_isr(t.handle);
    const auto fail = [&](std::string_view what) {
        report_.fail("L23", "node {} group {}: index {} of epoch {} was acknowledged {}", self_,
                     t.group, wait.index, wait.epoch, what);
    };
    if (!set || !set->own() || set->epoch() != wait.epoch)
        return fail("by one that does not lead in that epoch");
    if (set->size() < insync::effective_min_isr(t.min_isr, t.assigned.size()))
        return fail("below min ISR");
    for (const NodeId node : set->members())
        if (!t.emptied.contains(node) && !truth_.holds(t.group, node, wait.index, wait.epoch))
            return fail(fmt::format("though member {} does not hold it", node));
    const auto& replica = truth_.cluster.replica(t.group, self_);
    if (replica.leads() && replica.epoch == wait.epoch && replica.commit < wait.index)
        return fail("before it was committed");
}

/// S3: when a leadership begins, only those have grace who were members, and are not known to be
/// dead.
inline void Host::check_first_members(Tracked& t, const insync::IsrSet& set) {
    const auto& replica = truth_.cluster.replica(t.group, self_);
    if (!replica.leads() || replica.epoch != set.epoch()) return;
    for (const NodeId node : truth_.dead) {
        const bool verified = replica.peers[static_cast<std::size_t>(node)].verified;
        if (node == self_ || verified) continue;
        if (set.contains(node))
            report_.fail("S3", "node {} group {}: {} is dead, and has grace", self_, t.group, node);
        if (t.last.contains(node)) report_.reach(Mark::dead_without_grace);
    }
}

/// What a change may do (S3). A removal for its lag needs a lag; a late sweep removes nobody.
inline void Host::check_change(Tracked& t, const insync::IsrChange& change) {
    if (depth_ > 0 || change.cause != insync::ChangeCause::lag || view_.fault != ViewFault::none)
        return;
    const auto& replica = truth_.cluster.replica(t.group, self_);
    if (!replica.leads() || replica.epoch != change.after.epoch()) return;
    const auto& config = plan_.config;
    for (const insync::MovedReplica& moved : change.moved) {
        const auto& peer = replica.peers[static_cast<std::size_t>(moved.node)];
        const TimePoint heard = std::max(peer.contact, t.told_alive(moved.node));
        const Millis silence = insync::saturating_age(seen_, heard);
        const Index behind = replica.log.end() - std::min(peer.match, replica.log.end());
        if (moved.added && !peer.verified)
            report_.fail("L6", "node {} group {}: {} joins unconfirmed", self_, t.group,
                         moved.node);
        const bool silent = silence > config.max_lag_ms &&
                            !t.may_be_in_grace(moved.node, seen_ - config.max_lag_ms);
        if (moved.added && (silent || behind > config.max_lag_entries))
            report_.fail("L6", "node {} group {}: {} joins, silent for {} ms, {} behind", self_,
                         t.group, moved.node, silence.count(), behind);
        if (moved.added && truth_.dead.contains(moved.node)) report_.reach(Mark::dead_joined);
        if (moved.added && t.high_watermark > peer.match)
            report_.reach(Mark::watermark_held_by_joiner);
        if (!moved.added && stalled_)
            report_.fail("L25", "node {} group {}: a late sweep removes {}", self_, t.group,
                         moved.node);
        if (!moved.added && peer.verified && behind == 0 && silence <= config.max_lag_ms)
            report_.fail("L7",
                         "node {} group {}: {} goes, though it has all and was heard of {} "
                         "ms ago",
                         self_, t.group, moved.node, silence.count());
    }
}

/// What a sweep that read the truth leaves (S3, S5): no answer of an older epoch, nobody that has
/// been silent too long, no quorum that is not there.
inline void Host::check_after_sweep(Tracked& t) {
    if (!view_.saw_truth(t.group)) return report_.reach(Mark::failed_read);
    const auto& replica = truth_.cluster.replica(t.group, self_);
    const auto set = manager_->get_isr(t.handle);
    if (!set || plan_.fails_to_allocate) return;
    const auto self_at = std::find(t.assigned.begin(), t.assigned.end(), self_);
    const bool due = replica.leads() && self_at != t.assigned.end() && t.heard <= replica.epoch;
    if (t.anew_at != TimePoint::max()) { // nor is it believed if it leads in a lower epoch
        const bool alone = truth_.groups[t.group].alone.contains({self_, set->epoch()});
        if (alone && set->epoch() > replica.epoch) check_fallen(t, *set);
        return;
    }
    if (set->own() != due)
        return report_.fail("S5", "node {} group {}: after a sweep it {} in epoch {}", self_,
                            t.group, due ? "does not lead" : "leads", replica.epoch);
    check_vouched(t, *set);
    if (due) check_members_after_sweep(t, *set);
}

/// S2: what a replica held is forgotten once the view vouches for it no more. One that was removed,
/// or has nothing any more, is not in the ISR before it has confirmed.
inline void Host::check_vouched(Tracked& t, const insync::IsrSet& set) {
    t.emptied.clear();
    const auto& replica = truth_.cluster.replica(t.group, self_);
    if (!set.own() || !replica.leads() || replica.epoch != set.epoch()) return;
    if (std::exchange(t.vouched_in, set.epoch()) != set.epoch()) {
        t.vouched.clear();
        t.disavowed.clear();
    }
    for (const NodeId node : t.assigned) {
        if (node == self_) continue;
        const bool is_member = truth_.cluster.membership(t.group, self_).find(node) != nullptr;
        if (is_member && replica.peers[static_cast<std::size_t>(node)].verified) {
            t.vouched.insert(node);
            t.disavowed.erase(node);
            continue;
        }
        if (!is_member || t.vouched.erase(node) != 0) t.disavowed.insert(node);
        if (t.disavowed.contains(node) && set.contains(node))
            report_.fail("S2", "node {} group {}: {} is a member, which the view vouches not for",
                         self_, t.group, node);
    }
}

/// S1: a node that led alone has joined others in a lower epoch, and its host has not said so yet.
inline void Host::check_fallen(const Tracked& t, const insync::IsrSet& set) {
    report_.reach(Mark::fell_unnoticed);
    if (set.own())
        report_.fail("S1", "node {} group {}: leads in epoch {}, and its view has left that", self_,
                     t.group, set.epoch());
    if (manager_->counters().epochs_fallen == 0)
        report_.fail("S1", "node {} group {}: its epoch fell, which nobody can see", self_,
                     t.group);
}

inline void Host::check_members_after_sweep(Tracked& t, const insync::IsrSet& set) {
    const auto& replica = truth_.cluster.replica(t.group, self_);
    const auto& membership = truth_.cluster.membership(t.group, self_);
    const auto& config = plan_.config;
    std::size_t reached = 0;
    for (const insync::testing::SimulatedMember& member : membership.members) {
        if (member.kind != insync::ReplicaKind::voter) continue;
        const auto& peer = replica.peers[static_cast<std::size_t>(member.node)];
        const TimePoint heard = std::max({peer.contact, t.began, t.told_alive(member.node)});
        const bool recent = insync::saturating_age(seen_, heard) <= config.quorum_contact_ms;
        if (member.node == self_ || recent) ++reached;
    }
    // A leader that is no voter any more counts itself for as long as it leads.
    if (!plan_.cluster.steps_down && membership.is_voter(self_) &&
        manager_->has_min_isr(t.handle) && !insync::is_majority(reached, membership.voters()))
        report_.fail("S5", "node {} group {}: writes are accepted with {} of {} voters reached",
                     self_, t.group, reached, membership.voters());
    for (const NodeId node : set.members()) {
        if (node == self_) continue;
        if (!membership.is_voter(node))
            report_.fail("S3", "node {} group {}: member {} is no voter", self_, t.group, node);
        const auto& peer = replica.peers[static_cast<std::size_t>(node)];
        if (!peer.verified) report_.reach(Mark::unconfirmed_member);
        const TimePoint heard = std::max({peer.contact, t.began, t.told_alive(node)});
        const Millis silence = insync::saturating_age(seen_, heard);
        const Index behind = replica.log.end() - std::min(peer.match, replica.log.end());
        const bool out =
            silence > config.max_lag_ms || (peer.verified && behind > config.max_lag_entries);
        if (out && !stalled_)
            report_.fail("L8", "node {} group {}: member {} stays, silent for {} ms, {} behind",
                         self_, t.group, node, silence.count(), behind);
    }
}

/// V2: what every node must say once all is well and still.
inline void Host::expect_converged(GroupNumber group, const insync::IsrSet& due) {
    const auto& assigned = tracked_[group].assigned;
    const bool is_assigned = std::find(assigned.begin(), assigned.end(), self_) != assigned.end();
    const auto set = manager_->get_isr(tracked_[group].handle);
    // Who is no member of the group hears of no leader.
    const bool named = set->leader() == due.leader();
    if (*set != due || ((set->stale() || !named) && is_assigned))
        report_.fail("V2",
                     "node {} group {}: {} epoch {} version {} leader {}{}, the leader {} says {} "
                     "epoch {} version {}",
                     self_, group, set->members(), set->epoch(), set->version(), set->leader(),
                     set->stale() ? " stale" : "", due.leader(), due.members(), due.epoch(),
                     due.version());
    if (!tracked_[group].waits.empty())
        report_.fail("V4", "node {} group {}: waits are still pending", self_, group);
}

} // namespace simulation
