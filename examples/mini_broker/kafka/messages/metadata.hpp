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

struct MetadataRequest {
    static constexpr ApiKey kApi = ApiKey::metadata;
    struct Topic {
        Uuid topic_id{};
        std::optional<std::string> name; ///< null when asked by id
        bool operator==(const Topic&) const = default;
    };
    std::optional<std::vector<Topic>> topics; ///< null: all; in version 0 an empty list says so
    bool allow_auto_topic_creation = true;
    bool include_cluster_authorized_operations = false;
    bool include_topic_authorized_operations = false;
    bool operator==(const MetadataRequest&) const = default;
};

struct MetadataResponse {
    static constexpr ApiKey kApi = ApiKey::metadata;
    struct Broker {
        std::int32_t node_id = 0;
        std::string host;
        std::int32_t port = 0;
        std::optional<std::string> rack;
        bool operator==(const Broker&) const = default;
    };
    struct Partition {
        Error error_code = Error::none;
        std::int32_t partition_index = 0;
        std::int32_t leader_id = -1;
        std::int32_t leader_epoch = -1;
        std::vector<std::int32_t> replica_nodes;
        std::vector<std::int32_t> isr_nodes;
        std::vector<std::int32_t> offline_replicas;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        Error error_code = Error::none;
        std::optional<std::string> name; ///< null when asked by an id that is not known
        Uuid topic_id{};
        bool is_internal = false;
        std::vector<Partition> partitions;
        std::int32_t topic_authorized_operations = kNoOperations;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Broker> brokers;
    std::optional<std::string> cluster_id;
    std::int32_t controller_id = -1;
    std::vector<Topic> topics;
    std::int32_t cluster_authorized_operations = kNoOperations;
    bool operator==(const MetadataResponse&) const = default;
};

} // namespace mini_broker::kafka
