#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace mini_broker::kafka {

struct InitProducerIdRequest {
    static constexpr ApiKey kApi = ApiKey::init_producer_id;
    std::optional<std::string> transactional_id;
    std::int32_t transaction_timeout_ms = 0;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    bool operator==(const InitProducerIdRequest&) const = default;
};

struct InitProducerIdResponse {
    static constexpr ApiKey kApi = ApiKey::init_producer_id;
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    bool operator==(const InitProducerIdResponse&) const = default;
};

} // namespace mini_broker::kafka
