#include "io/real_disk.hpp"
#include "log/partition_log.hpp"
#include "mini_broker/log/batches.hpp"
#include "mini_broker/log/memory_disk.hpp"
#include "mini_broker/log/naive_log.hpp"
#include "mini_broker/log/temporary_directory.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace log_test;
using mini_broker::LogOptions;
using mini_broker::RealDisk;

constexpr LogOptions kSmall{.segment_bytes = 600};

std::string segment(Index first) {
    const std::string number = std::to_string(first);
    return "group/" + std::string(20 - number.size(), '0') + number;
}

/// Appends entries of several kinds, sizes and terms to both.
void fill(PartitionLog& log, NaiveLog& naive, int count) {
    for (int i = 0; i < count; ++i) {
        const Term term = 1 + static_cast<Term>(naive.last() / 4);
        const std::string batch =
            i % 4 == 3 ? mini_broker::make_entry(EntryKind::command, term, naive.end(), "new", 9)
                       : make_batch({.base_offset = naive.end(),
                                     .term = term,
                                     .records = 1 + i % 3,
                                     .producer = i % 2,
                                     .epoch = 0,
                                     .first_sequence = i,
                                     .body = static_cast<std::size_t>(10 + 17 * (i % 5))});
        naive.batches.push_back(batch);
        log.append(batch);
    }
}

void sync(PartitionLog& log) {
    auto begun = log.begin_sync();
    if (!begun) return;
    begun->work();
    REQUIRE(log.end_sync(*begun));
}

/// A log of some segments, all but the last with a sidecar, as a list.
NaiveLog make_log(MemoryDisk& disk) {
    NaiveLog naive;
    PartitionLog log{disk, "group", kSmall};
    fill(log, naive, 23);
    sync(log);
    return naive;
}

/// The first entries of the segments on the disk.
std::vector<Index> segments_of(MemoryDisk& disk) {
    std::vector<Index> firsts;
    for (const std::string& name : disk.list("group")) {
        if (name.ends_with(".log")) firsts.push_back(std::stoull(name));
    }
    return firsts;
}

TEST_CASE("A log cut at any byte of its end is opened with the entries that are still whole",
          "[mini_broker][log]") {
    MemoryDisk whole;
    const NaiveLog all = make_log(whole);
    const Index first = segments_of(whole).back();
    const std::string bytes = whole.bytes_of(segment(first) + ".log");
    REQUIRE(bytes.size() > 200);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        INFO("cut to " << size << " of " << bytes.size() << " bytes");
        MemoryDisk disk;
        NaiveLog naive = make_log(disk);
        disk.bytes_of(segment(first) + ".log").resize(size);
        std::size_t left = size;
        Index last = first - 1;
        while (last < all.last() && all.batch(last + 1).size() <= left) {
            left -= all.batch(++last).size();
        }
        naive.truncate_after(last);
        {
            PartitionLog log{disk, "group", kSmall};
            check_content(log, naive);
            REQUIRE(log.durable_index() == last);
            fill(log, naive, 7);
            check_content(log, naive);
        }
        check_content(PartitionLog{disk, "group", kSmall}, naive);
    }
}

TEST_CASE("A log with a flipped byte in its last file ends before that entry",
          "[mini_broker][log]") {
    MemoryDisk whole;
    const NaiveLog all = make_log(whole);
    const Index first = segments_of(whole).back();
    const std::size_t size = whole.bytes_of(segment(first) + ".log").size();
    for (std::size_t at = 0; at < size; ++at) {
        INFO("byte " << at << " of " << size);
        MemoryDisk disk;
        NaiveLog naive = make_log(disk);
        char& byte = disk.bytes_of(segment(first) + ".log")[at];
        byte = static_cast<char>(byte ^ 0x55);
        Index spoiled = first;
        std::size_t end = all.batch(first).size();
        std::size_t begin = 0;
        while (at >= end) {
            begin = end;
            end += all.batch(++spoiled).size();
        }
        const PartitionLog log{disk, "group", kSmall};
        // The leader epoch lies outside the CRC; only one that is too small is seen.
        const bool epoch = at - begin >= 12 && at - begin < 16;
        if (epoch && log.last_index() >= spoiled) continue;
        naive.truncate_after(spoiled - 1);
        check_content(log, naive);
    }
}

TEST_CASE("Whatever follows the last whole batch is cut, if it is zeros or anything else",
          "[mini_broker][log]") {
    for (const std::string& rest :
         {std::string(1, '\0'), std::string(5000, '\0'), std::string(70, '\xff'),
          std::string("\0\0\0\0\0\0\0\0\x7f\xff\xff\xff", 12), make_batch({.base_offset = 3})}) {
        MemoryDisk disk;
        const NaiveLog naive = make_log(disk);
        disk.bytes_of(segment(segments_of(disk).back()) + ".log") += rest;
        const PartitionLog log{disk, "group", kSmall};
        check_content(log, naive);
    }
}

