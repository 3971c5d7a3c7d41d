#include "kafka/api.hpp"
#include "kafka/errors.hpp"
#include "kafka/header.hpp"
#include "kafka/messages/api_versions.hpp"
#include "kafka/messages/groups.hpp"
#include "kafka/messages/metadata.hpp"
#include "kafka/messages/produce.hpp"

#include <insync/kafka/error_codes.hpp>
#include <insync/kafka/metadata.hpp>
#include <insync/kafka/produce.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mini_broker::kafka;
using namespace std::string_literals;

std::string header_of(std::int16_t key, std::int16_t version, std::string_view rest) {
    std::string frame;
    for (const std::int16_t number : {key, version, std::int16_t{0}, std::int16_t{5}}) {
        frame.push_back(static_cast<char>(number >> 8));
        frame.push_back(static_cast<char>(number & 0xff));
    }
    return frame.append(rest);
}

TEST_CASE("A request's header is read with and without tagged fields", "[kafka]") {
    const std::string frame = header_of(12, 3, "\0\x02idbody"s);
    const auto plain = parse_header(frame);
    REQUIRE(plain);
    CHECK(plain->accepted());
    CHECK(plain->api->key == ApiKey::heartbeat);
    CHECK(plain->correlation_id == 5);
    CHECK(plain->client_id == "id");
    CHECK(plain->body == "body");
    CHECK(plain->body.data() + plain->body.size() == frame.data() + frame.size());

    const std::string flexible_frame = header_of(12, 4, "\xff\xff\x01\x07\x02xybody"s);
    const auto flexible = parse_header(flexible_frame);
    REQUIRE(flexible);
    CHECK(flexible->accepted());
    CHECK_FALSE(flexible->client_id);
    CHECK(flexible->body == "body");
}

TEST_CASE("A header that is cut, overruns, or has a negative length is refused", "[kafka]") {
    const std::string whole = header_of(12, 4, "\0\x02id\0"s);
    REQUIRE(parse_header(whole));
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_FALSE(parse_header(std::string_view(whole).substr(0, size)));
    CHECK_FALSE(parse_header(header_of(12, 3, "\xff\xfe"s)));
    CHECK_FALSE(parse_header(header_of(12, 3, "\x7f\xffid"s)));
    CHECK_FALSE(parse_header(header_of(12, 4, "\0\0\xff\xff\xff\xff\x0f"s)));
    CHECK_FALSE(parse_header(header_of(12, 4, "\0\0\x01\x00\x05xyz"s)));
}

TEST_CASE("What is not served is told by its numbers alone", "[kafka]") {
    for (const auto& frame : {header_of(9999, 0, ""), header_of(-1, 0, "\xff"), //
                              header_of(12, 5, ""), header_of(12, -1, ""), header_of(0, 2, "")}) {
        const auto header = parse_header(frame);
        REQUIRE(header);
        CHECK_FALSE(header->accepted());
        CHECK(header->correlation_id == 5);
        CHECK(header->body.empty());
    }
    const auto versions = parse_header(header_of(18, 77, "anything"));
    REQUIRE(versions);
    CHECK(versions->api->key == ApiKey::api_versions);
    CHECK_FALSE(versions->accepted());
}

TEST_CASE("A written header reads as what it was", "[kafka]") {
    for (const Api& served : kApis) {
        for (int version = served.accept_min; version <= served.max; ++version) {
            RequestHeader header;
            header.api_key = static_cast<std::int16_t>(served.key);
            header.api_version = static_cast<std::int16_t>(version);
            header.correlation_id = -7;
            header.client_id = "me";
            std::string frame;
            append_header(header, frame);
            frame += "body";
            const auto read = parse_header(frame);
            REQUIRE(read);
            CHECK(read->accepted());
            CHECK(read->correlation_id == -7);
            CHECK(read->client_id == "me");
            CHECK(read->body == "body");
        }
    }
}

TEST_CASE("A response says its length, and the header of ApiVersions is never flexible",
          "[kafka]") {
    std::string out = "before";
    append_response(HeartbeatResponse{0, Error::rebalance_in_progress}, 0, 258, out);
    append_response(HeartbeatResponse{0, Error::rebalance_in_progress}, 4, 258, out);
    CHECK(out == "before"s + "\0\0\0\x06\0\0\x01\x02\0\x1b"s +
                     "\0\0\0\x0c\0\0\x01\x02\0\0\0\0\0\0\x1b\0"s);
    out.clear();
    append_response(ApiVersionsResponse{}, 3, 1, out);
    CHECK(out == "\0\0\0\x0c\0\0\0\x01\0\0\x01\0\0\0\0\0"s);
    out.clear();
    ApiVersionsResponse unsupported;
    unsupported.error_code = Error::unsupported_version;
    unsupported.api_keys = {{18, 0, 4}};
    append_response(unsupported, 0, 1, out);
    CHECK(out == "\0\0\0\x10\0\0\0\x01\0\x23\0\0\0\x01\0\x12\0\0\0\x04"s);
}

TEST_CASE("The table of APIs is in order, and each is found by its key", "[kafka]") {
    const Api* before = nullptr;
    for (const Api& served : kApis) {
        if (before != nullptr) CHECK(before->key < served.key);
        CHECK(served.min <= served.accept_min);
        CHECK(served.accept_min <= served.max);
        CHECK(find_api(static_cast<std::int16_t>(served.key)) == &served);
        CHECK_FALSE(served.accepts(served.max + 1));
        CHECK_FALSE(served.accepts(served.accept_min - 1));
        before = &served;
    }
    CHECK(find_api(17) == nullptr); // absent: no password
    CHECK(find_api(68) == nullptr);
    CHECK(find_api(-1) == nullptr);
}

TEST_CASE("The library's error codes are Kafka's, with the same names", "[kafka]") {
    using insync::kafka::ErrorCode;
    for (int number = -1; number < 128; ++number) {
        const auto code = static_cast<ErrorCode>(number);
        if (to_string(code) == "UNKNOWN") continue;
        CHECK(to_string(error_of(code)) == to_string(code));
    }
    CHECK(error_of(ErrorCode::not_enough_replicas) == Error::not_enough_replicas);
}

TEST_CASE("The library's helpers fill the broker's own structs", "[kafka]") {
    ProduceResponse::Partition produced;
    insync::kafka::refuse(produced, insync::kafka::ErrorCode::not_enough_replicas);
    CHECK(produced.error_code == Error::not_enough_replicas);
    CHECK(produced.base_offset == -1);

    insync::kafka::PartitionMetadata known;
    known.leader_id = 2;
    known.leader_epoch = 9;
    known.isr_nodes = {2, 3};
    MetadataResponse::Partition described;
    insync::kafka::fill(described, known);
    CHECK(described.leader_id == 2);
    CHECK(described.leader_epoch == 9);
    CHECK(described.isr_nodes == std::vector<std::int32_t>{2, 3});
}

} // namespace
