#pragma once

#include "kafka/messages/offsets.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, OffsetCommitRequest::Partition>& m) {
    io.all(m.partition_index, m.committed_offset);
    io.since(6, m.committed_leader_epoch);
    io.all(m.committed_metadata);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetCommitRequest::Topic>& m) {
    io.all(m.name, m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetCommitRequest>& m) {
    io.all(m.group_id, m.generation_id, m.member_id);
    io.since(7, m.group_instance_id);
    io.until(4, m.retention_time_ms);
    io.all(m.topics);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetCommitResponse::Partition>& m) {
    io.all(m.partition_index, m.error_code);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetCommitResponse::Topic>& m) {
    io.all(m.name, m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetCommitResponse>& m) {
    io.since(3, m.throttle_time_ms);
    io.all(m.topics);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetFetchRequest::Topic>& m) {
    io.all(m.name, m.partition_indexes);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetFetchRequest::Group>& m) {
    io.all(m.group_id, m.topics);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetFetchRequest>& m) {
    io.until(7, m.group_id);
    if (io.version() <= 7) io.null_since(2, m.topics);
    io.since(8, m.groups);
    io.since(7, m.require_stable);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetFetchResponse::Partition>& m) {
    io.all(m.partition_index, m.committed_offset);
    io.since(5, m.committed_leader_epoch);
    io.all(m.metadata, m.error_code);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetFetchResponse::Topic>& m) {
    io.all(m.name, m.partitions);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetFetchResponse::Group>& m) {
    io.all(m.group_id, m.topics, m.error_code);
}

template <class Io>
void fields(Io& io, Of<Io, OffsetFetchResponse>& m) {
    io.since(3, m.throttle_time_ms);
    io.until(7, m.topics);
    io.between(2, 7, m.error_code);
    io.since(8, m.groups);
}

} // namespace mini_broker::kafka
