#pragma once

#include <insync/consensus_view.hpp>
#include <insync/detail/isr_engine.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/outcome.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/handle.hpp>
#include <insync/isr_rules.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace insync::detail {

/// Whether a state contradicts itself: then nothing of it is believed (S10).
[[nodiscard]] inline bool is_consistent(const GroupState& state, NodeId self) noexcept {
    if (!state.leading) return true;
    if (state.leader != self && state.leader != kNoNode) return false;
    if (state.end > kMaxIndex || state.commit > state.end || state.durable > state.end)
        return false;
    for (std::size_t i = 0; i < state.followers.size(); ++i) {
        const NodeId node = state.followers[i].node;
        if (node == self || node < 0) return false;
        for (std::size_t j = 0; j < i; ++j)
            if (state.followers[j].node == node) return false;
    }
    return true;
}

inline Result IsrEngine::take_in(Partition& p,
                                 ReadResult read,
                                 const GroupState& state,
                                 Now now,
                                 Judging& judging,
                                 Outcome& outcome) {
    judging.expiry = after(now.stamp, max_lag);
    judging.attention = false;
    LeaderLine& line = p.line();
    line.observation = (line.observation + 1) & 0xff;
    p.clamp_stamps(now.stamp);
    if (read == ReadResult::torn) return failed_read(p, Result::torn, now, judging, outcome);
    if (read == ReadResult::unavailable)
        return failed_read(p, Result::unavailable, now, judging, outcome);
    if (!is_consistent(state, self) || (state.leading && !p.assigned_here()))
        return failed_read(p, Result::inconsistent_view, now, judging, outcome);
    if (state.epoch > kMaxEpoch)
        return failed_read(p, Result::epoch_exhausted, now, judging, outcome);
    if (state.epoch < line.epoch) return failed_read(p, Result::stale, now, judging, outcome);
    const Result result = state.leading ? lead(p, state, now, judging, outcome)
                                        : follow(p, state, now, judging, outcome);
    line.read_failed = 0;
    tidy(p, now.stamp, judging);
    if (result != Result::ok) judging.attention = true;
    return result;
}

/// A read that was not good changes nothing; when there was no good one for `max_lag_ms`, the
/// partition is as good as without a quorum (S2, S7).
inline Result IsrEngine::failed_read(
    Partition& p, Result why, Now now, Judging& judging, Outcome& outcome) {
    LeaderLine& line = p.line();
    judging.attention = true;
    Extra* const more = p.obtain_extra(now.stamp);
    if (more == nullptr) return Result::no_memory;
    if (line.read_failed == 0) more->last_read = judging.last_sweep;
    line.read_failed = 1;
    if (age(now.stamp, more->last_read) <= max_lag) return why;
    line.quorum = 0;
    // First the answer to writes, which cannot fail for want of memory; then the members.
    (void)commit(p, draft(p, ChangeCause::quorum_lost), now, outcome);
    const Draft before = draft(p, ChangeCause::quorum_lost);
    if (line.leading != 0 || line.deposed != 0)
        age_former_leader(p, now, judging);
    else
        p.decision.stale = true;
    const Result committed = commit(p, before, now, outcome);
    settle(p, outcome);
    return committed == Result::ok ? why : committed;
}

inline Result IsrEngine::lead(
    Partition& p, const GroupState& state, Now now, Judging& judging, Outcome& outcome) {
    LeaderLine& line = p.line();
    const bool begins = line.leading == 0 || state.epoch > line.epoch;
    if (begins && line.leading != 0) resign(p, now, outcome);
    Draft before = draft(p, ChangeCause::became_leader);
    if (begins && !begin_epoch(p, state, now, outcome)) return Result::no_memory;
    // The end was what it was at least until it was last read or known to be unchanged.
    Stamp until = judging.saw_all ? judging.last_sweep : long_before(now.stamp);
    if (line.read_failed != 0 && line.extra != 0) until = p.extra()->last_read;
    if (!set_positions(p, {state.end, state.durable, state.commit}, until, now) ||
        !take_in_rows(p, state, now)) {
        if (begins) line.leading = 0;
        p.decision = before.before;
        return Result::no_memory;
    }
    p.catch_up_by_samples();
    const ChangeCause cause = judge_members(p, now, judging);
    if (!begins) before.cause = cause;
    line.quorum_derived = state.quorum == Quorum::unreported ? 1 : 0;
    if (line.quorum_derived != 0) derives_quorum.store(true, std::memory_order_relaxed);
    judge_quorum(p, state, now, judging);
    const Result committed = commit(p, before, now, outcome);
    if (committed != Result::ok && begins) line.leading = 0; // the next observation begins again
    settle(p, outcome);
    if (line.unpublished != 0) { // sent again until the metadata shows it (S8)
        outcome.publish_word = &p.word();
        outcome.publish_identity = p.decision.word.identity();
    }
    return committed;
}

