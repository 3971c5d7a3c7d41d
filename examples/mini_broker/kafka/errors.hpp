#pragma once

#include <insync/kafka/error_codes.hpp>

#include <cstdint>
#include <string_view>

namespace mini_broker::kafka {

/// Kafka's error codes that this broker answers with. `insync::kafka::ErrorCode` is those of them
/// that the library decides on; `error_of` turns one into the other, as their numbers are the same.
enum class Error : std::int16_t { // NOLINT(performance-enum-size): as on the wire
    unknown_server_error = -1,
    none = 0,
    offset_out_of_range = 1,
    corrupt_message = 2,
    unknown_topic_or_partition = 3,
    leader_not_available = 5,
    not_leader_or_follower = 6,
    request_timed_out = 7,
    broker_not_available = 8,
    replica_not_available = 9,
    message_too_large = 10,
    offset_metadata_too_large = 12,
    coordinator_load_in_progress = 14,
    coordinator_not_available = 15,
    not_coordinator = 16,
    invalid_topic = 17,
    not_enough_replicas = 19,
    not_enough_replicas_after_append = 20,
    invalid_required_acks = 21,
    illegal_generation = 22,
    inconsistent_group_protocol = 23,
    invalid_group_id = 24,
    unknown_member_id = 25,
    invalid_session_timeout = 26,
    rebalance_in_progress = 27,
    invalid_commit_offset_size = 28,
    unsupported_version = 35,
    topic_already_exists = 36,
    invalid_partitions = 37,
    invalid_replication_factor = 38,
    invalid_replica_assignment = 39,
    invalid_config = 40,
    not_controller = 41,
    invalid_request = 42,
    policy_violation = 44,
    out_of_order_sequence_number = 45,
    duplicate_sequence_number = 46,
    invalid_producer_epoch = 47,
    invalid_txn_state = 48,
    transactional_id_authorization_failed = 53,
    kafka_storage_error = 56,
    unknown_producer_id = 59,
    non_empty_group = 68,
    group_id_not_found = 69,
    fetch_session_id_not_found = 70,
    invalid_fetch_session_epoch = 71,
    fenced_leader_epoch = 74,
    unknown_leader_epoch = 75,
    unsupported_compression_type = 76,
    offset_not_available = 78,
    member_id_required = 79,
    group_max_size_reached = 81,
    fenced_instance_id = 82,
    invalid_record = 87,
    unstable_offset_commit = 88,
    unknown_topic_id = 100,
    inconsistent_topic_id = 103,
};

[[nodiscard]] constexpr Error error_of(insync::kafka::ErrorCode code) noexcept {
    return static_cast<Error>(insync::kafka::wire(code));
}

/// Kafka's own name of it, for logs and for error messages.
[[nodiscard]] std::string_view to_string(Error error) noexcept;

} // namespace mini_broker::kafka
