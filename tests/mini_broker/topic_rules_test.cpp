#include "cluster/topic_rules.hpp"

#include "kafka/handlers/batch_rules.hpp"
#include "mini_broker/simulation/sim_clients.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace mini_broker;
using mini_broker::kafka::check_shape;
using mini_broker::kafka::Error;
using mini_broker::simulation::batch_of;

namespace {

void set_byte(std::string& batch, std::size_t at, unsigned value) {
    batch.at(at) = static_cast<char>(value);
}

Error shape_of(const std::string& bytes) {
    return check_shape(bytes).error;
}

} // namespace

TEST_CASE("A topic's name is what Kafka allows", "[cluster][rules]") {
    for (const char* const legal : {"a", "A-z_0.9", "...", "__consumer_offsets", "-"})
        CHECK(is_legal_topic(legal));
    CHECK(is_legal_topic(std::string(249, 'x')));
    for (const char* const illegal : {"", ".", "..", "a/b", "a b", "\xc3\xa4", "a\n", "../x"})
        CHECK_FALSE(is_legal_topic(illegal));
    CHECK_FALSE(is_legal_topic(std::string(250, 'x')));
    CHECK_FALSE(is_legal_topic(std::string("a\0b", 3)));
    CHECK_FALSE(is_legal_topic(std::string(32 << 10, 'x')));
}

TEST_CASE("A configuration is taken if it is known and within its bounds", "[cluster][rules]") {
    const auto legal = [](std::string_view name, std::string_view value) {
        return !config_fault(name, value);
    };
    CHECK(legal("min.insync.replicas", "1"));
    CHECK(legal("min.insync.replicas", "2147483647"));
    CHECK(legal("retention.ms", "-1"));
    CHECK(legal("retention.ms", "9223372036854775807"));
    CHECK(legal("cleanup.policy", "delete"));
    CHECK(legal("compression.type", "producer"));
    for (const char* const value : {"0", "-1", "abc", "", "1 ", " 1", "+1", "1.5", "0x1",
                                    "2147483648", "99999999999999999999999"})
        CHECK_FALSE(legal("min.insync.replicas", value));
    CHECK_FALSE(legal("min.insync.replicas", std::string(10'000'000, '1')));
    CHECK_FALSE(legal("retention.ms", "-2"));
    CHECK_FALSE(legal("segment.bytes", "4095"));
    CHECK_FALSE(legal("cleanup.policy", "compact"));
    CHECK_FALSE(legal("compression.type", "gzip"));
    CHECK_FALSE(legal("no.such.key", "1"));
    CHECK_FALSE(legal("", ""));
    const std::string endless(10'000'000, '1');
    CHECK(config_fault("min.insync.replicas", endless)->size() < 300);
    CHECK(config_fault("cleanup.policy", endless)->size() < 300);
    CHECK(config_fault(endless, "1")->size() < 300);
}

TEST_CASE("Every default is legal by the rule it is in", "[cluster][rules]") {
    CHECK(config_rules().size() == 7);
    for (const ConfigRule& rule : config_rules()) {
        CHECK(find_config(rule.name) == &rule);
        CHECK_FALSE(config_fault(rule.name, rule.default_value));
    }
    CHECK(find_config("min.insync") == nullptr);
}

TEST_CASE("A topic's own number wins over the default, and the node's min ISR over Kafka's",
          "[cluster][rules]") {
    Image::Topic topic;
    CHECK(config_number(topic, ConfigKey::max_message_bytes) == 1'048'588);
    CHECK(min_insync_replicas(topic, 2) == 2);
    topic.configs = {{"max.message.bytes", "5"}, {"min.insync.replicas", "3"}};
    CHECK(config_number(topic, ConfigKey::max_message_bytes) == 5);
    CHECK(min_insync_replicas(topic, 2) == 3);
    topic.configs["max.message.bytes"] = "what no rule let in";
    CHECK(config_number(topic, ConfigKey::max_message_bytes) == 1'048'588);
}

