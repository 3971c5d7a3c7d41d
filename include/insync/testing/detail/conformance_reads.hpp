#pragma once

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/detail/conformance_run.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

// What single reads must say while nothing but the log moves.

namespace insync::testing::detail {

template <ConformanceCluster C>
void leader_not_in_rows(ConformanceRun<C>& run) {
    for (const NodeId leader : {run.a, run.b}) {
        run.lead(leader);
        for (int i = 0; i < 4; ++i) {
            if (row_of(run.read(leader), leader) != nullptr)
                breach("node {} leads and has a row for itself", leader);
            run.cluster().append(leader);
            run.advance(run.heartbeat());
        }
    }
}

/// Also the member that this leader has never heard of.
template <ConformanceCluster C>
void every_member_has_a_row(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    run.cluster().cut(run.c);
    run.lead(run.b);
    const GroupState state = run.read(run.b);
    for (const NodeId node : run.nodes()) {
        if (node == run.b) continue;
        const auto rows = std::ranges::count(state.followers, node, &FollowerRow::node);
        if (rows != 1)
            breach("node {} leads and has {} rows for member {}{}", run.b, rows, node,
                   node == run.c ? ", which has not answered it yet" : "");
    }
}

/// With followers that hear nothing, the end moves and the commit index must not.
template <ConformanceCluster C>
GroupState append_without_followers(ConformanceRun<C>& run, Index& appended) {
    run.lead_confirmed(run.a);
    for (const NodeId node : run.nodes())
        if (node != run.a) run.cluster().cut(node);
    appended = run.cluster().append(run.a);
    return run.read(run.a);
}

template <ConformanceCluster C>
void end_is_the_log_end(ConformanceRun<C>& run) {
    Index appended = 0;
    const GroupState state = append_without_followers(run, appended);
    if (state.end < appended)
        breach(
            "node {} has appended entry {}, which nobody else holds, and says that its log ends "
            "at {}",
            run.a, appended, state.end);
}

template <ConformanceCluster C>
void commit_needs_a_majority(ConformanceRun<C>& run) {
    Index appended = 0;
    const GroupState state = append_without_followers(run, appended);
    if (state.commit >= appended)
        breach("node {} says that {} is committed; entry {} is on no other node", run.a,
               state.commit, appended);
}

/// What the disk has not taken yet is no ground for an acknowledgement.
template <ConformanceCluster C>
void durable_is_on_disk(ConformanceRun<C>& run) {
    run.require(ClusterAbility::held_disks, HasHeldDisks<C>, "hold_disk");
    if constexpr (HasHeldDisks<C>) {
        run.lead_confirmed(run.a);
        run.cluster().hold_disk(run.a);
        const Index appended = run.cluster().append(run.a);
        GroupState state = run.read(run.a);
        if (state.durable >= appended)
            breach(
                "node {} has appended entry {}, which its disk has not taken yet, and says that {} "
                "is durable",
                run.a, appended, state.durable);
        run.cluster().release_disk(run.a);
        const bool told = run.eventually(10 * run.election(), [&] {
            state = run.read(run.a);
            return state.durable >= appended;
        });
        if (!told)
            breach("node {} has entry {} on its disk, and goes on saying that {} is durable", run.a,
                   appended, state.durable);
    }
}

template <ConformanceCluster C>
void match_was_confirmed(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    const Index held = run.read(run.a).end;
    run.cluster().cut(run.c);
    for (int i = 0; i < 3; ++i) run.cluster().append(run.a);
    run.confirm(run.a, run.b);
    const GroupState state = run.read(run.a);
    for (const auto& [node, most] : {std::pair{run.b, state.end}, std::pair{run.c, held}}) {
        const FollowerRow* const row = row_of(state, node);
        if (row != nullptr && row->verified && row->match > most)
            breach("node {} says that node {} holds entries up to {}; it holds {} at most", run.a,
                   node, row->match, most);
    }
}

/// Contacts of followers that answer: neither in the future nor older than they can be.
template <ConformanceCluster C>
void require_fresh_contacts(ConformanceRun<C>& run, NodeId leader) {
    const TimePoint before = run.now(); // in real time it goes on during the read
    const GroupState state = run.read(leader);
    const TimePoint now = run.now();
    const Millis oldest = run.heartbeat() + run.slack();
    for (const NodeId node : run.nodes()) {
        const FollowerRow* const row = node == leader ? nullptr : row_of(state, node);
        if (row == nullptr) continue;
        if (row->contact > now)
            breach("the contact of node {} is {} ms in the future", node,
                   saturating_age(row->contact, now).count());
        if (row->contact == kNever || saturating_age(before, row->contact) > oldest)
            breach(
                "node {} leads in epoch {}, node {} answers it all the time, and its contact is "
                "older than {} ms",
                leader, state.epoch, node, oldest.count());
    }
}

template <ConformanceCluster C>
void contact_within_slack(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    for (int i = 0; i < 8; ++i) {
        run.cluster().append(run.a);
        run.advance(run.heartbeat());
        require_fresh_contacts(run, run.a);
    }
    run.cluster().cut(run.c);
    const TimePoint latest = run.now() + run.slack();
    run.advance(run.slack() + run.heartbeat());
    const GroupState state = run.read(run.a);
    const FollowerRow* const row = row_of(state, run.c);
    if (row != nullptr && row->contact > latest)
        breach(
            "node {} was cut off; {} ms later than the slack of {} ms allows, its contact still "
            "moved",
            run.c, saturating_age(row->contact, latest).count(), run.slack().count());
}

/// In each epoch anew, also for a leader that returns.
template <ConformanceCluster C>
void contacts_move_after_election(ConformanceRun<C>& run) {
    for (const NodeId leader : {run.a, run.b, run.a}) {
        run.lead_confirmed(leader);
        for (int i = 0; i < 3; ++i) {
            run.cluster().append(leader);
            run.advance(run.heartbeat());
            require_fresh_contacts(run, leader);
        }
    }
}

/// An answer vouches for a moment before its arrival.
template <ConformanceCluster C>
void slack_covers_a_round_trip(ConformanceRun<C>& run) {
    run.lead_confirmed(run.a);
    if constexpr (C::View::contact_source != ContactSource::request) {
        if (run.slack() <= Millis{0})
            breach("contacts tell when answers arrived, and `contact_slack()` is {} ms",
                   run.slack().count());
        run.require(ClusterAbility::round_trips, HasRoundTrips<C>, "round_trip");
        if constexpr (HasRoundTrips<C>)
            if (run.slack() < run.cluster().round_trip())
                breach("`contact_slack()` is {} ms; a request and its answer take up to {} ms here",
                       run.slack().count(), run.cluster().round_trip().count());
    }
}

/// What `version` must tell of: everything but contacts.
inline bool same_but_for_contacts(const GroupState& x, const GroupState& y) {
    const auto same_row = [](const FollowerRow& r, const FollowerRow& s) {
        return r.node == s.node && r.kind == s.kind && r.verified == s.verified &&
               (!r.verified || r.match == s.match);
    };
    return x.epoch == y.epoch && x.epoch_start == y.epoch_start && x.leader == y.leader &&
           x.leading == y.leading && x.quorum == y.quorum && x.end == y.end &&
           x.durable == y.durable && x.commit == y.commit && x.applied == y.applied &&
           x.membership == y.membership && std::ranges::equal(x.followers, y.followers, same_row);
}

/// The last read on one node, with the version that went with it.
template <ConformanceCluster C>
class VersionWatch {
public:
    VersionWatch(ConformanceRun<C>& run, NodeId node) : run_(run), node_(node) {}

