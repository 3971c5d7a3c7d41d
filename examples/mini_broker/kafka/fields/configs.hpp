#pragma once

#include "kafka/messages/configs.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, DescribeConfigsRequest::Resource>& m) {
    io.all(m.resource_type, m.resource_name, m.configuration_keys);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeConfigsRequest>& m) {
    io.all(m.resources, m.include_synonyms);
    io.since(3, m.include_documentation);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeConfigsResponse::Synonym>& m) {
    io.all(m.name, m.value, m.source);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeConfigsResponse::Config>& m) {
    io.all(m.name, m.value, m.read_only, m.config_source, m.is_sensitive, m.synonyms);
    io.since(3, m.config_type, m.documentation);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeConfigsResponse::Result>& m) {
    io.all(m.error_code, m.error_message, m.resource_type, m.resource_name, m.configs);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeConfigsResponse>& m) {
    io.all(m.throttle_time_ms, m.results);
}

template <class Io>
void fields(Io& io, Of<Io, AlterConfigsRequest::Config>& m) {
    io.all(m.name, m.value);
}

template <class Io>
void fields(Io& io, Of<Io, AlterConfigsRequest::Resource>& m) {
    io.all(m.resource_type, m.resource_name, m.configs);
}

template <class Io>
void fields(Io& io, Of<Io, AlterConfigsRequest>& m) {
    io.all(m.resources, m.validate_only);
}

template <class Io>
void fields(Io& io, Of<Io, AlterConfigsResponse::Resource>& m) {
    io.all(m.error_code, m.error_message, m.resource_type, m.resource_name);
}

template <class Io>
void fields(Io& io, Of<Io, AlterConfigsResponse>& m) {
    io.all(m.throttle_time_ms, m.responses);
}

template <class Io>
void fields(Io& io, Of<Io, IncrementalAlterConfigsRequest::Config>& m) {
    io.all(m.name, m.config_operation, m.value);
}

template <class Io>
void fields(Io& io, Of<Io, IncrementalAlterConfigsRequest::Resource>& m) {
    io.all(m.resource_type, m.resource_name, m.configs);
}

template <class Io>
void fields(Io& io, Of<Io, IncrementalAlterConfigsRequest>& m) {
    io.all(m.resources, m.validate_only);
}

template <class Io>
void fields(Io& io, Of<Io, IncrementalAlterConfigsResponse::Resource>& m) {
    io.all(m.error_code, m.error_message, m.resource_type, m.resource_name);
}

template <class Io>
void fields(Io& io, Of<Io, IncrementalAlterConfigsResponse>& m) {
    io.all(m.throttle_time_ms, m.responses);
}

} // namespace mini_broker::kafka
