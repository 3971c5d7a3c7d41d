#pragma once

#include <insync/consensus_view.hpp>
#include <insync/counters.hpp>
#include <insync/detail/isr_engine.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/outcome.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/isr_rules.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <fmt/format.h> // IWYU pragma: keep

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
    judging.disavowed = 0;
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
    if (state.epoch < line.epoch) {
        if (line.epoch_viewed != 0) note_fallen_epoch(p, state.epoch, now);
        // What it leads is another group than the one that its view shows now.
        if (line.leading != 0) resign(p, now, outcome);
        return failed_read(p, Result::stale, now, judging, outcome);
    }
    const Result result = state.leading ? lead(p, state, now, judging, outcome)
                                        : follow(p, state, now, judging, outcome);
    line.read_failed = 0;
    if (Extra* const more = p.extra()) more->epoch_fell = false;
    tidy(p, now.stamp, judging);
    if (result != Result::ok) judging.attention = true;
    return result;
}

/// A term does not fall where Raft is whole: this node has joined another cluster, or its disk was
/// put back. What the view says from now on is older than what is known, until the host registers
/// the partition anew; so it is told, once.
inline void IsrEngine::note_fallen_epoch(Partition& p, Epoch epoch, Now now) {
    Extra* const more = p.obtain_extra(now.stamp);
    if (more == nullptr || more->epoch_fell) return;
    more->epoch_fell = true;
    AtomicCounters::add(counters.epochs_fallen);
    if (!events.wanted()) return;
    try {
        EventQueue::Prepared prepared;
        prepared.emplace_back().notice = fmt::format(
            "EPOCH FELL: {}-{} is in epoch {} after epoch {}: its view is not believed "
            "until it is past that, or the partition is registered anew",
            partitions.topics.topic(p.line().topic).name(), p.line().partition, epoch,
            p.line().epoch + 0u);
        events.push(prepared);
    } catch (const std::bad_alloc&) { // `epochs_fallen` tells it all the same
        (void)counters.count(Result::no_memory);
    }
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
    if (line.read_failed != 0 && line.extra != 0) until = p.known_extra().last_read;
    if (!set_positions(p, {state.end, state.durable, state.commit}, until, now) ||
        !take_in_rows(p, state, now, judging)) {
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
    if (Extra* const more = p.extra(); more != nullptr && state.epoch_start != 0)
        more->epoch_start = state.epoch_start;
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
    line.deposed = line.no_leader = line.masked = line.decided_here = 0;
    line.epoch_viewed = 1;
    line.epoch = static_cast<std::uint32_t>(state.epoch);
    line.end = 0;
    line.set_high_watermark(0);
    more->durable = more->commit = 0;
    line.durable_behind = 0; // as the end is 0 as well
    more->samples.clear();
    more->held_out = 0;
    more->holds.reset();
    more->began = now.stamp;
    more->epoch_start = state.end + 1; // what was appended since is of this epoch
    p.for_each_follower(all_of(p.replicas().count()), [&](std::uint32_t position) {
        p.match(position) = kUnconfirmed;
        p.contact(position) = long_before(now.stamp);
        const bool member = (inherited & bit(position)) != 0;
        p.kept_caught_up(position) = member ? now.stamp : long_before(now.stamp);
    });
    p.decision.epoch = line.epoch;
    p.decision.stale = p.decision.named = false;
    set_members(p, inherited, static_cast<std::uint32_t>(line.self));
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
            if (judging.may_evict || (judging.disavowed & bit(position)) != 0)
                members = static_cast<Mask>(members & ~bit(position));
            else
                judging.attention = true;
        } else if (!member && verdict == Verdict::in_sync) {
            if (may_join(p, position, now.stamp))
                members = static_cast<Mask>(members | bit(position));
            else
                judging.expiry = earlier(judging.expiry, p.known_extra().holds->until[position]);
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

} // namespace insync::detail
