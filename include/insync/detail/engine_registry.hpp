#pragma once

#include <insync/detail/event_queue.hpp>
#include <insync/detail/first_set.hpp>
#include <insync/detail/isr_engine.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/name.hpp>
#include <insync/detail/outcome.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/published_state.hpp>
#include <insync/detail/replica_sets.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/isr_store.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <new>
#include <optional>
#include <span>

namespace insync::detail {

/// The first decision of a partition, led by nobody as far as this node knows yet.
inline Decision IsrEngine::first_decision(const FirstSet& set,
                                          std::uint32_t replica_set,
                                          StateWord identity,
                                          Now now) const {
    const ReplicaSet& replicas = partitions.replica_sets[replica_set];
    Decision first;
    first.replica_set = replica_set;
    first.changed_at = timeline.since_origin(now.time) & Decision::kMostTime;
    first.epoch = static_cast<std::uint32_t>(set.epoch);
    first.version = static_cast<std::uint32_t>(set.version);
    first.word = identity.decided(mask_of(replicas, as_span(set.members)),
                                  leader_position(replicas, set.leader), false);
    return first;
}

/// Fills a slot that was just taken and puts its first decision in force.
inline void IsrEngine::enter(Cell& word,
                             StateWord identity,
                             std::uint32_t topic,
                             std::uint32_t partition,
                             std::uint32_t replica_set,
                             int min_isr,
                             const FirstSet& set,
                             Now now) {
    const std::uint32_t slot = identity.slot();
    const Decision first = first_decision(set, replica_set, identity, now);
    LeaderLine& line = partitions.line(slot);
    line.lock();
    line.reset(topic, partition);
    line.self = leader_position(partitions.replica_sets[replica_set], self) & 15;
    line.replica_set = replica_set & ReplicaSets::kMaxSets;
    line.min_isr = static_cast<std::uint64_t>(min_isr) & 15;
    line.epoch = first.epoch;
    line.masked = set.masked ? 1 : 0;
    const PublishedState::Lease lease{partitions.published};
    partitions.published.publish(lease, word, first);
    partitions.freshness_of(slot).set(slot, Freshness::kNever);
    partitions.block_of(slot).present.fetch_or(1ull << (slot % Block::kSlots),
                                               std::memory_order_release);
    line.unlock();
}

/// Forgets all that was known of a partition but its replicas, epochs included, and begins as if it
/// were new; its handles go on. Without memory it changes nothing.
inline Result IsrEngine::begin_anew(
    Partition& p, const FirstSet& set, std::optional<int> min_isr, Now now, Outcome& outcome) {
    EventQueue::Prepared prepared;
    try {
        if (events.wanted()) prepare(p, prepared);
    } catch (const std::bad_alloc&) {
        return Result::no_memory;
    }
    LeaderLine& line = p.line();
    const Draft before = draft(p, ChangeCause::registered_anew);
    step_down(p, outcome);
    partitions.drop_extra(line);
    const std::uint64_t observation = line.observation;
    const int kept = static_cast<int>(line.min_isr);
    line.reset(line.topic, line.partition);
    line.observation = observation & 0xff; // what is being read now is out of date
    p.use_replicas(p.replicas());
    const std::uint32_t replica_set = before.before.replica_set;
    line.self = leader_position(p.replicas(), self) & 15;
    line.replica_set = replica_set & ReplicaSets::kMaxSets;
    line.min_isr = static_cast<std::uint64_t>(std::min(min_isr.value_or(kept), 15)) & 15;
    line.epoch = static_cast<std::uint32_t>(set.epoch);
    line.masked = set.masked ? 1 : 0;
    p.decision = first_decision(set, replica_set, before.before.word, now);
    return commit(p, before, now, outcome, &prepared);
}

/// Takes a partition out of everything but its slot, which is given back afterwards.
inline void IsrEngine::leave(Partition& p, Outcome& outcome) {
    end_waits(p, WaitResult::not_leader, outcome);
    const std::uint32_t slot = p.slot();
    const std::uint32_t replica_set = p.decision.replica_set;
    p.word().store(0, std::memory_order_seq_cst);
    partitions.block_of(slot).present.fetch_and(~(1ull << (slot % Block::kSlots)),
                                                std::memory_order_release);
    partitions.freshness_of(slot).set(slot, Freshness::kExempt);
    partitions.drop_extra(p.line());
    partitions.replica_sets.release(replica_set);
}

/// S8. Sets are ordered by (epoch, version), never by version alone.
inline Result IsrEngine::apply_published(Partition& p,
                                         const PublishedIsr& isr,
                                         Now now,
                                         Outcome& outcome) {
    Nodes sorted;
    if (const Result bad = check_published(isr, sorted); bad != Result::ok) return bad;
    LeaderLine& line = p.line();
    Decision& mine = p.decision;
    const Mask members = mask_of(p.replicas(), as_span(sorted));
    if (members == 0) return Result::invalid_isr;
    const std::uint32_t leader = leader_position(p.replicas(), isr.leader);
    const std::uint64_t theirs = isr.epoch << 32 | isr.version;
    const std::uint64_t known = std::uint64_t{mine.epoch} << 32 | mine.version;
    if (theirs < known) return Result::stale;
    // What an assignment here took from the set may be in it again.
    const bool restored = theirs == known && line.masked != 0 && line.leading == 0;
    if (theirs == known && !restored) {
        // Where the view names a leader of a newer epoch, who decided the set is not kept.
        if (members != mine.word.members() || (!mine.named && leader != mine.word.leader()))
            return Result::epoch_conflict;
        line.unpublished = 0;
        return Result::ok;
    }
    Draft before = draft(p, ChangeCause::published);
    if (line.leading != 0 && isr.epoch <= line.epoch) {
        // A newer set of the epoch in which this node leads, that it did not decide: a fault, and
        // our next decision must be newer still or it would never be shown.
        mine.version = static_cast<std::uint32_t>(isr.version);
        before.cause = ChangeCause::renumbered;
        const Result committed = commit(p, before, now, outcome);
        partitions.flag(p.slot()); // or only a sweep that reads it anyway would send it again
        return committed == Result::ok ? Result::epoch_conflict : committed;
    }
    mine.named = false; // whom the view named may have led before who published this
    mine.epoch = static_cast<std::uint32_t>(isr.epoch);
    mine.version = static_cast<std::uint32_t>(isr.version);
    set_members(p, members, leader);
    const bool led = line.leading != 0;
    line.leading = 0;
    if (const Result committed = commit(p, before, now, outcome); committed != Result::ok) {
        line.leading = led ? 1 : 0;
        return committed;
    }
    if (led) step_down(p, outcome);
    line.deposed = line.decided_here = 0;
    line.masked = 0;
    // The view may be behind now, which no version tells; or know a newer leader.
    if (led || isr.epoch != line.epoch) partitions.flag(p.slot());
    if (isr.epoch > line.epoch) {
        line.epoch = mine.epoch;
        line.epoch_viewed = 0;
    }
    return Result::ok;
}

/// What the leader knows of its followers, by position, while positions change.
struct KnownFollowers {
    struct Follower {
        Index match = kUnconfirmed;
        Stamp contact;
        Stamp caught_up;
        bool eligible = true;
        bool present = true;
        bool held_out = false;
    };

