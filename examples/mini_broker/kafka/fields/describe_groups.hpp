#pragma once

#include "kafka/messages/describe_groups.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, DescribeGroupsRequest>& m) {
    io.all(m.groups);
    io.since(3, m.include_authorized_operations);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeGroupsResponse::Member>& m) {
    io.all(m.member_id);
    io.since(4, m.group_instance_id);
    io.all(m.client_id, m.client_host);
    io.bytes(m.member_metadata);
    io.bytes(m.member_assignment);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeGroupsResponse::Group>& m) {
    io.all(m.error_code, m.group_id, m.group_state, m.protocol_type, m.protocol_data, m.members);
    io.since(3, m.authorized_operations);
}

template <class Io>
void fields(Io& io, Of<Io, DescribeGroupsResponse>& m) {
    io.since(1, m.throttle_time_ms);
    io.all(m.groups);
}

template <class Io>
void fields(Io& io, Of<Io, ListGroupsRequest>& m) {
    io.since(4, m.states_filter);
}

template <class Io>
void fields(Io& io, Of<Io, ListGroupsResponse::Group>& m) {
    io.all(m.group_id, m.protocol_type);
    io.since(4, m.group_state);
}

template <class Io>
void fields(Io& io, Of<Io, ListGroupsResponse>& m) {
    io.since(1, m.throttle_time_ms);
    io.all(m.error_code, m.groups);
}

} // namespace mini_broker::kafka
