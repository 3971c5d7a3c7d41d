// Consumer groups: who is in one, and which node coordinates it.
#include "kafka/messages/groups.hpp"

#include "kafka/handlers/call.hpp"
#include "kafka/handlers/group_service.hpp"
#include "kafka/messages/describe_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace mini_broker::kafka {

namespace {

constexpr std::int8_t kKeyIsGroup = 0;

template <class Response>
void answer_error(const CallPtr& call, Error error) {
    Response response;
    response.error_code = error;
    call->answer(response);
}

/// Where all groups are coordinated: by the leader of the metadata group, once it is known.
FindCoordinatorResponse::Coordinator locate(const Context& context, std::string key) {
    FindCoordinatorResponse::Coordinator answer;
    answer.key = std::move(key);
    const NodeId leader = context.controller.group().leader();
    const auto broker = context.image().brokers().find(leader);
    if (broker == context.image().brokers().end()) {
        answer.error_code = Error::coordinator_not_available;
        answer.error_message = "The cluster's metadata has no leader.";
        return answer;
    }
    answer.node_id = static_cast<std::int32_t>(leader);
    answer.host = broker->second.host;
    answer.port = broker->second.port;
    return answer;
}

// An address as Kafka's tools expect it: after a slash, and without the port.
std::string host_of(const std::string& remote) {
    return fmt::format("/{}", remote.substr(0, remote.rfind(':')));
}

} // namespace

void handle_find_coordinator(const CallPtr& call) {
    const auto request = read<FindCoordinatorRequest>(call);
    if (!request) return;
    FindCoordinatorResponse response;
    std::vector<std::string> keys = request->coordinator_keys;
    if (call->header.api_version < 4) keys = {request->key};
    for (const std::string& key : keys) {
        auto answer = locate(call->context, key);
        if (request->key_type != kKeyIsGroup) {
            answer = {};
            answer.key = key;
            answer.error_code = Error::coordinator_not_available; // there are no transactions
        }
        response.error_code = answer.error_code;
        response.error_message = answer.error_message;
        response.node_id = answer.node_id;
        response.host = answer.host;
        response.port = answer.port;
        response.coordinators.push_back(std::move(answer));
    }
    call->answer(response);
}

void handle_join_group(const CallPtr& call) {
    const auto request = read<JoinGroupRequest>(call);
    if (!request) return;
    GroupService& groups = call->context.groups;
    if (!groups.active()) return answer_error<JoinGroupResponse>(call, Error::not_coordinator);
    groups.coordinator().join(
        call->context.loop.now(), call->header.api_version, *request,
        {call->header.client_id.value_or(""), host_of(call->client)},
        [call](const JoinGroupResponse& response) { call->answer(response); });
}

void handle_sync_group(const CallPtr& call) {
    const auto request = read<SyncGroupRequest>(call);
    if (!request) return;
    GroupService& groups = call->context.groups;
    if (!groups.active()) return answer_error<SyncGroupResponse>(call, Error::not_coordinator);
    groups.coordinator().sync(
        call->context.loop.now(), *request,
        [call](const SyncGroupResponse& response) { call->answer(response); });
}

void handle_heartbeat(const CallPtr& call) {
    const auto request = read<HeartbeatRequest>(call);
    if (!request) return;
    GroupService& groups = call->context.groups;
    if (!groups.active()) return answer_error<HeartbeatResponse>(call, Error::not_coordinator);
    call->answer(groups.coordinator().heartbeat(call->context.loop.now(), *request));
}

void handle_leave_group(const CallPtr& call) {
    const auto request = read<LeaveGroupRequest>(call);
    if (!request) return;
    GroupService& groups = call->context.groups;
    if (!groups.active()) return answer_error<LeaveGroupResponse>(call, Error::not_coordinator);
    call->answer(groups.coordinator().leave(call->context.loop.now(), *request));
}

void handle_describe_groups(const CallPtr& call) {
    const auto request = read<DescribeGroupsRequest>(call);
    if (!request) return;
    const Context& context = call->context;
    DescribeGroupsResponse response;
    std::set<std::string> seen; // each once, as an answer may be far larger than a name
    for (const std::string& id : request->groups) {
        if (!seen.insert(id).second) continue;
        auto group = context.groups.coordinator().describe(id);
        if (!context.groups.active())
            group.error_code = Error::not_coordinator;
        else if (group.group_state == "Dead" && context.image().offsets(id) != nullptr)
            group.group_state = "Empty";
        response.groups.push_back(std::move(group));
    }
    call->answer(response);
}

void handle_list_groups(const CallPtr& call) {
    const auto request = read<ListGroupsRequest>(call);
    if (!request) return;
    const Context& context = call->context;
    ListGroupsResponse response;
    if (context.groups.active()) { // the others have none to list
        response.groups = context.groups.coordinator().list();
        for (const std::string& id : context.image().groups()) {
            const auto known = std::any_of(response.groups.begin(), response.groups.end(),
                                           [&id](const auto& one) { return one.group_id == id; });
            if (!known) response.groups.push_back({id, "consumer", "Empty"});
        }
    }
    const auto& states = request->states_filter;
    if (!states.empty())
        std::erase_if(response.groups, [&states](const auto& group) {
            return std::find(states.begin(), states.end(), group.group_state) == states.end();
        });
    call->answer(response);
}

} // namespace mini_broker::kafka
