#include "log/partition_log.hpp"

#include "mini_broker/log/batches.hpp"
#include "mini_broker/log/memory_disk.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace log_test;
using mini_broker::Entry;
using mini_broker::EntryKind;
using mini_broker::Index;
using mini_broker::LogOptions;
using mini_broker::make_entry;
using mini_broker::PartitionLog;

constexpr std::size_t kBatch = 100;

/// Appends batches of `kBatch` bytes and one record each.
void fill(PartitionLog& log, int count, Term term = 1, std::int64_t timestamp = 1000) {
    for (int i = 0; i < count; ++i) {
        log.append(make_batch({.base_offset = log.end_offset(),
                               .term = term,
                               .timestamp = timestamp,
                               .body = kBatch - mini_broker::kBatchHeader}));
    }
}

void sync(PartitionLog& log) {
    if (auto begun = log.begin_sync()) {
        begun->work();
        REQUIRE(log.end_sync(*begun));
    }
}

TEST_CASE("A new log is empty, begins at entry 1 and offset 0, and needs no sync",
          "[mini_broker][log]") {
    MemoryDisk disk;
    PartitionLog log{disk, "group", {}};
    CHECK(log.first_index() == 1);
    CHECK(log.last_index() == 0);
    CHECK(log.start_offset() == 0);
    CHECK(log.end_offset() == 0);
    CHECK(log.size_bytes() == 0);
    CHECK(log.durable_index() == 0);
    CHECK_FALSE(log.begin_sync());
    CHECK_FALSE(log.entry(0));
    CHECK_FALSE(log.entry(1));
    CHECK_FALSE(log.entry_of(0));
    CHECK(log.find_timestamp(0, 100).offset == -1);
    CHECK(log.newest_timestamp(100).offset == -1);
    CHECK(log.end_of_term(100).term == -1);
    std::string bytes;
    log.read_entries(1, 10, bytes);
    log.read_records(0, 10, 1000, bytes);
    CHECK(bytes.empty());
}

TEST_CASE("A log refuses what cannot be its next entry, and stays as it was",
          "[mini_broker][log]") {
    MemoryDisk disk;
    PartitionLog log{disk, "group", {}};
    fill(log, 1, 5);
    const auto refuses = [&](const std::string& batch) {
        CHECK_THROWS_AS(log.append(batch), std::invalid_argument);
    };
    refuses(make_batch({.base_offset = 0, .term = 5}));
    refuses(make_batch({.base_offset = 2, .term = 5}));
    refuses(make_batch({.base_offset = 1, .term = 4}));
    refuses(make_batch({.base_offset = 1, .term = 5, .records = 0}));
    refuses(make_batch({.base_offset = 1, .term = 5}) + "x");
    refuses("");
    CHECK(log.last_index() == 1);
    CHECK(log.size_bytes() == kBatch);
}

TEST_CASE("Consumers are given no entry that is not records, and offsets have no gap there",
          "[mini_broker][log]") {
    MemoryDisk disk;
    PartitionLog log{disk, "group", {}};
    std::string due;
    for (int i = 0; i < 10; ++i) {
        log.append(make_entry(EntryKind::command, 1, log.end_offset(), "for the metadata", 1));
        const std::string batch = make_batch({.base_offset = log.end_offset(), .records = 3});
        log.append(batch);
        due += batch;
    }
    CHECK(log.last_index() == 20);
    CHECK(log.end_offset() == 30);
    std::string bytes;
    log.read_records(0, 20, 100000, bytes);
    CHECK(bytes == due);
    CHECK(log.entry_of(4)->index == 4);
    CHECK(log.entry_of(4)->base_offset == 3);
}

