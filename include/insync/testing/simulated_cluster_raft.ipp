// Part of simulated_cluster.hpp. What one replica does, as in Raft.

namespace insync::testing {

inline void SimulatedCluster::handle(const Event& event) {
    using Kind = Event::Kind;
    if (event.kind == Kind::timer) return on_timer(event);
    if (event.kind == Kind::flush) return on_flush(event);
    if (event.kind == Kind::campaign) {
        if (!replica_at(event.group, event.to).leads()) stand(event.group, event.to, true);
        return;
    }
    if (!is_meant(event)) return;
    const SimulatedReplica& replica = replica_at(event.group, event.to);
    if (event.kind == Kind::append_result)
        current_.answer = {event.from, event.epoch, event.accepted, event.match, event.sent};
    // Who hears of a leader is not for another one, unless that one hands over.
    const bool content =
        replica.leads() || saturating_age(now(), replica.leader_heard) < options_.election_timeout;
    if (event.kind == Kind::vote && !event.transfer && content) return;
    if (event.epoch > replica.epoch)
        follow(event.group, event.to, event.epoch,
               event.kind == Kind::append ? event.from : kNoNode);
    if (event.kind == Kind::append) return on_append(event);
    if (event.kind == Kind::append_result) return on_append_result(event);
    if (event.kind == Kind::vote) return on_vote(event);
    on_vote_result(event);
}

inline void SimulatedCluster::on_timer(const Event& event) {
    const SimulatedReplica& replica = replica_at(event.group, event.to);
    if (event.generation != replica.timer) return;
    if (replica.leads()) {
        if (options_.steps_down && !hears_majority(event.group, event.to))
            return follow(event.group, event.to, replica.epoch, kNoNode);
        send_to_all(event.group, event.to);
        return arm(event.group, event.to, now() + options_.heartbeat);
    }
    if (now() >= replica.election_due) stand(event.group, event.to, false);
    if (!replica.leads()) arm(event.group, event.to, replica.election_due);
}

inline void SimulatedCluster::campaign(GroupNumber group, NodeId node) {
    Event event;
    event.kind = Event::Kind::campaign;
    event.from = event.to = node;
    event.group = group;
    line_.add(now(), std::move(event));
}

/// Asks the voters for their votes, if this node is one.
inline void SimulatedCluster::stand(GroupNumber group, NodeId node, bool transfer) {
    SimulatedReplica& replica = replica_at(group, node);
    put_off_election(replica);
    replica.leader = kNoNode;
    if (!may_stand(group, node)) return;
    ++replica.epoch;
    replica.role = Role::candidate;
    replica.voted_for = node;
    replica.votes = bit(node);
    const bool alone = membership(group, node).voters() == 1;
    if (alone && membership(group, node).is_voter(node)) return lead(group, node);
    Event ask;
    ask.kind = Event::Kind::vote;
    ask.transfer = transfer;
    ask.from = node;
    ask.group = group;
    ask.epoch = replica.epoch;
    ask.previous = replica.log.end();
    ask.previous_epoch = replica.log.last_epoch();
    for (const SimulatedMember& member : membership(group, node).members) {
        if (member.node == node || member.kind != ReplicaKind::voter) continue;
        ask.to = member.node;
        ask.to_disk = member.disk;
        send(ask);
    }
}

inline void SimulatedCluster::on_vote(const Event& event) {
    SimulatedReplica& replica = replica_at(event.group, event.to);
    const std::pair theirs{event.previous_epoch, event.previous};
    const std::pair ours{replica.log.last_epoch(), replica.log.end()};
    const bool free = replica.voted_for == kNoNode || replica.voted_for == event.from;
    Event answer;
    answer.kind = Event::Kind::vote_result;
    answer.from = event.to;
    answer.to = event.from;
    answer.to_disk = event.from_disk;
    answer.group = event.group;
    answer.epoch = replica.epoch;
    answer.accepted = event.epoch == replica.epoch && free && theirs >= ours;
    if (answer.accepted) {
        replica.voted_for = event.from;
        put_off_election(replica);
    }
    send(std::move(answer));
}

inline void SimulatedCluster::on_vote_result(const Event& event) {
    SimulatedReplica& replica = replica_at(event.group, event.to);
    if (replica.role != Role::candidate || event.epoch != replica.epoch || !event.accepted) return;
    replica.votes |= bit(event.from);
    std::size_t votes = 0;
    for (const SimulatedMember& member : membership(event.group, event.to).members)
        if (member.kind == ReplicaKind::voter && (replica.votes & bit(member.node)) != 0) ++votes;
    if (2 * votes > membership(event.group, event.to).voters()) lead(event.group, event.to);
}

/// Begins to lead, with an entry of the new epoch, by which those before it can be committed.
inline void SimulatedCluster::lead(GroupNumber group, NodeId node) {
    SimulatedReplica& replica = replica_at(group, node);
    replica.role = Role::leader;
    replica.leader = node;
    for (SimulatedPeer& peer : replica.peers) {
        const Index left_over = peer.match;
        peer = {};
        peer.match = left_over;
        peer.next = replica.log.end() + 1;
        peer.answered = now();
    }
    replica.log.append(replica.epoch);
    replica.epoch_start = replica.log.end();
    current_.elected = true;
    write_to_disk(group, node);
    send_to_all(group, node);
    arm(group, node, now() + options_.heartbeat);
}

/// Follows a leader, or nobody yet, in an epoch no older than its own.
inline void SimulatedCluster::follow(GroupNumber group, NodeId node, Epoch epoch, NodeId leader) {
    SimulatedReplica& replica = replica_at(group, node);
    const bool led = replica.leads();
    if (epoch > replica.epoch) replica.voted_for = kNoNode;
    replica.epoch = epoch;
    replica.role = Role::follower;
    replica.leader = leader;
    if (!led) return;
    put_off_election(replica);
    arm(group, node, replica.election_due);
}

inline void SimulatedCluster::send_to_all(GroupNumber group, NodeId leader) {
    for (const SimulatedMember& member : membership(group, leader).members)
        if (member.node != leader) send_entries(group, leader, member.node);
}

inline void SimulatedCluster::send_entries(GroupNumber group, NodeId leader, NodeId to) {
    const SimulatedReplica& replica = replica_at(group, leader);
    const SimulatedPeer& peer = replica.peers[static_cast<std::size_t>(to)];
    const SimulatedMember* const member = membership(group, leader).find(to);
    if (member == nullptr) return;
    Event message;
    message.kind = Event::Kind::append;
    message.from = leader;
    message.to = to;
    message.to_disk = member->disk;
    message.group = group;
    message.epoch = replica.epoch;
    message.previous = peer.next - 1;
    message.previous_epoch = replica.log.epoch_at(message.previous);
    message.commit = replica.commit;
    message.sent = local_now(leader);
    message.entries = replica.log.entries_after(message.previous);
    send(std::move(message));
}

inline void SimulatedCluster::on_append(const Event& event) {
    SimulatedReplica& replica = replica_at(event.group, event.to);
    Event answer;
    answer.kind = Event::Kind::append_result;
    answer.from = event.to;
    answer.to = event.from;
    answer.to_disk = event.from_disk;
    answer.group = event.group;
    answer.epoch = replica.epoch;
    answer.sent = event.sent;
    if (event.epoch < replica.epoch) return send(std::move(answer));
    follow(event.group, event.to, event.epoch, event.from);
    replica.leader_heard = now();
    put_off_election(replica);
    if (!replica.log.holds(event.previous, event.previous_epoch)) {
        const Index last = replica.log.end();
        answer.match = last < event.previous ? last : replica.log.run_start(event.previous) - 1;
        return send(std::move(answer));
    }
    const Index before = replica.log.end();
    replica.log.take(event.entries);
    if (!event.entries.runs.empty() || replica.log.end() != before)
        find_membership(event.group, event.to);
    answer.match = event.entries.last;
    replica.commit = std::max(replica.commit, std::min(event.commit, answer.match));
    answer.accepted = true;
    const Millis delay = node_at(event.to).flush_delay;
    if (replica.log.durable() >= answer.match) return send(std::move(answer));
    if (delay.count() == 0) {
        replica.log.flush(answer.match, replica.log.epoch_at(answer.match));
        return send(std::move(answer));
    }
    // The answer leaves when the disk is done.
    answer.kind = Event::Kind::flush;
    std::swap(answer.from, answer.to);
    answer.from_disk = event.from_disk;
    answer.to_disk = replica.disk;
    answer.generation = node_at(event.to).generation;
    answer.previous_epoch = replica.log.epoch_at(answer.match);
    line_.add(now() + delay, std::move(answer));
}

/// What was written has reached the disk; a follower that still follows then answers its leader.
inline void SimulatedCluster::on_flush(const Event& event) {
    if (event.generation != node_at(event.to).generation) return;
    SimulatedReplica& replica = replica_at(event.group, event.to);
    if (event.to_disk != replica.disk) return;
    if (!replica.log.holds(event.match, event.previous_epoch)) return;
    replica.log.flush(event.match, event.previous_epoch);
    if (replica.leads()) return raise_commit(event.group, event.to);
    if (event.from == event.to || event.epoch != replica.epoch) return;
    Event answer = event;
    answer.kind = Event::Kind::append_result;
    std::swap(answer.from, answer.to);
    answer.to_disk = event.from_disk;
    send(std::move(answer));
}

inline void SimulatedCluster::on_append_result(const Event& event) {
    SimulatedReplica& replica = replica_at(event.group, event.to);
    if (!replica.leads() || event.epoch != replica.epoch) return;
    SimulatedPeer& peer = replica.peers[static_cast<std::size_t>(event.from)];
    peer.contact = std::max(peer.contact, event.sent);
    peer.answered = now();
    current_.answered_by = event.from;
    if (!event.accepted) {
        const Index floor = peer.verified ? peer.match + 1 : 1;
        peer.next = std::max(floor, std::min(event.match + 1, peer.next - 1));
        return send_entries(event.group, event.to, event.from);
    }
    const bool news = !peer.verified || event.match > peer.match;
    peer.match = peer.verified ? std::max(peer.match, event.match) : event.match;
    peer.verified = true;
    peer.next = peer.match + 1;
    if (!news) return;
    raise_commit(event.group, event.to);
    if (peer.match < replica.log.end()) send_entries(event.group, event.to, event.from);
}

inline bool SimulatedCluster::append_on(GroupNumber group, NodeId node, Index count) {
    if (node == kNoNode || !is_up(node) || is_paused(node)) return false;
    SimulatedReplica& replica = replica_at(group, node);
    if (!replica.leads()) return false;
    const Index before = replica.log.end();
    replica.log.append(replica.epoch, count);
    write_to_disk(group, node);
    // Who is behind gets it with what it still lacks.
    for (const SimulatedMember& member : membership(group, node).members)
        if (member.node != node &&
            replica.peers[static_cast<std::size_t>(member.node)].next > before)
            send_entries(group, node, member.node);
    return true;
}

/// Writes the end of a leader's own log.
inline void SimulatedCluster::write_to_disk(GroupNumber group, NodeId node) {
    SimulatedReplica& replica = replica_at(group, node);
    const Millis delay = node_at(node).flush_delay;
    if (delay.count() == 0) {
        replica.log.flush_all();
        return raise_commit(group, node);
    }
    Event event;
    event.kind = Event::Kind::flush;
    event.from = event.to = node;
    event.group = group;
    event.generation = node_at(node).generation;
    event.to_disk = replica.disk;
    event.match = replica.log.end();
    event.previous_epoch = replica.epoch;
    line_.add(now() + delay, std::move(event));
}

/// Commits what a majority holds durably, if it is of this epoch; what lies before goes with it.
inline void SimulatedCluster::raise_commit(GroupNumber group, NodeId node) {
    SimulatedReplica& replica = replica_at(group, node);
    const SimulatedMembership& current = membership(group, node);
    const Index held = held_by_majority(replica, node, current);
    if (held > replica.commit && replica.log.epoch_at(held) == replica.epoch) replica.commit = held;
    const bool removed = !current.is_voter(node) && current.index <= replica.commit;
    if (removed) follow(group, node, replica.epoch, kNoNode);
}

} // namespace insync::testing