/// Nothing is known of the followers in a new epoch; members of the inherited ISR have one
/// `max_lag_ms` of grace (S3). \return false without memory, and then nothing began.
inline bool IsrEngine::begin_epoch(Partition& p,
                                   const GroupState& state,
                                   Now now,
                                   Outcome& outcome) {
    LeaderLine& line = p.line();
    Extra* const more = p.obtain_extra(now.stamp);
    if (more == nullptr) return false;
    end_waits(p, WaitResult::not_leader, outcome);
    // One that acted alone, having heard of no leader, inherits itself (S8): what was published
    // before may be long out of date.
    const bool alone = line.no_leader != 0 && p.decision.stale && line.deposed == 0;
    Mask inherited =
        static_cast<Mask>((alone ? 0 : p.members()) | bit(static_cast<std::uint32_t>(line.self)));
    p.for_each_follower(inherited, [&](std::uint32_t position) {
        if (dead.contains(p.replicas()[position]))
            inherited = static_cast<Mask>(inherited & ~bit(position));
    });
    line.leading = 1;
    line.deposed = line.no_leader = line.masked = 0;
    line.epoch = static_cast<std::uint32_t>(state.epoch);
    line.end = 0;
    line.set_high_watermark(0);
    more->durable = more->commit = 0;
    line.durable_behind = 0; // as the end is 0 as well
    more->samples.clear();
    more->held_out = 0;
    more->holds.reset();
    more->began = now.stamp;
    p.for_each_follower(all_of(p.replicas().count()), [&](std::uint32_t position) {
        p.match(position) = kUnconfirmed;
        p.contact(position) = long_before(now.stamp);
        const bool member = (inherited & bit(position)) != 0;
        p.kept_caught_up(position) = member ? now.stamp : long_before(now.stamp);
    });
    p.decision.epoch = line.epoch;
    p.decision.stale = false;
    set_members(p, inherited, static_cast<std::uint32_t>(line.self));
    return true;
}

/// Takes in the leader's own positions, each of which only rises within an epoch.
/// \return false without memory, and then nothing changed
inline bool IsrEngine::set_positions(Partition& p,
                                     const LeaderPositions& positions,
                                     Stamp until,
                                     Now now) const {
    LeaderLine& line = p.line();
    const bool plain = line.extra == 0 && positions.end <= line.end &&
                       positions.durable >= line.end && positions.commit >= line.end;
    if (plain) return true;
    if (!p.raise_end(positions.end, until, now.stamp, (max_lag + 7) / 8)) return false;
    Extra* const more = p.extra();
    if (more == nullptr) return true; // smaller positions than before change nothing
    more->durable = std::max(more->durable, std::min(positions.durable, line.end));
    more->commit = std::max(more->commit, std::min(positions.commit, line.end));
    line.durable_behind = more->durable < line.end ? 1 : 0;
    return true;
}

/// Takes in the view's rows. \return false without memory
inline bool IsrEngine::take_in_rows(Partition& p, const GroupState& state, Now now) {
    const LeaderLine& line = p.line();
    Mask voters = 0;
    for (const FollowerRow& row : state.followers) {
        const std::uint32_t position = p.replicas().position(row.node);
        if (position == ReplicaSet::kNone) continue; // not assigned, or not yet
        if (row.kind == ReplicaKind::voter) voters = static_cast<Mask>(voters | bit(position));
        if (row.verified && row.match > line.end) {
            (void)counters.count(
                Result::beyond_leader_end); // S10: and nothing of the row is believed
            continue;
        }
        Index& match = p.match(position);
        if (row.verified && (match == kUnconfirmed || row.match > match)) match = row.match;
        if (row.contact != kNever)
            p.contact(position) = later(p.contact(position), timeline.stamp(row.contact, now.time));
    }
    // An assigned replica without a row is no member of the group yet, or no more.
    const Mask self_bit = bit(static_cast<std::uint32_t>(line.self));
    const Mask ineligible = static_cast<Mask>(all_of(p.replicas().count()) & ~voters & ~self_bit);
    if (ineligible != 0 && p.obtain_extra(now.stamp) == nullptr) return false;
    if (Extra* const more = p.extra()) more->ineligible = ineligible;
    return true;
}

