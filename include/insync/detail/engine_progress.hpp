#pragma once

#include <insync/detail/isr_engine.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/outcome.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/replica_sets.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/handle.hpp>
#include <insync/high_watermark.hpp>
#include <insync/replication_waits.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>

namespace insync::detail {

/// Tells the sweep that nothing about a partition expires within this period (`Freshness`): every
/// replica is a member, holds the end, and was in contact since the period began. Only where there
/// is no extra, so for at most two followers.
inline void IsrEngine::claim_fresh(LeaderLine& line, StateWord word, std::size_t replicas) const {
    const std::uint64_t current = period.load(std::memory_order_relaxed);
    const auto number = static_cast<std::uint8_t>(current);
    if (line.fresh_period == number || line.extra != 0) return;
    const Stamp start{static_cast<std::uint32_t>(current >> 8)};
    bool fresh = word.members() == all_of(replicas);
    for (std::size_t k = 0; k + 1 < replicas; ++k)
        fresh = fresh && line.match[k] != kUnconfirmed && line.match[k] >= line.end &&
                !is_later(start, line.contact[k]);
    if (!fresh) return;
    line.fresh_period = number;
    partitions.freshness_of(word.slot()).set(word.slot(), number);
}

/// `record_progress` for the ordinary case: a leader of at most three replicas that has min ISR, a
/// member, and nobody waiting. It reads the line and the replica set, no more.
/// \return false when it is another case; then nothing was done
inline bool IsrEngine::record_ordinary(LeaderLine& line,
                                       StateWord word,
                                       const Acknowledgement& ack,
                                       Result& result) const {
    const ReplicaSet& replicas = partitions.replica_sets[line.replica_set];
    const std::uint32_t count = replicas.count();
    const std::uint32_t position = replicas.position_of_three(ack.node);
    const bool ordinary = word.has_min() && line.has_waits == 0 && ack.epoch == line.epoch &&
                          ack.match <= line.end && count <= LeaderLine::kNear + 1 &&
                          position < count && position != line.self &&
                          (word.members() >> position & 1) != 0;
    if (!ordinary) [[unlikely]]
        return false;
    const std::uint32_t k = line.follower(position);
    // One more than the match: what is not confirmed becomes 0, and is below everything.
    const bool raised = ack.match + 1 > line.match[k] + 1;
    const bool heard = is_later(ack.contact, line.contact[k]);
    if (heard) line.contact[k] = ack.contact;
    if (raised) {
        line.match[k] = ack.match;
        line.pushes = (line.pushes + 1) & 0x7f;
        const bool behind = line.durable_behind != 0;
        Index held = (behind ? partitions.extra(line.extra).durable : line.end) + 1;
        for (std::uint32_t i = 0; i < LeaderLine::kNear; ++i) {
            const std::uint32_t at = i + (i >= line.self ? 1u : 0u);
            const bool member = i + 1 < count && (word.members() >> at & 1) != 0;
            held = std::min(held, member ? line.match[i] + 1 : held);
        }
        if (held > line.high_watermark() + 1) line.set_high_watermark(held - 1);
    }
    // In grace it was not known yet how far it is behind.
    if (line.end - line.match[k] > config.max_lag_entries) partitions.flag(word.slot());
    claim_fresh(line, word, count);
    result = raised || heard ? Result::ok : Result::stale;
    return true;
}

/// The first sign of a newer epoch ends what this node led in the older one (S6).
inline Result IsrEngine::hear_of_epoch(Partition& p, Epoch epoch, Outcome& outcome) {
    if (epoch > kMaxEpoch) return Result::epoch_exhausted;
    p.load_decision();
    const Draft before = draft(p, ChangeCause::quorum_lost);
    step_down(p, outcome);
    p.line().epoch = static_cast<std::uint32_t>(epoch);
    p.line().epoch_viewed = 0;
    (void)commit(p, before, Now{}, outcome); // only the answer to writes changes: cannot fail
    partitions.flag(p.slot());
    return Result::not_leader;
}

/// Takes in an acknowledgement, whatever the case.
inline Result IsrEngine::record_progress(Partition& p,
                                         const Acknowledgement& ack,
                                         Outcome& outcome) {
    LeaderLine& line = p.line();
    if (line.leading == 0) return Result::not_leader;
    if (ack.epoch != line.epoch)
        return ack.epoch < line.epoch ? Result::stale : hear_of_epoch(p, ack.epoch, outcome);
    const std::uint32_t position = p.replicas().position(ack.node);
    if (position == ReplicaSet::kNone || position == line.self) return Result::not_a_replica;
    if (!p.present(position)) { // an answer from before it left, or it has just joined
        partitions.flag(p.slot());
        return Result::not_a_replica;
    }
    if (ack.match > line.end) {
        // Perhaps our own append has not been told yet: let the next sweep ask the view.
        partitions.flag(p.slot());
        return ack.match > kMaxIndex ? Result::invalid_index : Result::beyond_leader_end;
    }
    Index& known = p.match(position);
    Stamp& seen = p.contact(position);
    const bool raised = known == kUnconfirmed || ack.match > known;
    const bool heard = is_later(ack.contact, seen);
    if (raised) {
        known = ack.match;
        line.pushes = (line.pushes + 1) & 0x7f;
    }
    if (heard) seen = ack.contact;
    if (raised) settle(p, outcome);
    if ((p.members() & bit(position)) == 0 || line.end - known > config.max_lag_entries)
        partitions.flag(p.slot());
    claim_fresh(line, p.decision.word, p.replicas().count());
    return raised || heard ? Result::ok : Result::stale;
}

inline Result IsrEngine::record_contact(Partition& p, NodeId node, Stamp contact) {
    if (p.line().leading == 0) return Result::not_leader;
    const std::uint32_t position = p.replicas().position(node);
    if (position == ReplicaSet::kNone || position == p.self() || !p.present(position))
        return Result::not_a_replica;
    p.contact(position) = later(p.contact(position), contact);
    if ((p.members() & bit(position)) == 0) partitions.flag(p.slot()); // it may join
    claim_fresh(p.line(), p.decision.word, p.replicas().count());
    return Result::ok;
}

inline Result IsrEngine::record_leader(
    Partition& p, Epoch epoch, const LeaderPositions& positions, Now now, Outcome& outcome) {
    const LeaderLine& line = p.line();
    if (line.leading == 0) return Result::not_leader;
    if (epoch < line.epoch) return Result::stale;
    if (epoch > line.epoch) return hear_of_epoch(p, epoch, outcome);
    if (positions.end > kMaxIndex || positions.durable > positions.end ||
        positions.commit > positions.end)
        return Result::invalid_index;
    if (!set_positions(p, positions, now.stamp, now)) {
        partitions.flag(p.slot());
        return Result::no_memory;
    }
    settle(p, outcome);
    // Whoever may be too far behind is looked at by the next sweep. Not by the high watermark: a
    // member may have joined below it.
    if (line.end - std::min(p.held_by_all(), line.end) > config.max_lag_entries)
        partitions.flag(p.slot());
    return Result::ok;
}

inline Result IsrEngine::move_by_hand(
    Partition& p, NodeId node, bool add, Now now, Outcome& outcome) {
    const LeaderLine& line = p.line();
    if (line.leading == 0) return Result::not_leader;
    const std::uint32_t position = p.replicas().position(node);
    if (position == ReplicaSet::kNone) return Result::not_a_replica;
    if (position == line.self) return add ? Result::ok : Result::leader_cannot_leave;
    if (add && !p.eligible(position)) return Result::not_eligible;
    if (add && !p.confirmed(position)) return Result::not_confirmed;
    Extra* const more = p.obtain_extra(now.stamp);
    if (more == nullptr) return Result::no_memory;
    if (!more->holds) more->holds.reset(new (std::nothrow) Extra::Holds{now.stamp});
    if (!more->holds) return Result::no_memory;
    const Draft before = draft(p, ChangeCause::manual);
    const Mask with = static_cast<Mask>(p.members() | bit(position));
    const Mask without = static_cast<Mask>(p.members() & ~bit(position));
    set_members(p, add ? with : without, p.self());
    const Result committed = commit(p, before, now, outcome);
    if (committed != Result::ok) return committed;
    more->held_out =
        static_cast<Mask>(add ? more->held_out & ~bit(position) : more->held_out | bit(position));
    more->holds->until[position] = add ? now.stamp : after(now.stamp, max_lag);
    settle(p, outcome);
    partitions.flag(p.slot());
    return Result::ok;
}

/// Registers a wait, or says at once how it ends (S6).
inline Result IsrEngine::await(Partition& p,
                               Epoch epoch,
                               Index index,
                               TimePoint deadline,
                               Now now,
                               WaitCallback& callback,
                               std::optional<WaitResult>& at_once) {
    LeaderLine& line = p.line();
    if (index > kMaxIndex) return Result::invalid_index;
    if (stopped.load(std::memory_order_acquire)) return Result::shut_down;
    const bool enough = count(p.members()) >= p.min_isr(config);
    if (line.leading == 0 || epoch != line.epoch)
        at_once = WaitResult::not_leader;
    else if (!enough)
        at_once = WaitResult::not_enough_replicas;
    else if (acknowledgeable(p.commit(), p.held_by_all(), enough) >= index)
        at_once = WaitResult::committed;
    else if (deadline <= now.time)
        at_once = WaitResult::timed_out;
    if (at_once) return Result::ok;
    try {
        const auto limit = static_cast<std::size_t>(config.max_waits);
        const Result added =
            waits.add(p.decision.word.identity(), index, deadline, callback, limit);
        if (added == Result::ok) line.has_waits = 1;
        return added;
    } catch (const std::bad_alloc&) {
        return Result::no_memory;
    }
}

} // namespace insync::detail
