#include "kafka/header.hpp"
#include "mini_broker/kafka_messages.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace kafka_messages;

std::string bytes_of(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    return bytes;
}

/// What a client and Apache Kafka said to each other.
struct Exchange {
    std::string client;
    std::string api;
    int version = 0;
    std::string request;
    std::string response;
};

const std::vector<Exchange>& exchanges() {
    static const std::vector<Exchange> all = [] {
        std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "kafka_frames.txt");
        std::vector<Exchange> read;
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with('#')) continue;
            std::istringstream words(line);
            Exchange exchange;
            std::string request;
            std::string response;
            words >> exchange.client >> exchange.api >> exchange.version >> request >> response;
            exchange.request = bytes_of(request);
            exchange.response = bytes_of(response);
            read.push_back(exchange);
        }
        return read;
    }();
    return all;
}

const Exchange& exchange_of(std::string_view client, std::string_view api, int version) {
    for (const Exchange& exchange : exchanges())
        if (exchange.client == client && exchange.api == api && exchange.version == version)
            return exchange;
    FAIL("not recorded: " << client << ' ' << api << " v" << version);
    return exchanges().front();
}

template <class Request>
Request request_of(const Exchange& exchange) {
    const auto header = parse_header(exchange.request);
    REQUIRE(header);
    Request request;
    REQUIRE(decode(header->body, exchange.version, request));
    return request;
}

template <class Response>
Response response_of(const Exchange& exchange) {
    std::string header;
    append_response_header(Response::kApi, exchange.version, 0, header);
    Response response;
    REQUIRE(decode(std::string_view(exchange.response).substr(header.size()), exchange.version,
                   response));
    return response;
}

TEST_CASE("What clients and Apache Kafka send is written again byte for byte", "[kafka]") {
    std::set<std::string> covered;
    for (const Exchange& exchange : exchanges()) {
        INFO(exchange.client << ' ' << exchange.api << " v" << exchange.version);
        const auto header = parse_header(exchange.request);
        REQUIRE(header);
        REQUIRE(header->accepted());
        CHECK(header->api->name == exchange.api);
        CHECK(header->api_version == exchange.version);
        for_each_api([&]<class Request, class Response>() {
            if (Request::kApi != header->api->key) return;
            std::string again;
            append_header(*header, again);
            encode(request_of<Request>(exchange), exchange.version, again);
            CHECK(again == exchange.request);

            again.clear();
            append_response_header(Response::kApi, exchange.version, header->correlation_id, again);
            encode(response_of<Response>(exchange), exchange.version, again);
            CHECK(again == exchange.response);
        });
        covered.insert(fmt::format("{} {}", exchange.api, exchange.version));
    }
    for_each_message([&]<class Message>(int version) {
        const auto pair = fmt::format("{} {}", api(Message::kApi).name, version);
        INFO(pair);
        CHECK(covered.contains(pair));
    });
}

TEST_CASE("Clients' requests are read as what they ask", "[kafka]") {
    const auto kcat = request_of<ApiVersionsRequest>(exchange_of("kcat", "ApiVersions", 3));
    CHECK(kcat.client_software_name == "librdkafka");
    CHECK(kcat.client_software_version.starts_with("2.0.2"));
    const auto java = request_of<ApiVersionsRequest>(exchange_of("java", "ApiVersions", 4));
    CHECK(java.client_software_name == "apache-kafka-java");
    CHECK(java.client_software_version == "4.1.2");

    const auto produce = request_of<ProduceRequest>(exchange_of("kcat", "Produce", 7));
    CHECK(produce.acks == -1);
    CHECK(produce.timeout_ms == 30'000);
    CHECK_FALSE(produce.transactional_id);
    REQUIRE(produce.topic_data.size() == 1);
    CHECK(produce.topic_data[0].name == "t1");
    REQUIRE(produce.topic_data[0].partition_data.size() == 1);
    const auto records = produce.topic_data[0].partition_data[0].records;
    REQUIRE(records);
    CHECK(records->size() > 61);
    CHECK(records->at(16) == 2); // its magic
    CHECK(records->find("hello") != std::string_view::npos);

    const auto join = request_of<JoinGroupRequest>(exchange_of("java", "JoinGroup", 9));
    CHECK(join.group_id == "g1");
    CHECK(join.member_id.empty());
    CHECK(join.protocol_type == "consumer");
    CHECK(join.protocols.size() == 2);
    CHECK(join.protocols.at(0).name == "range");

    const auto fetch = request_of<FetchRequest>(exchange_of("java", "Fetch", 16));
    CHECK(fetch.replica_state == ReplicaState{});
    CHECK(fetch.min_bytes == 1);
}

TEST_CASE("Apache Kafka's answers are read as what they say", "[kafka]") {
    const auto metadata = response_of<MetadataResponse>(exchange_of("test", "Metadata", 12));
    REQUIRE(metadata.brokers.size() == 1);
    CHECK(metadata.brokers[0].host == "127.0.0.1");
    CHECK(metadata.controller_id == 1);
    REQUIRE(metadata.topics.size() == 1);
    CHECK(metadata.topics[0].name == "t1");
    CHECK(metadata.topics[0].topic_id != Uuid{});
    CHECK(metadata.topics[0].partitions.at(0).isr_nodes == std::vector<std::int32_t>{1});

    const auto produced = response_of<ProduceResponse>(exchange_of("test", "Produce", 10));
    REQUIRE(produced.responses.size() == 2);
    const auto& t1 = produced.responses[0].partition_responses;
    REQUIRE(t1.size() == 2);
    CHECK(t1[0].error_code == Error::none);
    CHECK(t1[0].base_offset > 0);
    CHECK(t1[0].log_start_offset == 0);
    const auto& nope = produced.responses[1].partition_responses;
    REQUIRE(nope.size() == 1);
    CHECK(nope[0].error_code == Error::unknown_topic_or_partition);
    CHECK(nope[0].base_offset == -1);

    const auto fetched = response_of<FetchResponse>(exchange_of("test", "Fetch", 16));
    REQUIRE(fetched.responses.size() == 1);
    CHECK(fetched.responses[0].partitions.size() == 2);

    const auto offsets = response_of<OffsetFetchResponse>(exchange_of("test", "OffsetFetch", 8));
    REQUIRE(offsets.groups.size() == 1);
    CHECK(offsets.groups[0].topics.at(0).partitions.at(0).metadata == "meta");

    const auto join = response_of<JoinGroupResponse>(exchange_of("test", "JoinGroup", 4));
    CHECK(join.error_code == Error::member_id_required);
    CHECK_FALSE(join.member_id.empty());

    const auto cluster =
        response_of<DescribeClusterResponse>(exchange_of("test", "DescribeCluster", 1));
    CHECK(cluster.brokers.size() == 1);
}

} // namespace