/// Applies S3 to every follower; changes `p.decision`. \return why it changed.
inline ChangeCause IsrEngine::judge_members(Partition& p, Now now, Judging& judging) {
    const LagLimits staying = staying_limits(config);
    const LagLimits joining = joining_limits(config);
    ChangeCause cause = ChangeCause::lag;
    const Mask before = p.members();
    Mask members = before;
    p.for_each_follower(all_of(p.replicas().count()), [&](std::uint32_t position) {
        const bool member = (before & bit(position)) != 0;
        const auto kind = p.eligible(position) ? ReplicaKind::voter : ReplicaKind::learner;
        const ReplicaLag lag = p.lag(position, now.stamp);
        const Verdict verdict =
            member ? judge_member(kind, lag, staying) : judge_outsider(kind, lag, joining);
        if (member && verdict == Verdict::not_eligible) {
            members = static_cast<Mask>(members & ~bit(position));
            cause = ChangeCause::membership;
        } else if (member && verdict != Verdict::in_sync) {
            if (judging.may_evict)
                members = static_cast<Mask>(members & ~bit(position));
            else
                judging.attention = true;
        } else if (!member && verdict == Verdict::in_sync) {
            if (may_join(p, position, now.stamp))
                members = static_cast<Mask>(members | bit(position));
            else
                judging.expiry = earlier(judging.expiry, p.extra()->holds->until[position]);
        }
        if ((members & bit(position)) != 0)
            judging.expiry = earlier(judging.expiry, after(p.caught_up(position), max_lag + 1));
    });
    if ((before & ~members) != 0)
        note_departures(p, static_cast<Mask>(before & ~members), now.stamp);
    set_members(p, members, static_cast<std::uint32_t>(p.line().self));
    return cause;
}

/// Whether nothing holds a replica out whose lag would let it in: a manual removal, or flap
/// damping (S3).
inline bool IsrEngine::may_join(Partition& p, std::uint32_t position, Stamp now) {
    Extra* const more = p.extra();
    if (more == nullptr || !more->holds) return true;
    const bool over = !is_later(more->holds->until[position], now);
    const bool by_hand = (more->held_out & bit(position)) != 0;
    if (over)
        more->held_out = static_cast<Mask>(more->held_out & ~bit(position));
    else if (!by_hand)
        AtomicCounters::add(counters.damped_joins);
    return over;
}

inline void IsrEngine::note_departures(Partition& p, Mask left, Stamp now) {
    if (config.damping.min_dwell.count() <= 0) return;
    Extra* const more = p.obtain_extra(now);
    if (more == nullptr) return;
    if (!more->holds) more->holds.reset(new (std::nothrow) Extra::Holds{now});
    if (!more->holds) return; // without memory a replica comes back undamped
    Extra::Holds& holds = *more->holds;
    p.for_each_follower(left, [&](std::uint32_t position) {
        const auto since = Millis{age(now, holds.left_at[position])};
        std::uint8_t& departures = holds.departures[position];
        departures = since > config.damping.penalty_window
                         ? std::uint8_t{1}
                         : static_cast<std::uint8_t>(std::min(departures + 1, 255));
        holds.left_at[position] = now;
        const auto dwell = dwell_after(config.damping, departures).count();
        const auto most = static_cast<Millis::rep>(kMaxAge);
        holds.until[position] = after(now, static_cast<std::uint32_t>(std::min(dwell, most)));
    });
}

/// Whether the leader reaches a majority of the group's voters: as the view says, or by the
/// contacts (S5).
inline void IsrEngine::judge_quorum(Partition& p,
                                    const GroupState& state,
                                    Now now,
                                    Judging& judging) const {
    LeaderLine& line = p.line();
    if (state.quorum != Quorum::unreported) {
        line.quorum = state.quorum == Quorum::held ? 1 : 0;
        return;
    }
    const Extra* const more = p.extra();
    std::size_t voters = 1;
    std::size_t reached = 1;
    for (const FollowerRow& row : state.followers) {
        if (row.kind != ReplicaKind::voter) continue;
        ++voters;
        const std::uint32_t position = p.replicas().position(row.node);
        const bool assigned = position != ReplicaSet::kNone;
        Stamp contact = assigned ? p.contact(position) : timeline.stamp(row.contact, now.time);
        // A majority voted for this node when its epoch began.
        if (more != nullptr) contact = later(contact, more->began);
        if (!assigned) judging.attention = true; // nobody keeps its contact
        if (age(now.stamp, contact) > quorum_contact) continue;
        ++reached;
        judging.expiry = earlier(judging.expiry, after(contact, quorum_contact + 1));
    }
    line.quorum = is_majority(reached, voters) ? 1 : 0;
    // Contacts alone bring it back, and no version tells of them.
    if (line.quorum == 0) judging.attention = true;
}

inline Result IsrEngine::follow(
    Partition& p, const GroupState& state, Now now, Judging& judging, Outcome& outcome) {
    LeaderLine& line = p.line();
    if (line.leading != 0) resign(p, now, outcome);
    // Where members fall out here, it is because a former leader lost its quorum (S7).
    const Draft before = draft(p, ChangeCause::quorum_lost);
    line.epoch = static_cast<std::uint32_t>(state.epoch);
    if (state.leader != kNoNode && state.leader != self) {
        line.deposed = line.no_leader = 0;
        p.decision.stale = false;
        return commit(p, before, now, outcome);
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
    line.deposed = 1;
    line.unpublished = 0; // a former leader publishes nothing
    end_waits(p, WaitResult::not_leader, outcome);
    line.fresh_period = 0;
    partitions.freshness_of(p.slot()).set(p.slot(), Freshness::kNever);
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
