#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"
#include "kafka/uuid.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mini_broker::kafka {

struct CreateTopicsRequest {
    static constexpr ApiKey kApi = ApiKey::create_topics;
    struct Assignment {
        std::int32_t partition_index = 0;
        std::vector<std::int32_t> broker_ids;
        bool operator==(const Assignment&) const = default;
    };
    struct Config {
        std::string name;
        std::optional<std::string> value;
        bool operator==(const Config&) const = default;
    };
    struct Topic {
        std::string name;
        std::int32_t num_partitions = -1;
        std::int16_t replication_factor = -1;
        std::vector<Assignment> assignments;
        std::vector<Config> configs;
        bool operator==(const Topic&) const = default;
    };
    std::vector<Topic> topics;
    std::int32_t timeout_ms = 60000;
    bool validate_only = false;
    bool operator==(const CreateTopicsRequest&) const = default;
};

struct CreateTopicsResponse {
    static constexpr ApiKey kApi = ApiKey::create_topics;
    struct Config {
        std::string name;
        std::optional<std::string> value;
        bool read_only = false;
        std::int8_t config_source = -1;
        bool is_sensitive = false;
        bool operator==(const Config&) const = default;
    };
    struct Topic {
        std::string name;
        Uuid topic_id{};
        Error error_code = Error::none;
        std::optional<std::string> error_message;
        Error topic_config_error_code = Error::none;
        std::int32_t num_partitions = -1;
        std::int16_t replication_factor = -1;
        std::vector<Config> configs;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Topic> topics;
    bool operator==(const CreateTopicsResponse&) const = default;
};

struct DeleteTopicsRequest {
    static constexpr ApiKey kApi = ApiKey::delete_topics;
    struct Topic {
        std::optional<std::string> name; ///< null when asked by id
        Uuid topic_id{};
        bool operator==(const Topic&) const = default;
    };
    std::vector<Topic> topics;            ///< from version 6 on
    std::vector<std::string> topic_names; ///< before
    std::int32_t timeout_ms = 0;
    bool operator==(const DeleteTopicsRequest&) const = default;
};

struct DeleteTopicsResponse {
    static constexpr ApiKey kApi = ApiKey::delete_topics;
    struct Topic {
        std::optional<std::string> name;
        Uuid topic_id{};
        Error error_code = Error::none;
        std::optional<std::string> error_message;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Topic> responses;
    bool operator==(const DeleteTopicsResponse&) const = default;
};

struct CreatePartitionsRequest {
    static constexpr ApiKey kApi = ApiKey::create_partitions;
    struct Assignment {
        std::vector<std::int32_t> broker_ids;
        bool operator==(const Assignment&) const = default;
    };
    struct Topic {
        std::string name;
        std::int32_t count = 0;
        std::optional<std::vector<Assignment>> assignments;
        bool operator==(const Topic&) const = default;
    };
    std::vector<Topic> topics;
    std::int32_t timeout_ms = 0;
    bool validate_only = false;
    bool operator==(const CreatePartitionsRequest&) const = default;
};

struct CreatePartitionsResponse {
    static constexpr ApiKey kApi = ApiKey::create_partitions;
    struct Topic {
        std::string name;
        Error error_code = Error::none;
        std::optional<std::string> error_message;
        bool operator==(const Topic&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Topic> results;
    bool operator==(const CreatePartitionsResponse&) const = default;
};

} // namespace mini_broker::kafka
