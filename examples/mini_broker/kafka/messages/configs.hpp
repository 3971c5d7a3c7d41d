#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mini_broker::kafka {

struct DescribeConfigsRequest {
    static constexpr ApiKey kApi = ApiKey::describe_configs;
    struct Resource {
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::optional<std::vector<std::string>> configuration_keys; ///< null: all
        bool operator==(const Resource&) const = default;
    };
    std::vector<Resource> resources;
    bool include_synonyms = false;
    bool include_documentation = false;
    bool operator==(const DescribeConfigsRequest&) const = default;
};

struct DescribeConfigsResponse {
    static constexpr ApiKey kApi = ApiKey::describe_configs;
    struct Synonym {
        std::string name;
        std::optional<std::string> value;
        std::int8_t source = 0;
        bool operator==(const Synonym&) const = default;
    };
    struct Config {
        std::string name;
        std::optional<std::string> value;
        bool read_only = false;
        std::int8_t config_source = -1;
        bool is_sensitive = false;
        std::vector<Synonym> synonyms;
        std::int8_t config_type = 0;
        std::optional<std::string> documentation;
        bool operator==(const Config&) const = default;
    };
    struct Result {
        Error error_code = Error::none;
        std::optional<std::string> error_message;
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::vector<Config> configs;
        bool operator==(const Result&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Result> results;
    bool operator==(const DescribeConfigsResponse&) const = default;
};

struct AlterConfigsRequest {
    static constexpr ApiKey kApi = ApiKey::alter_configs;
    struct Config {
        std::string name;
        std::optional<std::string> value;
        bool operator==(const Config&) const = default;
    };
    struct Resource {
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::vector<Config> configs;
        bool operator==(const Resource&) const = default;
    };
    std::vector<Resource> resources;
    bool validate_only = false;
    bool operator==(const AlterConfigsRequest&) const = default;
};

struct AlterConfigsResponse {
    static constexpr ApiKey kApi = ApiKey::alter_configs;
    struct Resource {
        Error error_code = Error::none;
        std::optional<std::string> error_message;
        std::int8_t resource_type = 0;
        std::string resource_name;
        bool operator==(const Resource&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Resource> responses;
    bool operator==(const AlterConfigsResponse&) const = default;
};

struct IncrementalAlterConfigsRequest {
    static constexpr ApiKey kApi = ApiKey::incremental_alter_configs;
    struct Config {
        std::string name;
        std::int8_t config_operation = 0; ///< 0 set, 1 delete, 2 append, 3 subtract
        std::optional<std::string> value;
        bool operator==(const Config&) const = default;
    };
    struct Resource {
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::vector<Config> configs;
        bool operator==(const Resource&) const = default;
    };
    std::vector<Resource> resources;
    bool validate_only = false;
    bool operator==(const IncrementalAlterConfigsRequest&) const = default;
};

struct IncrementalAlterConfigsResponse {
    static constexpr ApiKey kApi = ApiKey::incremental_alter_configs;
    struct Resource {
        Error error_code = Error::none;
        std::optional<std::string> error_message;
        std::int8_t resource_type = 0;
        std::string resource_name;
        bool operator==(const Resource&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Resource> responses;
    bool operator==(const IncrementalAlterConfigsResponse&) const = default;
};

} // namespace mini_broker::kafka
