#pragma once

#include "kafka/fields/common.hpp"
#include "kafka/messages/produce.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, ProduceRequest::Partition>& m) {
    io.all(m.index);
    io.bytes(m.records);
}

template <class Io>
void fields(Io& io, Of<Io, ProduceRequest::Topic>& m) {
    io.all(m.name, m.partition_data);
}

template <class Io>
void fields(Io& io, Of<Io, ProduceRequest>& m) {
    io.all(m.transactional_id, m.acks, m.timeout_ms, m.topic_data);
}

template <class Io>
void fields(Io& io, Of<Io, ProduceResponse::RecordError>& m) {
    io.all(m.batch_index, m.batch_index_error_message);
}

template <class Io>
void fields(Io& io, Of<Io, ProduceResponse::Partition>& m) {
    io.all(m.index, m.error_code, m.base_offset, m.log_append_time_ms);
    io.since(5, m.log_start_offset);
    io.since(8, m.record_errors, m.error_message);
    io.tagged(0, 10, m.current_leader);
}

template <class Io>
void fields(Io& io, Of<Io, ProduceResponse::Topic>& m) {
    io.all(m.name, m.partition_responses);
}

template <class Io>
void fields(Io& io, Of<Io, ProduceResponse>& m) {
    io.all(m.responses, m.throttle_time_ms);
    io.tagged(0, 10, m.node_endpoints);
}

} // namespace mini_broker::kafka
