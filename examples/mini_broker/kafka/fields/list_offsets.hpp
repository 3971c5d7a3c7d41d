#pragma once

#include "kafka/messages/list_offsets.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, ListOffsetsRequest::Partition>& m) {
    io.all(m.partition_index);
    io.since(4, m.current_leader_epoch);
    io.all(m.timestamp);
}

template <class Io>
void fields(Io& io, Of<Io, ListOffsetsRequest::Topic>& m) {
    io.all(m.name, m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, ListOffsetsRequest>& m) {
    io.all(m.replica_id);
    io.since(2, m.isolation_level);
    io.all(m.topics);
}

template <class Io>
void fields(Io& io, Of<Io, ListOffsetsResponse::Partition>& m) {
    io.all(m.partition_index, m.error_code, m.timestamp, m.offset);
    io.since(4, m.leader_epoch);
}

template <class Io>
void fields(Io& io, Of<Io, ListOffsetsResponse::Topic>& m) {
    io.all(m.name, m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, ListOffsetsResponse>& m) {
    io.since(2, m.throttle_time_ms);
    io.all(m.topics);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetForLeaderEpochRequest::Partition>& m) {
    io.all(m.partition, m.current_leader_epoch, m.leader_epoch);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetForLeaderEpochRequest::Topic>& m) {
    io.all(m.topic, m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetForLeaderEpochRequest>& m) {
    io.since(3, m.replica_id);
    io.all(m.topics);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetForLeaderEpochResponse::Partition>& m) {
    io.all(m.error_code, m.partition, m.leader_epoch, m.end_offset);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetForLeaderEpochResponse::Topic>& m) {
    io.all(m.topic, m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetForLeaderEpochResponse>& m) {
    io.all(m.throttle_time_ms, m.topics);
}

} // namespace mini_broker::kafka
