// The small files beside a log, as a crash or a failing disk may leave them: a segment's sidecar,
// where the log begins, the producers' state, a group's term and vote, the commit mark. What is
// read of one, written again, is read as the same.

#include "fuzz/mini_broker/checksums.hpp"
#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"
#include "log/log_start.hpp"
#include "log/producers.hpp"
#include "log/segment_index.hpp"
#include "mini_broker/log/memory_disk.hpp"
#include "raft/commit_mark.hpp"
#include "raft/configuration.hpp"
#include "raft/group_meta.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using namespace mini_broker;
using fuzz::Input;
using fuzz::require;

constexpr std::size_t kCrc = 4;

/// Makes right the checksum in the last bytes, which is over all before.
void repair_end(std::string& bytes) {
    if (bytes.size() < kCrc) return;
    const std::size_t covered = bytes.size() - kCrc;
    fuzz::put_crc(bytes, covered, std::string_view{bytes}.substr(0, covered));
}

void check_sidecar(std::string bytes, bool repair) {
    if (repair) repair_end(bytes);
    const auto sidecar = fuzz::bounded(bytes.size(), [&] { return Sidecar::decode(bytes); });
    require(!sidecar || sidecar->encode() == bytes, "a sidecar has one form");
}

void check_producers(std::string_view bytes) {
    const auto producers = fuzz::bounded(bytes.size(), [&] { return Producers::decode(bytes); });
    if (!producers) return;
    require(producers->size() <= Producers::kProducersKept, "producers are bounded");
    const std::string again = producers->encode();
    const auto second = Producers::decode(again);
    require(second && second->encode() == again, "producers are read again as what they were");
    require(again.size() == bytes.size(), "and none of them is ignored");
}

void check_meta(std::string bytes, bool repair) {
    if (repair) repair_end(bytes);
    const auto meta = fuzz::bounded(bytes.size(), [&] { return GroupMeta::decode(bytes); });
    if (!meta) return;
    require(voters_of(meta->configuration).has_value(), "a group has voters");
    require(GroupMeta::decode(meta->encode()) == meta, "what a group knows is read again");
}

void check_start(std::string bytes, bool repair) {
    constexpr std::size_t kCovered = 8;
    if (repair && bytes.size() >= kCovered)
        fuzz::put_crc(bytes, 4, std::string_view{bytes}.substr(kCovered));
    log_test::MemoryDisk disk;
    disk.replace("g/start", bytes);
    try {
        const LogStart start =
            fuzz::bounded(bytes.size(), [&] { return LogStart::read(disk, "g"); });
        require(start.index > 0 && start.offset >= 0, "a log begins somewhere");
        start.write(disk, "g");
        const LogStart again = LogStart::read(disk, "g");
        require(again.index == start.index && again.offset == start.offset &&
                    again.emptying == start.emptying && again.producers == start.producers,
                "where a log begins is read again");
    } catch (const DiskError&) {
        require(disk.read_whole("g/start") == bytes, "what is damaged is left as it is");
    }
}

void check_mark(std::string bytes, bool repair) {
    constexpr std::size_t kRecord = 12;
    for (std::size_t at = 0; repair && at + kRecord <= bytes.size(); at += kRecord)
        fuzz::put_crc(bytes, at + 8, std::string_view{bytes}.substr(at, 8));
    log_test::MemoryDisk disk;
    disk.replace("g/commit", bytes);
    const Index stored =
        fuzz::bounded(bytes.size(), [&] { return CommitMark{disk, "g"}.stored(); });
    CommitMark mark{disk, "g"};
    require(mark.stored() == stored, "a mark is read again");
    if (stored == ~Index{0}) return;
    mark.store(stored + 1);
    require(CommitMark(disk, "g").stored() == stored + 1, "and moves on from what was there");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    const std::uint64_t file = input.below(5);
    const bool repair = input.flag();
    const std::string bytes{input.rest()};
    switch (file) {
    case 0: check_sidecar(bytes, repair); break;
    case 1: check_producers(bytes); break;
    case 2: check_meta(bytes, repair); break;
    case 3: check_start(bytes, repair); break;
    default: check_mark(bytes, repair); break;
    }
    return 0;
}