    void look() {
        const std::uint64_t version = run_.cluster().view(node_).version(run_.group(node_));
        const GroupState state = run_.read(node_);
        if (last_ && version == version_ && !same_but_for_contacts(*last_, state))
            breach(
                "on node {} a read says (epoch {}, end {}, commit {}) after (epoch {}, end {}, "
                "commit {}), or its rows have changed; version {} stayed",
                node_, state.epoch, state.end, state.commit, last_->epoch, last_->end,
                last_->commit, version);
        last_ = state;
        version_ = version;
    }

private:
    ConformanceRun<C>& run_;
    NodeId node_;
    std::optional<GroupState> last_;
    std::uint64_t version_ = 0;
};

template <ConformanceCluster C>
void version_tells_of_changes(ConformanceRun<C>& run) {
    if constexpr (!VersionedView<typename C::View>) {
        throw NotApplicable{"the view offers no version(group)"};
    } else {
        VersionWatch<C> on_a{run, run.a};
        VersionWatch<C> on_b{run, run.b};
        const auto look = [&] {
            on_a.look();
            on_b.look();
        };
        look();
        for (const NodeId leader : {run.a, run.b, run.a}) {
            run.lead(leader);
            look();
            for (int i = 0; i < 6; ++i) {
                if (i % 2 == 0) run.cluster().append(leader);
                look();
                run.advance(run.heartbeat() / 3);
                look();
            }
        }
    }
}

} // namespace insync::testing::detail
