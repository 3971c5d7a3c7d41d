#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace mini_broker::kafka {

enum class ApiKey : std::int16_t { // NOLINT(performance-enum-size): as on the wire
    produce = 0,
    fetch = 1,
    list_offsets = 2,
    metadata = 3,
    offset_commit = 8,
    offset_fetch = 9,
    find_coordinator = 10,
    join_group = 11,
    heartbeat = 12,
    leave_group = 13,
    sync_group = 14,
    describe_groups = 15,
    list_groups = 16,
    api_versions = 18,
    create_topics = 19,
    delete_topics = 20,
    init_producer_id = 22,
    offset_for_leader_epoch = 23,
    describe_configs = 32,
    alter_configs = 33,
    create_partitions = 37,
    incremental_alter_configs = 44,
    list_partition_reassignments = 46,
    describe_cluster = 60,
    describe_topic_partitions = 75,
};

/// One API and its versions. `min` and `max` are what ApiVersions answers, `accept_min` is the
/// oldest version that is served: they differ where clients take a missing old version for an old
/// broker, but never send it.
struct Api {
    ApiKey key;
    std::string_view name;
    std::int16_t min;
    std::int16_t max;
    std::int16_t flexible_from; ///< compact lengths and tagged fields from this version on
    std::int16_t accept_min;

    [[nodiscard]] constexpr bool accepts(int version) const noexcept {
        return version >= accept_min && version <= max;
    }
    [[nodiscard]] constexpr bool flexible(int version) const noexcept {
        return version >= flexible_from;
    }
};

/// Every API of this broker, by key.
inline constexpr std::array kApis{
    // librdkafka stops compressing, or falls back to a format of 2015, unless Produce begins at 0.
    Api{ApiKey::produce, "Produce", 0, 10, 9, 3},
    Api{ApiKey::fetch, "Fetch", 4, 16, 12, 4},
    Api{ApiKey::list_offsets, "ListOffsets", 1, 7, 6, 1},
    Api{ApiKey::metadata, "Metadata", 0, 12, 9, 0},
    Api{ApiKey::offset_commit, "OffsetCommit", 2, 8, 8, 2},
    Api{ApiKey::offset_fetch, "OffsetFetch", 1, 8, 6, 1},
    Api{ApiKey::find_coordinator, "FindCoordinator", 0, 4, 3, 0},
    Api{ApiKey::join_group, "JoinGroup", 0, 9, 6, 0},
    Api{ApiKey::heartbeat, "Heartbeat", 0, 4, 4, 0},
    Api{ApiKey::leave_group, "LeaveGroup", 0, 5, 4, 0},
    Api{ApiKey::sync_group, "SyncGroup", 0, 5, 4, 0},
    Api{ApiKey::describe_groups, "DescribeGroups", 0, 5, 5, 0},
    Api{ApiKey::list_groups, "ListGroups", 0, 4, 3, 0},
    Api{ApiKey::api_versions, "ApiVersions", 0, 4, 3, 0},
    Api{ApiKey::create_topics, "CreateTopics", 2, 7, 5, 2},
    Api{ApiKey::delete_topics, "DeleteTopics", 1, 6, 4, 1},
    Api{ApiKey::init_producer_id, "InitProducerId", 0, 4, 2, 0},
    Api{ApiKey::offset_for_leader_epoch, "OffsetForLeaderEpoch", 2, 4, 4, 2},
    Api{ApiKey::describe_configs, "DescribeConfigs", 1, 4, 4, 1},
    Api{ApiKey::alter_configs, "AlterConfigs", 0, 2, 2, 0},
    Api{ApiKey::create_partitions, "CreatePartitions", 0, 3, 2, 0},
    Api{ApiKey::incremental_alter_configs, "IncrementalAlterConfigs", 0, 1, 1, 0},
    Api{ApiKey::list_partition_reassignments, "ListPartitionReassignments", 0, 0, 0, 0},
    Api{ApiKey::describe_cluster, "DescribeCluster", 0, 1, 0, 0},
    Api{ApiKey::describe_topic_partitions, "DescribeTopicPartitions", 0, 0, 0, 0},
};

/// Null for a key that is not served.
[[nodiscard]] constexpr const Api* find_api(std::int16_t key) noexcept {
    const auto* const found = std::find_if(kApis.begin(), kApis.end(), [key](const Api& api) {
        return static_cast<std::int16_t>(api.key) == key;
    });
    return found == kApis.end() ? nullptr : found;
}

/// For a key that is served.
[[nodiscard]] constexpr const Api& api(ApiKey key) noexcept {
    return *find_api(static_cast<std::int16_t>(key));
}

} // namespace mini_broker::kafka
