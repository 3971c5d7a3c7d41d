#pragma once

// Part of world.hpp: who belongs to the group, changed one after the other as the library wants it.
#include "hosts/world.hpp" // IWYU pragma: keep

namespace hosts {

/// Proposes what is wanted next; again, where it was refused or came to nothing.
inline void World::pursue_wishes() {
    const NodeId at = leader();
    // Nothing else can be changed until a joint change is left.
    if (joint_ && !pending_ && now() >= joint_until_ &&
        (wishes_.empty() || wishes_.front().how != RAFT_HOST_LEAVE_JOINT))
        wishes_.push_front({RAFT_HOST_LEAVE_JOINT, {}, false, {}});
    if (joint_ && now() < joint_until_) return;
    if (pending_ || wishes_.empty() || at == kNoNode || cluster_.node(at).paused) return;
    const Wish wish = wishes_.front();
    for (const raft_host_change& step : wish.steps)
        if (ending_.contains(static_cast<NodeId>(step.id))) return; // first it has to end
    if (is_void(wish, at)) return wishes_.pop_front();
    const Epoch term = cluster_.show(at).state.term;
    // The index is known only when it was proposed; whoever applies it does so later.
    const Index index = cluster_.change(at, wish.steps, wish.how);
    if (index == 0) return;
    wishes_.pop_front();
    pending_ = PendingChange{wish, index, term};
    for (const raft_host_change& step : wish.steps)
        if (step.what != RAFT_HOST_REMOVE && !cluster_.node(static_cast<NodeId>(step.id)).member)
            cluster_.note_added(static_cast<NodeId>(step.id), index);
    watch_change();
}

/// Whether a wish takes the last voter, or one that is none.
inline bool World::is_void(const Wish& wish, NodeId at) const {
    std::size_t voters = 0;
    std::size_t taken = 0;
    std::size_t unknown = 0;
    const Shown shown = cluster_.show(at);
    for (const insync_raft_peer& peer : shown.peers) voters += peer.member == INSYNC_RAFT_VOTER;
    for (const raft_host_change& step : wish.steps) {
        const auto row = std::ranges::find(shown.peers, step.id, &insync_raft_peer::id);
        if (step.what == RAFT_HOST_ADD_VOTER) continue;
        if (row == shown.peers.end())
            unknown += step.what == RAFT_HOST_REMOVE;
        else
            taken += row->member == INSYNC_RAFT_VOTER;
    }
    return unknown > 0 || (taken > 0 && voters < 2);
}

/// Whether the change under way has been applied by anybody, or another entry stands in its place.
inline void World::watch_change() {
    if (!pending_) return;
    const NodeId at = leader();
    const insync_raft_state state = at == kNoNode ? insync_raft_state{} : cluster_.show(at).state;
    if (state.term > pending_->term && state.last < pending_->index) { // that leader's end is lost
        wishes_.push_front(std::exchange(pending_, std::nullopt)->wish);
        return;
    }
    for (const NodeId id : cluster_.ids()) {
        if (!cluster_.node(id).up || cluster_.show(id).state.applied < pending_->index) continue;
        raft_host_entry entry{};
        if (cluster_.library().entry(cluster_.node(id).raft, pending_->index, &entry) !=
            RAFT_HOST_OK)
            continue;
        const PendingChange change = *std::exchange(pending_, std::nullopt);
        if (entry.term == change.term)
            conclude(change);
        else
            wishes_.push_front(change.wish);
        return;
    }
}

inline void World::conclude(const PendingChange& change) {
    if (change.wish.how != RAFT_HOST_SIMPLE) {
        joint_ = change.wish.how == RAFT_HOST_ENTER_JOINT;
        joint_until_ = now() + plan_.config.max_lag_ms;
        if (joint_) report_.reach(Mark::joint);
    }
    for (const raft_host_change& step : change.wish.steps) {
        const auto id = static_cast<NodeId>(step.id);
        report_.note("entry {} of term {} {} node {}", change.index, change.term,
                     step.what == RAFT_HOST_REMOVE        ? "removes"
                     : step.what == RAFT_HOST_ADD_LEARNER ? "makes a learner of"
                                                          : "makes a voter of",
                     id);
        if (step.what == RAFT_HOST_REMOVE)
            remove(change, id);
        else if (!cluster_.node(id).member)
            admit(id);
        else if (step.what == RAFT_HOST_ADD_LEARNER)
            report_.reach(Mark::demoted);
    }
}

/// The broker of a member that was removed ends soon, and perhaps its disk is given to others.
/// In a joint change it votes until that is left, and its process lives on.
inline void World::remove(const PendingChange& change, NodeId id) {
    if (change.wish.how != RAFT_HOST_SIMPLE) return;
    report_.reach(Mark::removed);
    removed_in_[id] = change.term;
    ending_.insert(id);
    if (plan_.reassigns) {
        auto rest = assigned_;
        std::erase(rest, id);
        assign(rest);
    }
    const auto lingers = static_cast<Millis::rep>(numbers_.below(60));
    cluster_.at(now() + Millis{1 + lingers}, [this, change, id] { end_removed(change, id); });
}

/// Not before most of the others have applied it: they may need its vote until then.
inline void World::end_removed(const PendingChange& change, NodeId id) {
    if (report_.failed()) return;
    report_.set_now(now());
    std::size_t others = 0;
    std::size_t applied = 0;
    for (const NodeId other : cluster_.ids()) {
        if (!cluster_.node(other).member || ending_.contains(other)) continue;
        ++others;
        applied += cluster_.show(other).state.applied >= change.index;
    }
    if (!insync::is_majority(applied, others)) {
        cluster_.at(now() + Millis{20}, [this, change, id] { end_removed(change, id); });
        return;
    }
    if (broker(id).up()) broker(id).stop();
    cluster_.crash(id);
    cluster_.node(id).member = false;
    ending_.erase(id);
    if (change.wish.wipes) cluster_.wipe(id);
    report_.note("node {} has ended{}", id, change.wish.wipes ? " and lost its disk" : "");
    if (change.wish.returns.count() == 0) return;
    cluster_.at(now() + change.wish.returns, [this, id] { want(RAFT_HOST_ADD_VOTER, id); });
}

inline void World::admit(NodeId id) {
    Node& node = cluster_.node(id);
    node.member = true;
    cluster_.at(now() + Millis{1}, [this, id] {
        if (report_.failed() || cluster_.node(id).up) return;
        report_.set_now(now());
        if (cluster_.node(id).life > 0) report_.reach(Mark::lives_again);
        const NodeId at = leader();
        const auto removed = removed_in_.find(id);
        if (at != kNoNode && removed != removed_in_.end() &&
            removed->second == cluster_.show(at).state.term)
            report_.reach(Mark::returns_in_one_epoch);
        cluster_.restart(id);
        if (!std::binary_search(assigned_.begin(), assigned_.end(), id)) {
            auto more = assigned_;
            more.push_back(id);
            std::sort(more.begin(), more.end());
            assign(more);
        }
        start(id);
    });
}

inline void World::want(std::uint32_t what, NodeId id) {
    wishes_.push_back({RAFT_HOST_SIMPLE, {{static_cast<std::uint64_t>(id), what, 0}}, false, {}});
}

inline void World::assign(const std::vector<NodeId>& nodes) {
    assigned_ = nodes;
    for (const NodeId id : cluster_.ids())
        if (broker(id).up()) broker(id).assign(nodes);
}

} // namespace hosts
