#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"
#include "kafka/messages/common.hpp"
#include "kafka/uuid.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace mini_broker::kafka {

/// Sent by a replica only.
struct ReplicaState {
    std::int32_t replica_id = -1;
    std::int64_t replica_epoch = -1;
    bool operator==(const ReplicaState&) const = default;
};

struct FetchRequest {
    static constexpr ApiKey kApi = ApiKey::fetch;
    struct Partition {
        std::int32_t partition = 0;
        std::int32_t current_leader_epoch = -1;
        std::int64_t fetch_offset = 0;
        std::int32_t last_fetched_epoch = -1;
        std::int64_t log_start_offset = -1;
        std::int32_t partition_max_bytes = 0;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string topic; ///< up to version 12
        Uuid topic_id{};   ///< from version 13 on
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    struct ForgottenTopic {
        std::string topic;
        Uuid topic_id{};
        std::vector<std::int32_t> partitions;
        bool operator==(const ForgottenTopic&) const = default;
    };
    std::optional<std::string> cluster_id;
    std::int32_t replica_id = -1; ///< up to version 14
    ReplicaState replica_state;   ///< from version 15 on
    std::int32_t max_wait_ms = 0;
    std::int32_t min_bytes = 0;
    std::int32_t max_bytes = std::numeric_limits<std::int32_t>::max();
    std::int8_t isolation_level = 0;
    std::int32_t session_id = 0;
    std::int32_t session_epoch = -1;
    std::vector<Topic> topics;
    std::vector<ForgottenTopic> forgotten_topics_data;
    std::string rack_id;
    bool operator==(const FetchRequest&) const = default;
};

struct EpochEndOffset {
    std::int32_t epoch = -1;
    std::int64_t end_offset = -1;
    bool operator==(const EpochEndOffset&) const = default;
};

struct SnapshotId {
    std::int64_t end_offset = -1;
    std::int32_t epoch = -1;
    bool operator==(const SnapshotId&) const = default;
};

struct FetchResponse {
    static constexpr ApiKey kApi = ApiKey::fetch;
    struct AbortedTransaction {
        std::int64_t producer_id = 0;
        std::int64_t first_offset = 0;
        bool operator==(const AbortedTransaction&) const = default;
    };
    struct Partition {
        std::int32_t partition_index = 0;
        Error error_code = Error::none;
        std::int64_t high_watermark = 0;
        std::int64_t last_stable_offset = -1;
        std::int64_t log_start_offset = -1;
        EpochEndOffset diverging_epoch;
        LeaderIdAndEpoch current_leader;
        SnapshotId snapshot_id;
        std::optional<std::vector<AbortedTransaction>> aborted_transactions;
        std::int32_t preferred_read_replica = -1;
        std::string records;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string topic;
        Uuid topic_id{};
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    std::int32_t session_id = 0;
    std::vector<Topic> responses;
    std::vector<NodeEndpoint> node_endpoints;
    bool operator==(const FetchResponse&) const = default;
};

} // namespace mini_broker::kafka
