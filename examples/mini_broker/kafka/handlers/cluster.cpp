// What clients ask about the broker and the cluster as a whole.
#include "kafka/messages/cluster.hpp"

#include "kafka/handlers/call.hpp"
#include "kafka/handlers/status.hpp"
#include "kafka/handlers/topic_defaults.hpp"
#include "kafka/messages/api_versions.hpp"
#include "kafka/messages/producer_id.hpp"

#include <algorithm>

namespace mini_broker::kafka {

namespace {

/// Kafka's rule for the name and the version of a client's software (KIP-511).
bool is_legal_software(const std::string& text) noexcept {
    const auto alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

} // namespace

void handle_api_versions(const CallPtr& call) {
    const auto request = read<ApiVersionsRequest>(call);
    if (!request) return;
    ApiVersionsResponse response;
    if (call->header.api_version >= 3 && (!is_legal_software(request->client_software_name) ||
                                          !is_legal_software(request->client_software_version)))
        response.error_code = Error::invalid_request;
    else
        for (const Api& api : kApis)
            response.api_keys.push_back({static_cast<std::int16_t>(api.key), api.min, api.max});
    call->answer(response);
}

void handle_describe_cluster(const CallPtr& call) {
    const auto request = read<DescribeClusterRequest>(call);
    if (!request) return;
    const Context& context = call->context;
    DescribeClusterResponse response;
    response.cluster_id = context.options.cluster_id;
    response.controller_id = static_cast<std::int32_t>(controller_node(context));
    response.brokers = live_brokers<DescribeClusterResponse::Broker>(context);
    call->answer(response);
}

void handle_list_partition_reassignments(const CallPtr& call) {
    if (read<ListPartitionReassignmentsRequest>(call))
        call->answer(ListPartitionReassignmentsResponse{}); // replicas are never moved
}

void handle_init_producer_id(const CallPtr& call) {
    const auto request = read<InitProducerIdRequest>(call);
    if (!request) return;
    InitProducerIdResponse response;
    if (request->transactional_id) {
        response.error_code = Error::transactional_id_authorization_failed;
    } else if (const auto id = call->context.producer_ids.take()) {
        response.producer_id = *id;
        response.producer_epoch = 0;
    } else {
        response.error_code = Error::coordinator_load_in_progress;
    }
    call->answer(response);
}

} // namespace mini_broker::kafka
