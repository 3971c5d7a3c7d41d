#pragma once

#include "kafka/messages/groups.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, FindCoordinatorRequest>& m) {
    io.until(3, m.key);
    io.since(1, m.key_type);
    io.since(4, m.coordinator_keys);
}

template <class Io>
void fields(Io& io, Of<Io, FindCoordinatorResponse::Coordinator>& m) {
    io.all(m.key, m.node_id, m.host, m.port, m.error_code, m.error_message);
}

template <class Io>
void fields(Io& io, Of<Io, FindCoordinatorResponse>& m) {
    io.since(1, m.throttle_time_ms);
    io.until(3, m.error_code);
    io.between(1, 3, m.error_message);
    io.until(3, m.node_id, m.host, m.port);
    io.since(4, m.coordinators);
}

template <class Io>
void fields(Io& io, Of<Io, JoinGroupRequest::Protocol>& m) {
    io.all(m.name);
    io.bytes(m.metadata);
}

template <class Io>
void fields(Io& io, Of<Io, JoinGroupRequest>& m) {
    io.all(m.group_id, m.session_timeout_ms);
    io.since(1, m.rebalance_timeout_ms);
    io.all(m.member_id);
    io.since(5, m.group_instance_id);
    io.all(m.protocol_type, m.protocols);
    io.since(8, m.reason);
}

template <class Io>
void fields(Io& io, Of<Io, JoinGroupResponse::Member>& m) {
    io.all(m.member_id);
    io.since(5, m.group_instance_id);
    io.bytes(m.metadata);
}

template <class Io>
void fields(Io& io, Of<Io, JoinGroupResponse>& m) {
    io.since(2, m.throttle_time_ms);
    io.all(m.error_code, m.generation_id);
    io.since(7, m.protocol_type);
    io.null_since(7, m.protocol_name);
    io.all(m.leader);
    io.since(9, m.skip_assignment);
    io.all(m.member_id, m.members);
}

template <class Io>
void fields(Io& io, Of<Io, SyncGroupRequest::Assignment>& m) {
    io.all(m.member_id);
    io.bytes(m.assignment);
}

template <class Io>
void fields(Io& io, Of<Io, SyncGroupRequest>& m) {
    io.all(m.group_id, m.generation_id, m.member_id);
    io.since(3, m.group_instance_id);
    io.since(5, m.protocol_type, m.protocol_name);
    io.all(m.assignments);
}

template <class Io>
void fields(Io& io, Of<Io, SyncGroupResponse>& m) {
    io.since(1, m.throttle_time_ms);
    io.all(m.error_code);
    io.since(5, m.protocol_type, m.protocol_name);
    io.bytes(m.assignment);
}

template <class Io>
void fields(Io& io, Of<Io, HeartbeatRequest>& m) {
    io.all(m.group_id, m.generation_id, m.member_id);
    io.since(3, m.group_instance_id);
}

template <class Io>
void fields(Io& io, Of<Io, HeartbeatResponse>& m) {
    io.since(1, m.throttle_time_ms);
    io.all(m.error_code);
}

template <class Io>
void fields(Io& io, Of<Io, LeaveGroupRequest::Member>& m) {
    io.all(m.member_id, m.group_instance_id);
    io.since(5, m.reason);
}

template <class Io>
void fields(Io& io, Of<Io, LeaveGroupRequest>& m) {
    io.all(m.group_id);
    io.until(2, m.member_id);
    io.since(3, m.members);
}

template <class Io>
void fields(Io& io, Of<Io, LeaveGroupResponse::Member>& m) {
    io.all(m.member_id, m.group_instance_id, m.error_code);
}

template <class Io>
void fields(Io& io, Of<Io, LeaveGroupResponse>& m) {
    io.since(1, m.throttle_time_ms);
    io.all(m.error_code);
    io.since(3, m.members);
}

} // namespace mini_broker::kafka
