#pragma once

#include <insync/consensus_view.hpp>
#include <insync/detail/isr_engine.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/outcome.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/published_state.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/types.hpp>

#include <cstdint>

namespace insync::detail {

inline Result IsrEngine::follow(
    Partition& p, const GroupState& state, Now now, Judging& judging, Outcome& outcome) {
    LeaderLine& line = p.line();
    if (line.leading != 0) resign(p, now, outcome);
    // Where members fall out here, it is because a former leader lost its quorum (S7).
    const Draft before = draft(p, ChangeCause::quorum_lost);
    line.epoch = static_cast<std::uint32_t>(state.epoch);
    line.epoch_viewed = 1;
    if (state.leader != kNoNode && state.leader != self) {
        line.deposed = line.no_leader = 0;
        p.decision.stale = false;
        const Result committed = commit(p, before, now, outcome);
        name_leader(p, state.leader);
        return committed;
    }
    Extra* const more = p.obtain_extra(now.stamp);
    if (more != nullptr) {
        // A leader was known at the last good read, as far as this node can tell.
        const Stamp known = line.read_failed != 0 ? more->last_read : now.stamp;
        if (line.no_leader == 0) more->leaderless = known;
        line.no_leader = 1;
        if (line.deposed != 0) age_former_leader(p, now, judging);
        p.decision.stale = age(now.stamp, more->leaderless) >= max_lag;
    }
    const Result committed = commit(p, before, now, outcome);
    return more == nullptr ? Result::no_memory : committed;
}

/// Names the leader that the view knows, where the set is of an older epoch or of this node, which
/// leads no more (S5). It is no change of the set: no version, no event; cannot fail.
inline void IsrEngine::name_leader(Partition& p, NodeId leader) {
    const LeaderLine& line = p.line();
    const StateWord word = p.decision.word;
    const bool own = word.leader() == line.self && p.assigned_here();
    if (p.decision.epoch == line.epoch && !own) return;
    const std::uint32_t position = leader_position(p.replicas(), leader);
    if (position == word.leader() && p.decision.named) return;
    p.decision.named = true;
    p.decision.word = word.decided(word.members(), position, word.has_min());
    const PublishedState::Lease lease{partitions.published};
    partitions.published.publish(lease, p.word(), p.decision);
}

/// Ends a leadership that the view says is over, in force at once, memory or not: only flags of the
/// decision change.
inline void IsrEngine::resign(Partition& p, Now now, Outcome& outcome) {
    step_down(p, outcome);
    (void)commit(p, draft(p, ChangeCause::quorum_lost), now, outcome);
}

/// Leadership is over: waits end, writes are refused. Cannot fail.
inline void IsrEngine::step_down(Partition& p, Outcome& outcome) {
    LeaderLine& line = p.line();
    line.observation = (line.observation + 1) & 0xff; // a read that began before is out of date
    line.leading = 0;
    line.quorum = 0;
    line.deposed = line.decided_here = 1;
    line.unpublished = 0; // a former leader publishes nothing
    end_waits(p, WaitResult::not_leader, outcome);
    revoke_claim(p);
}

/// S7: the members of a leader without a quorum fall out as their ages pass the limit.
inline void IsrEngine::age_former_leader(Partition& p, Now now, Judging& judging) const {
    Mask members = p.members();
    p.for_each_follower(members, [&](std::uint32_t position) {
        if (judging.may_evict && age(now.stamp, p.caught_up(position)) > max_lag)
            members = static_cast<Mask>(members & ~bit(position));
    });
    set_members(p, members, p.decision.word.leader());
}

} // namespace insync::detail
