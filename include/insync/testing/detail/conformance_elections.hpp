#pragma once

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/detail/conformance_run.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

// What reads must say when leadership has moved.

namespace insync::testing::detail {

template <ConformanceCluster C>
void followers_say_nothing(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    run.lead_confirmed(run.b);
    run.advance(run.heartbeat());
    for (const NodeId node : {run.a, run.c}) {
        const GroupState state = run.read(node);
        if (state.leading) breach("node {} follows, and says that it leads", node);
        if (!state.followers.empty())
            breach("node {} follows, and has rows for {} followers", node, state.followers.size());
        if (state.leader != run.b)
            breach("node {} says that {} leads; it is node {}", node, state.leader, run.b);
    }
}

template <ConformanceCluster C>
void require_epoch(ConformanceRun<C>& run, NodeId leader) {
    const Epoch epoch = run.read(leader).epoch;
    for (const NodeId node : run.nodes()) {
        const Epoch seen = run.read(node).epoch;
        if (seen != epoch)
            breach("node {} says epoch {}; its leader, node {}, says {}", node, seen, leader,
                   epoch);
    }
}

template <ConformanceCluster C>
void epoch_of_the_group(ConformanceRun<C>& run) {
    std::optional<Epoch> before;
    for (const NodeId leader : {run.a, run.b, run.a}) {
        run.lead(leader);
        const Epoch epoch = run.read(leader).epoch;
        if (before && epoch <= *before)
            breach("node {} was elected, and its epoch is {} after {}", leader, epoch, *before);
        run.advance(2 * run.heartbeat());
        require_epoch(run, leader);
        before = epoch;
    }
}

/// Before the first election, and on a leader that has stepped down: nobody is `kNoNode`.
template <ConformanceCluster C>
void nobody_leads_is_said(ConformanceRun<C>& run) {
    for (const NodeId node : run.nodes()) {
        const NodeId leader = run.read(node).leader;
        if (leader != kNoNode && !std::ranges::count(run.nodes(), leader))
            breach("nobody was elected yet; node {} says that {} leads, which is no member", node,
                   leader);
    }
    run.lead_confirmed(run.a);
    run.cluster().cut(run.a);
    const TimePoint end = run.now() + 2 * run.election();
    while (run.now() < end) {
        run.advance(run.heartbeat());
        const GroupState state = run.read(run.a);
        if (!state.leading && state.leader != kNoNode)
            breach("node {} was cut off and has stepped down, and says that {} leads", run.a,
                   state.leader);
    }
}

/// Who was named as the leader of which epoch, by whomever.
template <ConformanceCluster C>
class LeaderWatch {
public:
    explicit LeaderWatch(ConformanceRun<C>& run) : run_(run) {}

    void look() {
        for (const NodeId node : run_.nodes()) {
            const GroupState state = run_.read(node);
            if (std::ranges::count(run_.nodes(), state.leader)) note(node, state);
        }
    }

private:
    void note(NodeId node, const GroupState& state) {
        const NodeId other = leaders_.emplace(state.epoch, state.leader).first->second;
        if (other != state.leader)
            breach("node {} says that node {} leads in epoch {}; node {} was named for it, too",
                   node, state.leader, state.epoch, other);
        const Epoch own = run_.read(state.leader).epoch;
        if (own < state.epoch)
            breach("node {} says that node {} leads in epoch {}; that node is in epoch {} itself",
                   node, state.leader, state.epoch, own);
    }

