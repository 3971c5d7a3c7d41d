#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"
#include "kafka/messages/common.hpp"
#include "kafka/uuid.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mini_broker::kafka {

struct DescribeClusterRequest {
    static constexpr ApiKey kApi = ApiKey::describe_cluster;
    bool include_cluster_authorized_operations = false;
    std::int8_t endpoint_type = 1;
    bool operator==(const DescribeClusterRequest&) const = default;
};

struct DescribeClusterResponse {
    static constexpr ApiKey kApi = ApiKey::describe_cluster;
    struct Broker {
        std::int32_t broker_id = 0;
        std::string host;
        std::int32_t port = 0;
        std::optional<std::string> rack;
        bool operator==(const Broker&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    std::optional<std::string> error_message;
    std::int8_t endpoint_type = 1;
    std::string cluster_id;
    std::int32_t controller_id = -1;
    std::vector<Broker> brokers;
    std::int32_t cluster_authorized_operations = kNoOperations;
    bool operator==(const DescribeClusterResponse&) const = default;
};

/// Where a list that did not fit into one response goes on.
struct PartitionCursor {
    std::string topic_name;
    std::int32_t partition_index = 0;
    bool operator==(const PartitionCursor&) const = default;
};

struct DescribeTopicPartitionsRequest {
    static constexpr ApiKey kApi = ApiKey::describe_topic_partitions;
    struct Topic {
        std::string name;
        bool operator==(const Topic&) const = default;
    };
    std::vector<Topic> topics;
    std::int32_t response_partition_limit = 2000;
    std::optional<PartitionCursor> cursor;
    bool operator==(const DescribeTopicPartitionsRequest&) const = default;
};

struct DescribeTopicPartitionsResponse {
    static constexpr ApiKey kApi = ApiKey::describe_topic_partitions;
    struct Partition {
        Error error_code = Error::none;
        std::int32_t partition_index = 0;
        std::int32_t leader_id = -1;
        std::int32_t leader_epoch = -1;
        std::vector<std::int32_t> replica_nodes;
        std::vector<std::int32_t> isr_nodes;
        std::vector<std::int32_t>
            eligible_leader_replicas; ///< Kafka's tools crash on null here, so it cannot be
        std::vector<std::int32_t> last_known_elr;
        std::vector<std::int32_t> offline_replicas;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        Error error_code = Error::none;
        std::optional<std::string> name;
        Uuid topic_id{};
        bool is_internal = false;
        std::vector<Partition> partitions;
        std::int32_t topic_authorized_operations = kNoOperations;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Topic> topics;
    std::optional<PartitionCursor> next_cursor;
    bool operator==(const DescribeTopicPartitionsResponse&) const = default;
};

struct ListPartitionReassignmentsRequest {
    static constexpr ApiKey kApi = ApiKey::list_partition_reassignments;
    struct Topic {
        std::string name;
        std::vector<std::int32_t> partition_indexes;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t timeout_ms = 60000;
    std::optional<std::vector<Topic>> topics; ///< null: all
    bool operator==(const ListPartitionReassignmentsRequest&) const = default;
};

struct ListPartitionReassignmentsResponse {
    static constexpr ApiKey kApi = ApiKey::list_partition_reassignments;
    struct Partition {
        std::int32_t partition_index = 0;
        std::vector<std::int32_t> replicas;
        std::vector<std::int32_t> adding_replicas;
        std::vector<std::int32_t> removing_replicas;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string name;
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    std::optional<std::string> error_message;
    std::vector<Topic> topics;
    bool operator==(const ListPartitionReassignmentsResponse&) const = default;
};

} // namespace mini_broker::kafka
