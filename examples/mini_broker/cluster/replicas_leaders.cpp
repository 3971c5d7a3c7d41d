// Who leads and who leaves: the part of `Replicas` that moves leadership and takes nodes out.
#include "cluster/replicas.hpp"

#include <algorithm>

namespace mini_broker {

using insync::Result;

void Replicas::node_leaving(NodeId node) {
    gone_.insert(node);
    for (const auto& [group, replica] : by_group_) take_out_gone(*replica);
}

void Replicas::node_returned(NodeId node) {
    gone_.erase(node);
}

/// A node that stops in order leaves every ISR at once, so that no write waits for it; also those
/// that it led until now. It is kept out anew for as long as its last answers would let it in: they
/// come until it has stopped, and so are younger than the removal.
void Replicas::take_out_gone(Replica& replica) {
    const RaftGroup& raft = *replica.raft;
    if (!raft.leading()) return;
    for (const NodeId node : gone_) {
        const insync::ContactLog::Contact contact = raft.contacts().find(node, raft.term());
        const bool may_join =
            insync::saturating_age(loop_.now(), contact.at) <= options_.isr.max_lag_ms;
        if (!may_join && !isr_.is_in_sync(replica.topic, replica.number, node)) continue;
        if (isr_.remove_from_isr(replica.topic, replica.number, node) == Result::ok)
            left_.insert({raft.id(), node});
    }
}

/// What the cluster agreed on reaches the manager: nobody who is dead is given anything on credit.
void Replicas::mark_dead_nodes() {
    const Image& image = controller_.image();
    for (const auto& [node, broker] : image.brokers()) {
        if (node == options_.self) continue;
        const bool dead = image.dead_nodes().contains(node);
        (void)(dead ? isr_.mark_dead(node) : isr_.mark_alive(node));
        if (dead && !known_dead_.contains(node))
            logger_.info({{"peer", node}, {"cause", "not heard of"}},
                         "node {} is dead: new partitions begin without it", node);
    }
    known_dead_ = image.dead_nodes();
    for (const auto& [group, replica] : by_group_) take_out_dead(*replica);
}

/// A leader that began before the cluster knew of a death has given that node grace, and writes wait
/// for it. One that it has heard of since is judged by its lag, as ever.
void Replicas::take_out_dead(Replica& replica) {
    const RaftGroup& raft = *replica.raft;
    if (!raft.leading()) return;
    for (const NodeId node : controller_.image().dead_nodes()) {
        const insync::ContactLog::Contact contact = raft.contacts().find(node, raft.term());
        if (contact.at != insync::kNever) continue;
        if (!isr_.is_in_sync(replica.topic, replica.number, node)) continue;
        if (isr_.remove_from_isr(replica.topic, replica.number, node) == Result::ok)
            left_.insert({raft.id(), node});
    }
}

/// Who left in order is kept out for a while, so that its last answers do not bring it back. That
/// time is over once it has returned and holds everything again.
void Replicas::welcome_back(Replica& replica, NodeId follower, Index match) {
    if (left_.empty() || gone_.contains(follower)) return;
    const auto found = left_.find({replica.raft->id(), follower});
    if (found == left_.end() || match < replica.raft->last_index()) return;
    left_.erase(found);
    (void)isr_.add_to_isr(replica.topic, replica.number, follower);
}

/// Whether a follower has answered the leader a moment ago.
bool Replicas::answers(const RaftGroup& raft, NodeId follower) const {
    const insync::ContactLog::Contact contact = raft.contacts().find(follower, raft.term());
    return insync::saturating_age(loop_.now(), contact.at) <= 2 * options_.raft.heartbeat;
}

/// Whether somebody may wait for an entry to be on this disk, to be committed, or to reach every
/// in-sync replica.
bool Replicas::is_write_pending(const Replica& replica) const {
    const Index last = replica.raft->last_index();
    return replica.raft->log().durable_index() < last || replica.raft->commit_index() < last ||
           isr_.high_watermark(replica.handle).value_or(0) < last;
}

/// Leadership belongs with the first replica, so that load is spread as it was placed. It goes when
/// no write is pending: a producer that is not idempotent would be told to send that again, though
/// the next leader has it. A partition that is never quiet gives up waiting for such a moment.
void Replicas::prefer_first_replica(Replica& replica) {
    constexpr Millis kSettled{3000};
    constexpr Millis kLongestWait{30'000};
    replica.returning = false;
    RaftGroup& raft = *replica.raft;
    const NodeId first = replica.replicas.front();
    if (!raft.leading() || first == options_.self) return;
    const Millis led = insync::saturating_age(loop_.now(), replica.led_since);
    if (led < kSettled) return;
    const auto set = isr_.get_isr(replica.handle);
    if (!set || !set->own() || !set->contains(first)) return;
    if (!answers(raft, first)) return;
    if (led < kSettled + kLongestWait && is_write_pending(replica)) {
        replica.returning = true; // tried again whenever a write may have come to its end
        return;
    }
    logger_.info(about(replica, {{"replica", first}, {"cause", "first replica is in sync"}}),
                 "partition {}-{}: handing leadership back to node {}", replica.topic,
                 replica.number, first);
    replica.led_since = loop_.now(); // the next attempt waits as long
    raft.transfer_to(first);
}

NodeId Replicas::best_successor(const Replica& replica) const {
    const auto set = isr_.get_isr(replica.handle);
    if (!set) return insync::kNoNode;
    NodeId best = insync::kNoNode;
    raft_index most = 0;
    for (const NodeId node : set->members()) {
        raft_index match = 0;
        if (node == options_.self || !answers(*replica.raft, node)) continue;
        if (raft_match_index(replica.raft->core(), static_cast<raft_id>(node), &match) != 0)
            continue;
        if (best == insync::kNoNode || match > most) {
            best = node;
            most = match;
        }
    }
    return best;
}

bool Replicas::hand_over() {
    bool done = true;
    for (const auto& [group, replica] : by_group_) {
        if (!replica->raft->leading()) continue;
        const NodeId successor = best_successor(*replica);
        if (successor == insync::kNoNode) continue; // nobody is left to take it
        done = false;
        replica->raft->transfer_to(successor);
    }
    return done;
}

} // namespace mini_broker
