#include "log/partition_log.hpp"

#include "log/log_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace mini_broker {

PartitionLog::PartitionLog(Disk& disk, std::string directory, const LogOptions& options)
    : state_(std::make_unique<State>(disk, std::move(directory), options)) {}

PartitionLog::~PartitionLog() = default;

Index PartitionLog::first_index() const noexcept {
    return state_->first_index();
}

Index PartitionLog::last_index() const noexcept {
    return state_->last_index();
}

Offset PartitionLog::start_offset() const noexcept {
    return state_->segments.front()->summary().first_offset;
}

Offset PartitionLog::end_offset() const noexcept {
    return state_->open_segment().summary().end_offset;
}

std::uint64_t PartitionLog::size_bytes() const noexcept {
    std::uint64_t bytes = 0;
    for (const auto& segment : state_->segments) bytes += segment->summary().bytes;
    return bytes;
}

void PartitionLog::append(std::string_view batch) {
    const SegmentSummary& open = state_->open_segment().summary();
    const bool full = !open.empty() && open.bytes + batch.size() > state_->options.segment_bytes;
    NextEntry next = state_->open_segment().next_entry(state_->last_term());
    if (full) next.position = 0;
    const auto entry = read_entry(batch, next);
    if (!entry || entry->at.size != batch.size()) {
        throw std::invalid_argument(
            fmt::format("{}: what is appended cannot be entry {}", state_->directory, next.index));
    }
    if (full) state_->roll();
    state_->open_segment().append(batch, *entry);
    state_->take_in(*entry);
}

void PartitionLog::truncate_after(Index index) {
    state_->truncate_after(index);
}

void PartitionLog::restart_at(Index next_index, Offset next_offset, std::string producers) {
    if (next_index == 0 || next_offset < 0) {
        throw std::invalid_argument(fmt::format("{}: no log begins at entry {}, offset {}",
                                                state_->directory, next_index, next_offset));
    }
    state_->restart_at(next_index, next_offset, std::move(producers));
}

const std::string& PartitionLog::producers_at_start() const noexcept {
    return state_->start.producers;
}

const Producers& PartitionLog::producers() const noexcept {
    return state_->producers;
}

Index PartitionLog::durable_index() const noexcept {
    return state_->durable;
}

std::optional<PartitionLog::Sync> PartitionLog::begin_sync() {
    if (state_->durable == state_->last_index()) return std::nullopt;
    std::vector<std::shared_ptr<File>> files;
    for (const auto& segment : state_->segments) {
        if (!segment->has_sidecar()) files.push_back(segment->file());
    }
    Sync sync;
    sync.upto = state_->last_index();
    sync.truncations = state_->truncations;
    sync.work = [files = std::move(files), disk = &state_->disk, directory = state_->directory,
                 name_too = state_->unsynced_name.has_value()] {
        for (const auto& file : files) file->sync();
        if (name_too) disk->sync_directory(directory);
    };
    return sync;
}

bool PartitionLog::end_sync(const Sync& sync) {
    if (sync.truncations != state_->truncations) return false;
    if (state_->unsynced_name && *state_->unsynced_name <= sync.upto) state_->unsynced_name.reset();
    for (std::size_t i = 0; i + 1 < state_->segments.size(); ++i) {
        Segment& segment = *state_->segments[i];
        // What is before a sidecar must be durable: its segment, older ones, and their names.
        const bool covered = segment.summary().end - 1 <= sync.upto;
        if (covered && !segment.has_sidecar()) segment.write_sidecar();
    }
    state_->durable = std::max(state_->durable, sync.upto);
    return true;
}

Index PartitionLog::expired_upto(std::int64_t wall_ms, Index limit) const {
    const LogOptions& options = state_->options;
    std::uint64_t left = size_bytes();
    Index expired = 0;
    for (std::size_t i = 0; i + 1 < state_->segments.size(); ++i) {
        const SegmentSummary& summary = state_->segments[i]->summary();
        if (summary.end - 1 > limit) break;
        left -= summary.bytes;
        const bool too_many = options.retention_bytes >= 0 &&
                              left >= static_cast<std::uint64_t>(options.retention_bytes);
        const bool too_old = options.retention_ms >= 0 && summary.newest_ms >= 0 &&
                             summary.newest_ms < wall_ms &&
                             wall_ms - summary.newest_ms > options.retention_ms;
        if (!too_many && !too_old) break;
        expired = summary.end - 1;
    }
    return expired;
}

void PartitionLog::drop_upto(Index index) {
    std::size_t position = 0;
    while (position + 1 < state_->segments.size() &&
           state_->segments[position]->summary().end - 1 <= index) {
        ++position;
    }
    if (position > 0) state_->drop_before_segment(position);
}

void PartitionLog::set_retention(std::int64_t bytes, std::int64_t ms) noexcept {
    state_->options.retention_bytes = bytes;
    state_->options.retention_ms = ms;
}

} // namespace mini_broker
