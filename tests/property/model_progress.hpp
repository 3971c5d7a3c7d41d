#pragma once

#include "property/naive_model.hpp"

namespace property {

/// Leadership is over: writes are refused, waits end (S5, S6).
inline void NaivePartition::step_down() {
    leading_ = false;
    quorum_ = false;
    deposed_ = true;
    end_waits(WaitResult::not_leader);
}

/// S6: the first sign of a newer epoch ends what this node led in the older.
inline Result NaivePartition::hear_of(Epoch epoch) {
    if (epoch > insync::kMaxEpoch) return Result::epoch_exhausted;
    const Reported before = shown;
    step_down();
    heard_ = epoch;
    commit(before, ChangeCause::quorum_lost);
    return Result::not_leader;
}

inline Result NaivePartition::record_progress(Epoch epoch,
                                              NodeId node,
                                              Index match,
                                              TimePoint contact) {
    if (!leading_) return Result::not_leader;
    if (epoch < heard_) return Result::stale;
    if (epoch > heard_) return hear_of(epoch);
    const auto known = followers_.find(node);
    if (known == followers_.end()) return Result::not_a_replica;
    if (!known->second.present) return Result::not_a_replica;
    if (match > insync::kMaxIndex) return Result::invalid_index;
    if (match > end_) return Result::beyond_leader_end;
    Follower& follower = known->second;
    const bool raised = !follower.match || match > *follower.match;
    const bool heard = contact > follower.contact;
    if (raised) follower.match = match;
    if (heard) follower.contact = contact;
    settle();
    return raised || heard ? Result::ok : Result::stale;
}

inline Result NaivePartition::record_leader(Epoch epoch,
                                            const insync::LeaderPositions& positions,
                                            TimePoint now) {
    if (!leading_) return Result::not_leader;
    if (epoch < heard_) return Result::stale;
    if (epoch > heard_) return hear_of(epoch);
    if (positions.end > insync::kMaxIndex || positions.durable > positions.end ||
        positions.commit > positions.end)
        return Result::invalid_index;
    raise(positions, now, now);
    settle();
    return Result::ok;
}

inline Result NaivePartition::update_heartbeat(NodeId node, TimePoint now) {
    if (!leading_) return Result::not_leader;
    const auto known = followers_.find(node);
    if (known == followers_.end() || !known->second.present) return Result::not_a_replica;
    known->second.contact = std::max(known->second.contact, now);
    return Result::ok;
}

inline Result NaivePartition::move_by_hand(NodeId node, bool add, TimePoint now) {
    if (!leading_) return Result::not_leader;
    if (!shown.replicas.contains(node)) return Result::not_a_replica;
    if (node == self_) return add ? Result::ok : Result::leader_cannot_leave;
    Follower& follower = followers_.at(node);
    if (add && !follower.voter) return Result::not_eligible;
    if (add && !follower.match) return Result::not_confirmed;
    const Reported before = shown;
    if (add)
        shown.members.insert(node);
    else
        shown.members.erase(node);
    follower.held_out_until = add ? insync::kNever : now + config_.max_lag_ms;
    commit(before, ChangeCause::manual);
    settle();
    return Result::ok;
}

inline Result NaivePartition::set_min_isr(int min_isr) {
    if (min_isr < 1) return Result::invalid_min_isr;
    min_isr_ = min_isr;
    settle();
    return Result::ok;
}

/// Those no longer assigned leave at once, new ones start outside and unknown.
inline Result NaivePartition::set_assignment(const std::set<NodeId>& replicas) {
    if (replicas == shown.replicas) return Result::ok;
    const Reported before = shown;
    shown.replicas = replicas;
    std::erase_if(shown.members, [&](NodeId node) { return !replicas.contains(node); });
    std::erase_if(followers_, [&](const auto& entry) { return !replicas.contains(entry.first); });
    for (const NodeId node : replicas)
        if (node != self_ && !followers_.contains(node)) followers_[node].present = false;
    if (!replicas.contains(decider_)) decider_ = insync::kNoNode;
    if (named_ && !replicas.contains(*named_)) named_ = insync::kNoNode;
    if (decides() && !replicas.contains(self_)) {
        step_down();
        deposed_ = false;
    }
    if (!decides()) masked_ = true;
    commit(before, ChangeCause::membership);
    settle();
    return Result::ok;
}

/// S8: sets are ordered by (epoch, version).
inline Result NaivePartition::apply_published(const insync::PublishedIsr& isr) {
    const std::pair theirs{isr.epoch, isr.version};
    const std::pair mine{shown.epoch, shown.version};
    Reported masked = shown;
    masked.members.clear();
    for (const NodeId node : isr.members)
        if (shown.replicas.contains(node)) masked.members.insert(node);
    const NodeId leader = shown.replicas.contains(isr.leader) ? isr.leader : insync::kNoNode;
    if (masked.members.empty()) return Result::invalid_isr;
    if (theirs < mine) return Result::stale;
    if (theirs == mine && (decides() || !masked_)) {
        const bool same_leader = named_ || leader == decider_;
        if (!masked.same_set(shown) || !same_leader) return Result::epoch_conflict;
        unpublished_ = false;
        return Result::ok;
    }
    Reported before = shown;
    if (leading_ && isr.epoch <= heard_) {
        before.version = isr.version;
        commit(before, ChangeCause::renumbered);
        return Result::epoch_conflict;
    }
    if (leading_) step_down();
    deposed_ = false;
    named_.reset();
    take(isr);
    heard_ = std::max(heard_, isr.epoch);
    commit(before, ChangeCause::published);
    return Result::ok;
}

/// All is forgotten but the replicas and min ISR.
inline void NaivePartition::register_anew(const std::set<NodeId>& dead) {
    end_waits(WaitResult::not_leader);
    NaivePartition fresh{self_, config_, shown.replicas, min_isr_, nullptr, dead};
    fresh.choices = choices;
    fresh.ended = ended;
    fresh.events = events;
    if (!fresh.shown.same_set(shown))
        fresh.events.push_back({ChangeCause::registered_anew, fresh.shown});
    *this = fresh;
}

inline void NaivePartition::take(const insync::PublishedIsr& isr) {
    masked_ = false;
    shown.members.clear();
    for (const NodeId node : isr.members)
        if (shown.replicas.contains(node)) shown.members.insert(node);
    decider_ = shown.replicas.contains(isr.leader) ? isr.leader : insync::kNoNode;
    shown.epoch = isr.epoch;
    shown.version = isr.version;
}

/// S4: versions rise by one with every change of the one who decides; each change is one event.
inline void NaivePartition::commit(const Reported& before, ChangeCause cause) {
    shown.own = leading_;
    show_leader();
    const bool forced = cause == ChangeCause::became_leader || cause == ChangeCause::renumbered;
    if (!forced && shown.same_set(before)) return;
    if (cause != ChangeCause::published && decides()) shown.version = before.version + 1;
    unpublished_ = true;
    events.push_back({cause, shown});
}

/// S6: the high watermark, then the waits.
inline void NaivePartition::settle() {
    if (!leading_) return;
    const Index held = held_by_all();
    if (!enough()) return end_waits(WaitResult::not_enough_replicas);
    high_watermark_ = std::max(high_watermark_, held);
    std::erase_if(waits_, [&](const NaiveWait& wait) {
        const bool committed = wait.index <= std::min(commit_, held);
        if (committed) ended.emplace_back(wait.id, WaitResult::committed);
        return committed;
    });
}

inline Result NaivePartition::await(const NaiveWait& wait, Epoch epoch, TimePoint now) {
    if (wait.index > insync::kMaxIndex) return Result::invalid_index;
    const auto at_once = [&](WaitResult result) {
        ended.emplace_back(wait.id, result);
        return Result::ok;
    };
    if (!leading_ || epoch != heard_) return at_once(WaitResult::not_leader);
    if (!enough()) return at_once(WaitResult::not_enough_replicas);
    if (wait.index <= std::min(commit_, held_by_all())) return at_once(WaitResult::committed);
    if (wait.deadline <= now) return at_once(WaitResult::timed_out);
    waits_.push_back(wait);
    return Result::ok;
}

inline void NaivePartition::expire_waits(TimePoint now) {
    std::erase_if(waits_, [&](const NaiveWait& wait) {
        if (wait.deadline > now) return false;
        ended.emplace_back(wait.id, WaitResult::timed_out);
        return true;
    });
}

inline void NaivePartition::end_waits(WaitResult result) {
    for (const NaiveWait& wait : waits_) ended.emplace_back(wait.id, result);
    waits_.clear();
}

} // namespace property
