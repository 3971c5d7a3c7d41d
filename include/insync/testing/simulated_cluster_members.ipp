// Part of simulated_cluster.hpp. Who is a member, and on which disk.

namespace insync::testing {

inline void SimulatedCluster::find_membership(GroupNumber group, NodeId node) {
    const auto& all = groups_[group].memberships;
    SimulatedReplica& replica = replica_at(group, node);
    const NodeId whose = replica.alone ? node : kNoNode;
    replica.membership = 0;
    for (std::size_t i = 1; i < all.size(); ++i)
        if (all[i].alone == whose && replica.log.holds(all[i].index, all[i].epoch) &&
            all[i].index >= all[replica.membership].index)
            replica.membership = i;
}

/// A voter stands for election; so does who has been removed by an entry that may never be
/// committed without it.
inline bool SimulatedCluster::may_stand(GroupNumber group, NodeId node) const {
    const SimulatedReplica& replica = this->replica(group, node);
    const SimulatedMembership& current = membership(group, node);
    if (current.is_voter(node, replica.disk)) return true;
    if (current.index <= replica.commit) return false;
    const SimulatedMembership* before = nullptr;
    for (const SimulatedMembership& each : groups_[group].memberships)
        if (each.alone == kNoNode && each.index < current.index &&
            replica.log.holds(each.index, each.epoch))
            before = &each;
    return before != nullptr && before->is_voter(node, replica.disk);
}

inline bool SimulatedCluster::change_member(GroupNumber group,
                                            NodeId node,
                                            std::optional<ReplicaKind> kind) {
    const NodeId at = leader(group);
    if (at == kNoNode || is_paused(at)) return false;
    SimulatedReplica& replica = replica_at(group, at);
    const SimulatedMembership& current = membership(group, at);
    // One change at a time, and none before the epoch's first entry is committed.
    if (replica.commit < std::max(current.index, replica.epoch_start)) return false;
    SimulatedMembership next = current;
    const SimulatedMember* const was = current.find(node);
    std::uint32_t disk = was != nullptr ? was->disk : this->replica(group, node).disk;
    // Who leads a group of its own joins with nothing of it.
    if (was == nullptr && this->replica(group, node).alone) disk = ++groups_[group].disks;
    const bool begins = was == nullptr;
    std::erase_if(next.members, [&](const SimulatedMember& m) { return m.node == node; });
    if (kind) next.members.push_back({node, *kind, disk});
    std::sort(next.members.begin(), next.members.end(),
              [](const auto& a, const auto& b) { return a.node < b.node; });
    if (next.voters() == 0 || next.members == current.members) return false;
    next.index = replica.log.end() + 1;
    next.epoch = replica.epoch;
    groups_[group].memberships.push_back(std::move(next));
    replica.log.append(replica.epoch);
    find_membership(group, at);
    SimulatedPeer& peer = replica.peers[static_cast<std::size_t>(node)];
    if (begins) peer = {.next = replica.log.end()}; // nothing is known of it, whatever once was
    peer.answered = now();
    write_to_disk(group, at);
    if (replica.leads()) send_to_all(group, at);
    return true;
}

/// Whether a majority of the voters has answered within an election timeout.
inline bool SimulatedCluster::hears_majority(GroupNumber group, NodeId node) const {
    const SimulatedMembership& current = membership(group, node);
    const SimulatedReplica& replica = this->replica(group, node);
    std::size_t heard = 0;
    for (const SimulatedMember& member : current.members) {
        if (member.kind != ReplicaKind::voter) continue;
        const TimePoint answered = replica.peers[static_cast<std::size_t>(member.node)].answered;
        const bool recent = saturating_age(now(), answered) <= options_.election_timeout;
        if (member.node == node || recent) ++heard;
    }
    return 2 * heard > current.voters();
}

/// Whether a message has come to the member that it was sent to, from one that is known here. Who
/// is added on a disk that it has not begun yet begins it when a leader first speaks to it, or a
/// candidate, who may need its vote.
inline bool SimulatedCluster::is_meant(const Event& event) {
    const SimulatedReplica& replica = this->replica(event.group, event.to);
    const bool asks = event.kind == Event::Kind::append || event.kind == Event::Kind::vote;
    if (asks && event.to_disk > replica.disk) {
        begin_disk(event.group, event.to, event.to_disk);
        current_.joined = true;
    }
    if (event.to_disk != replica.disk) return false;
    if (asks) return true;
    const SimulatedMember* const from = membership(event.group, event.to).find(event.from);
    return from != nullptr && from->disk == event.from_disk;
}

/// Forgets all that a node has of a group: log, epoch and vote. It goes on as another member.
inline void SimulatedCluster::begin_disk(GroupNumber group, NodeId node, std::uint32_t disk) {
    SimulatedReplica& replica = replica_at(group, node);
    SimulatedReplica fresh;
    fresh.disk = disk;
    fresh.timer = replica.timer;
    fresh.peers.resize(nodes_.size());
    replica = std::move(fresh);
    put_off_election(replica);
    if (is_up(node)) arm(group, node, replica.election_due);
}

/// Whether the node is no member, for good: by what is committed, and by whatever is newer.
inline bool SimulatedCluster::is_removed(GroupNumber group, NodeId node) const {
    const NodeId at = leader(group);
    if (at == kNoNode) return false;
    const SimulatedReplica& replica = this->replica(group, at);
    const SimulatedMembership& current = membership(group, at);
    if (replica.commit < std::max(current.index, replica.epoch_start)) return false;
    for (NodeId other = 1; other <= static_cast<NodeId>(nodes()); ++other) {
        const SimulatedMembership& known = membership(group, other);
        const bool newer =
            std::pair{known.epoch, known.index} >= std::pair{current.epoch, current.index};
        if (known.alone == kNoNode && newer && known.find(node) != nullptr) return false;
    }
    return true;
}

inline bool SimulatedCluster::empty_disk(GroupNumber group, NodeId node) {
    if (!is_removed(group, node)) return false;
    begin_disk(group, node, ++groups_[group].disks);
    return true;
}

inline bool SimulatedCluster::lead_alone(GroupNumber group,
                                         NodeId node,
                                         Epoch epoch,
                                         Index entries) {
    if (!is_up(node) || !empty_disk(group, node)) return false;
    SimulatedReplica& replica = replica_at(group, node);
    replica.alone = true;
    replica.epoch = epoch;
    replica.log.append(epoch, std::max<Index>(entries, 1));
    replica.log.flush_all();
    replica.commit = replica.log.end();
    groups_[group].memberships.push_back(
        {1, epoch, {{node, ReplicaKind::voter, replica.disk}}, node});
    find_membership(group, node);
    lead(group, node);
    return true;
}

} // namespace insync::testing
