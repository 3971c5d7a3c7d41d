// A log on a disk that spoiled it: torn tails, flipped bits, zeros, files that are gone. It is
// opened with exactly the entries that are whole, or is a disk error; and goes on from there.

#include "fuzz/mini_broker/checksums.hpp"
#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"
#include "log/partition_log.hpp"
#include "log/segment.hpp"
#include "mini_broker/log/batches.hpp"
#include "mini_broker/log/memory_disk.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mini_broker;
using fuzz::Input;
using fuzz::require;
using log_test::MemoryDisk;

constexpr LogOptions kSmall{.segment_bytes = 600};

std::string path(const std::string& name) {
    return "g/" + name;
}

std::string some_batch(Input& input, Offset offset, Term term) {
    if (input.below(4) == 3)
        return make_entry(static_cast<EntryKind>(1 + input.below(3)), term, offset,
                          std::string(input.below(20), 'c'), 9);
    return log_test::make_batch({.base_offset = offset,
                                 .term = term,
                                 .records = 1 + static_cast<std::int32_t>(input.below(4)),
                                 .timestamp = input.number<std::uint8_t>(),
                                 .producer = static_cast<std::int64_t>(input.below(4)) - 1,
                                 .epoch = 0,
                                 .first_sequence = input.number<std::uint8_t>(),
                                 .body = input.number<std::uint8_t>()});
}

void sync(PartitionLog& log) {
    const auto begun = log.begin_sync();
    if (!begun) return;
    begun->work();
    require(log.end_sync(*begun), "a sync covers what was there");
}

void append_some(PartitionLog& log, Input& input, std::uint64_t count) {
    Term term = log.last_index() < log.first_index() ? 1 : log.entry(log.last_index())->term;
    for (; count > 0; --count) {
        term += input.below(8) == 7 ? 1 : 0;
        log.append(some_batch(input, log.end_offset(), term));
        if (input.below(4) == 3) sync(log);
    }
}

void write_log(MemoryDisk& disk, Input& input) {
    PartitionLog log{disk, "g", kSmall};
    append_some(log, input, input.below(32));
    if (input.flag()) log.drop_upto(log.first_index() + input.below(16));
    if (input.flag()) sync(log);
}

/// What a crash or a bad disk does to one file.
void spoil(std::string& bytes, Input& input) {
    const std::size_t at = input.below(bytes.size() + 1);
    const std::size_t size = std::min<std::size_t>(input.number<std::uint8_t>(), bytes.size() - at);
    switch (input.below(6)) {
    case 0: bytes.resize(at); break;
    case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << input.below(8)));
        break;
    case 2: std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, '\0'); break;
    case 3: bytes.append(input.number<std::uint8_t>(), '\0'); break;
    case 4: bytes.replace(at, size, input.bytes(size)); break;
    default: bytes += input.bytes(input.number<std::uint8_t>());
    }
}

/// How many of the entries that begin these bytes are whole and fit to each other.
struct Whole {
    std::size_t bytes = 0;
    Index entries = 0;
    Offset end = 0;
};
Whole whole_entries(std::string_view bytes, Offset offset, Term least_term) {
    Whole whole{0, 0, offset};
    while (const auto header = parse_header(bytes.substr(whole.bytes))) {
        const std::string_view batch = bytes.substr(whole.bytes, header->size);
        if (!is_whole_batch(batch) || header->base_offset != whole.end || header->term < least_term)
            break;
        least_term = header->term;
        whole.bytes += header->size;
        whole.end = header->next_offset();
        ++whole.entries;
    }
    return whole;
}

/// What must be true of every log that could be opened.
void check_log(const PartitionLog& log) {
    std::string bytes;
    Offset offset = log.start_offset();
    Term term = 0;
    std::uint64_t left = log.size_bytes();
    for (Index i = log.first_index(); i <= log.last_index(); ++i) {
        const auto entry = log.entry(i);
        require(entry && entry->base_offset == offset && entry->term >= term,
                "entries follow each other");
        bytes.clear();
        log.read_entries(i, i, bytes);
        require(bytes.size() == entry->size && kind_of(bytes) == entry->kind,
                "an entry is as long as it says");
        left -= entry->size;
        if (entry->kind == EntryKind::records) {
            require(log.entry_of(offset)->index == i, "a record is found by its offset");
            require(log.bytes_from(offset) == left + entry->size, "and what lies behind it");
        }
        offset = entry->next_offset;
        term = entry->term;
    }
    require(offset == log.end_offset(), "the last one ends at the end");
    require(log.durable_index() == log.last_index(), "what was found is durable");
    std::string records;
    log.read_records(log.start_offset(), log.last_index(), 1u << 20, records);
    require(records.size() <= log.size_bytes(), "records are part of the log");
    const auto newest = log.newest_timestamp(log.last_index());
    require(newest.timestamp < 0 || log.entry_of(newest.offset)->base_offset == newest.offset,
            "the newest record is in the log");
    require(log.find_timestamp(newest.timestamp + 1, log.last_index()).offset < 0,
            "and none is newer");
    require(term == 0 || log.end_of_term(term).end == log.end_offset(),
            "the last term ends with the log");
    Index seen = log.first_index();
    log.for_each(seen, log.last_index(), [&](const Entry& entry, std::string_view) {
        require(entry.index == seen++, "each entry is visited, in order");
    });
    require(log.expired_upto(INT64_MAX, log.last_index()) == 0, "nothing expires without a limit");
}

