#include "kafka/handlers/status.hpp"

#include <insync/kafka/metadata.hpp>

#include <algorithm>

namespace mini_broker::kafka {

namespace {

std::int32_t broker(NodeId node) noexcept {
    return insync::kafka::broker_id(node).value_or(insync::kafka::kNoBroker);
}

std::vector<std::int32_t> brokers(const std::vector<NodeId>& nodes) {
    std::vector<std::int32_t> result;
    for (const NodeId node : nodes) result.push_back(broker(node));
    return result;
}

/// What `get_isr` says, as the documents ask for it.
void fill(const insync::IsrSet& set, PartitionStatus& status) {
    const auto described = insync::kafka::describe(set);
    status.error = error_of(described.error);
    status.leader = described.leader_id;
    status.leader_epoch = described.leader_epoch;
    status.isr.assign(described.isr_nodes.begin(), described.isr_nodes.end());
}

void name_leader(NodeId node, Term term, PartitionStatus& status) {
    status.error = Error::none;
    status.leader = broker(node);
    status.leader_epoch = insync::kafka::leader_epoch(term);
    if (std::find(status.isr.begin(), status.isr.end(), status.leader) == status.isr.end())
        status.isr.push_back(status.leader);
}

/// A partition with a replica here.
void fill_hosted(const Context& context,
                 const Replica& replica,
                 const Image::Partition& partition,
                 PartitionStatus& status) {
    const auto set = context.replicas.isr().get_isr(replica.handle);
    if (!set) {
        status.error = Error::leader_not_available;
        return;
    }
    fill(*set, status);
    const NodeId self = context.nodes.self();
    const RaftGroup& raft = *replica.raft;
    if (set->own()) return;
    // An election is known here before what the new leader decided has come round, and if that
    // leader is lost as soon, clients must not be sent back to an epoch before it.
    const bool newer = replica.heard.term > set->epoch();
    if (newer) name_leader(replica.heard.leader, replica.heard.term, status);
    if (raft.leader() != insync::kNoNode) return;
    const NodeId decided_by = partition.isr ? partition.isr->leader : insync::kNoNode;
    const bool heard = replica.heard.term >= set->epoch() && replica.heard.term > 0;
    if ((heard ? replica.heard.leader : decided_by) == self) {
        status.acting = true; // it led until it lost its quorum
        if (!newer) name_leader(self, set->epoch(), status);
    } else if (set->stale() && set->contains(self)) {
        status.acting = true;
        status.leader = broker(self);
        status.isr = {status.leader};
    } else if (set->stale()) {
        status.leader = insync::kafka::kNoBroker;
        status.error = Error::leader_not_available;
    }
}

} // namespace

PartitionStatus status_of(const Context& context,
                          std::string_view topic,
                          std::int32_t number,
                          const Image::Partition& partition) {
    PartitionStatus status;
    status.replicas = brokers(partition.replicas);
    if (const Replica* const replica = context.replicas.find(topic, number)) {
        fill_hosted(context, *replica, partition, status);
    } else if (partition.isr) {
        name_leader(partition.isr->leader, partition.isr->epoch, status);
        status.isr = brokers({partition.isr->members.begin(), partition.isr->members.end()});
    } else {
        status.error = Error::leader_not_available;
    }
    for (const NodeId node : partition.replicas)
        if (!context.nodes.alive(node)) status.offline.push_back(broker(node));
    return status;
}

} // namespace mini_broker::kafka
