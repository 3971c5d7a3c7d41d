#include "log/record_batch.hpp"

#include <boost/crc.hpp>
#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace mini_broker {
namespace {

namespace endian = boost::endian;

// Where the fields of a header lie.
constexpr std::size_t kBaseOffset = 0;
constexpr std::size_t kLength = 8; ///< of what follows this field
constexpr std::size_t kLeaderEpoch = 12;
constexpr std::size_t kMagic = 16;
constexpr std::size_t kCrc = 17;
constexpr std::size_t kAttributes = 21; ///< the CRC is over all from here
constexpr std::size_t kLastOffsetDelta = 23;
constexpr std::size_t kBaseTimestamp = 27;
constexpr std::size_t kMaxTimestamp = 35;
constexpr std::size_t kProducerId = 43;
constexpr std::size_t kProducerEpoch = 51;
constexpr std::size_t kFirstSequence = 53;
constexpr std::size_t kRecordCount = 57;

constexpr std::int16_t kControlBit = 0x20;

const unsigned char* at(std::string_view bytes, std::size_t position) noexcept {
    return reinterpret_cast<const unsigned char*>(bytes.data()) + position;
}

unsigned char* at(std::string& bytes, std::size_t position) noexcept {
    return reinterpret_cast<unsigned char*>(bytes.data()) + position;
}

/// `first + more`, round from 2^31 - 1 to 0.
std::int32_t sequence_after(std::int32_t first, std::int32_t more) noexcept {
    constexpr std::int64_t kSequences = std::int64_t{1} << 31;
    return static_cast<std::int32_t>((std::int64_t{first} + more) % kSequences);
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::string_view bytes) noexcept {
    std::uint64_t crc = std::numeric_limits<std::uint32_t>::max();
    const char* from = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, from += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, from, sizeof word);
        crc = _mm_crc32_u64(crc, word);
    }
    auto narrow = static_cast<std::uint32_t>(crc);
    for (; left > 0; --left, ++from)
        narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*from));
    return ~narrow;
}
#endif

} // namespace

std::optional<std::uint32_t> batch_size(std::string_view prefix) noexcept {
    if (prefix.size() < kBatchPrefix) return std::nullopt;
    const std::int32_t length = endian::load_big_s32(at(prefix, kLength));
    if (length < static_cast<std::int32_t>(kBatchHeader - kBatchPrefix)) return std::nullopt;
    return static_cast<std::uint32_t>(length) + static_cast<std::uint32_t>(kBatchPrefix);
}

std::optional<BatchHeader> parse_header(std::string_view bytes) noexcept {
    if (bytes.size() < kBatchHeader) return std::nullopt;
    const auto size = batch_size(bytes);
    if (!size) return std::nullopt;
    BatchHeader header;
    header.base_offset = endian::load_big_s64(at(bytes, kBaseOffset));
    header.size = *size;
    // A producer leaves it at -1; the broker sets it.
    const std::int32_t epoch = endian::load_big_s32(at(bytes, kLeaderEpoch));
    header.term = static_cast<Term>(std::max(epoch, 0));
    header.magic = static_cast<std::int8_t>(bytes[kMagic]);
    header.crc = endian::load_big_u32(at(bytes, kCrc));
    header.attributes = endian::load_big_s16(at(bytes, kAttributes));
    header.last_offset_delta = endian::load_big_s32(at(bytes, kLastOffsetDelta));
    header.base_timestamp = endian::load_big_s64(at(bytes, kBaseTimestamp));
    header.max_timestamp = endian::load_big_s64(at(bytes, kMaxTimestamp));
    header.record_count = endian::load_big_s32(at(bytes, kRecordCount));
    if (header.record_count < 0 || header.last_offset_delta < -1) return std::nullopt;
    // No offset beyond what the next one can still follow.
    if (header.base_offset < 0 ||
        header.base_offset > std::numeric_limits<Offset>::max() - header.record_count) {
        return std::nullopt;
    }
    ProducerBatch& producer = header.producer;
    producer.producer = endian::load_big_s64(at(bytes, kProducerId));
    producer.epoch = endian::load_big_s16(at(bytes, kProducerEpoch));
    producer.first_sequence = endian::load_big_s32(at(bytes, kFirstSequence));
    producer.last_sequence =
        producer.first_sequence < 0
            ? producer.first_sequence
            : sequence_after(producer.first_sequence, std::max(header.last_offset_delta, 0));
    return header;
}

