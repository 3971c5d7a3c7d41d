#pragma once

#include "property/naive_model.hpp"

namespace property {

/// S2: a read that is not good changes nothing, until there was no good one for `max_lag_ms`.
inline Result NaivePartition::observe(insync::ReadResult read,
                                      const insync::GroupState& state,
                                      const Moment& moment) {
    using insync::ReadResult;
    if (read == ReadResult::torn) return fail(Result::torn, moment);
    if (read == ReadResult::unavailable) return fail(Result::unavailable, moment);
    if (state.leading && (!consistent(state, self_) || !shown.replicas.contains(self_)))
        return fail(Result::inconsistent_view, moment);
    if (state.epoch < heard_) {
        const Reported before = shown;
        if (leading_) { // of another group than the one that the view shows now
            step_down();
            commit(before, ChangeCause::quorum_lost);
        }
        return fail(Result::stale, moment);
    }
    state.leading ? lead(state, moment) : follow(state, moment);
    failing_ = false;
    read_at_ = moment.now;
    return Result::ok;
}

inline Result NaivePartition::fail(Result why, const Moment& moment) {
    if (!failing_) {
        last_good_.least = std::min(read_at_, moment.last_sweep);
        last_good_.most = std::max(read_at_, moment.last_sweep);
        // Our own pause may be left out of account.
        if (moment.paused) last_good_.most = moment.now;
    }
    failing_ = true;
    const auto lost_since = [&](TimePoint good) {
        return insync::saturating_age(moment.now, good) > config_.max_lag_ms;
    };
    if (!lost_since(last_good_.least)) return why;
    const bool must = lost_since(last_good_.most);
    const Reported before = shown;
    if (must)
        quorum_ = false;
    else if (quorum_ != false)
        quorum_ = moment.actual_has_min ? std::optional<bool>{true} : std::nullopt;
    if (decides())
        age_members(moment, must);
    else
        shown.stale = choose(must, true, moment.actual.stale);
    commit(before, ChangeCause::quorum_lost);
    settle();
    return why;
}

inline void NaivePartition::lead(const insync::GroupState& state, const Moment& moment) {
    const Reported before = shown;
    const bool begins = !leading_ || state.epoch > heard_;
    if (begins) begin_epoch(state, moment);
    // Where a group was left out because it had not changed, the last sweep knows its end as well.
    raise({state.end, state.durable, state.commit}, std::max(read_at_, moment.last_sweep),
          moment.now);
    take_rows(state, moment);
    const ChangeCause cause = judge(moment);
    judge_quorum(state, moment);
    commit(before, begins ? ChangeCause::became_leader : cause);
    settle();
    const auto holds_end = [&](const auto& entry) { return entry.second.match >= end_; };
    if (std::all_of(followers_.begin(), followers_.end(), holds_end)) remembered_ = ends_.size();
}

/// S3: nothing is known of the followers in a new epoch; the inherited members have grace.
inline void NaivePartition::begin_epoch(const insync::GroupState& state, const Moment& moment) {
    end_waits(WaitResult::not_leader);
    // S8: who acted alone inherits itself.
    if (no_leader_ && shown.stale && !deposed_) shown.members.clear();
    // Grace is a credit, and the dead have none.
    std::erase_if(shown.members, [&](NodeId node) { return moment.dead.contains(node); });
    shown.members.insert(self_);
    leading_ = true;
    deposed_ = no_leader_ = masked_ = false;
    heard_ = state.epoch;
    end_ = durable_ = commit_ = high_watermark_ = 0;
    ends_.clear();
    remembered_ = 0;
    began_ = moment.now;
    for (auto& [node, follower] : followers_) {
        follower = {};
        follower.elected = true;
        if (shown.members.contains(node)) follower.caught_up.exactly(moment.now);
    }
    decider_ = self_;
    named_.reset();
    shown.epoch = state.epoch;
    shown.stale = false;
}

inline void NaivePartition::raise(const insync::LeaderPositions& positions,
                                  TimePoint last_seen,
                                  TimePoint now) {
    if (positions.end > end_) {
        for (auto& [node, follower] : followers_)
            if (follower.match >= end_) follower.caught_up.exactly(follower.contact);
        if (!ends_.empty()) ends_.back().last = std::max(ends_.back().last, last_seen);
        end_ = positions.end;
        ends_.push_back({end_, now, now});
    }
    durable_ = std::max(durable_, std::min(positions.durable, end_));
    commit_ = std::max(commit_, std::min(positions.commit, end_));
}

inline void NaivePartition::take_rows(const insync::GroupState& state, const Moment& moment) {
    for (auto& [node, follower] : followers_)
        follower.voter = follower.present = follower.disavowed = false;
    for (const insync::FollowerRow& row : state.followers) {
        const auto known = followers_.find(row.node);
        if (known == followers_.end()) continue;
        Follower& follower = known->second;
        follower.voter = row.kind == insync::ReplicaKind::voter;
        follower.present = true;
        if (row.verified && row.match > end_) continue;
        // What is known is known for as long as a row vouches for it (S2); not so a row of a
        // moment before what was pushed.
        const bool denied = follower.match && (!row.verified || row.match < *follower.match);
        if (denied && state.end >= end_) disavow(follower);
        if (row.verified) follower.match = std::max(follower.match.value_or(0), row.match);
        follower.contact = std::max(follower.contact, std::min(row.contact, moment.now));
    }
    for (auto& [node, follower] : followers_)
        if (!follower.present) disavow(follower);
}

/// S3, `caught_up_r`: `match >= end` gives the contact; else a time when the end was one that the
/// replica holds by now gives that time, if the replica was alive since. Such times are kept at
/// least `max_lag_ms / 8` apart, and not at all while there is nothing to catch up with.
inline void NaivePartition::see(Follower& follower) const {
    if (!follower.match) return;
    if (*follower.match >= end_) return follower.caught_up.exactly(follower.contact);
    const Millis spacing = (config_.max_lag_ms + Millis{7}) / 8;
    for (std::size_t i = ends_.size(); i > 0; --i) {
        const End& seen = ends_[i - 1];
        if (seen.end > *follower.match) continue;
        Span& span = follower.caught_up;
        span.most = std::max(span.most, std::min(seen.last, follower.contact));
        if (i > remembered_)
            span.least = std::max(span.least, std::min(seen.first - spacing, follower.contact));
        return;
    }
}

/// S3, for every follower. \return why members changed, if they did
inline ChangeCause NaivePartition::judge(const Moment& moment) {
    ChangeCause cause = ChangeCause::lag;
    for (auto& [node, follower] : followers_) {
        see(follower);
        const bool member = shown.members.contains(node);
        const auto limits =
            member ? insync::staying_limits(config_) : insync::joining_limits(config_);
        const Index held = follower.match.value_or(end_);
        const bool near = end_ - std::min(held, end_) <= limits.entries;
        const auto within = [&](TimePoint caught_up) {
            return near && insync::saturating_age(moment.now, caught_up) <= limits.time;
        };
        const bool in_sync =
            choose(within(follower.caught_up.least), within(follower.caught_up.most),
                   moment.actual.members.contains(node));
        if (member && !follower.voter) {
            shown.members.erase(node);
            cause = ChangeCause::membership;
        } else if (member && !in_sync && (moment.may_evict || follower.disavowed)) {
            shown.members.erase(node);
        } else if (!member && follower.voter && follower.match && in_sync &&
                   follower.held_out_until <= moment.now) {
            shown.members.insert(node);
        }
    }
    return cause;
}

/// S5: as the view says, or a majority of the voters had contact; one voted when the epoch began.
/// Whether a replica that was assigned later can have done so is left open.
inline void NaivePartition::judge_quorum(const insync::GroupState& state, const Moment& moment) {
    if (state.quorum != insync::Quorum::unreported) {
        quorum_ = state.quorum == insync::Quorum::held;
        return;
    }
    const auto heard_of = [&](TimePoint contact) {
        return insync::saturating_age(moment.now, contact) <= config_.quorum_contact_ms;
    };
    std::size_t voters = 1;
    std::size_t least = 1;
    std::size_t most = 1;
    for (const insync::FollowerRow& row : state.followers) {
        if (row.kind != insync::ReplicaKind::voter) continue;
        const auto known = followers_.find(row.node);
        const bool assigned = known != followers_.end();
        const TimePoint contact = assigned ? known->second.contact : row.contact;
        const bool elected = assigned && known->second.elected;
        ++voters;
        least += heard_of(std::max(contact, elected ? began_ : insync::kNever));
        most += heard_of(std::max(contact, began_));
    }
    quorum_ = 2 * most > voters;
    if (quorum_ == (2 * least > voters)) return;
    quorum_ = enough() ? std::optional<bool>{moment.actual_has_min} : std::nullopt;
}

inline void NaivePartition::follow(const insync::GroupState& state, const Moment& moment) {
    const Reported before = shown;
    if (leading_) step_down();
    heard_ = state.epoch;
    const bool led = state.leader != insync::kNoNode && state.leader != self_;
    if (led) {
        deposed_ = no_leader_ = shown.stale = false;
    } else {
        if (!no_leader_) leaderless_ = failing_ ? last_good_ : Span{read_at_, moment.now};
        if (!no_leader_ && read_at_ == insync::kNever) leaderless_.least = moment.now;
        no_leader_ = true;
        if (deposed_) age_members(moment, true);
        const auto stale_since = [&](TimePoint t) {
            return insync::saturating_age(moment.now, t) >= config_.max_lag_ms;
        };
        shown.stale = choose(stale_since(leaderless_.least), stale_since(leaderless_.most),
                             moment.actual.stale);
    }
    commit(before, ChangeCause::quorum_lost);
    // S5: what was decided in an older epoch, or here, does not say who leads now.
    if (led && (shown.epoch != heard_ || decider_ == self_))
        named_ = shown.replicas.contains(state.leader) ? state.leader : insync::kNoNode;
    show_leader();
}

/// S7: the members of a leader without a quorum fall out as they pass the limit.
inline void NaivePartition::age_members(const Moment& moment, bool must) {
    for (auto& [node, follower] : followers_) {
        if (!shown.members.contains(node) || !moment.may_evict) continue;
        if (follower.match >= end_) follower.caught_up.exactly(follower.contact);
        const auto out = [&](TimePoint caught_up) {
            return insync::saturating_age(moment.now, caught_up) > config_.max_lag_ms;
        };
        if (choose(moment.blind || out(follower.caught_up.least),
                   must && out(follower.caught_up.most), !moment.actual.members.contains(node)))
            shown.members.erase(node);
    }
}

} // namespace property
