#pragma once

#include <insync/consensus_view.hpp>
#include <insync/detail/isr_engine.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/explain.hpp>
#include <insync/isr_rules.hpp>
#include <insync/reports.hpp>
#include <insync/types.hpp>

#include <cstdint>

namespace insync::detail {

/// Assigned voters outside the ISR; learners and joining replicas do not count (S3).
inline bool IsrEngine::is_under_replicated(const Partition& p) const {
    bool missing = false;
    p.for_each_follower(all_of(p.replicas().count()), [&](std::uint32_t position) {
        missing = missing || (p.eligible(position) && (p.members() & bit(position)) == 0);
    });
    return missing;
}

inline TimePoint IsrEngine::heard_at(const Partition& p, std::uint32_t position, Now now) const {
    const Stamp contact = p.contact(position);
    return age(now.stamp, contact) >= kMaxAge ? kNever : timeline.time(contact, now.time);
}

inline Explanation IsrEngine::explain(const Partition& p, std::uint32_t position, Now now) const {
    const LeaderLine& line = p.line();
    Explanation why;
    why.node = p.replicas()[position];
    why.leader = leader_of(p.decision, p.replicas(), p.replicas().count());
    why.member = (p.members() & bit(position)) != 0;
    why.epoch = p.decision.epoch;
    why.version = p.decision.version;
    why.since = timeline.from_origin(p.decision.changed_at);
    why.limits = why.member ? staying_limits(config) : joining_limits(config);
    why.leader_ahead = p.decision.named;
    why.epoch_fell = p.extra() != nullptr && p.extra()->epoch_fell;
    if (line.leading == 0) {
        why.state = why.version == 0         ? ReplicaState::as_registered
                    : line.decided_here != 0 ? ReplicaState::as_decided
                                             : ReplicaState::as_published;
        return why;
    }
    if (position == line.self) {
        why.state = ReplicaState::leader;
        return why;
    }
    const auto kind = p.eligible(position) ? ReplicaKind::voter : ReplicaKind::learner;
    why.lag = p.lag(position, now.stamp);
    why.last_contact = heard_at(p, position, now);
    if (p.confirmed(position)) why.match = p.match(position);
    why.verdict = why.member ? judge_member(kind, why.lag, why.limits)
                             : judge_outsider(kind, why.lag, why.limits);
    if (kind != ReplicaKind::voter)
        why.state = p.present(position) ? ReplicaState::not_eligible : ReplicaState::not_a_member;
    else if (why.member)
        why.state = why.match ? ReplicaState::in_sync : ReplicaState::grace;
    else if (!why.match)
        why.state = ReplicaState::unconfirmed;
    else if (why.verdict == Verdict::in_sync)
        why.state = ReplicaState::held_out;
    else
        why.state = ReplicaState::catching_up;
    return why;
}

inline void IsrEngine::report(const Partition& p, Now now, PartitionReport& report) const {
    const LeaderLine& line = p.line();
    report.partition = static_cast<PartitionId>(line.partition);
    report.isr = isr_set(p.decision);
    report.leading = line.leading != 0;
    report.has_min_isr = p.decision.word.has_min();
    report.min_isr = p.min_isr(config);
    report.end = report.leading ? line.end : 0;
    report.high_watermark = report.leading ? line.high_watermark() : 0;
    report.followers.clear();
    if (!report.leading) return;
    p.for_each_follower(all_of(p.replicas().count()), [&](std::uint32_t position) {
        FollowerReport& follower = report.followers.emplace_back();
        follower.node = p.replicas()[position];
        follower.member = (p.members() & bit(position)) != 0;
        if (p.confirmed(position)) follower.match = p.match(position);
        follower.lag = p.lag(position, now.stamp);
        follower.last_contact = heard_at(p, position, now);
    });
}

} // namespace insync::detail