TEST_CASE("The first topic's first partition begins at the first node, and others in turn",
          "[cluster][rules]") {
    using Placed = std::vector<std::vector<NodeId>>;
    const std::vector<NodeId> nodes{1, 2, 3};
    CHECK(place_replicas(nodes, 0, 0, 2, 3) == Placed{{1, 2, 3}, {2, 3, 1}});
    CHECK(place_replicas(nodes, 1, 0, 1, 2) == Placed{{2, 3}});
    CHECK(place_replicas(nodes, 5, 0, 1, 1) == Placed{{3}});
    // Partitions that are added go on where the others ended.
    CHECK(place_replicas(nodes, 0, 2, 2, 2) == Placed{{3, 1}, {1, 2}});
    CHECK(place_replicas(nodes, 0, 0, 0, 3).empty());
}

TEST_CASE("One whole batch is what a client may send", "[rules][produce]") {
    CHECK(shape_of(batch_of("record")) == Error::none);
    CHECK(check_shape(batch_of("record", {.records = 3})).header.record_count == 3);
}

TEST_CASE("No records, too few bytes and a batch that is cut short are no record",
          "[rules][produce]") {
    CHECK(check_shape(std::nullopt).error == Error::invalid_record);
    const std::string batch = batch_of("record");
    for (std::size_t size = 0; size < batch.size(); ++size)
        CHECK(shape_of(batch.substr(0, size)) == Error::invalid_record);
    std::string longer = batch;
    set_byte(longer, 11, static_cast<unsigned char>(longer[11]) + 1u);
    CHECK(shape_of(longer) == Error::invalid_record);
    set_byte(longer, 8, 0xff); // a negative length
    CHECK(shape_of(longer) == Error::invalid_record);
}

TEST_CASE("A second batch, or anything else behind the first, is refused", "[rules][produce]") {
    const std::string batch = batch_of("record");
    CHECK(shape_of(batch + batch) == Error::invalid_record);
    CHECK(shape_of(batch + "x") == Error::invalid_record);
    CHECK(shape_of(batch + std::string(11, '\0')) == Error::invalid_record);
}

TEST_CASE("A format of old is refused by name, an unknown one as damage", "[rules][produce]") {
    for (const unsigned magic : {0u, 1u}) {
        std::string batch = batch_of("record");
        set_byte(batch, 16, magic);
        CHECK(shape_of(batch) == Error::invalid_record);
        CHECK(check_shape(batch).message.find("format") != std::string::npos);
    }
    for (const unsigned magic : {3u, 127u, 255u}) {
        std::string batch = batch_of("record");
        set_byte(batch, 16, magic);
        CHECK(shape_of(batch) == Error::corrupt_message);
    }
}

TEST_CASE("What only a broker may set is refused from a client", "[rules][produce]") {
    std::string offset = batch_of("record");
    set_byte(offset, 7, 1);
    CHECK(shape_of(offset) == Error::invalid_record);
    std::string control = batch_of("record");
    set_byte(control, 22, 0x20);
    CHECK(shape_of(control) == Error::invalid_record);
    std::string transactional = batch_of("record");
    set_byte(transactional, 22, 0x10);
    CHECK(shape_of(transactional) == Error::invalid_txn_state);
}

TEST_CASE("The codecs that Kafka has are passed through, others are refused", "[rules][produce]") {
    for (unsigned codec = 0; codec < 8; ++codec) {
        std::string batch = batch_of("record");
        set_byte(batch, 22, codec);
        CHECK(shape_of(batch) == (codec <= 4 ? Error::none : Error::unsupported_compression_type));
    }
}

TEST_CASE("A number of records that contradicts the last offset is refused", "[rules][produce]") {
    const auto with = [](std::size_t at, unsigned value) {
        std::string batch = batch_of("record", {.records = 3});
        set_byte(batch, at, value);
        return shape_of(batch);
    };
    CHECK(with(26, 2) == Error::none);
    CHECK(with(26, 3) == Error::invalid_record);
    CHECK(with(60, 0) == Error::invalid_record);
    CHECK(with(60, 4) == Error::invalid_record);
    CHECK(with(57, 0x80) == Error::invalid_record); // a negative number
    CHECK(with(23, 0x7f) == Error::invalid_record);
}