TEST_CASE("A reader is given one batch however large, then what fits whole, and none beyond `last`",
          "[mini_broker][log]") {
    MemoryDisk disk;
    PartitionLog log{disk, "group", {.segment_bytes = 5 * kBatch}};
    fill(log, 20);
    const auto given = [&](Offset offset, Index last, std::size_t most) {
        std::string bytes;
        log.read_records(offset, last, most, bytes);
        return bytes.size();
    };
    CHECK(given(0, 20, 0) == kBatch);
    CHECK(given(0, 20, 1) == kBatch);
    CHECK(given(0, 20, 2 * kBatch - 1) == kBatch);
    CHECK(given(0, 20, 2 * kBatch) == 2 * kBatch);
    CHECK(given(3, 20, 10 * kBatch) == 10 * kBatch); // over three files
    CHECK(given(3, 6, 10 * kBatch) == 3 * kBatch);
    CHECK(given(3, 3, 10 * kBatch) == 0);
    CHECK(given(20, 20, 10 * kBatch) == 0);
}

TEST_CASE("The end of a term is where the next one begins, and of the last where the log ends",
          "[mini_broker][log]") {
    MemoryDisk disk;
    PartitionLog log{disk, "group", {.segment_bytes = 3 * kBatch}};
    fill(log, 5, 2);
    fill(log, 4, 5);
    log.append(make_entry(EntryKind::barrier, 6, log.end_offset(), "", 0));
    const auto end = [&](Term term) {
        const auto found = log.end_of_term(term);
        return std::pair{found.term, found.end};
    };
    CHECK(end(1) == std::pair<std::int64_t, Offset>{-1, -1});
    CHECK(end(2) == std::pair<std::int64_t, Offset>{2, 5});
    CHECK(end(4) == std::pair<std::int64_t, Offset>{2, 5});
    CHECK(end(5) == std::pair<std::int64_t, Offset>{5, 9});
    CHECK(end(99) == std::pair<std::int64_t, Offset>{6, 9});
    log.truncate_after(7);
    CHECK(end(99) == std::pair<std::int64_t, Offset>{5, 7});
    log.drop_upto(6);
    CHECK(end(4) == std::pair<std::int64_t, Offset>{-1, -1});
}

TEST_CASE("The first batch that is new enough is found, and the newest of all, only up to `last`",
          "[mini_broker][log]") {
    MemoryDisk disk;
    PartitionLog log{disk, "group", {.segment_bytes = 3 * kBatch}};
    for (const std::int64_t timestamp : {10, 30, 20, 30, 50, 40, 50, 5}) {
        fill(log, 1, 3, timestamp);
    }
    log.append(make_entry(EntryKind::barrier, 3, log.end_offset(), "", 1000));
    CHECK(log.find_timestamp(-1, 9).offset == 0);
    CHECK(log.find_timestamp(11, 9).offset == 1);
    CHECK(log.find_timestamp(31, 9).offset == 4);
    CHECK(log.find_timestamp(31, 9).timestamp == 50);
    CHECK(log.find_timestamp(31, 9).term == 3);
    CHECK(log.find_timestamp(31, 4).offset == -1);
    CHECK(log.find_timestamp(51, 9).offset == -1);
    CHECK(log.newest_timestamp(9).offset == 4);
    CHECK(log.newest_timestamp(4).offset == 1);
    CHECK(log.newest_timestamp(4).timestamp == 30);
}

TEST_CASE("A sync counts what was appended before it began, and nothing if the log was cut since",
          "[mini_broker][log]") {
    MemoryDisk disk;
    PartitionLog log{disk, "group", {.segment_bytes = 3 * kBatch}};
    fill(log, 10);
    auto first = log.begin_sync();
    REQUIRE(first);
    CHECK(first->upto == 10);
    fill(log, 5);
    first->work();
    CHECK(log.durable_index() == 0);
    CHECK(log.end_sync(*first));
    CHECK(log.durable_index() == 10);
    auto second = log.begin_sync();
    REQUIRE(second);
    second->work();
    log.truncate_after(12);
    fill(log, 3, 2);
    CHECK_FALSE(log.end_sync(*second));
    CHECK(log.durable_index() == 10);
    log.truncate_after(7);
    CHECK(log.durable_index() == 7);
    sync(log);
    CHECK(log.durable_index() == log.last_index());
    CHECK_FALSE(log.begin_sync());
}

