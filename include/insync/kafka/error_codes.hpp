#pragma once

#include <cstdint>
#include <string_view>

namespace insync::kafka {

/// Kafka's error codes, as they stand on the wire: those that a broker needs to answer for leaders,
/// followers and in-sync replicas. A host with a complete list of its own casts between the two.
enum class ErrorCode : std::int16_t { // NOLINT(performance-enum-size): as on the wire
    unknown_server_error = -1,
    none = 0,
    offset_out_of_range = 1,
    unknown_topic_or_partition = 3,
    leader_not_available = 5, ///< metadata only: nobody is known to lead
    not_leader_or_follower = 6,
    request_timed_out = 7, ///< appended, and what became of it is unknown
    replica_not_available = 9,
    not_enough_replicas = 19,              ///< refused before anything was appended
    not_enough_replicas_after_append = 20, ///< appended, and then the ISR fell below min ISR
    invalid_required_acks = 21,
    kafka_storage_error = 56,
    fenced_leader_epoch = 74,  ///< the client's epoch is older; never in a produce response
    unknown_leader_epoch = 75, ///< the client's epoch is newer
    offset_not_available = 78, ///< a new leader's commit index has not reached its epoch yet
};

/// The number on the wire.
[[nodiscard]] constexpr std::int16_t wire(ErrorCode code) noexcept {
    return static_cast<std::int16_t>(code);
}

/// Kafka's own name of it, for logs.
[[nodiscard]] constexpr std::string_view to_string(ErrorCode code) noexcept {
    switch (code) {
    case ErrorCode::unknown_server_error: return "UNKNOWN_SERVER_ERROR";
    case ErrorCode::none: return "NONE";
    case ErrorCode::offset_out_of_range: return "OFFSET_OUT_OF_RANGE";
    case ErrorCode::unknown_topic_or_partition: return "UNKNOWN_TOPIC_OR_PARTITION";
    case ErrorCode::leader_not_available: return "LEADER_NOT_AVAILABLE";
    case ErrorCode::not_leader_or_follower: return "NOT_LEADER_OR_FOLLOWER";
    case ErrorCode::request_timed_out: return "REQUEST_TIMED_OUT";
    case ErrorCode::replica_not_available: return "REPLICA_NOT_AVAILABLE";
    case ErrorCode::not_enough_replicas: return "NOT_ENOUGH_REPLICAS";
    case ErrorCode::not_enough_replicas_after_append: return "NOT_ENOUGH_REPLICAS_AFTER_APPEND";
    case ErrorCode::invalid_required_acks: return "INVALID_REQUIRED_ACKS";
    case ErrorCode::kafka_storage_error: return "KAFKA_STORAGE_ERROR";
    case ErrorCode::fenced_leader_epoch: return "FENCED_LEADER_EPOCH";
    case ErrorCode::unknown_leader_epoch: return "UNKNOWN_LEADER_EPOCH";
    case ErrorCode::offset_not_available: return "OFFSET_NOT_AVAILABLE";
    }
    return "UNKNOWN";
}

/// Whether clients try again by themselves.
[[nodiscard]] constexpr bool is_retriable(ErrorCode code) noexcept {
    switch (code) {
    case ErrorCode::none:
    case ErrorCode::unknown_server_error:
    case ErrorCode::offset_out_of_range:
    case ErrorCode::invalid_required_acks: return false;
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::leader_not_available:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::request_timed_out:
    case ErrorCode::replica_not_available:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::fenced_leader_epoch:
    case ErrorCode::unknown_leader_epoch:
    case ErrorCode::offset_not_available: return true;
    }
    return false;
}

} // namespace insync::kafka
