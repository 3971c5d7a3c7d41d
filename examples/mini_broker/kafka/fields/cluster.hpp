#pragma once

#include "kafka/messages/cluster.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, DescribeClusterRequest>& m) {
    io.all(m.include_cluster_authorized_operations);
    io.since(1, m.endpoint_type);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeClusterResponse::Broker>& m) {
    io.all(m.broker_id, m.host, m.port, m.rack);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeClusterResponse>& m) {
    io.all(m.throttle_time_ms, m.error_code, m.error_message);
    io.since(1, m.endpoint_type);
    io.all(m.cluster_id, m.controller_id, m.brokers, m.cluster_authorized_operations);
}

template <class Io>
void fields(Io& io, Of<Io, PartitionCursor>& m) {
    io.all(m.topic_name, m.partition_index);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeTopicPartitionsRequest::Topic>& m) {
    io.all(m.name);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeTopicPartitionsRequest>& m) {
    io.all(m.topics, m.response_partition_limit, m.cursor);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeTopicPartitionsResponse::Partition>& m) {
    io.all(m.error_code, m.partition_index, m.leader_id, m.leader_epoch, m.replica_nodes,
           m.isr_nodes, m.eligible_leader_replicas, m.last_known_elr, m.offline_replicas);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeTopicPartitionsResponse::Topic>& m) {
    io.all(m.error_code, m.name, m.topic_id, m.is_internal, m.partitions,
           m.topic_authorized_operations);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeTopicPartitionsResponse>& m) {
    io.all(m.throttle_time_ms, m.topics, m.next_cursor);
}

template <class Io>
void fields(Io& io, Of<Io, ListPartitionReassignmentsRequest::Topic>& m) {
    io.all(m.name, m.partition_indexes);
}

template <class Io>
void fields(Io& io, Of<Io, ListPartitionReassignmentsRequest>& m) {
    io.all(m.timeout_ms, m.topics);
}

template <class Io>
void fields(Io& io, Of<Io, ListPartitionReassignmentsResponse::Partition>& m) {
    io.all(m.partition_index, m.replicas, m.adding_replicas, m.removing_replicas);
}

template <class Io>
void fields(Io& io, Of<Io, ListPartitionReassignmentsResponse::Topic>& m) {
    io.all(m.name, m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, ListPartitionReassignmentsResponse>& m) {
    io.all(m.throttle_time_ms, m.error_code, m.error_message, m.topics);
}

} // namespace mini_broker::kafka