    explicit KnownFollowers(const Partition& p) : self(p.self()) {
        if (const Extra* const more = p.extra(); more != nullptr && more->holds)
            holds = *more->holds;
        p.for_each_follower(all_of(p.replicas().count()), [&](std::uint32_t position) {
            followers[position] = {
                p.match(position),
                p.contact(position),
                p.caught_up(position),
                p.eligible(position),
                p.present(position),
                p.extra() != nullptr && (p.extra()->held_out & bit(position)) != 0};
        });
    }

    /// Writes them to their new positions; of replicas that are new, nothing is known.
    void move_to(Partition& p, const ReplicaSet& old, Stamp now) const {
        Extra& more = p.known_extra();
        Mask ineligible = 0;
        Mask absent = 0;
        more.held_out = 0;
        p.for_each_follower(all_of(p.replicas().count()), [&](std::uint32_t position) {
            const std::uint32_t from = old.position(p.replicas()[position]);
            const bool known = from != ReplicaSet::kNone && from != self;
            const Follower follower =
                known ? followers[from]
                      : Follower{kUnconfirmed, long_before(now), long_before(now), false, false,
                                 false};
            p.match(position) = follower.match;
            p.contact(position) = follower.contact;
            p.kept_caught_up(position) = follower.caught_up;
            if (!follower.eligible) ineligible = static_cast<Mask>(ineligible | bit(position));
            if (!follower.present) absent = static_cast<Mask>(absent | bit(position));
            if (!more.holds) return;
            const Extra::Holds fresh{now};
            const Extra::Holds& kept = known && holds ? *holds : fresh;
            const std::uint32_t at = known ? from : position;
            more.holds->until[position] = kept.until[at];
            more.holds->left_at[position] = kept.left_at[at];
            more.holds->departures[position] = kept.departures[at];
            if (follower.held_out) more.held_out = static_cast<Mask>(more.held_out | bit(position));
        });
        more.ineligible = ineligible;
        more.absent = absent;
    }

