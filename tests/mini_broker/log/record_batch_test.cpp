#include "log/record_batch.hpp"

#include "mini_broker/log/batches.hpp"
#include "property/random.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace {

using namespace mini_broker;
using log_test::make_batch;

TEST_CASE("CRC-32C gives the published check values", "[mini_broker][log]") {
    CHECK(crc32c("123456789") == 0xe3069283);
    CHECK(crc32c("") == 0);
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa); // RFC 3720, B.4
    CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("The processor's CRC instruction and the table agree at every length and alignment",
          "[mini_broker][log]") {
    std::string bytes;
    for (int i = 0; i < 300; ++i) bytes.push_back(static_cast<char>(i * 37));
    for (std::size_t from = 0; from < 9; ++from) {
        for (std::size_t size = 0; from + size <= bytes.size(); ++size) {
            const auto part = std::string_view{bytes}.substr(from, size);
            REQUIRE(crc32c(part) == crc32c_portable(part));
        }
    }
}

TEST_CASE("A header is read field by field", "[mini_broker][log]") {
    const std::string batch = make_batch({.base_offset = 77,
                                          .term = 5,
                                          .records = 3,
                                          .timestamp = 1234,
                                          .producer = 9,
                                          .epoch = 2,
                                          .first_sequence = 40});
    const auto header = parse_header(batch);
    REQUIRE(header);
    CHECK(header->base_offset == 77);
    CHECK(header->next_offset() == 80);
    CHECK(header->size == batch.size());
    CHECK(header->term == 5);
    CHECK(header->magic == 2);
    CHECK(header->max_timestamp == 1234);
    CHECK(header->producer.producer == 9);
    CHECK(header->producer.epoch == 2);
    CHECK(header->producer.first_sequence == 40);
    CHECK(header->producer.last_sequence == 42);
    CHECK(header->record_count == 3);
    CHECK_FALSE(header->control());
    CHECK(kind_of(batch) == EntryKind::records);
    CHECK(is_whole_batch(batch));
}

TEST_CASE("A batch's sequences wrap round from the largest to 0", "[mini_broker][log]") {
    const std::string batch = make_batch({.records = 5,
                                          .producer = 1,
                                          .epoch = 0,
                                          .first_sequence = std::numeric_limits<int>::max() - 1});
    CHECK(parse_header(batch)->producer.last_sequence == 2);
}

TEST_CASE("Position and term may be set without breaking the CRC", "[mini_broker][log]") {
    std::string batch = make_batch({.base_offset = 0, .term = 0});
    set_position(batch, 123456789012, 42);
    CHECK(parse_header(batch)->base_offset == 123456789012);
    CHECK(parse_header(batch)->term == 42);
    CHECK(is_whole_batch(batch));
}

TEST_CASE("An entry that is no records takes no offset and gives back its payload",
          "[mini_broker][log]") {
    for (const auto kind : {EntryKind::barrier, EntryKind::change, EntryKind::command}) {
        for (const std::string& payload : {std::string{}, std::string("a\0b", 3)}) {
            const std::string batch = make_entry(kind, 7, 55, payload, 999);
            CHECK(is_whole_batch(batch));
            CHECK(kind_of(batch) == kind);
            CHECK(payload_of(batch) == payload);
            const auto header = parse_header(batch);
            REQUIRE(header);
            CHECK(header->control());
            CHECK(header->term == 7);
            CHECK(header->base_offset == 55);
            CHECK(header->next_offset() == 55);
            CHECK(header->last_offset_delta == -1);
            CHECK(header->producer.producer == -1);
            CHECK(header->max_timestamp == 999);
        }
    }
}

TEST_CASE("A control batch of no known kind asks for nothing", "[mini_broker][log]") {
    std::string batch = make_entry(EntryKind::command, 1, 0, "", 0);
    batch[kBatchHeader] = 99;
    CHECK(kind_of(batch) == EntryKind::barrier);
    batch.resize(kBatchHeader);
    CHECK(kind_of(batch) == EntryKind::barrier);
    CHECK(payload_of(batch).empty());
}

TEST_CASE("Any flipped bit but those of position and term is noticed", "[mini_broker][log]") {
    const std::string batch = make_batch({.records = 2});
    for (std::size_t i = 0; i < batch.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string spoiled = batch;
            spoiled[i] = static_cast<char>(static_cast<unsigned char>(spoiled[i]) ^ (1u << bit));
            const bool position = i < 8 || (i >= 12 && i < 16);
            INFO("byte " << i << ", bit " << bit);
            if (!position) REQUIRE_FALSE(is_whole_batch(spoiled));
        }
    }
}

TEST_CASE("A batch that is cut short or followed by more is not whole", "[mini_broker][log]") {
    const std::string batch = make_batch({});
    for (std::size_t size = 0; size < batch.size(); ++size) {
        REQUIRE_FALSE(is_whole_batch(std::string_view{batch}.substr(0, size)));
        const bool has_header = parse_header(std::string_view{batch}.substr(0, size)).has_value();
        REQUIRE(has_header == (size >= kBatchHeader));
    }
    CHECK_FALSE(is_whole_batch(batch + "x"));
}

TEST_CASE("Lengths, counts and offsets that cannot be are refused", "[mini_broker][log]") {
    const auto with = [](std::size_t at, std::string_view bytes) {
        std::string batch = make_batch({});
        batch.replace(at, bytes.size(), bytes);
        return parse_header(batch).has_value();
    };
    using namespace std::string_view_literals;
    CHECK_FALSE(with(8, "\xff\xff\xff\xff"sv));  // a length below 0
    CHECK_FALSE(with(8, "\0\0\0\x30"sv));        // shorter than a header
    CHECK(with(8, "\x7f\xff\xff\xff"sv));        // long, but not impossible
    CHECK_FALSE(with(57, "\xff\xff\xff\xff"sv)); // records below 0
    CHECK_FALSE(with(23, "\x80\0\0\0"sv));
    CHECK_FALSE(with(0, "\xff"sv));                             // an offset below 0
    CHECK_FALSE(with(0, "\x7f\xff\xff\xff\xff\xff\xff\xff"sv)); // none after it
    CHECK(batch_size("\0\0\0\0\0\0\0\0\x7f\xff\xff\xff"sv) == 0x8000000bu);
    CHECK_FALSE(batch_size("\0\0\0\0\0\0\0\0\0\0\0"sv));
}

TEST_CASE("A header that a client leaves without a leader epoch has term 0", "[mini_broker][log]") {
    std::string batch = make_batch({});
    batch.replace(12, 4, "\xff\xff\xff\xff");
    CHECK(parse_header(batch)->term == 0);
}

TEST_CASE("No bytes make the reader of batches read beyond them", "[mini_broker][log]") {
    const std::uint64_t seed = property::from_environment("INSYNC_SEED", 1);
    INFO("replay with INSYNC_SEED=" << seed);
    property::Random random{seed};
    for (int i = 0; i < 20000; ++i) {
        // Its own allocation, so that a sanitizer sees the end.
        std::string bytes(random.below(120), '\0');
        bytes.shrink_to_fit();
        for (char& byte : bytes) byte = static_cast<char>(random.chance(50) ? random.next() : 0);
        (void)batch_size(bytes);
        (void)parse_header(bytes);
        (void)kind_of(bytes);
        REQUIRE(payload_of(bytes).size() <= bytes.size());
        REQUIRE_FALSE(is_whole_batch(bytes));
    }
}

} // namespace
