// Record batches: what a producer may send, what a log may take, and the headers of many in a row.

#include "fuzz/mini_broker/checksums.hpp"
#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"
#include "kafka/handlers/batch_rules.hpp"
#include "log/producers.hpp"
#include "log/record_batch.hpp"
#include "log/segment.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>

namespace {

using namespace mini_broker;
using fuzz::Input;
using fuzz::require;

template <class T>
T big(std::string_view bytes, std::size_t at) {
    return boost::endian::endian_load<T, sizeof(T), boost::endian::order::big>(
        reinterpret_cast<const unsigned char*>(bytes.data()) + at);
}

/// Whether a log may take these bytes as one batch, from the definition of the format.
bool is_batch(std::string_view bytes) {
    if (bytes.size() < kBatchHeader) return false;
    const auto base = big<std::int64_t>(bytes, 0);
    const auto records = big<std::int32_t>(bytes, 57);
    const bool control = (big<std::int16_t>(bytes, 21) & 0x20) != 0;
    return big<std::int32_t>(bytes, 8) == static_cast<std::int64_t>(bytes.size()) - 12 &&
           bytes[16] == 2 && base >= 0 && records >= 0 && base <= INT64_MAX - records &&
           big<std::int32_t>(bytes, 23) == records - 1 && control == (records == 0) &&
           big<std::uint32_t>(bytes, 17) == fuzz::reference_crc32c(bytes.substr(21));
}

void check_position(std::string batch, Input& input) {
    const auto records = parse_header(batch)->record_count;
    const auto offset = static_cast<Offset>(
        input.below(static_cast<std::uint64_t>(INT64_MAX) - static_cast<std::uint64_t>(records)));
    const Term term = input.number<std::uint32_t>() >> 1;
    const std::string before = batch;
    set_position(batch, offset, term);
    require(is_whole_batch(batch), "a batch stays whole wherever it is put");
    require(std::string_view{batch}.substr(16) == std::string_view{before}.substr(16),
            "of its bytes only the position changes");
    const auto entry =
        read_entry(batch, {.index = 7, .position = 9, .offset = offset, .least_term = term});
    require(entry && entry->at.term == term && entry->at.base_offset == offset &&
                entry->at.next_offset == offset + records && entry->at.size == batch.size(),
            "a log reads the entry that was written");
    require(!read_entry(batch, {.offset = offset, .least_term = term + 1}), "terms never fall");
    require(!read_entry(batch, {.offset = offset + 1, .least_term = 0}), "offsets have no gap");
}

void check_batch(std::string_view bytes, Input& input) {
    require(is_whole_batch(bytes) == is_batch(bytes), "a whole batch is what the format says");
    const auto shape = kafka::check_shape(bytes);
    const bool taken = shape.error == kafka::Error::none && crc_matches(bytes);
    require(!taken || (is_batch(bytes) && !shape.header.control()),
            "what is taken from a producer is a whole batch of records");
    const std::string_view payload = payload_of(bytes);
    require(payload.empty() || bytes.ends_with(payload), "a payload lies in its batch");
    if (is_whole_batch(bytes)) check_position(std::string{bytes}, input);
}

/// As recovery and replication go through them.
void walk(std::string_view bytes) {
    Offset offset = 0;
    Index index = 0;
    Producers producers;
    while (const auto header = parse_header(bytes)) {
        require(header->size >= kBatchHeader, "a header is part of its batch");
        require(header->next_offset() >= header->base_offset, "offsets do not wrap");
        require(header->producer.first_sequence < 0 || header->producer.last_sequence >= 0,
                "sequences wrap to 0");
        const auto entry = read_entry(bytes, {.offset = offset});
        if (entry) offset = entry->at.next_offset;
        require(!entry || (entry->at.kind == EntryKind::records) == !header->control(),
                "only records are records");
        if (producers.check(header->producer).verdict == Producers::Verdict::append) {
            producers.note(header->producer, ++index, header->base_offset, 0);
            const auto again = producers.check(header->producer);
            require(
                header->producer.producer < 0 ||
                    (again.verdict == Producers::Verdict::duplicate && again.known.index == index),
                "what was written is a duplicate when it comes again");
        }
        if (header->size > bytes.size()) return;
        bytes.remove_prefix(header->size);
    }
}

void check_entry(Input& input) {
    const auto kind = static_cast<EntryKind>(1 + input.below(3));
    const auto offset = static_cast<Offset>(input.number<std::uint64_t>() >> 1);
    const Term term = input.number<std::uint32_t>() >> 1;
    const std::string_view payload = input.rest();
    const std::string entry = make_entry(kind, term, offset, payload, 1000);
    require(is_batch(entry), "an entry of Raft's own is a batch");
    require(kind_of(entry) == kind && payload_of(entry) == payload, "and is read again");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    const std::uint64_t mode = input.below(4);
    if (mode == 3) {
        check_entry(input);
        return 0;
    }
    Input position = input;
    std::string bytes{input.rest()};
    if (mode != 0) fuzz::repair_batches(bytes);
    require(
        crc32c(bytes) == fuzz::reference_crc32c(bytes) && crc32c_portable(bytes) == crc32c(bytes),
        "the checksum is CRC-32C");
    if (mode == 2 && bytes.size() >= kBatchPrefix) { // one batch, whatever its length says
        boost::endian::store_big_s32(reinterpret_cast<unsigned char*>(bytes.data()) + 8,
                                     static_cast<std::int32_t>(bytes.size() - kBatchPrefix));
        fuzz::repair_batches(bytes);
    }
    fuzz::bounded(bytes.size(), [&] {
        walk(bytes);
        return 0;
    });
    check_batch(bytes, position);
    return 0;
}
