#include "log/log_state.hpp"

#include <algorithm>
#include <utility>

namespace mini_broker {
namespace {

/// Closed segments that may be loaded at one time: file handles and indexes are not for all.
constexpr std::size_t kLoaded = 4;

} // namespace

Term PartitionLog::State::last_term() const noexcept {
    for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
        const SegmentSummary& summary = (*segment)->summary();
        if (!summary.terms.empty()) return summary.terms.back().term;
    }
    return 0;
}

Producers PartitionLog::State::producers_before(std::size_t position) const {
    if (position > 0) return segments[position - 1]->producers();
    return Producers::decode(start.producers).value_or(Producers{});
}

std::size_t PartitionLog::State::position_of(Index index) const noexcept {
    if (index >= open_segment().summary().first) return segments.size() - 1;
    const auto found = std::partition_point(
        segments.begin(), segments.end(),
        [index](const auto& segment) { return segment->summary().end <= index; });
    return static_cast<std::size_t>(found - segments.begin());
}

Segment& PartitionLog::State::segment_of(Index index) {
    return loaded(*segments[position_of(index)]);
}

Segment& PartitionLog::State::segment_of_offset(Offset offset) {
    const auto found = std::partition_point(
        segments.begin(), segments.end(),
        [offset](const auto& segment) { return segment->summary().end_offset <= offset; });
    return loaded(**found);
}

Segment& PartitionLog::State::loaded(Segment& segment) {
    if (!segment.has_sidecar()) return segment; // it never was unloaded
    std::erase(recently_loaded_, &segment);
    segment.load();
    recently_loaded_.push_back(&segment);
    if (recently_loaded_.size() > kLoaded) {
        recently_loaded_.front()->unload();
        recently_loaded_.pop_front();
    }
    return segment;
}

Located PartitionLog::State::find(Index index) {
    if (const Located* const newest = tail.find(index)) return *newest;
    return segment_of(index).find(index);
}

void PartitionLog::State::take_in(const ScannedEntry& entry) {
    tail.push(entry.at);
    producers.note(entry.header.producer, entry.at.index, entry.at.base_offset,
                   entry.header.max_timestamp);
}

void PartitionLog::State::roll() {
    const SegmentSummary& summary = open_segment().summary();
    auto next = std::make_unique<Segment>(disk, directory, summary.end, summary.end_offset);
    open_segment().close(producers.encode());
    segments.push_back(std::move(next));
    unsynced_name = last_index() + 1;
}

/// Removes whole segments from the end. Sidecars first, durably: what is whole before a sidecar is
/// taken for durable.
void PartitionLog::State::remove_segments_from(std::size_t position) {
    for (std::size_t i = segments.size(); i-- > position;) {
        std::erase(recently_loaded_, segments[i].get());
        segments[i]->remove_sidecar();
    }
    disk.sync_directory(directory);
    while (segments.size() > position) {
        segments.back()->remove();
        segments.pop_back();
    }
    disk.sync_directory(directory);
}

void PartitionLog::State::truncate_after(Index index) {
    if (index >= last_index()) return;
    index = std::max(index, first_index() - 1);
    ++truncations;
    durable = std::min(durable, index);
    const std::size_t position = index < first_index() ? 0 : position_of(index);
    Segment& cut = loaded(*segments[position]);
    if (cut.has_sidecar()) {
        cut.remove_sidecar();
        std::erase(recently_loaded_, &cut);
    }
    if (position + 1 < segments.size()) {
        remove_segments_from(position + 1);
        unsynced_name.reset();
    }
    tail = {};
    producers = producers_before(position);
    cut.truncate(index + 1, [this](const ScannedEntry& entry) { take_in(entry); });
}

void PartitionLog::State::restart_at(Index next_index, Offset next_offset, std::string known) {
    ++truncations;
    start = {next_index, next_offset, true, std::move(known)};
    start.write(disk, directory);
    recently_loaded_.clear();
    segments.clear();
    tail = {};
    producers = {};
    unsynced_name.reset();
    open();
}

/// Lets go of the segments before `position`, which is not 0.
void PartitionLog::State::drop_before_segment(std::size_t position) {
    // The log begins where there is a segment, also after a crash.
    if (unsynced_name) disk.sync_directory(directory);
    unsynced_name.reset();
    const SegmentSummary& first = segments[position]->summary();
    const std::string known = segments[position - 1]->producers().encode();
    start = {first.first, first.first_offset, false, known};
    start.write(disk, directory);
    for (std::size_t i = 0; i < position; ++i) {
        std::erase(recently_loaded_, segments[i].get());
        segments[i]->remove();
    }
    segments.erase(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(position));
    tail.drop_before(first.first);
}

} // namespace mini_broker