    std::array<Follower, kMaxReplicas> followers{};
    std::optional<Extra::Holds> holds;
    std::uint32_t self = 0;
};

/// The members of `mask` by their positions in another replica set; who is not there is left out.
[[nodiscard]] inline Mask moved_mask(Mask mask, const ReplicaSet& from, const ReplicaSet& to) {
    Mask moved = 0;
    for (std::uint32_t position = 0; position < from.count(); ++position) {
        const std::uint32_t there = to.position(from[position]);
        if ((mask & bit(position)) != 0 && there != ReplicaSet::kNone)
            moved = static_cast<Mask>(moved | bit(there));
    }
    return moved;
}

/// Exchanges the assigned replicas; what is known of those that stay is kept. All that can fail
/// comes before the first change.
inline Result IsrEngine::reassign(Partition& p,
                                  std::span<const NodeId> sorted,
                                  Now now,
                                  Outcome& outcome) {
    if (p.replicas().equals(sorted)) return Result::ok;
    if (p.decision.version >= kMaxVersion) return Result::epoch_exhausted;
    LeaderLine& line = p.line();
    std::uint32_t fresh_id = 0;
    EventQueue::Prepared prepared;
    try {
        if (events.wanted()) prepare(p, prepared);
        fresh_id = partitions.replica_sets.obtain(sorted);
    } catch (const std::bad_alloc&) {
        return Result::no_memory;
    }
    const ReplicaSet& old = p.replicas();
    const ReplicaSet& fresh = partitions.replica_sets[fresh_id];
    const std::uint32_t self_position = leader_position(fresh, self);
    const bool followed = line.leading != 0 || line.deposed != 0;
    const bool keeps = followed && self_position != StateWord::kNoLeader;
    p.use_replicas(fresh); // the extra must have room for the new followers
    if (keeps && p.obtain_extra(now.stamp) == nullptr) {
        p.use_replicas(old);
        partitions.replica_sets.release(fresh_id);
        return Result::no_memory;
    }
    p.use_replicas(old);
    const Draft before = draft(p, ChangeCause::membership);
    const std::optional<KnownFollowers> known =
        keeps ? std::optional<KnownFollowers>{p} : std::nullopt;
    p.use_replicas(fresh);
    line.self = self_position & 15;
    line.replica_set = fresh_id & ReplicaSets::kMaxSets;
    p.decision.replica_set = fresh_id;
    if (known) known->move_to(p, old, now.stamp);
    const std::uint32_t led_by = before.before.word.leader();
    set_members(p, moved_mask(before.before.word.members(), old, fresh),
                led_by < old.count() ? leader_position(fresh, old[led_by]) : StateWord::kNoLeader);
    if (!keeps) line.masked = 1;
    if (followed && !keeps) { // a leader that is no longer assigned leads nothing
        step_down(p, outcome);
        line.deposed = 0;
    }
    const Result committed = commit(p, before, now, outcome, &prepared);
    partitions.replica_sets.release(before.before.replica_set);
    settle(p, outcome);
    partitions.flag(p.slot());
    return committed;
}

inline Result IsrEngine::set_min_isr(Partition& p, int min_isr, Now now, Outcome& outcome) {
    if (min_isr < 1) return Result::invalid_min_isr;
    p.line().min_isr = static_cast<std::uint64_t>(std::min(min_isr, 15)) & 15;
    const Draft before = draft(p, ChangeCause::manual);
    const Result committed = commit(p, before, now, outcome);
    settle(p, outcome);
    return committed;
}

} // namespace insync::detail