bool crc_matches(std::string_view batch) noexcept {
    if (batch.size() < kBatchHeader) return false;
    return crc32c(batch.substr(kAttributes)) == endian::load_big_u32(at(batch, kCrc));
}

bool counts_agree(const BatchHeader& header) noexcept {
    return header.last_offset_delta == header.record_count - 1 &&
           header.control() == (header.record_count == 0);
}

bool is_whole_batch(std::string_view batch) noexcept {
    const auto header = parse_header(batch);
    return header && header->size == batch.size() && header->magic == 2 && counts_agree(*header) &&
           crc_matches(batch);
}

void set_position(std::string& batch, Offset base_offset, Term term) noexcept {
    if (batch.size() < kBatchHeader) return;
    endian::store_big_s64(at(batch, kBaseOffset), base_offset);
    endian::store_big_s32(at(batch, kLeaderEpoch), static_cast<std::int32_t>(term));
}

std::uint32_t crc32c_portable(std::string_view bytes) noexcept {
    boost::crc_optimal<32, 0x1edc6f41, 0xffffffff, 0xffffffff, true, true> crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

std::uint32_t crc32c(std::string_view bytes) noexcept {
#if defined(__x86_64__)
    static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) return crc32c_sse42(bytes);
#endif
    return crc32c_portable(bytes);
}

std::string make_entry(
    EntryKind kind, Term term, Offset base_offset, std::string_view payload, std::int64_t wall_ms) {
    std::string batch(kBatchHeader, '\0');
    batch.reserve(kBatchHeader + 1 + payload.size());
    batch.push_back(static_cast<char>(kind));
    batch.append(payload);
    const auto length = static_cast<std::int32_t>(batch.size() - kBatchPrefix);
    endian::store_big_s32(at(batch, kLength), length);
    batch[kMagic] = 2;
    endian::store_big_s16(at(batch, kAttributes), kControlBit);
    endian::store_big_s32(at(batch, kLastOffsetDelta), -1);
    endian::store_big_s64(at(batch, kBaseTimestamp), wall_ms);
    endian::store_big_s64(at(batch, kMaxTimestamp), wall_ms);
    endian::store_big_s64(at(batch, kProducerId), -1);
    endian::store_big_s16(at(batch, kProducerEpoch), -1);
    endian::store_big_s32(at(batch, kFirstSequence), -1);
    set_position(batch, base_offset, term);
    const std::string_view covered = std::string_view{batch}.substr(kAttributes);
    endian::store_big_u32(at(batch, kCrc), crc32c(covered));
    return batch;
}

EntryKind kind_of(std::string_view batch) noexcept {
    if (batch.size() < kBatchHeader) return EntryKind::records;
    if ((endian::load_big_s16(at(batch, kAttributes)) & kControlBit) == 0) {
        return EntryKind::records;
    }
    if (batch.size() == kBatchHeader) return EntryKind::barrier;
    switch (static_cast<EntryKind>(batch[kBatchHeader])) {
    case EntryKind::change: return EntryKind::change;
    case EntryKind::command: return EntryKind::command;
    default: return EntryKind::barrier; // the one that asks for nothing
    }
}

std::string_view payload_of(std::string_view batch) noexcept {
    return batch.size() <= kBatchHeader ? std::string_view{} : batch.substr(kBatchHeader + 1);
}

} // namespace mini_broker
