// Part of simulated_cluster.hpp. Nodes, links, time, and what a view says.

namespace insync::testing {

inline SimulatedCluster::SimulatedCluster(const SimulatedOptions& options)
    : options_(options), numbers_(options.seed), nodes_(options.nodes + 1) {
    assert(options.nodes >= 1 && options.nodes <= kMaxReplicas);
    SeededNumbers seeds{options.seed ^ 0x7265'6164};
    for (SimulatedNode& node : nodes_) node.read_numbers = SeededNumbers{seeds.next()};
}

inline GroupNumber SimulatedCluster::add_group(std::string_view topic,
                                               PartitionId partition,
                                               std::vector<NodeId> voters) {
    const auto number = static_cast<GroupNumber>(groups_.size());
    std::sort(voters.begin(), voters.end());
    Group group{std::string{topic}, partition, {}, std::vector<SimulatedReplica>(nodes_.size())};
    SimulatedMembership first;
    for (const NodeId node : voters) first.members.push_back({node, ReplicaKind::voter});
    group.memberships.push_back(std::move(first));
    names_[{group.topic, partition}] = number;
    groups_.push_back(std::move(group));
    for (NodeId node = 1; node <= static_cast<NodeId>(nodes()); ++node) {
        SimulatedReplica& replica = replica_at(number, node);
        replica.peers.resize(nodes_.size());
        put_off_election(replica);
        arm(number, node, replica.election_due);
    }
    return number;
}

inline std::optional<GroupNumber> SimulatedCluster::find_group(TopicPartition name) const {
    const auto found = names_.find({std::string{name.topic}, name.partition});
    return found == names_.end() ? std::nullopt : std::optional<GroupNumber>{found->second};
}

inline NodeId SimulatedCluster::leader(GroupNumber group) const {
    NodeId leader = kNoNode;
    Epoch newest = 0;
    for (NodeId node = 1; node <= static_cast<NodeId>(nodes()); ++node) {
        const SimulatedReplica& at = replica(group, node);
        if (!node_at(node).up || !at.leads() || at.alone || at.epoch <= newest) continue;
        leader = node;
        newest = at.epoch;
    }
    return leader;
}

inline bool SimulatedCluster::elect(GroupNumber group, NodeId node, Millis patience) {
    const TimePoint give_up = saturating_add(now(), patience);
    while (leader(group) != node) {
        if (now() >= give_up || !is_up(node)) return false;
        campaign(group, node);
        advance(options_.election_timeout);
    }
    return true;
}

inline void SimulatedCluster::end(NodeId number, bool loses_power) {
    SimulatedNode& node = node_at(number);
    if (!node.up) return;
    node.up = node.paused = false;
    ++node.generation;
    node.held_up.clear();
    for (GroupNumber group = 0; group < groups_.size(); ++group) {
        SimulatedReplica& replica = replica_at(group, number);
        loses_power ? replica.log.lose_power() : replica.log.flush_all();
        find_membership(group, number);
        replica.role = Role::follower;
        replica.leader = kNoNode;
        replica.leader_heard = kNever;
        replica.commit = std::min(replica.commit, replica.log.end());
    }
}

inline void SimulatedCluster::start(NodeId number) {
    SimulatedNode& node = node_at(number);
    if (node.up) return;
    node.up = true;
    for (GroupNumber group = 0; group < groups_.size(); ++group) {
        SimulatedReplica& replica = replica_at(group, number);
        put_off_election(replica);
        arm(group, number, replica.election_due);
    }
}

inline void SimulatedCluster::resume(NodeId number) {
    SimulatedNode& node = node_at(number);
    node.paused = false;
    for (SimulatedEvent& event : std::exchange(node.held_up, {}))
        line_.add(now(), std::move(event));
}

inline void SimulatedCluster::release_answers() {
    holding_.clear();
    for (Event& answer : std::exchange(held_answers_, {}))
        line_.add(saturating_add(now(), options_.network.least_delay), std::move(answer));
}

inline void SimulatedCluster::isolate(NodeId node) {
    for (NodeId other = 1; other <= static_cast<NodeId>(nodes()); ++other) {
        if (other == node) continue;
        cut(node, other);
        cut(other, node);
    }
}

/// Puts a message on its way: it may be lost, late, or come twice.
inline void SimulatedCluster::send(Event event) {
    const NetworkQuality& network = options_.network;
    event.from_disk = replica_at(event.group, event.from).disk;
    event.generation = 0;
    if (event.kind == Event::Kind::append_result && !holding_.empty() &&
        holding_.contains({event.from, event.to}))
        return held_answers_.push_back(std::move(event));
    if (!cuts_.empty() && cuts_.contains({event.from, event.to})) return;
    if (network.lost_percent > 0 && numbers_.below(100) < network.lost_percent) return;
    const auto spread =
        static_cast<std::uint64_t>((network.most_delay - network.least_delay).count());
    const auto delay = [&] {
        const std::uint64_t more = spread == 0 ? 0 : numbers_.below(spread + 1);
        return network.least_delay + Millis{static_cast<Millis::rep>(more)};
    };
    const bool doubled =
        network.doubled_percent > 0 && numbers_.below(100) < network.doubled_percent;
    if (doubled) line_.add(saturating_add(now(), delay()), event);
    line_.add(saturating_add(now(), delay()), std::move(event));
}

inline std::optional<SimulatedStep> SimulatedCluster::step(TimePoint until) {
    if (line_.due() > until) {
        line_.set_now(until);
        return std::nullopt;
    }
    Event event = line_.take();
    current_ = {};
    current_.node = event.to;
    current_.group = event.group;
    SimulatedNode& node = node_at(event.to);
    if (node.paused)
        node.held_up.push_back(std::move(event));
    else if (node.up)
        handle(event);
    return current_;
}

inline void SimulatedCluster::put_off_election(SimulatedReplica& replica) {
    const auto least = options_.election_timeout;
    const auto more = numbers_.below(static_cast<std::uint64_t>(least.count()) + 1);
    replica.election_due = now() + least + Millis{static_cast<Millis::rep>(more)};
}

/// Sets the one timer of a replica.
inline void SimulatedCluster::arm(GroupNumber group, NodeId node, TimePoint when) {
    Event event;
    event.kind = Event::Kind::timer;
    event.from = event.to = node;
    event.group = group;
    event.generation = ++replica_at(group, node).timer;
    line_.add(when, std::move(event));
}

inline ReadResult SimulatedCluster::read(GroupNumber number, NodeId node, GroupState& state) const {
    const SimulatedNode& at = node_at(node);
    if (!at.up) return ReadResult::unavailable;
    const bool fails = now() < at.reads.until;
    const auto befalls = [&](unsigned percent) {
        return fails && percent > 0 && at.read_numbers.below(100) < percent;
    };
    if (befalls(at.reads.unavailable_percent)) return ReadResult::unavailable;
    const ReadResult result = befalls(at.reads.torn_percent) ? ReadResult::torn : ReadResult::ok;
    const SimulatedReplica& self = replica(number, node);
    state.epoch = self.epoch;
    state.leader = self.leader;
    state.leading = self.leads();
    state.end = self.log.end();
    state.durable = self.log.durable();
    state.commit = state.applied = self.commit;
    state.membership = self.membership;
    if (!state.leading) return result;
    state.epoch_start = self.epoch_start;
    state.quorum = options_.steps_down ? Quorum::held : Quorum::unreported;
    for (const SimulatedMember& member : membership(number, node).members) {
        if (member.node == node) continue;
        const SimulatedPeer& peer = self.peers[static_cast<std::size_t>(member.node)];
        state.followers.push_back({.node = member.node,
                                   .kind = member.kind,
                                   .verified = peer.verified,
                                   .match = peer.match,
                                   .contact = peer.contact});
    }
    return result;
}

} // namespace insync::testing