TEST_CASE("A sidecar that is missing or damaged is made anew from its segment",
          "[mini_broker][log]") {
    MemoryDisk whole;
    (void)make_log(whole);
    const std::vector<Index> firsts = segments_of(whole);
    REQUIRE(firsts.size() > 3);
    for (std::size_t i = 0; i + 1 < firsts.size(); ++i) {
        const std::string name = segment(firsts[i]) + ".index";
        const std::string due = whole.bytes_of(name);
        for (std::size_t at = 0; at <= due.size(); ++at) {
            MemoryDisk disk;
            const NaiveLog naive = make_log(disk);
            if (at == due.size())
                disk.remove(name);
            else
                disk.bytes_of(name)[at] = static_cast<char>(due[at] + 1);
            check_content(PartitionLog{disk, "group", kSmall}, naive);
            REQUIRE(disk.bytes_of(name) == due);
        }
    }
}

TEST_CASE("Damage to what was durable is an error and is left as it is", "[mini_broker][log]") {
    MemoryDisk disk;
    (void)make_log(disk);
    const std::vector<Index> firsts = segments_of(disk);
    SECTION("a closed segment is shorter than it was") {
        disk.bytes_of(segment(firsts[1]) + ".log").pop_back();
    }
    SECTION("a closed segment is spoiled and its sidecar gone") {
        disk.bytes_of(segment(firsts[1]) + ".log")[70] ^= 1;
        disk.remove(segment(firsts[1]) + ".index");
    }
    SECTION("a segment in the middle is gone") {
        disk.remove(segment(firsts[1]) + ".log");
    }
    SECTION("the first segment is gone") {
        disk.remove(segment(firsts[0]) + ".log");
    }
    SECTION("where the log starts is spoiled") {
        PartitionLog{disk, "group", kSmall}.drop_upto(firsts[1]);
        disk.bytes_of("group/start")[12] ^= 1;
    }
    const std::string before = disk.bytes_of(segment(firsts[2]) + ".log");
    for (int i = 0; i < 2; ++i) {
        CHECK_THROWS_AS((PartitionLog{disk, "group", kSmall}), DiskError);
    }
    CHECK(disk.bytes_of(segment(firsts[2]) + ".log") == before);
}

TEST_CASE("What a crash left of a log that was being dropped or emptied is removed",
          "[mini_broker][log]") {
    MemoryDisk reference;
    NaiveLog naive = make_log(reference);
    const Index kept = segments_of(reference)[2];
    for (std::uint64_t writes = 0; writes < 30; ++writes) {
        INFO("the disk fails at write " << writes);
        for (const bool emptied : {false, true}) {
            MemoryDisk disk;
            (void)make_log(disk);
            {
                PartitionLog log{disk, "group", kSmall};
                disk.fail_at(writes);
                try {
                    if (emptied)
                        log.restart_at(7, 3);
                    else
                        log.drop_upto(kept - 1);
                } catch (const DiskError&) {
                    REQUIRE(disk.failed());
                }
            }
            property::Random random{writes + 1};
            disk.lose_power(random);
            NaiveLog due = naive;
            const PartitionLog log{disk, "group", kSmall};
            if (emptied && writes > 0) {
                due = {.origin = 7, .origin_offset = 3, .first = 7, .batches = {}};
            } else if (!emptied) {
                due.first = log.first_index();
                REQUIRE(due.first == (writes == 0 ? 1 : kept));
            }
            check_content(log, due);
            const std::vector<Index> firsts = segments_of(disk);
            REQUIRE(*std::min_element(firsts.begin(), firsts.end()) == due.first);
        }
    }
}

TEST_CASE("A log on real files is the same when opened again", "[mini_broker][log][disk]") {
    const TemporaryDirectory directory;
    RealDisk disk{directory.path()};
    NaiveLog naive;
    for (int round = 0; round < 6; ++round) {
        PartitionLog log{disk, "groups/1", kSmall};
        check_content(log, naive);
        fill(log, naive, 20);
        if (round % 2 == 0) sync(log);
        naive.truncate_after(naive.last() - static_cast<Index>(3 * round));
        log.truncate_after(log.last_index() - static_cast<Index>(3 * round));
        log.drop_upto(log.first_index() + 6);
        naive.first = log.first_index();
        check_content(log, naive);
    }
    CHECK(naive.first > 1);
}

} // namespace
