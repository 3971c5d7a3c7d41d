#pragma once

#include <insync/consensus_view.hpp>
#include <insync/detail/isr_engine.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/errors.hpp>
#include <insync/handle.hpp>
#include <insync/isr_rules.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace insync::detail {

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

/// Takes in the view's rows. What is known of a follower is known only for as long as its row
/// vouches for it (S2). \return false without memory
inline bool IsrEngine::take_in_rows(Partition& p,
                                    const GroupState& state,
                                    Now now,
                                    Judging& judging) {
    const LeaderLine& line = p.line();
    // A push that came before or during the read may be what the read does not know yet. The
    // leader's own end never falls within an epoch.
    const bool older = judging.pushed || state.end < line.end;
    Mask voters = 0;
    Mask present = 0;
    for (const FollowerRow& row : state.followers) {
        const std::uint32_t position = p.replicas().position(row.node);
        if (position == ReplicaSet::kNone) continue; // not assigned, or not yet
        present = static_cast<Mask>(present | bit(position));
        if (row.kind == ReplicaKind::voter) voters = static_cast<Mask>(voters | bit(position));
        if (row.verified && row.match > line.end) {
            (void)counters.count(
                Result::beyond_leader_end); // S10: and nothing of the row is believed
            continue;
        }
        if (contradicts(p, position, row)) {
            if (older)
                judging.attention = true;
            else if (p.obtain_extra(now.stamp) == nullptr)
                return false;
            else
                disavow(p, position, now.stamp, judging);
        }
        Index& match = p.match(position);
        if (row.verified && (match == kUnconfirmed || row.match > match)) match = row.match;
        if (row.contact != kNever)
            p.contact(position) = later(p.contact(position), timeline.stamp(row.contact, now.time));
    }
    const Mask others = static_cast<Mask>(all_of(p.replicas().count()) &
                                          ~bit(static_cast<std::uint32_t>(line.self)));
    const Mask ineligible = static_cast<Mask>(others & ~voters);
    if (ineligible != 0 && p.obtain_extra(now.stamp) == nullptr) return false;
    Extra* const more = p.extra();
    if (more == nullptr) return true;
    more->ineligible = ineligible;
    // An assigned replica without a row is no member of the group yet, or no more. When it comes
    // back it may have another disk.
    more->absent = static_cast<Mask>(others & ~present);
    p.for_each_follower(more->absent,
                        [&](std::uint32_t position) { disavow(p, position, now.stamp, judging); });
    return true;
}

/// Whether a row denies what is known: the follower was another one, under the same name.
inline bool IsrEngine::contradicts(const Partition& p,
                                   std::uint32_t position,
                                   const FollowerRow& row) noexcept {
    return p.confirmed(position) && (!row.verified || row.match < p.match(position));
}

/// Forgets what is known of a follower, as nobody vouches for it any more. With an extra.
inline void IsrEngine::disavow(Partition& p,
                               std::uint32_t position,
                               Stamp now,
                               Judging& judging) const {
    p.match(position) = kUnconfirmed;
    p.contact(position) = long_before(now);
    p.kept_caught_up(position) = long_before(now);
    judging.disavowed = static_cast<Mask>(judging.disavowed | bit(position));
    revoke_claim(p);
}

/// The sweep must look at the partition again, whatever it was told (`Freshness`).
inline void IsrEngine::revoke_claim(Partition& p) const {
    p.line().fresh_period = 0;
    partitions.freshness_of(p.slot()).set(p.slot(), Freshness::kNever);
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

} // namespace insync::detail
