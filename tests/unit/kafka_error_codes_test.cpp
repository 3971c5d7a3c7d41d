#include <insync/kafka/error_codes.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string_view>

using insync::kafka::ErrorCode;
using insync::kafka::is_retriable;
using insync::kafka::to_string;
using insync::kafka::wire;

TEST_CASE("error codes have Kafka's numbers and names", "[kafka_error_codes]") {
    struct Row {
        ErrorCode code;
        int number;
        std::string_view name;
        bool retriable;
    };
    constexpr Row kRows[] = {
        {ErrorCode::unknown_server_error, -1, "UNKNOWN_SERVER_ERROR", false},
        {ErrorCode::none, 0, "NONE", false},
        {ErrorCode::offset_out_of_range, 1, "OFFSET_OUT_OF_RANGE", false},
        {ErrorCode::unknown_topic_or_partition, 3, "UNKNOWN_TOPIC_OR_PARTITION", true},
        {ErrorCode::leader_not_available, 5, "LEADER_NOT_AVAILABLE", true},
        {ErrorCode::not_leader_or_follower, 6, "NOT_LEADER_OR_FOLLOWER", true},
        {ErrorCode::request_timed_out, 7, "REQUEST_TIMED_OUT", true},
        {ErrorCode::replica_not_available, 9, "REPLICA_NOT_AVAILABLE", true},
        {ErrorCode::not_enough_replicas, 19, "NOT_ENOUGH_REPLICAS", true},
        {ErrorCode::not_enough_replicas_after_append, 20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", true},
        {ErrorCode::invalid_required_acks, 21, "INVALID_REQUIRED_ACKS", false},
        {ErrorCode::kafka_storage_error, 56, "KAFKA_STORAGE_ERROR", true},
        {ErrorCode::fenced_leader_epoch, 74, "FENCED_LEADER_EPOCH", true},
        {ErrorCode::unknown_leader_epoch, 75, "UNKNOWN_LEADER_EPOCH", true},
        {ErrorCode::offset_not_available, 78, "OFFSET_NOT_AVAILABLE", true},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        CHECK(wire(row.code) == row.number);
        CHECK(to_string(row.code) == row.name);
        CHECK(is_retriable(row.code) == row.retriable);
    }
}

TEST_CASE("a number that is none of the codes has a name and is not retried",
          "[kafka_error_codes]") {
    CHECK(to_string(static_cast<ErrorCode>(12345)) == "UNKNOWN");
    CHECK_FALSE(is_retriable(static_cast<ErrorCode>(12345)));
}
