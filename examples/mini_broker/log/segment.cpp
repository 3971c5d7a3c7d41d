#include "log/segment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace mini_broker {
namespace {

/// What is read at once to find one entry: most often all of a block.
constexpr std::size_t kFindAhead = BlockIndex::kBlockBytes + kBatchHeader + 1;
/// And to go through many.
constexpr std::size_t kScanAhead = 128u << 10;
/// Of an entry, what tells all but its records.
constexpr std::size_t kEntryHead = kBatchHeader + 1;

} // namespace

std::optional<ScannedEntry> read_entry(std::string_view bytes, const NextEntry& next) noexcept {
    const auto header = parse_header(bytes);
    if (!header || header->magic != 2) return std::nullopt;
    if (header->base_offset != next.offset || header->term < next.least_term) return std::nullopt;
    if (!counts_agree(*header)) return std::nullopt;
    ScannedEntry entry;
    entry.header = *header;
    Located& at = entry.at;
    at.index = next.index;
    at.term = header->term;
    at.kind = kind_of(bytes);
    at.size = header->size;
    at.position = next.position;
    at.base_offset = header->base_offset;
    at.next_offset = header->next_offset();
    at.max_timestamp = at.kind == EntryKind::records ? header->max_timestamp : -1;
    return entry;
}

Segment::Segment(Disk& disk, const std::string& directory, Index first, Offset first_offset)
    : disk_(disk),
      path_(directory + "/" + file_name(first)),
      sidecar_path_(directory + "/" + sidecar_name(first)),
      file_(disk.open(path_)) {
    summary_.first = summary_.end = first;
    summary_.first_offset = summary_.end_offset = first_offset;
}

Segment::Segment(Disk& disk, const std::string& directory, SegmentSummary summary)
    : disk_(disk),
      path_(directory + "/" + file_name(summary.first)),
      sidecar_path_(directory + "/" + sidecar_name(summary.first)),
      summary_(std::move(summary)),
      has_sidecar_(true) {}

std::string Segment::file_name(Index first) {
    return fmt::format("{:020}.log", first);
}

std::string Segment::sidecar_name(Index first) {
    return fmt::format("{:020}.index", first);
}

NextEntry Segment::next_entry(Term least_term) const noexcept {
    return {summary_.end, summary_.bytes, summary_.end_offset, least_term};
}

void Segment::damaged(std::string_view what) const {
    throw DiskError(fmt::format("{}: damaged: {}", path_, what));
}

void Segment::take_in(const ScannedEntry& entry) {
    summary_.note(entry.at, entry.header.max_timestamp);
    index_.note(entry.at, summary_.first);
}

bool Segment::recover(Term least_term, const Visit& visit) {
    const std::uint64_t size = file_->size();
    FileWindow window{*file_, size, kScanAhead};
    while (summary_.bytes < size) {
        const std::uint64_t position = summary_.bytes;
        const auto batch_bytes = batch_size(window.at(position, kBatchPrefix));
        if (!batch_bytes || *batch_bytes > size - position) return false;
        const std::string_view batch = window.at(position, *batch_bytes);
        if (batch.size() != *batch_bytes || !crc_matches(batch)) return false;
        const auto entry = read_entry(batch, next_entry(least_term));
        if (!entry) return false;
        least_term = entry->at.term;
        take_in(*entry);
        visit(*entry);
    }
    return true;
}

void Segment::append(std::string_view batch, const ScannedEntry& entry) {
    const std::array<std::string_view, 1> parts{batch};
    file_->append(parts);
    take_in(entry);
}

void Segment::truncate(Index end, const Visit& visit) {
    std::uint64_t bytes = summary_.bytes;
    if (end < summary_.end) bytes = find(end).position;
    if (file_->size() != bytes) {
        file_->truncate(bytes);
        file_->sync();
    }
    SegmentSummary emptied;
    emptied.first = emptied.end = summary_.first;
    emptied.first_offset = emptied.end_offset = summary_.first_offset;
    summary_ = std::move(emptied);
    index_ = {};
    last_found_ = {};
    producers_ = {};
    FileWindow window{*file_, bytes, kScanAhead};
    Term least_term = 0;
    while (summary_.bytes < bytes) {
        const auto entry =
            read_entry(window.at(summary_.bytes, kEntryHead), next_entry(least_term));
        if (!entry || entry->at.size > bytes - summary_.bytes) damaged("a header is not readable");
        least_term = entry->at.term;
        take_in(*entry);
        visit(*entry);
    }
}

void Segment::close(std::string producers) {
    producers_ = std::move(producers);
}

void Segment::write_sidecar() {
    const Sidecar sidecar{summary_, index_, producers_};
    disk_.replace(sidecar_path_, sidecar.encode());
    has_sidecar_ = true;
    unload();
}

void Segment::remove_sidecar() {
    disk_.remove(sidecar_path_);
    has_sidecar_ = false;
}

void Segment::remove() {
    remove_sidecar();
    disk_.remove(path_);
}

