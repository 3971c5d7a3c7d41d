#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mini_broker::kafka {

struct ListOffsetsRequest {
    static constexpr ApiKey kApi = ApiKey::list_offsets;
    struct Partition {
        std::int32_t partition_index = 0;
        std::int32_t current_leader_epoch = -1;
        std::int64_t timestamp = 0;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string name;
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t replica_id = -1;
    std::int8_t isolation_level = 0;
    std::vector<Topic> topics;
    bool operator==(const ListOffsetsRequest&) const = default;
};

struct ListOffsetsResponse {
    static constexpr ApiKey kApi = ApiKey::list_offsets;
    struct Partition {
        std::int32_t partition_index = 0;
        Error error_code = Error::none;
        std::int64_t timestamp = -1;
        std::int64_t offset = -1;
        std::int32_t leader_epoch = -1;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string name;
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Topic> topics;
    bool operator==(const ListOffsetsResponse&) const = default;
};

struct OffsetForLeaderEpochRequest {
    static constexpr ApiKey kApi = ApiKey::offset_for_leader_epoch;
    struct Partition {
        std::int32_t partition = 0;
        std::int32_t current_leader_epoch = -1;
        std::int32_t leader_epoch = 0;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string topic;
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t replica_id = -2;
    std::vector<Topic> topics;
    bool operator==(const OffsetForLeaderEpochRequest&) const = default;
};

struct OffsetForLeaderEpochResponse {
    static constexpr ApiKey kApi = ApiKey::offset_for_leader_epoch;
    struct Partition {
        Error error_code = Error::none;
        std::int32_t partition = 0;
        std::int32_t leader_epoch = -1;
        std::int64_t end_offset = -1;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string topic;
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Topic> topics;
    bool operator==(const OffsetForLeaderEpochResponse&) const = default;
};

} // namespace mini_broker::kafka
