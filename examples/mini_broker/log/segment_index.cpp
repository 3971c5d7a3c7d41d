#include "log/segment_index.hpp"

#include "log/fields.hpp"

#include <algorithm>
#include <utility>

namespace mini_broker {
namespace {

constexpr std::uint32_t kMagic = 0x6d62'6931; // "mbi1"

} // namespace

void SegmentSummary::note(const Located& entry, std::int64_t timestamp) {
    if (terms.empty() || terms.back().term < entry.term) {
        terms.push_back({entry.term, entry.base_offset});
    }
    end = entry.index + 1;
    end_offset = entry.next_offset;
    bytes = entry.position + entry.size;
    max_timestamp = std::max(max_timestamp, entry.max_timestamp);
    newest_ms = std::max(newest_ms, timestamp);
}

void BlockIndex::note(const Located& entry, Index first_of_segment) {
    if (blocks_.empty() || entry.position - blocks_.back().position >= kBlockBytes) {
        blocks_.push_back({static_cast<std::uint32_t>(entry.index - first_of_segment),
                           static_cast<std::uint32_t>(entry.position), entry.base_offset, -1});
    }
    Block& block = blocks_.back();
    block.max_timestamp = std::max(block.max_timestamp, entry.max_timestamp);
}

const Block* BlockIndex::of_entry(std::uint32_t entries_before) const noexcept {
    const auto after = std::upper_bound(
        blocks_.begin(), blocks_.end(), entries_before,
        [](std::uint32_t sought, const Block& block) { return sought < block.entries_before; });
    return after == blocks_.begin() ? nullptr : &*(after - 1);
}

const Block* BlockIndex::of_offset(Offset offset) const noexcept {
    // Of blocks that begin at the same offset the last one: those before it hold no record more.
    const auto after =
        std::upper_bound(blocks_.begin(), blocks_.end(), offset,
                         [](Offset sought, const Block& block) { return sought < block.offset; });
    return after == blocks_.begin() ? nullptr : &*(after - 1);
}

std::string Sidecar::encode() const {
    std::string bytes;
    bytes.reserve(128 + summary.terms.size() * 16 + index.blocks_.size() * 24 + producers.size());
    put_field(bytes, kMagic);
    put_field(bytes, summary.first);
    put_field(bytes, summary.end);
    put_field(bytes, summary.first_offset);
    put_field(bytes, summary.end_offset);
    put_field(bytes, summary.bytes);
    put_field(bytes, summary.max_timestamp);
    put_field(bytes, summary.newest_ms);
    put_field(bytes, static_cast<std::uint32_t>(summary.terms.size()));
    for (const TermStart& start : summary.terms) {
        put_field(bytes, start.term);
        put_field(bytes, start.offset);
    }
    put_field(bytes, static_cast<std::uint32_t>(index.blocks_.size()));
    for (const Block& block : index.blocks_) {
        put_field(bytes, block.entries_before);
        put_field(bytes, block.position);
        put_field(bytes, block.offset);
        put_field(bytes, block.max_timestamp);
    }
    bytes += producers;
    put_field(bytes, crc32c(bytes));
    return bytes;
}

std::optional<Sidecar> Sidecar::decode(std::string_view bytes) {
    constexpr std::size_t kCrcSize = sizeof(std::uint32_t);
    if (bytes.size() < kCrcSize) return std::nullopt;
    const std::string_view covered = bytes.substr(0, bytes.size() - kCrcSize);
    if (FieldTaker{bytes.substr(covered.size())}.take<std::uint32_t>() != crc32c(covered)) {
        return std::nullopt;
    }
    FieldTaker taker{covered};
    if (taker.take<std::uint32_t>() != kMagic) return std::nullopt;
    Sidecar sidecar;
    SegmentSummary& summary = sidecar.summary;
    summary.first = taker.take<Index>();
    summary.end = taker.take<Index>();
    summary.first_offset = taker.take<Offset>();
    summary.end_offset = taker.take<Offset>();
    summary.bytes = taker.take<std::uint64_t>();
    summary.max_timestamp = taker.take<std::int64_t>();
    summary.newest_ms = taker.take<std::int64_t>();
    const auto terms = taker.take<std::uint32_t>();
    for (std::uint32_t i = 0; i < terms && taker.whole(); ++i) {
        const Term term = taker.take<Term>();
        summary.terms.push_back({term, taker.take<Offset>()});
    }
    const auto blocks = taker.take<std::uint32_t>();
    for (std::uint32_t i = 0; i < blocks && taker.whole(); ++i) {
        Block block;
        block.entries_before = taker.take<std::uint32_t>();
        block.position = taker.take<std::uint32_t>();
        block.offset = taker.take<Offset>();
        block.max_timestamp = taker.take<std::int64_t>();
        sidecar.index.blocks_.push_back(block);
    }
    if (!taker.whole()) return std::nullopt;
    sidecar.producers = taker.rest();
    return sidecar;
}

} // namespace mini_broker
