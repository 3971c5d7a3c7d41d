#include "raft/commit_mark.hpp"

#include "log/record_batch.hpp"

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mini_broker {
namespace {

// An index and its CRC. They are appended, so that a write which is torn leaves the one before.
constexpr std::size_t kRecord = 12;
constexpr std::size_t kMostBytes = 1024 * kRecord;
constexpr Millis kBetween{1000};

std::string record_of(Index commit) {
    std::array<unsigned char, kRecord> record{};
    boost::endian::store_big_u64(record.data(), commit);
    const auto* const bytes = reinterpret_cast<const char*>(record.data());
    boost::endian::store_big_u32(record.data() + 8, crc32c({bytes, 8}));
    return {bytes, kRecord};
}

} // namespace

CommitMark::CommitMark(Disk& disk, const std::string& directory)
    : disk_(disk), path_(directory + "/commit"), file_(disk.open(path_)) {
    std::string bytes(std::min<std::uint64_t>(file_->size(), 2 * kMostBytes), '\0');
    bytes.resize(file_->read(0, bytes.data(), bytes.size()));
    for (std::size_t at = 0; at + kRecord <= bytes.size(); at += kRecord) {
        const auto* const record = reinterpret_cast<const unsigned char*>(bytes.data() + at);
        if (boost::endian::load_big_u32(record + 8) == crc32c({bytes.data() + at, 8}))
            stored_ = std::max<Index>(stored_, boost::endian::load_big_u64(record));
    }
    // A torn end would misplace whatever is appended behind it.
    if (file_->size() % kRecord != 0) begin_anew(stored_);
}

void CommitMark::store_if_due(Index commit, TimePoint now) {
    if (now < due_) return;
    due_ = now + kBetween;
    store(commit);
}

void CommitMark::store(Index commit) {
    if (commit <= stored_) return;
    if (file_->size() >= kMostBytes)
        begin_anew(commit);
    else {
        const std::string bytes = record_of(commit);
        const std::string_view part = bytes;
        file_->append(std::span(&part, 1));
    }
    stored_ = commit;
}

void CommitMark::begin_anew(Index commit) {
    disk_.replace(path_, record_of(commit));
    file_ = disk_.open(path_);
}

} // namespace mini_broker
