#pragma once

#include "kafka/messages/metadata.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, MetadataRequest::Topic>& m) {
    io.since(10, m.topic_id);
    io.null_since(10, m.name);
}

template <class Io>
void fields(Io& io, Of<Io, MetadataRequest>& m) {
    io.null_since(1, m.topics);
    io.since(4, m.allow_auto_topic_creation);
    io.between(8, 10, m.include_cluster_authorized_operations);
    io.since(8, m.include_topic_authorized_operations);
}

template <class Io>
void fields(Io& io, Of<Io, MetadataResponse::Broker>& m) {
    io.all(m.node_id, m.host, m.port);
    io.since(1, m.rack);
}

template <class Io>
void fields(Io& io, Of<Io, MetadataResponse::Partition>& m) {
    io.all(m.error_code, m.partition_index, m.leader_id);
    io.since(7, m.leader_epoch);
    io.all(m.replica_nodes, m.isr_nodes);
    io.since(5, m.offline_replicas);
}

template <class Io>
void fields(Io& io, Of<Io, MetadataResponse::Topic>& m) {
    io.all(m.error_code);
    io.null_since(12, m.name);
    io.since(10, m.topic_id);
    io.since(1, m.is_internal);
    io.all(m.partitions);
    io.since(8, m.topic_authorized_operations);
}

template <class Io>
void fields(Io& io, Of<Io, MetadataResponse>& m) {
    io.since(3, m.throttle_time_ms);
    io.all(m.brokers);
    io.since(2, m.cluster_id);
    io.since(1, m.controller_id);
    io.all(m.topics);
    io.between(8, 10, m.cluster_authorized_operations);
}

} // namespace mini_broker::kafka
