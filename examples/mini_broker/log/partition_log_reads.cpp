#include "log/log_state.hpp"
#include "log/partition_log.hpp"

#include <algorithm>
#include <utility>

namespace mini_broker {
namespace {

Entry entry_at(const Located& at) noexcept {
    return {at.index, at.term, at.kind, at.base_offset, at.next_offset, at.size};
}

/// Keeps of the batches at `from` in `bytes`, the first of which is entry `index`, the records up
/// to `last`. What does not fit whole is dropped. \return the first entry that was not looked at
Index keep_records(std::string& bytes, std::size_t from, Index index, Index last) {
    std::size_t read = from;
    std::size_t kept = from;
    while (index <= last) {
        const std::string_view left = std::string_view{bytes}.substr(read);
        const auto header = parse_header(left);
        if (!header || header->size > left.size()) break;
        if (!header->control()) {
            if (kept != read) bytes.replace(kept, header->size, bytes, read, header->size);
            kept += header->size;
        }
        read += header->size;
        ++index;
    }
    bytes.resize(kept);
    return index;
}

} // namespace

std::optional<Entry> PartitionLog::entry(Index index) const {
    if (!state_->holds(index)) return std::nullopt;
    return entry_at(state_->find(index));
}

std::optional<Entry> PartitionLog::entry_of(Offset offset) const {
    offset = std::max(offset, start_offset());
    if (offset >= end_offset()) return std::nullopt;
    if (const Located* const newest = state_->tail.find_offset(offset)) return entry_at(*newest);
    return entry_at(state_->segment_of_offset(offset).find_offset(offset));
}

void PartitionLog::for_each(
    Index first,
    Index last,
    const std::function<void(const Entry&, std::string_view)>& visit) const {
    if (!state_->holds(first)) return;
    last = std::min(last, last_index());
    std::string batch;
    const auto show = [&](Segment& segment, const Located& at) {
        batch.clear();
        if (at.kind == EntryKind::change || at.kind == EntryKind::command) {
            segment.read(at.position, at.size, batch);
        }
        visit(entry_at(at), payload_of(batch));
    };
    while (first <= last) {
        Segment& segment = state_->segment_of(first);
        if (const Located* const newest = state_->tail.find(first)) {
            show(segment, *newest);
            ++first;
            continue;
        }
        segment.walk(first, [&](const Located& at) {
            if (at.index > last || state_->tail.find(at.index) != nullptr) return false;
            show(segment, at);
            first = at.index + 1;
            return true;
        });
    }
}

void PartitionLog::read_entries(Index first, Index last, std::string& into) const {
    if (!state_->holds(first)) return;
    last = std::min(last, last_index());
    while (first <= last) {
        Segment& segment = state_->segment_of(first);
        const Index end = std::min(last, segment.summary().end - 1);
        const Located from = state_->find(first);
        const Located to = end == first ? from : state_->find(end);
        segment.read(from.position, to.position + to.size - from.position, into);
        first = end + 1;
    }
}

void PartitionLog::read_records(Offset offset,
                                Index last,
                                std::size_t max_bytes,
                                std::string& into) const {
    const auto found = entry_of(offset);
    if (!found || found->index > last) return;
    last = std::min(last, last_index());
    const std::size_t before = into.size();
    const auto kept = [&] { return into.size() - before; };
    Index index = found->index;
    while (index <= last) {
        Segment& segment = state_->segment_of(index);
        const Located at = state_->find(index);
        const std::uint64_t left = segment.summary().bytes - at.position;
        std::uint64_t room = max_bytes > kept() ? max_bytes - kept() : 0;
        // One batch at least, however large.
        if (kept() == 0 && at.kind == EntryKind::records) {
            room = std::max<std::uint64_t>(room, at.size);
        }
        if (room < at.size && at.kind == EntryKind::records) return;
        const std::size_t from = into.size();
        segment.read(at.position, std::min(left, std::max<std::uint64_t>(room, at.size)), into);
        const Index next = keep_records(into, from, index, last);
        if (next == index) segment.damaged("a header is not readable");
        index = next;
    }
}

std::uint64_t PartitionLog::bytes_from(Offset offset) const {
    const auto found = entry_of(offset);
    if (!found) return 0;
    std::size_t position = state_->position_of(found->index);
    std::uint64_t bytes = state_->segments[position]->summary().bytes;
    bytes -= state_->find(found->index).position;
    while (++position < state_->segments.size())
        bytes += state_->segments[position]->summary().bytes;
    return bytes;
}

PartitionLog::Timestamped PartitionLog::find_timestamp(std::int64_t timestamp, Index last) const {
    for (const auto& segment : state_->segments) {
        const SegmentSummary& summary = segment->summary();
        if (summary.first > last) break;
        if (summary.empty() || summary.max_timestamp < timestamp) continue;
        const auto found = state_->loaded(*segment).find_timestamp(timestamp, last);
        if (found) return {found->max_timestamp, found->base_offset, found->term};
    }
    return {};
}

PartitionLog::Timestamped PartitionLog::newest_timestamp(Index last) const {
    std::int64_t newest = -1;
    for (const auto& segment : state_->segments) {
        const SegmentSummary& summary = segment->summary();
        if (summary.empty() || summary.first > last) break;
        const bool wholly = summary.end - 1 <= last;
        newest = std::max(newest, wholly ? summary.max_timestamp
                                         : state_->loaded(*segment).newest_timestamp(last));
    }
    return newest < 0 ? Timestamped{} : find_timestamp(newest, last);
}

PartitionLog::TermEnd PartitionLog::end_of_term(Term term) const {
    TermEnd found;
    for (const auto& segment : state_->segments) {
        for (const TermStart& start : segment->summary().terms) {
            if (start.term > term) {
                if (found.term >= 0) found.end = start.offset;
                return found;
            }
            found.term = static_cast<std::int64_t>(start.term);
        }
    }
    if (found.term >= 0) found.end = end_offset();
    return found;
}

} // namespace mini_broker