    ConformanceRun<C>& run_;
    std::map<Epoch, NodeId> leaders_;
};

/// Also while votes are asked for and nobody has won, where the cluster can do that.
template <ConformanceCluster C>
void leader_is_of_the_epoch(ConformanceRun<C>& run) {
    LeaderWatch<C> watch{run};
    run.lead_confirmed(run.a);
    watch.look();
    for (const NodeId leader : {run.b, run.a}) {
        run.lead(leader);
        for (int i = 0; i < 4; ++i) {
            watch.look();
            run.advance(run.heartbeat() / 2);
        }
    }
    if constexpr (HasVainCampaigns<C>) {
        if (!std::string_view{run.cluster().cannot(ClusterAbility::vain_campaigns)}.empty()) return;
        run.cluster().cut(run.c);
        run.advance(run.heartbeat());
        for (int i = 0; i < 3; ++i) {
            run.cluster().campaign_in_vain(run.c);
            watch.look();
            run.advance(run.heartbeat() / 2);
            watch.look();
        }
    }
}

/// Breaks off if the leader takes a follower for verified that was cut off before its election.
template <ConformanceCluster C, class Counts>
void require_unverified(ConformanceRun<C>& run, NodeId leader, const Counts& counts) {
    run.cluster().cut(run.c);
    run.lead(leader);
    for (int i = 0; i < 3; ++i) {
        const GroupState state = run.read(leader);
        const FollowerRow* const row = row_of(state, run.c);
        if (row != nullptr && row->verified && counts(*row))
            breach(
                "node {} leads in epoch {}, has heard nothing of node {} since, and takes its "
                "match of {} for verified",
                leader, state.epoch, run.c, row->match);
        run.advance(run.heartbeat());
    }
}

/// A follower that has never answered this leader is unknown; once it has, it is known. Also by a
/// leader that returns, where its old matches are the business of the next check.
template <ConformanceCluster C>
void unverified_after_election(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    require_unverified(run, run.b, [](const FollowerRow&) { return true; });
    run.cluster().heal();
    run.advance(run.election());
    run.confirm(run.b, run.c);
    require_unverified(run, run.a, [](const FollowerRow& row) { return row.match == 0; });
}

/// A leader that led before must not go on where it left off.
template <ConformanceCluster C>
void stale_match_not_believed(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    run.lead_confirmed(run.b);
    require_unverified(run, run.a, [](const FollowerRow& row) { return row.match > 0; });
}

/// Whether two reads can be of one instant: who leads, in which epoch, and what of the others.
inline bool same_leadership(const GroupState& x, const GroupState& y) {
    return x.epoch == y.epoch && x.leader == y.leader && x.leading == y.leading &&
           std::ranges::equal(
               x.followers, y.followers, [](const FollowerRow& r, const FollowerRow& s) {
                   return r.node == s.node && r.verified == s.verified && r.match == s.match;
               });
}

template <ConformanceCluster C>
void torn_read_reported(ConformanceRun<C>& run) {
    run.require(ClusterAbility::interrupted_reads, HasInterruptedReads<C>, "during_read");
    if constexpr (HasInterruptedReads<C>) {
        run.lead_confirmed(run.a);
        const GroupState before = run.read(run.a);
        bool interrupted = false;
        run.cluster().during_read(run.a, [&] {
            interrupted = true;
            run.lead(run.b);
        });
        GroupState seen;
        const ReadResult result = run.read_once(run.a, seen);
        if (!interrupted) throw BadCluster{"`during_read` has not called its action"};
        if (result != ReadResult::ok) return;
        const GroupState after = run.read(run.a);
        if (!same_leadership(seen, before) && !same_leadership(seen, after))
            breach(
                "leadership moved from epoch {} to {} during a read on node {}; it returned ok "
                "with epoch {} and {} rows",
                before.epoch, after.epoch, run.a, seen.epoch, seen.followers.size());
    }
}

/// A new leader has not heard of a follower because it began to send to it.
template <ConformanceCluster C>
void contact_not_seeded(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    run.cluster().cut(run.c);
    const TimePoint latest = run.now() + run.slack();
    run.advance(run.slack() + run.heartbeat());
    run.lead(run.b);
    for (int i = 0; i < 3; ++i) {
        const GroupState state = run.read(run.b);
        const FollowerRow* const row = row_of(state, run.c);
        if (row != nullptr && row->contact > latest)
            breach(
                "node {} leads and says that it heard of node {} {} ms ago, which was cut off "
                "before the election",
                run.b, run.c, saturating_age(run.now(), row->contact).count());
        run.advance(run.heartbeat());
    }
}

/// A leader that was killed comes back as a follower that knows the epoch, and is confirmed again.
template <ConformanceCluster C>
void restart_keeps_the_epoch(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    run.cluster().stop(run.a);
    run.lead(run.b);
    const Epoch epoch = run.read(run.b).epoch;
    run.restart(run.a);
    GroupState state;
    const bool follows = run.eventually(10 * run.election(), [&] {
        state = run.read(run.a);
        return !state.leading && state.leader == run.b && state.epoch >= epoch;
    });
    if (!follows)
        breach(
            "node {} was restarted; it says epoch {}, leader {}, after node {} was elected in "
            "epoch {}",
            run.a, state.epoch, state.leader, run.b, epoch);
    run.confirm(run.b, run.a);
}

} // namespace insync::testing::detail