TEST_CASE("Retention lets go of whole old segments, never the last, and not beyond the limit",
          "[mini_broker][log]") {
    MemoryDisk disk;
    PartitionLog log{disk, "group", {.segment_bytes = 5 * kBatch}};
    for (int i = 0; i < 4; ++i) fill(log, 5, 1, 1000 * (i + 1));
    const auto most = std::numeric_limits<Index>::max();
    CHECK(log.expired_upto(1000000, most) == 0);
    log.set_retention(10 * kBatch, -1);
    CHECK(log.expired_upto(0, most) == 10);
    CHECK(log.expired_upto(0, 9) == 5);
    CHECK(log.expired_upto(0, 4) == 0);
    log.set_retention(10 * kBatch + 1, -1);
    CHECK(log.expired_upto(0, most) == 5);
    log.set_retention(0, -1);
    CHECK(log.expired_upto(0, most) == 15);
    log.set_retention(-1, 500);
    CHECK(log.expired_upto(1500, most) == 0);
    CHECK(log.expired_upto(2501, most) == 10);
    CHECK(log.expired_upto(1000000, most) == 15);
    CHECK(log.expired_upto(std::numeric_limits<std::int64_t>::min(), most) == 0);
    log.drop_upto(12);
    CHECK(log.first_index() == 11);
    CHECK(log.start_offset() == 10);
    CHECK_FALSE(log.entry(10));
    CHECK(log.entry_of(0)->index == 11);
    log.drop_upto(most);
    CHECK(log.first_index() == 16);
    CHECK(log.last_index() == 20);
}

TEST_CASE("What producers wrote is known after a cut, a restart and the loss of old segments",
          "[mini_broker][log]") {
    MemoryDisk disk;
    const LogOptions options{.segment_bytes = 3 * kBatch};
    const auto write = [](PartitionLog& log, std::int32_t sequence) {
        log.append(make_batch({.base_offset = log.end_offset(),
                               .producer = 4,
                               .epoch = 0,
                               .first_sequence = sequence}));
    };
    const auto verdict = [](const PartitionLog& log, std::int32_t sequence) {
        return log.producers().check({4, 0, sequence, sequence}).verdict;
    };
    using Verdict = mini_broker::Producers::Verdict;
    {
        PartitionLog log{disk, "group", options};
        for (std::int32_t i = 0; i < 4; ++i) write(log, i);
        fill(log, 20);
        CHECK(verdict(log, 3) == Verdict::duplicate);
        CHECK(verdict(log, 4) == Verdict::append);
        log.drop_upto(15);
        sync(log);
    }
    {
        PartitionLog log{disk, "group", options};
        CHECK(verdict(log, 3) == Verdict::duplicate);
        write(log, 4);
        CHECK(verdict(log, 4) == Verdict::duplicate);
        log.truncate_after(log.last_index() - 1);
        CHECK(verdict(log, 4) == Verdict::append);
        CHECK(verdict(log, 3) == Verdict::duplicate);
    }
}

TEST_CASE("A log that is restarted elsewhere holds nothing of what was, also when opened again",
          "[mini_broker][log]") {
    MemoryDisk disk;
    const LogOptions options{.segment_bytes = 3 * kBatch};
    for (const Index next : {Index{5}, Index{500}}) {
        {
            PartitionLog log{disk, "group", options};
            fill(log, 20);
            log.restart_at(next, 77);
            CHECK(log.first_index() == next);
            CHECK(log.last_index() == next - 1);
            CHECK(log.durable_index() == next - 1);
            fill(log, 2);
        }
        PartitionLog log{disk, "group", options};
        CHECK(log.first_index() == next);
        CHECK(log.last_index() == next + 1);
        CHECK(log.start_offset() == 77);
        CHECK(log.end_offset() == 79);
        CHECK(log.durable_index() == next + 1);
    }
}

TEST_CASE("Whoever is told of an entry may append to the log at once", "[mini_broker][log]") {
    MemoryDisk disk;
    PartitionLog log{disk, "group", {.segment_bytes = 3 * kBatch}};
    fill(log, 2000); // more than are kept at hand
    Index seen = 0;
    log.for_each(1, 2000, [&](const Entry& entry, std::string_view) {
        CHECK(entry.index == ++seen);
        if (entry.index % 10 == 0) fill(log, 1);
    });
    CHECK(seen == 2000);
    CHECK(log.last_index() == 2200);
}

} // namespace
