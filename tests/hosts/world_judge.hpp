#pragma once

// Part of world_broker.hpp: what must be true, by rule (docs/rules.md), held against the disks.
#include "hosts/world_broker.hpp" // IWYU pragma: keep

#include <insync/format.hpp>
#include <insync/isr_rules.hpp>

namespace hosts {

/// S2: what the view says after each step.
inline void Broker::check_view(const Shown& shown) {
    insync::GroupState state;
    state.clear();
    if (view_->HostedView::read(view_->find_group({kTopic, 0}, {}), state) !=
        insync::ReadResult::ok)
        return report_.fail("S2", "node {} is up, and its view cannot be read", self_);
    if (state.epoch != shown.state.term || state.leading != shown.leads())
        report_.fail("S2", "node {}: the view says epoch {}, the library term {}", self_,
                     state.epoch, shown.state.term);
    if (state.leader != kNoNode && truth_.leader_of(state.epoch) != state.leader)
        report_.fail("S2", "node {}: the view says that {} leads in epoch {}; it is node {}", self_,
                     state.leader, state.epoch, truth_.leader_of(state.epoch));
    if (!truth_.holds_as(self_, state.durable, self_))
        report_.fail("S2", "node {}: index {} is said to be durable, and is not on the disk", self_,
                     state.durable);
    for (const insync::FollowerRow& row : state.followers) check_row(state, row);
}

inline void Broker::check_row(const insync::GroupState& state, const insync::FollowerRow& row) {
    const TimePoint heard = truth_.heard(self_, row.node, state.epoch);
    if (row.contact > heard)
        report_.fail("S2",
                     "node {} leads in epoch {} and says that it heard of {} {} ms ago; "
                     "{}",
                     self_, state.epoch, row.node,
                     insync::saturating_age(cluster_.now(), row.contact).count(),
                     heard == insync::kNever
                         ? "it never did, in this epoch and its present life"
                         : fmt::format("its last answer is {} ms old",
                                       insync::saturating_age(cluster_.now(), heard).count()));
    if (!row.verified || truth_.is_beyond(self_, row.node, state.epoch)) return;
    ++report_.totals().verified;
    if (row.match == 0 || !truth_.holds_as(row.node, row.match, self_))
        report_.fail("S2",
                     "node {} leads in epoch {} and says that {} has confirmed index {}, which is "
                     "not on its disk",
                     self_, state.epoch, row.node, row.match);
}

/// S1, S4, S5: what is shown after each call of the manager.
inline void Broker::check() {
    if (!up() || !handle_) return;
    const auto set = manager_->get_isr(handle_);
    if (!set) return report_.fail("S5", "node {}: the partition is not tracked any more", self_);
    std::uint64_t members = 0;
    for (const NodeId node : set->members()) members |= std::uint64_t{1} << node;
    const bool has_min = manager_->has_min_isr(handle_);
    report_.mix(members << 32 ^ set->epoch() << 8 ^ set->version() ^ (has_min ? 1u << 30 : 0u));
    if (!truth_.may_be_named(*set))
        report_.fail("S5",
                     "node {}: get_isr names {} as the leader of {}epoch {}; that was node {}",
                     self_, set->leader(), set->leader_ahead() ? "an epoch after " : "",
                     set->epoch(), truth_.leader_of(set->epoch()));
    if (!set->own() && set->leader() == self_)
        report_.fail("S5", "node {} does not lead and names itself", self_);
    if (set->own() && (set->leader() != self_ || !set->contains(self_)))
        report_.fail("S3", "node {}: a leader is not in its own ISR", self_);
    if (has_min && !set->own()) report_.fail("S5", "node {}: a follower accepts writes", self_);
    if (std::pair{set->epoch(), set->version()} < std::pair{last_.epoch(), last_.version()})
        report_.fail("S4", "node {}: an older set came back", self_);
    if (set->own() && (!last_.own() || beginning_.epoch != set->epoch())) {
        beginning_ = {set->epoch(), cluster_.now(), {set->members().begin(), set->members().end()}};
        high_watermark_ = 0;
        if (std::exchange(led_, true)) report_.reach(Mark::leads_again);
    }
    last_ = *set;
    check_high_watermark(*set);
}

/// S6: it never falls, and passes only what all members have on their disks.
inline void Broker::check_high_watermark(const insync::IsrSet& set) {
    const auto mark = manager_->high_watermark(handle_);
    if (!mark || *mark == high_watermark_) return;
    if (*mark < high_watermark_)
        report_.fail("S6", "node {}: the high watermark falls from {} to {}", self_,
                     high_watermark_, *mark);
    high_watermark_ = *mark;
    const Shown shown = cluster_.show(self_);
    if (!shown.leads() || shown.state.term != set.epoch()) return;
    for (const NodeId node : set.members())
        if (!truth_.is_beyond(self_, node, set.epoch()) && !truth_.holds_as(node, *mark, self_))
            report_.fail("S6",
                         "node {}: the high watermark is {}, which member {} has not on its "
                         "disk",
                         self_, *mark, node);
}

/// S6: committed by consensus, and now on the disks of all members.
inline void Broker::check_committed(const Wait& wait) {
    truth_.note_acknowledged(wait.epoch, wait.index);
    const auto fail = [&](const std::string& what) {
        report_.fail("S6", "node {}: entry {} of epoch {} was acknowledged {}", self_, wait.index,
                     wait.epoch, what);
    };
    const auto set = manager_->get_isr(handle_);
    if (!set || !set->own() || set->epoch() != wait.epoch)
        return fail("by a node that does not lead in that epoch");
    if (set->size() < insync::effective_min_isr(plan_.config.min_insync_replicas,
                                                set->size() + set->catching_up().size()))
        fail("below min ISR");
    const Shown shown = cluster_.show(self_);
    if (shown.state.term == wait.epoch && shown.state.committed < wait.index)
        fail("before it was committed");
    for (const NodeId node : set->members())
        if (cluster_.life_known(self_, node) == cluster_.node(node).life &&
            !truth_.holds(node, wait.index, wait.epoch))
            fail(fmt::format("though member {} has not got it on its disk", node));
}

/// Members of the inherited ISR are given a `max_lag_ms`. That one of them was removed and added
/// again between two observations nobody can see, as long as it has confirmed nothing before.
inline bool Broker::is_in_grace(NodeId node) const {
    const Millis grace = plan_.config.max_lag_ms + 2 * plan_.config.check_interval_ms;
    return beginning_.members.contains(node) &&
           insync::saturating_age(cluster_.now(), beginning_.when) <= grace;
}

/// S3, S5: what a sweep leaves that has just read the library.
inline void Broker::check_after_sweep() {
    if (view_->failing || cluster_.now() <= excused_) return;
    const auto set = manager_->get_isr(handle_);
    const Shown shown = cluster_.show(self_);
    if (!set || set->own() != (shown.leads() && set->epoch() == shown.state.term)) {
        const bool assigned =
            set && (set->contains(self_) ||
                    std::ranges::find(set->catching_up(), self_) != set->catching_up().end());
        if (assigned)
            report_.fail("S5", "node {}: after a sweep it {} in epoch {}", self_,
                         set->own() ? "leads" : "does not lead", set->epoch());
        return;
    }
    if (!set->own()) return;
    for (const NodeId node : set->members())
        if (node != self_) check_member(*set, shown, node);
    if (manager_->has_min_isr(handle_)) check_quorum(shown);
}

/// S3: who is in sync is a voter, and has on its disk what the limits ask for.
inline void Broker::check_member(const insync::IsrSet& set, const Shown& shown, NodeId node) {
    const auto row =
        std::ranges::find(shown.peers, static_cast<std::uint64_t>(node), &insync_raft_peer::id);
    if (row == shown.peers.end() || row->member != INSYNC_RAFT_VOTER)
        return report_.fail("S3", "node {}: member {} is no voter of the group", self_, node);
    if (is_in_grace(node) && row->confirmed == 0) return report_.reach(Mark::unconfirmed_member);
    if (truth_.is_beyond(self_, node, set.epoch())) return;
    const auto& config = plan_.config;
    const Index end = shown.state.last;
    if (end > config.max_lag_entries && !truth_.holds_as(node, end - config.max_lag_entries, self_))
        report_.fail("S3", "node {}: member {} lacks more than {} of {} entries", self_, node,
                     config.max_lag_entries, end);
    if (is_in_grace(node)) return;
    const TimePoint long_ago = cluster_.now() - config.max_lag_ms - 2 * config.check_interval_ms;
    const Index due = truth_.end_at(self_, set.epoch(), long_ago);
    if (!truth_.holds_as(node, due, self_))
        report_.fail("S3",
                     "node {}: member {} has not on its disk what was at the end, {}, longer "
                     "than {} ms ago",
                     self_, node, due, config.max_lag_ms.count());
    const TimePoint heard = std::max(truth_.heard(self_, node, set.epoch()), beginning_.when);
    const Millis silence = insync::saturating_age(cluster_.now(), heard);
    if (silence > config.max_lag_ms + config.check_interval_ms)
        report_.fail("S3", "node {}: member {} was silent for {} ms", self_, node, silence.count());
}

/// S5: who accepts writes reaches a majority, or learns in time that it does not.
inline void Broker::check_quorum(const Shown& shown) {
    std::size_t voters = 0;
    std::size_t reached = 0;
    const auto& options = plan_.cluster;
    const Millis limit = options.check_quorum ? 2 * options.tick * (options.election_ticks + 1)
                                              : plan_.config.quorum_contact_ms;
    for (const insync_raft_peer& peer : shown.peers) {
        if (peer.member == INSYNC_RAFT_LEARNER) continue;
        ++voters;
        const auto node = static_cast<NodeId>(peer.id);
        const TimePoint heard =
            std::max(truth_.heard(self_, node, shown.state.term), beginning_.when);
        if (node == self_ || insync::saturating_age(cluster_.now(), heard) <= limit) ++reached;
    }
    // New voters are given the time to answer.
    if (insync::saturating_age(cluster_.now(), members_since_) <= 2 * limit) return;
    if (!insync::is_majority(reached, voters))
        report_.fail("S5", "node {}: writes are accepted with {} of {} voters heard of in {} ms",
                     self_, reached, voters, limit.count());
}

/// S3: a healthy follower that holds everything is not put out.
inline void Broker::on_change(const insync::IsrChange& change) {
    report_.note("node {}: {}: {} -> {}, epoch {} version {}", self_, to_string(change.cause),
                 change.before.members(), change.after.members(), change.after.epoch(),
                 change.after.version());
    if (change.cause != insync::ChangeCause::lag || view_->failing) return;
    const Shown shown = cluster_.show(self_);
    if (!shown.leads() || shown.state.term != change.after.epoch()) return;
    for (const insync::MovedReplica& moved : change.moved) {
        const auto row = std::ranges::find(shown.peers, static_cast<std::uint64_t>(moved.node),
                                           &insync_raft_peer::id);
        if (row == shown.peers.end() || row->member != INSYNC_RAFT_VOTER) {
            if (moved.added)
                report_.fail("S3", "node {}: {} joins, which is no voter", self_, moved.node);
            continue;
        }
        const Millis silence = insync::saturating_age(
            cluster_.now(), truth_.heard(self_, moved.node, change.after.epoch()));
        if (!moved.added && row->confirmed != 0 && row->matched >= shown.state.last &&
            silence <= plan_.config.max_lag_ms)
            report_.fail("S3", "node {}: {} goes, though it has all and was heard of {} ms ago",
                         self_, moved.node, silence.count());
    }
}

} // namespace hosts