std::size_t size_of_all(MemoryDisk& disk) {
    std::size_t size = 0;
    for (const std::string& name : disk.list("g")) size += disk.bytes_of(path(name)).size();
    return size;
}

/// The last segment, before and after it was spoiled.
struct LastSegment {
    std::string name;
    Index first = 1;
    Offset first_offset = 0;
    Term least_term = 0;
};

std::optional<LastSegment> last_segment(MemoryDisk& disk) {
    LastSegment last;
    for (const std::string& name : disk.list("g"))
        if (name.ends_with(".log")) last.name = name;
    if (last.name.empty()) return std::nullopt;
    last.first = std::stoull(last.name);
    const PartitionLog log{disk, "g", kSmall};
    const auto before = log.entry(last.first - 1);
    last.first_offset = before ? before->next_offset : log.start_offset();
    last.least_term = before ? before->term : 0;
    return last;
}

std::string content_of(const PartitionLog& log) {
    std::string bytes;
    log.read_entries(log.first_index(), log.last_index(), bytes);
    return bytes;
}

/// Opened, used, and opened again. \return what it held before it was used
std::string check_opens(MemoryDisk& disk, Input& input) {
    std::string found;
    std::string left;
    {
        const auto log = fuzz::bounded(
            size_of_all(disk), [&] { return std::make_unique<PartitionLog>(disk, "g", kSmall); });
        check_log(*log);
        found = content_of(*log);
        append_some(*log, input, 3);
        sync(*log);
        check_log(*log);
        left = content_of(*log);
    }
    const PartitionLog again{disk, "g", kSmall};
    check_log(again);
    require(content_of(again) == left, "what was synced is there again");
    return found;
}

/// What was perhaps never synced: it is cut at the first entry that is not whole.
void check_last_segment(MemoryDisk& disk, Input& input) {
    const auto last = last_segment(disk);
    std::string& bytes = disk.bytes_of(path(last->name));
    for (std::uint64_t times = input.below(4); times > 0; --times) spoil(bytes, input);
    if (input.flag()) fuzz::repair_batches(bytes);
    const Whole due = whole_entries(bytes, last->first_offset, last->least_term);
    const std::string kept = bytes.substr(0, due.bytes);
    const PartitionLog log{disk, "g", kSmall};
    require(log.last_index() == last->first + due.entries - 1 && log.end_offset() == due.end,
            "a log is opened with what is whole");
    require(bytes == kept, "and what is not is cut off");
    (void)check_opens(disk, input);
}

/// What can be had from the segments again: nothing is lost.
void check_sidecars(MemoryDisk& disk, Input& input) {
    const std::string before = content_of(PartitionLog{disk, "g", kSmall});
    for (const std::string& name : disk.list("g")) {
        if (!name.ends_with(".index")) continue;
        const std::uint64_t what = input.below(3);
        if (what == 0) disk.remove(path(name));
        if (what == 1) spoil(disk.bytes_of(path(name)), input);
    }
    require(check_opens(disk, input) == before, "a log needs no sidecar");
}

/// What had been promised to stay: it is an error, now or when it is read, or is not noticed.
void check_anything(MemoryDisk& disk, Input& input) {
    for (std::uint64_t times = input.below(4); times > 0; --times) {
        const auto names = disk.list("g");
        const std::string name = path(names[input.below(names.size())]);
        if (input.below(8) == 7 && names.size() > 1)
            disk.remove(name);
        else
            spoil(disk.bytes_of(name), input);
    }
    try {
        PartitionLog log{disk, "g", kSmall};
        for (Index i = log.first_index(); i <= log.last_index(); ++i) (void)log.entry(i);
        std::string bytes = content_of(log);
        log.read_records(log.start_offset(), log.last_index(), 1u << 20, bytes);
        require(bytes.size() <= 2 * log.size_bytes(), "what is read lies in the files");
        append_some(log, input, 3);
        log.truncate_after(log.first_index() + input.below(16));
        sync(log);
    } catch (const DiskError&) {
        (void)disk.list("g"); // the node stops
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    MemoryDisk disk;
    write_log(disk, input);
    switch (input.below(3)) {
    case 0: check_last_segment(disk, input); break;
    case 1: check_sidecars(disk, input); break;
    default: check_anything(disk, input); break;
    }
    return 0;
}
