#pragma once

#include <insync/counters.hpp>
#include <insync/detail/event_queue.hpp>
#include <insync/detail/isr_engine.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/outcome.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/published_state.hpp>
#include <insync/detail/replica_sets.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/high_watermark.hpp>
#include <insync/isr_set.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>

namespace insync::detail {

/// Who leads, as far as this node knows; a node that does not lead never names itself (S5).
[[gnu::always_inline]] inline NodeId IsrEngine::leader_of(const Decision& decision,
                                                          const ReplicaSet& replicas,
                                                          std::uint32_t count) const noexcept {
    const std::uint32_t leader = decision.word.leader();
    const NodeId node = leader < count ? replicas[leader] : kNoNode;
    return node == self && !decision.own ? kNoNode : node;
}

/// Members first, then the others.
[[gnu::noinline]] inline void IsrEngine::fill_parted(const ReplicaSet& replicas,
                                                     Mask members,
                                                     IsrSet& set) noexcept {
    std::uint32_t in = 0;
    auto out = static_cast<std::uint32_t>(detail::count(members));
    set.size_ = static_cast<std::uint8_t>(out);
    for (std::uint32_t i = 0; i < set.count_; ++i)
        set.nodes_[(members & bit(i)) != 0 ? in++ : out++] = replicas[i];
}

[[gnu::noinline]] inline void IsrEngine::fill_large(const ReplicaSet& replicas,
                                                    IsrSet& set) noexcept {
    for (std::uint32_t i = 3; i < set.count_; ++i) set.nodes_[i] = replicas[i];
}

/// The set that readers get for a decision. A reader may call it with nonsense, and will find out:
/// it stays within the arrays.
[[gnu::always_inline]] inline void IsrEngine::fill(const Decision& decision,
                                                   IsrSet& set) const noexcept {
    const ReplicaSet& replicas = partitions.replica_sets[decision.replica_set];
    const std::uint32_t count = std::min<std::uint32_t>(replicas.count(), kMaxReplicas);
    const Mask members = static_cast<Mask>(decision.word.members() & all_of(count));
    set.count_ = static_cast<std::uint8_t>(count);
    set.size_ = set.count_;
    if (members == all_of(count)) [[likely]] {
        // Three at once, of which those beyond the count mean nothing; most sets have no more.
        for (std::uint32_t i = 0; i < 3; ++i) set.nodes_[i] = replicas[i];
        if (count > 3) [[unlikely]]
            fill_large(replicas, set);
    } else {
        fill_parted(replicas, members, set);
    }
    set.leader_ = leader_of(decision, replicas, count);
    set.order_ = std::uint64_t{decision.epoch} << 32 | decision.version;
    set.changed_at_ = timeline.from_origin(decision.changed_at);
    set.own_ = decision.own;
    set.leader_ahead_ = decision.named;
    set.stale_ = decision.stale;
}

/// Puts `p.decision` in force: counts and describes what changed since `draft`, publishes it to the
/// readers, queues it for the listeners. Without memory or versions left it changes nothing, sets
/// `p.decision` back and says so; a change of the flags alone cannot fail.
inline Result IsrEngine::commit(
    Partition& p, const Draft& draft, Now now, Outcome& outcome, EventQueue::Prepared* ready) {
    const Decision& before = draft.before;
    Decision next = p.decision;
    LeaderLine& line = p.line();
    const bool enough = count(next.word.members()) >= p.min_isr(config);
    next.word = next.word.decided(next.word.members(), next.word.leader(),
                                  line.leading != 0 && line.quorum != 0 && enough);
    next.own = line.leading != 0;
    const bool assignment = next.replica_set != before.replica_set;
    const bool changed = assignment || draft.cause == ChangeCause::became_leader ||
                         draft.cause == ChangeCause::renumbered ||
                         next.word.members() != before.word.members() ||
                         next.epoch != before.epoch || next.version != before.version;
    if (!changed && next.word.bits() == before.word.bits() && next.own == before.own &&
        next.stale == before.stale && next.named == before.named)
        return Result::ok;
    if (changed) {
        // Only who decides numbers: a published set has its version, and a follower whose
        // assignment changed keeps the leader's.
        const bool decides = line.leading != 0 || line.deposed != 0;
        const bool numbers = draft.cause != ChangeCause::published && decides;
        if (numbers && std::max(before.version, next.version) >= kMaxVersion) {
            p.decision = before;
            return Result::epoch_exhausted;
        }
        if (numbers) next.version = std::max(before.version, next.version) + 1;
        next.changed_at = timeline.since_origin(now.time) & Decision::kMostTime;
        const bool same_order = next.epoch == before.epoch && next.version == before.version;
        if (same_order) next.changed_at = std::max(next.changed_at, before.changed_at + 1);
        EventQueue::Prepared prepared;
        try {
            if (ready != nullptr)
                prepared.splice(prepared.end(), *ready);
            else if (events.wanted())
                prepare(p, prepared);
        } catch (const std::bad_alloc&) {
            p.decision = before;
            return Result::no_memory;
        }
        if (!prepared.empty()) {
            describe(p, next, draft, now, prepared.front().change);
            events.push(prepared);
        }
        if (draft.cause != ChangeCause::published && !assignment) {
            const Mask was = before.word.members();
            const Mask is = next.word.members();
            AtomicCounters::add(counters.shrinks, count(static_cast<Mask>(was & ~is)));
            AtomicCounters::add(counters.expands, count(static_cast<Mask>(is & ~was)));
        }
        // A member that has just joined is in no claim that was made before.
        revoke_claim(p);
        if (line.leading != 0 && publishing.load(std::memory_order_relaxed)) {
            line.unpublished = 1;
            outcome.publish_word = &p.word();
            outcome.publish_identity = next.word.identity();
        }
    }
    const PublishedState::Lease lease{partitions.published};
    partitions.published.publish(lease, p.word(), next);
    p.decision = next;
    return Result::ok;
}

/// Obtains the memory that the description of a change needs. Throws `std::bad_alloc`.
inline void IsrEngine::prepare(const Partition& p, EventQueue::Prepared& prepared) const {
    prepared.emplace_back().change.topic = partitions.topics.topic(p.line().topic).name();
}

inline void IsrEngine::describe(const Partition& p,
                                const Decision& next,
                                const Draft& draft,
                                Now now,
                                IsrChange& change) const {
    change.partition = static_cast<PartitionId>(p.line().partition);
    change.cause = draft.cause;
    change.before = isr_set(draft.before);
    change.after = isr_set(next);
    const auto moved = [&](NodeId node, bool added) {
        MovedReplica one{node, added, std::nullopt, Millis{0}};
        const std::uint32_t position = p.replicas().position(node);
        const bool followed = p.line().leading != 0 || p.line().deposed != 0;
        const bool measured = followed && position != ReplicaSet::kNone && position != p.self();
        if (measured) {
            const ReplicaLag lag = p.lag(position, now.stamp);
            one.lag_entries = lag.entries;
            one.lag_entries_at_least = lag.entries_at_least;
            one.lag_ms = lag.time;
        }
        change.moved.push_back(one);
    };
    for (const NodeId node : change.before.members())
        if (!change.after.contains(node)) moved(node, false);
    for (const NodeId node : change.after.members())
        if (!change.before.contains(node)) moved(node, true);
}

/// After progress and changes: the high watermark, then the waits (S4, S6).
inline void IsrEngine::settle(Partition& p, Outcome& outcome) {
    LeaderLine& line = p.line();
    if (line.leading == 0) return;
    const bool enough = count(p.members()) >= p.min_isr(config);
    const Index held = p.held_by_all();
    const Index before = line.high_watermark();
    const Index next = advance_high_watermark(before, held, enough);
    if (next != before) line.set_high_watermark(next);
    if (line.has_waits == 0) [[likely]]
        return;
    if (!enough) {
        end_waits(p, WaitResult::not_enough_replicas, outcome);
        return;
    }
    const Index proven = acknowledgeable(p.commit(), held, enough);
    if (!waits.commit(p.decision.word.identity(), proven, outcome.ended)) line.has_waits = 0;
}

inline void IsrEngine::end_waits(Partition& p, WaitResult result, Outcome& outcome) {
    if (p.line().has_waits == 0) return;
    waits.end_all(p.decision.word.identity(), result, outcome.ended);
    p.line().has_waits = 0;
}

/// Whether the partition is so ordinary that its line alone says everything (`LeaderLine`).
inline bool IsrEngine::is_settled(const Partition& p, Stamp now) const {
    const Extra* const more = p.extra();
    if (more == nullptr) return true;
    if (p.replicas().count() > LeaderLine::kNear + 1) return false;
    if (more->ineligible != 0 || more->held_out != 0) return false;
    if (more->holds)
        for (std::size_t i = 0; i < kMaxReplicas; ++i)
            if (is_later(more->holds->until[i], now) ||
                (more->holds->departures[i] > 0 &&
                 Millis{age(now, more->holds->left_at[i])} <= config.damping.penalty_window))
                return false;
    const Index end = p.line().end;
    bool settled =
        more->durable == end && more->commit == end && p.members() == all_of(p.replicas().count());
    p.for_each_follower(p.members(), [&](std::uint32_t position) {
        settled = settled && p.holds_end(position) &&
                  !is_later(p.kept_caught_up(position), p.contact(position)) &&
                  !is_later(more->began, p.contact(position));
    });
    return settled;
}

/// After an observation: lets go of what is not needed any more, and says whether the partition
/// must be looked at in every sweep.
inline void IsrEngine::tidy(Partition& p, Stamp now, Judging& judging) {
    LeaderLine& line = p.line();
    const bool waiting =
        line.read_failed != 0 || line.unpublished != 0 || line.deposed != 0 || line.no_leader != 0;
    judging.attention = judging.attention || waiting;
    if (line.leading == 0) {
        if (!waiting) partitions.drop_extra(line);
        return;
    }
    // Who is out of sync may come back by its contact alone, of which no version tells; a push
    // does, and flags the partition.
    bool all_well = true;
    p.for_each_follower(all_of(p.replicas().count()), [&](std::uint32_t position) {
        if (!p.eligible(position)) return;
        all_well = all_well && p.confirmed(position) && (p.members() & bit(position)) != 0;
    });
    if (!all_well && !pushes) judging.attention = true;
    if (line.extra == 0) return;
    if (!waiting && is_settled(p, now))
        partitions.drop_extra(line);
    else
        p.known_extra().samples.forget(line.end, now, max_lag);
}

/// What the sweep asks of a partition whose block has fallen due: is anything about to change?
inline bool IsrEngine::expires(Partition& p, Now now, Judging& judging) {
    LeaderLine& line = p.line();
    judging.expiry = after(now.stamp, max_lag);
    judging.attention = false;
    if (line.fresh_period != (period.load(std::memory_order_relaxed) & 0xff)) {
        // Period numbers come again: a claim must not outlive its round.
        revoke_claim(p);
    }
    if (line.leading == 0 || line.extra != 0 || p.replicas().count() == 1) return true;
    bool due = false;
    const auto lapses = [&](Stamp when) {
        due = due || !is_later(when, now.stamp);
        judging.expiry = earlier(judging.expiry, when);
    };
    p.for_each_follower(all_of(p.replicas().count()), [&](std::uint32_t position) {
        if ((p.members() & bit(position)) == 0) due = true;
        lapses(after(p.caught_up(position), max_lag + 1));
        if (line.quorum_derived != 0) lapses(after(p.contact(position), quorum_contact + 1));
    });
    return due;
}

} // namespace insync::detail