Producers Segment::producers() const {
    std::optional<Producers> decoded;
    if (has_sidecar_) {
        const auto bytes = disk_.read_whole(sidecar_path_);
        const auto sidecar = bytes ? Sidecar::decode(*bytes) : std::nullopt;
        if (sidecar) decoded = Producers::decode(sidecar->producers);
    } else {
        decoded = Producers::decode(producers_);
    }
    if (!decoded) damaged("its sidecar is not readable");
    return *std::move(decoded);
}

void Segment::load() {
    if (loaded()) return;
    const auto bytes = disk_.read_whole(sidecar_path_);
    auto sidecar = bytes ? Sidecar::decode(*bytes) : std::nullopt;
    if (!sidecar || sidecar->summary.bytes != summary_.bytes) {
        damaged("its sidecar is not readable");
    }
    index_ = std::move(sidecar->index);
    file_ = disk_.open(path_);
    if (file_->size() != summary_.bytes) damaged("its size has changed");
}

void Segment::unload() {
    if (!has_sidecar_) return;
    file_.reset();
    index_ = {};
    producers_ = {};
    last_found_ = {};
}

Segment::From Segment::from(const Block* block) const noexcept {
    if (block == nullptr) return {summary_.first, 0};
    return {summary_.first + block->entries_before, block->position};
}

Segment::From Segment::nearest(Index index) const noexcept {
    const From start = from(index_.of_entry(static_cast<std::uint32_t>(index - summary_.first)));
    const bool found_nearer = last_found_.index >= start.index && last_found_.index <= index;
    return found_nearer ? last_found_ : start;
}

void Segment::read_headers(From from,
                           std::size_t ahead,
                           const std::function<bool(const ScannedEntry&)>& visit) const {
    FileWindow window{*file_, summary_.bytes, ahead};
    while (from.index < summary_.end) {
        const std::string_view head = window.at(from.position, kEntryHead);
        const auto header = parse_header(head);
        if (!header) damaged("a header is not readable");
        const auto entry = read_entry(head, {from.index, from.position, header->base_offset, 0});
        if (!entry || entry->at.size > summary_.bytes - from.position) {
            damaged("a header is not readable");
        }
        if (!visit(*entry)) return;
        ++from.index;
        from.position += entry->at.size;
    }
}

Located Segment::find(Index index) const {
    std::optional<Located> found;
    read_headers(nearest(index), kFindAhead, [&](const ScannedEntry& entry) {
        if (entry.at.index == index) found = entry.at;
        return !found;
    });
    if (!found) damaged("an entry is missing");
    last_found_ = {index, found->position};
    return *found;
}

Located Segment::find_offset(Offset offset) const {
    std::optional<Located> found;
    read_headers(from(index_.of_offset(offset)), kFindAhead, [&](const ScannedEntry& entry) {
        if (entry.at.next_offset > offset) found = entry.at;
        return !found;
    });
    if (!found) damaged("an entry is missing");
    last_found_ = {found->index, found->position};
    return *found;
}

std::optional<Located> Segment::find_timestamp(std::int64_t timestamp, Index last) const {
    std::optional<Located> found;
    for (const Block& block : index_.blocks()) {
        const From start = from(&block);
        if (found || start.index > last) break;
        if (block.max_timestamp < timestamp) continue;
        // The block's bound is reached in it, unless that lies beyond `last`.
        read_headers(start, kFindAhead, [&](const ScannedEntry& entry) {
            if (entry.at.index > last) return false;
            const bool records = entry.at.kind == EntryKind::records;
            if (records && entry.at.max_timestamp >= timestamp) found = entry.at;
            return !found;
        });
    }
    return found;
}

std::int64_t Segment::newest_timestamp(Index last) const {
    std::int64_t newest = -1;
    const std::span<const Block> blocks = index_.blocks();
    for (std::size_t i = 0; i < blocks.size() && from(&blocks[i]).index <= last; ++i) {
        const Index end = i + 1 < blocks.size() ? from(&blocks[i + 1]).index : summary_.end;
        if (end - 1 <= last) {
            newest = std::max(newest, blocks[i].max_timestamp);
            continue;
        }
        read_headers(from(&blocks[i]), kFindAhead, [&](const ScannedEntry& entry) {
            if (entry.at.index > last) return false;
            newest = std::max(newest, entry.at.max_timestamp);
            return true;
        });
    }
    return newest;
}

void Segment::walk(Index first, const std::function<bool(const Located&)>& visit) const {
    read_headers(nearest(first), kScanAhead, [&](const ScannedEntry& entry) {
        return entry.at.index < first || visit(entry.at);
    });
}

void Segment::read(std::uint64_t position, std::uint64_t size, std::string& into) const {
    const std::size_t before = into.size();
    into.resize(before + static_cast<std::size_t>(size));
    const std::size_t got =
        file_->read(position, into.data() + before, static_cast<std::size_t>(size));
    if (got != size) damaged("it is shorter than it was");
}

} // namespace mini_broker
