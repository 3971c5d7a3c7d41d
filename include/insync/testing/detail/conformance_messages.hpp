#pragma once

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/detail/conformance_run.hpp>
#include <insync/types.hpp>

// What reads must make of messages that are late, lost, of another kind, or of a former member.
// Each check leaves alone what was wrong before its message came: that is another's.

namespace insync::testing::detail {

/// A follower that answers heartbeats of this epoch, and has accepted no append of it.
template <ConformanceCluster C>
void heartbeats_verify_nothing(ConformanceRun<C>& run) {
    run.require(ClusterAbility::lost_appends, HasLostAppends<C>, "lose_appends");
    if constexpr (HasLostAppends<C>) {
        run.lead_confirmed(run.a);
        run.cluster().lose_appends(run.c);
        run.lead(run.b);
        for (int i = 0; i < 4; ++i) {
            const GroupState state = run.read(run.b);
            const FollowerRow* const row = row_of(state, run.c);
            const bool verified = row != nullptr && row->verified;
            if (verified && row->contact == kNever && i == 0) return; // by no answer at all
            if (verified)
                breach(
                    "node {} leads in epoch {}; node {} has answered its heartbeats and accepted "
                    "no append of it, and its match of {} is taken for verified",
                    run.b, state.epoch, run.c, row->match);
            run.advance(run.heartbeat());
        }
        run.cluster().heal();
        run.confirm(run.b, run.c);
    }
}

/// What a follower answered in an earlier epoch, and arrives at the same leader in a later one.
template <ConformanceCluster C>
void late_answers_verify_nothing(ConformanceRun<C>& run) {
    run.require(ClusterAbility::held_answers, HasHeldAnswers<C>, "hold_answers");
    if constexpr (HasHeldAnswers<C>) {
        run.lead_confirmed(run.a);
        run.cluster().hold_answers(run.c);
        run.cluster().append(run.a);
        run.advance(run.heartbeat());
        run.cluster().stop(run.c);
        const TimePoint latest = run.now() + run.slack();
        run.lead(run.b);
        run.confirm(run.b, run.a); // so that it may be elected
        run.lead(run.a);
        run.advance(run.slack() + run.heartbeat());
        const GroupState before = run.read(run.a);
        const FollowerRow* row = row_of(before, run.c);
        if (row == nullptr || row->verified || row->contact > latest) return;
        run.cluster().deliver_answers(run.c);
        for (int i = 0; i < 3; ++i) {
            run.advance(run.heartbeat());
            const GroupState state = run.read(run.a);
            row = row_of(state, run.c);
            if (state.epoch != before.epoch || row == nullptr) return;
            if (row->verified || row->contact > latest)
                breach(
                    "node {} leads in epoch {}; what node {} had answered it in an earlier epoch "
                    "arrived, and counts as {} of this one",
                    run.a, state.epoch, run.c,
                    row->verified ? "the confirmation of a match" : "a contact");
        }
    }
}

/// The leader's rows, while one node that nothing reaches asks for votes.
template <ConformanceCluster C>
void require_votes_unheard(ConformanceRun<C>& run, Epoch epoch, TimePoint latest) {
    for (const NodeId node : run.nodes()) {
        if (node == run.c) continue;
        const GroupState state = run.read(node);
        if (!state.leading) continue; // it was deposed, as some libraries have it
        const FollowerRow* const asking = row_of(state, run.c);
        if (asking != nullptr && asking->contact > latest)
            breach(
                "node {} leads; node {}, which nothing reaches, asks for votes, and that counts as "
                "a contact",
                node, run.c);
        const FollowerRow* const other = node == run.a ? row_of(state, run.b) : nullptr;
        if (other != nullptr && state.epoch == epoch && other->contact == kNever)
            breach("node {} leads; since node {} asks for votes, the contact of node {} is lost",
                   node, run.c, run.b);
    }
}

template <ConformanceCluster C>
void votes_are_no_contacts(ConformanceRun<C>& run) {
    run.require(ClusterAbility::vain_campaigns, HasVainCampaigns<C>, "campaign_in_vain");
    if constexpr (HasVainCampaigns<C>) {
        run.lead_confirmed(run.a);
        run.advance(run.heartbeat());
        run.cluster().cut(run.c);
        const TimePoint latest = run.now() + run.slack();
        run.advance(run.slack() + 2 * run.heartbeat());
        const GroupState before = run.read(run.a);
        const FollowerRow* const asking = row_of(before, run.c);
        const FollowerRow* const other = row_of(before, run.b);
        if (asking == nullptr || asking->contact > latest) return;
        if (other == nullptr || other->contact == kNever) return;
        for (int i = 0; i < 3; ++i) {
            run.cluster().campaign_in_vain(run.c);
            run.advance(run.heartbeat());
            require_votes_unheard(run, before.epoch, latest);
        }
    }
}

/// A member that was removed and is one again, in one epoch, with an empty disk, and is silent.
template <ConformanceCluster C>
void require_unheard_of(ConformanceRun<C>& run, Epoch epoch, TimePoint latest) {
    for (int i = 0; i < 3; ++i) {
        const GroupState state = run.read(run.a);
        const FollowerRow* const row = row_of(state, run.c);
        if (state.epoch != epoch || row == nullptr) return;
        if (row->verified)
            breach(
                "node {} was removed and added again with an empty disk in epoch {}, and its match "
                "of {} is taken for verified",
                run.c, epoch, row->match);
        if (row->contact > latest)
            breach(
                "node {} was removed and added again and has not been heard of since, and has a "
                "contact",
                run.c);
        run.advance(run.heartbeat());
    }
}

template <ConformanceCluster C>
void added_again_starts_anew(ConformanceRun<C>& run) {
    run.require(ClusterAbility::removed_members, HasRemovedMembers<C>, "remove");
    if constexpr (HasRemovedMembers<C>) {
        run.lead_confirmed(run.a);
        const Epoch epoch = run.read(run.a).epoch;
        run.remove(run.c);
        const TimePoint latest = run.now() + run.slack();
        const bool gone = run.eventually(run.election(),
                                         [&] { return row_of(run.read(run.a), run.c) == nullptr; });
        if (!gone)
            breach("node {} is no member any more, and node {} has a row for it", run.c, run.a);
        run.advance(run.slack() + run.heartbeat());
        run.cluster().cut(run.c);
        run.cluster().add(run.c);
        require_unheard_of(run, epoch, latest);
        run.cluster().heal();
        run.confirm(run.a, run.c);
    }
}

} // namespace insync::testing::detail
