#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mini_broker::kafka {

struct OffsetCommitRequest {
    static constexpr ApiKey kApi = ApiKey::offset_commit;
    struct Partition {
        std::int32_t partition_index = 0;
        std::int64_t committed_offset = 0;
        std::int32_t committed_leader_epoch = -1;
        std::optional<std::string> committed_metadata;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string name;
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    std::string group_id;
    std::int32_t generation_id = -1;
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::int64_t retention_time_ms = -1;
    std::vector<Topic> topics;
    bool operator==(const OffsetCommitRequest&) const = default;
};

struct OffsetCommitResponse {
    static constexpr ApiKey kApi = ApiKey::offset_commit;
    struct Partition {
        std::int32_t partition_index = 0;
        Error error_code = Error::none;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string name;
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Topic> topics;
    bool operator==(const OffsetCommitResponse&) const = default;
};

struct OffsetFetchRequest {
    static constexpr ApiKey kApi = ApiKey::offset_fetch;
    struct Topic {
        std::string name;
        std::vector<std::int32_t> partition_indexes;
        bool operator==(const Topic&) const = default;
    };
    struct Group {
        std::string group_id;
        std::optional<std::vector<Topic>> topics; ///< null: all
        bool operator==(const Group&) const = default;
    };
    std::string group_id;                     ///< this and the topics up to version 7
    std::optional<std::vector<Topic>> topics; ///< null: all
    std::vector<Group> groups;                ///< from version 8 on
    bool require_stable = false;
    bool operator==(const OffsetFetchRequest&) const = default;
};

struct OffsetFetchResponse {
    static constexpr ApiKey kApi = ApiKey::offset_fetch;
    struct Partition {
        std::int32_t partition_index = 0;
        std::int64_t committed_offset = -1;
        std::int32_t committed_leader_epoch = -1;
        std::optional<std::string> metadata;
        Error error_code = Error::none;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string name;
        std::vector<Partition> partitions;
        bool operator==(const Topic&) const = default;
    };
    struct Group {
        std::string group_id;
        std::vector<Topic> topics;
        Error error_code = Error::none;
        bool operator==(const Group&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Topic> topics; ///< this and the error code up to version 7
    Error error_code = Error::none;
    std::vector<Group> groups; ///< from version 8 on
    bool operator==(const OffsetFetchResponse&) const = default;
};

} // namespace mini_broker::kafka
