#pragma once

#include "kafka/messages/topics.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, CreateTopicsRequest::Assignment>& m) {
    io.all(m.partition_index, m.broker_ids);
}

template <class Io>
void fields(Io& io, Of<Io, CreateTopicsRequest::Config>& m) {
    io.all(m.name, m.value);
}

template <class Io>
void fields(Io& io, Of<Io, CreateTopicsRequest::Topic>& m) {
    io.all(m.name, m.num_partitions, m.replication_factor, m.assignments, m.configs);
}

template <class Io>
void fields(Io& io, Of<Io, CreateTopicsRequest>& m) {
    io.all(m.topics, m.timeout_ms, m.validate_only);
}

template <class Io>
void fields(Io& io, Of<Io, CreateTopicsResponse::Config>& m) {
    io.all(m.name, m.value, m.read_only, m.config_source, m.is_sensitive);
}

template <class Io>
void fields(Io& io, Of<Io, CreateTopicsResponse::Topic>& m) {
    io.all(m.name);
    io.since(7, m.topic_id);
    io.all(m.error_code, m.error_message);
    io.since(5, m.num_partitions, m.replication_factor, m.configs);
    io.tagged(0, 5, m.topic_config_error_code);
}

template <class Io>
void fields(Io& io, Of<Io, CreateTopicsResponse>& m) {
    io.all(m.throttle_time_ms, m.topics);
}

template <class Io>
void fields(Io& io, Of<Io, DeleteTopicsRequest::Topic>& m) {
    io.all(m.name, m.topic_id);
}

template <class Io>
void fields(Io& io, Of<Io, DeleteTopicsRequest>& m) {
    io.since(6, m.topics);
    io.until(5, m.topic_names);
    io.all(m.timeout_ms);
}

template <class Io>
void fields(Io& io, Of<Io, DeleteTopicsResponse::Topic>& m) {
    io.null_since(6, m.name);
    io.since(6, m.topic_id);
    io.all(m.error_code);
    io.since(5, m.error_message);
}

template <class Io>
void fields(Io& io, Of<Io, DeleteTopicsResponse>& m) {
    io.all(m.throttle_time_ms, m.responses);
}

template <class Io>
void fields(Io& io, Of<Io, CreatePartitionsRequest::Assignment>& m) {
    io.all(m.broker_ids);
}

template <class Io>
void fields(Io& io, Of<Io, CreatePartitionsRequest::Topic>& m) {
    io.all(m.name, m.count, m.assignments);
}

template <class Io>
void fields(Io& io, Of<Io, CreatePartitionsRequest>& m) {
    io.all(m.topics, m.timeout_ms, m.validate_only);
}

template <class Io>
void fields(Io& io, Of<Io, CreatePartitionsResponse::Topic>& m) {
    io.all(m.name, m.error_code, m.error_message);
}

template <class Io>
void fields(Io& io, Of<Io, CreatePartitionsResponse>& m) {
    io.all(m.throttle_time_ms, m.results);
}

} // namespace mini_broker::kafka
