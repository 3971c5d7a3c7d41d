// How a log is opened: what a crash may have left, and what it cannot have.
//
// A segment is synced, with its name, before its sidecar is written, and sidecars are written in
// order. So what comes before a sidecar is durable, and if it is not whole the disk has lost what
// it had promised to keep: `DiskError`. What comes after the last sidecar was perhaps never
// synced, and ends where it is not whole any more.

#include "log/log_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace mini_broker {
namespace {

constexpr std::string_view kSegmentSuffix = ".log";
constexpr std::string_view kSidecarSuffix = ".index";

/// The index that the name of a segment or sidecar tells.
std::optional<Index> index_in(std::string_view name, std::string_view suffix) {
    if (!name.ends_with(suffix)) return std::nullopt;
    name.remove_suffix(suffix.size());
    Index index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error != std::errc{} || end != name.data() + name.size() || name.size() != 20) {
        return std::nullopt;
    }
    return index;
}

} // namespace

PartitionLog::State::State(Disk& disk_, std::string directory_, const LogOptions& options_)
    : disk(disk_), directory(std::move(directory_)), options(options_) {
    // A block knows its place in the file by 32 bits.
    constexpr std::uint64_t kMost = 1u << 30;
    options.segment_bytes = std::clamp<std::uint64_t>(options.segment_bytes, 1, kMost);
    open();
}

void PartitionLog::State::open() {
    disk.make_directory(directory);
    start = LogStart::read(disk, directory);
    if (start.emptying) {
        remove_all_files();
        start.emptying = false;
        start.write(disk, directory);
    }
    const std::vector<Index> firsts = segments_on_disk();
    if (firsts.empty()) {
        if (auto known = Producers::decode(start.producers)) producers = *std::move(known);
        add_empty_segment(start.index, start.offset);
    } else {
        open_segments(firsts);
    }
    durable = last_index();
}

void PartitionLog::State::remove_all_files() {
    for (const std::string& name : disk.list(directory)) {
        const bool ours = index_in(name, kSegmentSuffix) || index_in(name, kSidecarSuffix);
        if (ours) disk.remove(directory + "/" + name);
    }
    disk.sync_directory(directory);
}

void PartitionLog::State::add_empty_segment(Index first, Offset first_offset) {
    segments.push_back(std::make_unique<Segment>(disk, directory, first, first_offset));
    disk.sync_directory(directory);
}

/// The first indices of the segments that count, in order. Removes what is left of others.
std::vector<Index> PartitionLog::State::segments_on_disk() {
    std::vector<Index> firsts;
    std::vector<Index> sidecars;
    for (const std::string& name : disk.list(directory)) {
        if (const auto first = index_in(name, kSegmentSuffix)) firsts.push_back(*first);
        if (const auto first = index_in(name, kSidecarSuffix)) sidecars.push_back(*first);
    }
    bool removed = false;
    for (const Index first : sidecars) {
        const bool alone = !std::binary_search(firsts.begin(), firsts.end(), first);
        if (!alone && first >= start.index) continue;
        disk.remove(directory + "/" + Segment::sidecar_name(first));
        removed = true;
    }
    std::erase_if(firsts, [&](Index first) {
        if (first >= start.index) return false;
        disk.remove(directory + "/" + Segment::file_name(first));
        return removed = true;
    });
    if (removed) disk.sync_directory(directory);
    return firsts;
}

void PartitionLog::State::open_segments(const std::vector<Index>& firsts) {
    Index next = start.index;
    for (std::size_t i = 0; i < firsts.size(); ++i) {
        const Segment* const before = segments.empty() ? nullptr : segments.back().get();
        if (firsts[i] != next) {
            if (i == 0 || sidecar_from(firsts, i)) {
                throw DiskError(
                    fmt::format("{}: the segment of entry {} is missing", directory, next));
            }
            remove_files_from(firsts, i);
            break;
        }
        const bool last = i + 1 == firsts.size();
        if (!last && open_closed(firsts[i], before)) {
            next = segments.back()->summary().end;
            continue;
        }
        const bool whole = recover(firsts[i], before);
        next = segments.back()->summary().end;
        if (!whole && sidecar_from(firsts, i + 1)) {
            throw DiskError(fmt::format("{}/{}: damaged after entry {}", directory,
                                        Segment::file_name(firsts[i]), next - 1));
        }
        settle(*segments.back(), whole);
        if (whole) continue;
        remove_files_from(firsts, i + 1);
        break;
    }
    // The segment that is open now, if it was found closed, is known only by its summary.
    Segment& newest = open_segment();
    if (newest.has_sidecar()) {
        newest.load();
        newest.remove_sidecar();
        producers = producers_before(segments.size() - 1);
        tail = {};
        newest.truncate(newest.summary().end, [this](const ScannedEntry& e) { take_in(e); });
    }
    disk.sync_directory(directory);
    // Closed segments without a sidecar have all been read and synced: now they get one.
    for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
        if (!segments[i]->has_sidecar()) segments[i]->write_sidecar();
    }
}

/// Takes a segment for what its sidecar says. \return whether it has a sidecar that fits
bool PartitionLog::State::open_closed(Index first, const Segment* before) {
    const auto bytes = disk.read_whole(directory + "/" + Segment::sidecar_name(first));
    auto sidecar = bytes ? Sidecar::decode(*bytes) : std::nullopt;
    if (!sidecar) return false;
    const SegmentSummary& summary = sidecar->summary;
    const Offset offset = before == nullptr ? start.offset : before->summary().end_offset;
    if (summary.first != first || summary.end <= first || summary.first_offset != offset ||
        disk.open(directory + "/" + Segment::file_name(first))->size() != summary.bytes) {
        return false;
    }
    segments.push_back(std::make_unique<Segment>(disk, directory, std::move(sidecar->summary)));
    return true;
}

/// Reads a segment from its beginning. \return whether all of it is whole
bool PartitionLog::State::recover(Index first, const Segment* before) {
    producers = producers_before(segments.size());
    const Term least_term = segments.empty() ? 0 : last_term();
    const Offset offset = before == nullptr ? start.offset : before->summary().end_offset;
    segments.push_back(std::make_unique<Segment>(disk, directory, first, offset));
    return segments.back()->recover(least_term, [this](const ScannedEntry& e) { take_in(e); });
}

/// What was found in a segment is the log from now on, so it must be durable.
void PartitionLog::State::settle(Segment& segment, bool whole) {
    segment.remove_sidecar();
    if (!whole) segment.file()->truncate(segment.summary().bytes);
    segment.file()->sync();
    segment.close(producers.encode());
}

bool PartitionLog::State::sidecar_from(const std::vector<Index>& firsts, std::size_t position) {
    return std::any_of(firsts.begin() + static_cast<std::ptrdiff_t>(position), firsts.end(),
                       [this](Index first) {
                           const std::string name = Segment::sidecar_name(first);
                           return disk.read_whole(directory + "/" + name).has_value();
                       });
}

void PartitionLog::State::remove_files_from(const std::vector<Index>& firsts,
                                            std::size_t position) {
    for (std::size_t i = firsts.size(); i-- > position;) {
        disk.remove(directory + "/" + Segment::file_name(firsts[i]));
    }
    disk.sync_directory(directory);
}

} // namespace mini_broker
