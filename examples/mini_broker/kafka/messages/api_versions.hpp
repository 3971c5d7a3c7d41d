#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mini_broker::kafka {

struct ApiVersionsRequest {
    static constexpr ApiKey kApi = ApiKey::api_versions;
    std::string client_software_name;
    std::string client_software_version;
    bool operator==(const ApiVersionsRequest&) const = default;
};

struct ApiVersionsResponse {
    static constexpr ApiKey kApi = ApiKey::api_versions;
    struct Version {
        std::int16_t api_key = 0;
        std::int16_t min_version = 0;
        std::int16_t max_version = 0;
        bool operator==(const Version&) const = default;
    };
    struct SupportedFeature {
        std::string name;
        std::int16_t min_version = 0;
        std::int16_t max_version = 0;
        bool operator==(const SupportedFeature&) const = default;
    };
    struct FinalizedFeature {
        std::string name;
        std::int16_t max_version_level = 0;
        std::int16_t min_version_level = 0;
        bool operator==(const FinalizedFeature&) const = default;
    };
    Error error_code = Error::none;
    std::vector<Version> api_keys;
    std::int32_t throttle_time_ms = 0;
    std::vector<SupportedFeature> supported_features;
    std::int64_t finalized_features_epoch = -1;
    std::vector<FinalizedFeature> finalized_features;
    bool operator==(const ApiVersionsResponse&) const = default;
};

} // namespace mini_broker::kafka
