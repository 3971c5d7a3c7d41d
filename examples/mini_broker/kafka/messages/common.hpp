#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace mini_broker::kafka {

/// Where a client should turn to instead.
struct LeaderIdAndEpoch {
    std::int32_t leader_id = -1;
    std::int32_t leader_epoch = -1;
    bool operator==(const LeaderIdAndEpoch&) const = default;
};

struct NodeEndpoint {
    std::int32_t node_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;
    bool operator==(const NodeEndpoint&) const = default;
};

/// What authorized operations are answered with when nobody asked.
inline constexpr std::int32_t kNoOperations = std::numeric_limits<std::int32_t>::min();

} // namespace mini_broker::kafka
