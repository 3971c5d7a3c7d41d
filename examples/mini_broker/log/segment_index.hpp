#pragma once

#include "log/record_batch.hpp"
#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

/// Where one entry lies, and what lookups ask of its header.
struct Located {
    Index index = 0;
    Term term = 0;
    EntryKind kind = EntryKind::records;
    std::uint32_t size = 0;
    std::uint64_t position = 0; ///< in its segment's file
    Offset base_offset = 0;
    Offset next_offset = 0;
    std::int64_t max_timestamp = -1; ///< -1 for what is no records
};

/// A stretch of a segment's file, of a few KiB, by its first entry.
struct Block {
    std::uint32_t entries_before = 0; ///< in the same segment
    std::uint32_t position = 0;
    Offset offset = 0;
    std::int64_t max_timestamp = -1; ///< of the records in it
};

/// The first entry of a term, as far as one segment knows.
struct TermStart {
    Term term = 0;
    Offset offset = 0;
};

/// What is known of a segment while only this is in memory.
struct SegmentSummary {
    Index first = 1;
    Index end = 1; ///< one more than its last entry
    Offset first_offset = 0;
    Offset end_offset = 0;
    std::uint64_t bytes = 0;
    std::int64_t max_timestamp = -1; ///< of records, as lookups by time need it
    std::int64_t newest_ms = -1;     ///< of any entry, as retention needs it
    std::vector<TermStart> terms;

    [[nodiscard]] bool empty() const noexcept { return first == end; }
    [[nodiscard]] bool holds(Index index) const noexcept { return index >= first && index < end; }
    /// Takes in the entry that follows.
    void note(const Located& entry, std::int64_t timestamp);
};

/// The sparse index of a segment: its blocks, in order.
class BlockIndex {
public:
    static constexpr std::uint64_t kBlockBytes = 4096;

    void note(const Located& entry, Index first_of_segment);
    /// The last block that begins at or before an entry or an offset; an empty index has none.
    [[nodiscard]] const Block* of_entry(std::uint32_t entries_before) const noexcept;
    [[nodiscard]] const Block* of_offset(Offset offset) const noexcept;
    [[nodiscard]] std::span<const Block> blocks() const noexcept { return blocks_; }

private:
    friend struct Sidecar;
    std::vector<Block> blocks_;
};

/// What is kept beside a closed segment, so that a restart need not read it.
///
/// It is written only after the segment itself is durable: where it is, the segment is whole.
struct Sidecar {
    SegmentSummary summary;
    BlockIndex index;
    std::string producers; ///< their state at the segment's end, encoded

    [[nodiscard]] std::string encode() const;
    /// Nothing for bytes that are no such, or damaged.
    [[nodiscard]] static std::optional<Sidecar> decode(std::string_view bytes);
};

} // namespace mini_broker
