#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"
#include "kafka/messages/common.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker::kafka {

/// Its records lie in the frame that it was decoded from, which must outlive it.
struct ProduceRequest {
    static constexpr ApiKey kApi = ApiKey::produce;
    struct Partition {
        std::int32_t index = 0;
        std::optional<std::string_view> records;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string name;
        std::vector<Partition> partition_data;
        bool operator==(const Topic&) const = default;
    };
    std::optional<std::string> transactional_id;
    std::int16_t acks = 0;
    std::int32_t timeout_ms = 0;
    std::vector<Topic> topic_data;
    bool operator==(const ProduceRequest&) const = default;
};

struct ProduceResponse {
    static constexpr ApiKey kApi = ApiKey::produce;
    struct RecordError {
        std::int32_t batch_index = 0;
        std::optional<std::string> batch_index_error_message;
        bool operator==(const RecordError&) const = default;
    };
    struct Partition {
        std::int32_t index = 0;
        Error error_code = Error::none;
        std::int64_t base_offset = -1;
        std::int64_t log_append_time_ms = -1;
        std::int64_t log_start_offset = -1;
        std::vector<RecordError> record_errors;
        std::optional<std::string> error_message;
        LeaderIdAndEpoch current_leader;
        bool operator==(const Partition&) const = default;
    };
    struct Topic {
        std::string name;
        std::vector<Partition> partition_responses;
        bool operator==(const Topic&) const = default;
    };
    std::vector<Topic> responses;
    std::int32_t throttle_time_ms = 0;
    std::vector<NodeEndpoint> node_endpoints;
    bool operator==(const ProduceResponse&) const = default;
};

} // namespace mini_broker::kafka
