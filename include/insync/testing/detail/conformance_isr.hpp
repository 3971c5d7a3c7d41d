#pragma once

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/detail/conformance_run.hpp>
#include <insync/types.hpp>

#include <string_view>

// What an `IsrManager` makes of the view.

namespace insync::testing::detail {

/// A replica of this kind is out of the ISR, though it answers and holds everything.
template <ConformanceCluster C>
void kind_not_in_sync(ConformanceRun<C>& run,
                      ClusterAbility ability,
                      ReplicaKind kind,
                      std::string_view name) {
    run.require(ability, HasReplicaKinds<C>, "set_kind");
    if constexpr (HasReplicaKinds<C>) {
        run.lead_confirmed(run.a);
        run.cluster().set_kind(run.c, kind);
        run.cluster().append(run.a);
        run.advance(run.election());
        TrackedNode<C> tracked{run, run.a};
        tracked.advance(2 * tracked.config().check_interval_ms);
        tracked.advance(tracked.config().max_lag_ms, [&] {
            if (tracked.in_sync(run.c))
                breach("node {} is {}, and in the ISR: {}", run.c, name, tracked.why(run.c));
            return false;
        });
    }
}

template <ConformanceCluster C>
void learners_not_in_sync(ConformanceRun<C>& run) {
    kind_not_in_sync(run, ClusterAbility::learners, ReplicaKind::learner, "a learner");
}
template <ConformanceCluster C>
void joiners_not_in_sync(ConformanceRun<C>& run) {
    kind_not_in_sync(run, ClusterAbility::joining_replicas, ReplicaKind::joining, "joining");
}
template <ConformanceCluster C>
void leavers_not_in_sync(ConformanceRun<C>& run) {
    kind_not_in_sync(run, ClusterAbility::leaving_replicas, ReplicaKind::leaving, "leaving");
}

template <ConformanceCluster C>
void idle_group_stays_in_sync(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    TrackedNode<C> tracked{run, run.a};
    const TimePoint start = run.now();
    tracked.advance(3 * tracked.config().max_lag_ms, [&] {
        for (const NodeId node : run.nodes())
            if (!tracked.in_sync(node))
                breach("nothing was appended for {} ms, and healthy node {} left the ISR: {}",
                       saturating_age(run.now(), start).count(), node, tracked.why(node));
        return false;
    });
}

template <ConformanceCluster C>
void dead_follower_ages_out(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    TrackedNode<C> tracked{run, run.a};
    run.cluster().stop(run.c);
    const auto& config = tracked.config();
    // In real time a sweep may come late, and then it evicts nobody: room for more of them.
    const Millis limit = config.max_lag_ms + run.slack() + 8 * config.check_interval_ms;
    tracked.advance(limit, [&] { return !tracked.in_sync(run.c); });
    if (tracked.in_sync(run.c))
        breach("node {} was killed {} ms ago and is still in the ISR: {}", run.c, limit.count(),
               tracked.why(run.c));
}

template <ConformanceCluster C>
void lost_quorum_refuses_writes(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    TrackedNode<C> tracked{run, run.a};
    if (!tracked.writable()) breach("node {} leads a healthy group, and refuses writes", run.a);
    run.cluster().cut(run.a);
    const auto& config = tracked.config();
    const Millis limit = config.max_lag_ms / 2 + run.slack() + 2 * config.check_interval_ms;
    tracked.advance(limit, [&] { return !tracked.writable(); });
    if (tracked.writable())
        breach("node {} was cut off from all others {} ms ago, and still accepts acks=all writes",
               run.a, limit.count());
}

/// A quorum that a view reports is believed: the manager then derives none from the contacts.
template <ConformanceCluster C>
void held_quorum_is_reached(ConformanceRun<C>& run) {
    run.require(ClusterAbility::lasting_leaders, HasLastingLeaders<C>, "keep_leaders");
    if constexpr (HasLastingLeaders<C>) {
        run.cluster().keep_leaders();
        run.lead_confirmed(run.a);
        run.cluster().cut(run.a);
        const Millis limit = 2 * run.election() + run.slack() + run.heartbeat();
        run.advance(limit);
        const GroupState state = run.read(run.a);
        if (state.leading && state.quorum == Quorum::held)
            breach(
                "node {} was cut off from all others {} ms ago, does not step down, and says that "
                "its quorum is held",
                run.a, limit.count());
    }
}

} // namespace insync::testing::detail
