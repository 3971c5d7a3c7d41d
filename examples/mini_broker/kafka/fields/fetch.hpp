#pragma once

#include "kafka/fields/common.hpp"
#include "kafka/messages/fetch.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, ReplicaState>& m) {
    io.all(m.replica_id, m.replica_epoch);
}

template <class Io>
void fields(Io& io, Of<Io, FetchRequest::Partition>& m) {
    io.all(m.partition);
    io.since(9, m.current_leader_epoch);
    io.all(m.fetch_offset);
    io.since(12, m.last_fetched_epoch);
    io.since(5, m.log_start_offset);
    io.all(m.partition_max_bytes);
}

template <class Io>
void fields(Io& io, Of<Io, FetchRequest::Topic>& m) {
    io.until(12, m.topic);
    io.since(13, m.topic_id);
    io.all(m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, FetchRequest::ForgottenTopic>& m) {
    io.until(12, m.topic);
    io.since(13, m.topic_id);
    io.all(m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, FetchRequest>& m) {
    io.until(14, m.replica_id);
    io.all(m.max_wait_ms, m.min_bytes, m.max_bytes, m.isolation_level);
    io.since(7, m.session_id, m.session_epoch);
    io.all(m.topics);
    io.since(7, m.forgotten_topics_data);
    io.since(11, m.rack_id);
    io.tagged(0, 12, m.cluster_id);
    io.tagged(1, 15, m.replica_state);
}

template <class Io>
void fields(Io& io, Of<Io, EpochEndOffset>& m) {
    io.all(m.epoch, m.end_offset);
}

template <class Io>
void fields(Io& io, Of<Io, SnapshotId>& m) {
    io.all(m.end_offset, m.epoch);
}

template <class Io>
void fields(Io& io, Of<Io, FetchResponse::AbortedTransaction>& m) {
    io.all(m.producer_id, m.first_offset);
}

template <class Io>
void fields(Io& io, Of<Io, FetchResponse::Partition>& m) {
    io.all(m.partition_index, m.error_code, m.high_watermark, m.last_stable_offset);
    io.since(5, m.log_start_offset);
    io.all(m.aborted_transactions);
    io.since(11, m.preferred_read_replica);
    io.bytes(m.records);
    io.tagged(0, 12, m.diverging_epoch);
    io.tagged(1, 12, m.current_leader);
    io.tagged(2, 12, m.snapshot_id);
}

template <class Io>
void fields(Io& io, Of<Io, FetchResponse::Topic>& m) {
    io.until(12, m.topic);
    io.since(13, m.topic_id);
    io.all(m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, FetchResponse>& m) {
    io.all(m.throttle_time_ms);
    io.since(7, m.error_code, m.session_id);
    io.all(m.responses);
    io.tagged(0, 16, m.node_endpoints);
}

} // namespace mini_broker::kafka
