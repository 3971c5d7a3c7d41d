#include "broker_metrics.hpp"
#include "kafka/handlers/call.hpp"

namespace mini_broker::kafka {

void Call::finish(mini_broker::Response response) {
    context.metrics.answered(header.api, began);
    reply_(std::move(response));
}

void dispatch(const CallPtr& call) {
    switch (call->header.api->key) {
    case ApiKey::produce: return handle_produce(call);
    case ApiKey::fetch: return handle_fetch(call);
    case ApiKey::list_offsets: return handle_list_offsets(call);
    case ApiKey::metadata: return handle_metadata(call);
    case ApiKey::offset_commit: return handle_offset_commit(call);
    case ApiKey::offset_fetch: return handle_offset_fetch(call);
    case ApiKey::find_coordinator: return handle_find_coordinator(call);
    case ApiKey::join_group: return handle_join_group(call);
    case ApiKey::heartbeat: return handle_heartbeat(call);
    case ApiKey::leave_group: return handle_leave_group(call);
    case ApiKey::sync_group: return handle_sync_group(call);
    case ApiKey::describe_groups: return handle_describe_groups(call);
    case ApiKey::list_groups: return handle_list_groups(call);
    case ApiKey::api_versions: return handle_api_versions(call);
    case ApiKey::create_topics: return handle_create_topics(call);
    case ApiKey::delete_topics: return handle_delete_topics(call);
    case ApiKey::init_producer_id: return handle_init_producer_id(call);
    case ApiKey::offset_for_leader_epoch: return handle_offset_for_leader_epoch(call);
    case ApiKey::describe_configs: return handle_describe_configs(call);
    case ApiKey::alter_configs: return handle_alter_configs(call);
    case ApiKey::create_partitions: return handle_create_partitions(call);
    case ApiKey::incremental_alter_configs: return handle_incremental_alter_configs(call);
    case ApiKey::list_partition_reassignments: return handle_list_partition_reassignments(call);
    case ApiKey::describe_cluster: return handle_describe_cluster(call);
    case ApiKey::describe_topic_partitions: return handle_describe_topic_partitions(call);
    }
}

} // namespace mini_broker::kafka
