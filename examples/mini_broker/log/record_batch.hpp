#pragma once

#include "log/producers.hpp"
#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mini_broker {

/// Kafka's record batch, magic 2: sixty-one bytes of header, then the records, compressed or not.
/// Base offset and leader epoch lie outside the CRC, so a broker sets them and stores the rest byte
/// for byte.
inline constexpr std::size_t kBatchHeader = 61;
/// Of its header, what tells the length of the whole.
inline constexpr std::size_t kBatchPrefix = 12;

struct BatchHeader {
    Offset base_offset = 0;
    std::uint32_t size = 0; ///< of the whole batch, header included
    Term term = 0;          ///< its leader epoch
    std::int8_t magic = 0;
    std::uint32_t crc = 0;
    std::int16_t attributes = 0;
    std::int32_t last_offset_delta = 0;
    std::int64_t base_timestamp = 0;
    std::int64_t max_timestamp = 0;
    ProducerBatch producer;
    std::int32_t record_count = 0;

    [[nodiscard]] int codec() const noexcept { return attributes & 7; }
    [[nodiscard]] bool transactional() const noexcept { return (attributes & 0x10) != 0; }
    [[nodiscard]] bool control() const noexcept { return (attributes & 0x20) != 0; }
    [[nodiscard]] Offset next_offset() const noexcept { return base_offset + record_count; }
};

/// The whole size of the batch that begins with these (at least `kBatchPrefix`) bytes; nothing if
/// it cannot be one.
[[nodiscard]] std::optional<std::uint32_t> batch_size(std::string_view prefix) noexcept;
/// Reads a header; nothing if there are fewer than `kBatchHeader` bytes or a length is impossible.
/// Does not look at the CRC.
[[nodiscard]] std::optional<BatchHeader> parse_header(std::string_view bytes) noexcept;
/// Whether last offset and number of records tell the same, and only a control batch has none.
[[nodiscard]] bool counts_agree(const BatchHeader& header) noexcept;
/// Whether the CRC of a whole batch is right.
[[nodiscard]] bool crc_matches(std::string_view batch) noexcept;
/// Whether this is one batch that a log may take, whatever its position: length, version, number of
/// records and CRC are right. Of what comes from outside nothing else may reach an `append`.
[[nodiscard]] bool is_whole_batch(std::string_view batch) noexcept;
/// Sets what lies outside the CRC.
void set_position(std::string& batch, Offset base_offset, Term term) noexcept;

/// CRC-32C (Castagnoli), by the processor's own instruction where it has one.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes) noexcept;
/// The same on any processor, slower.
[[nodiscard]] std::uint32_t crc32c_portable(std::string_view bytes) noexcept;

/// A control batch without a record that carries an entry which is not a client's: the kind as one
/// byte, then the payload.
[[nodiscard]] std::string make_entry(
    EntryKind kind, Term term, Offset base_offset, std::string_view payload, std::int64_t wall_ms);
[[nodiscard]] EntryKind kind_of(std::string_view batch) noexcept;
/// Of a batch that `make_entry` made.
[[nodiscard]] std::string_view payload_of(std::string_view batch) noexcept;

} // namespace mini_broker
