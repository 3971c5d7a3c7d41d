#include "kafka/groups/coordinator.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace mini_broker::kafka {

Coordinator::Coordinator(GroupOptions options, std::function<std::string()> fresh_id)
    : options_(options), fresh_id_(std::move(fresh_id)) {}

/// Whether all groups together may hold so much more.
bool Coordinator::claim(std::size_t bytes) noexcept {
    if (bytes > options_.memory_max - std::min(memory_, options_.memory_max)) return false;
    memory_ += bytes;
    return true;
}

Error Coordinator::admit(const JoinGroupRequest& request, const GroupClient& client) {
    if (request.group_id.empty()) return Error::invalid_group_id;
    const Millis session{request.session_timeout_ms};
    if (session < options_.session_timeout_min || session > options_.session_timeout_max)
        return Error::invalid_session_timeout;
    if (request.protocol_type.empty() || request.protocols.empty())
        return Error::inconsistent_group_protocol;
    std::size_t bytes = 0;
    for (const auto& protocol : request.protocols)
        bytes += protocol.name.size() + protocol.metadata.size();
    if (bytes > options_.member_bytes_max || request.protocols.size() > options_.protocols_max)
        return Error::invalid_request;
    const bool known = groups_.contains(request.group_id);
    if (!known && !request.member_id.empty()) return Error::unknown_member_id;
    if (!known && groups_.size() >= options_.groups_max) return Error::group_max_size_reached;
    constexpr std::size_t kEach = 2048;
    const std::size_t names = request.group_id.size() + 2 * client.id.size() +
                              request.group_instance_id.value_or("").size();
    return claim(kEach + names + bytes) ? Error::none : Error::group_max_size_reached;
}

void Coordinator::join(
    TimePoint now, int version, const JoinGroupRequest& request, GroupClient client, Joined done) {
    if (const Error error = admit(request, client); error != Error::none) {
        JoinGroupResponse response;
        response.error_code = error;
        response.member_id = request.member_id;
        return done(response);
    }
    std::string fresh;
    if (request.member_id.empty())
        fresh = request.group_instance_id.value_or(client.id) + '-' + fresh_id_();
    const auto group = groups_.try_emplace(request.group_id, request.group_id, options_, due_);
    group.first->second.join(
        {now, version, request, std::move(client), std::move(fresh), std::move(done)});
    forget_if_deserted(request.group_id);
    answer_due();
}

void Coordinator::sync(TimePoint now, const SyncGroupRequest& request, Synced done) {
    const auto group = groups_.find(request.group_id);
    std::size_t bytes = 0;
    for (const auto& each : request.assignments) bytes += each.assignment.size();
    const bool known = group != groups_.end();
    if (!known || !claim(bytes)) {
        SyncGroupResponse response;
        response.error_code = known ? Error::unknown_server_error : Error::unknown_member_id;
        return done(response);
    }
    group->second.sync(now, request, std::move(done));
    answer_due();
}

HeartbeatResponse Coordinator::heartbeat(TimePoint now, const HeartbeatRequest& request) {
    HeartbeatResponse response;
    const auto group = groups_.find(request.group_id);
    response.error_code =
        group == groups_.end() ? Error::unknown_member_id : group->second.heartbeat(now, request);
    return response;
}

LeaveGroupResponse Coordinator::leave(TimePoint now, const LeaveGroupRequest& request) {
    LeaveGroupResponse response;
    const auto found = groups_.find(request.group_id);
    const auto leave_one = [&](const std::string& member, const auto& instance) {
        return found == groups_.end() ? Error::unknown_member_id
                                      : found->second.leave(now, member, instance);
    };
    if (request.members.empty() && !request.member_id.empty())
        response.error_code = leave_one(request.member_id, std::optional<std::string>{});
    for (const auto& member : request.members)
        response.members.push_back({member.member_id, member.group_instance_id,
                                    leave_one(member.member_id, member.group_instance_id)});
    forget_if_deserted(request.group_id);
    answer_due();
    return response;
}

Error Coordinator::may_commit(TimePoint now, const OffsetCommitRequest& request) {
    if (request.group_id.empty()) return Error::invalid_group_id;
    const auto group = groups_.find(request.group_id);
    if (group == groups_.end())
        return request.generation_id < 0 ? Error::none : Error::illegal_generation;
    return group->second.may_commit(now, request.generation_id, request.member_id,
                                    request.group_instance_id);
}

void Coordinator::tick(TimePoint now) {
    memory_ = 0;
    for (auto& [id, group] : groups_) {
        group.tick(now);
        memory_ += group.memory();
    }
    std::erase_if(groups_, [](const auto& entry) { return entry.second.deserted(); });
    answer_due();
}

void Coordinator::resign() {
    for (auto& [id, group] : groups_) group.end(Error::not_coordinator);
    groups_.clear();
    answer_due();
}

DescribeGroupsResponse::Group Coordinator::describe(const std::string& group) const {
    const auto found = groups_.find(group);
    if (found != groups_.end()) return found->second.describe();
    DescribeGroupsResponse::Group unknown;
    unknown.group_id = group;
    unknown.group_state = "Dead";
    return unknown;
}

std::vector<ListGroupsResponse::Group> Coordinator::list() const {
    std::vector<ListGroupsResponse::Group> all;
    all.reserve(groups_.size());
    for (const auto& [id, group] : groups_)
        all.push_back({id, group.protocol_type(), std::string(group.state_name())});
    return all;
}

void Coordinator::forget_if_deserted(const std::string& group) {
    const auto found = groups_.find(group);
    if (found != groups_.end() && found->second.deserted()) groups_.erase(found);
}

void Coordinator::answer_due() {
    // What is called may call this again, so that it has a list of its own.
    for (auto& call : std::exchange(due_, {})) call();
}

} // namespace mini_broker::kafka
