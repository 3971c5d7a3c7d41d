#include "raft/group_meta.hpp"

#include "log/record_batch.hpp"
#include "raft/configuration.hpp"

#include <boost/endian/conversion.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace mini_broker {
namespace {

constexpr std::uint64_t kMagic = 0x696e73796e630001; // "insync", then the version
constexpr std::size_t kNumbers = 9;                  // the magic included
constexpr std::size_t kFixed = kNumbers * 8;
constexpr std::size_t kChecksum = 4;
constexpr std::uint64_t kRestarting = 1;
constexpr std::uint64_t kJoining = 2;

} // namespace

std::string GroupMeta::encode() const {
    const std::array<std::uint64_t, kNumbers> numbers{
        kMagic,
        term,
        static_cast<std::uint64_t>(vote),
        snapshot_index,
        snapshot_term,
        static_cast<std::uint64_t>(snapshot_offset),
        configuration_index,
        (restarting ? kRestarting : 0u) | (joining ? kJoining : 0u),
        configuration.size()};
    std::string bytes;
    for (const std::uint64_t number : numbers) {
        const std::uint64_t big = boost::endian::native_to_big(number);
        bytes.append(reinterpret_cast<const char*>(&big), sizeof(big));
    }
    bytes.append(configuration);
    const std::uint32_t checksum = boost::endian::native_to_big(crc32c(bytes));
    return bytes.append(reinterpret_cast<const char*>(&checksum), sizeof(checksum));
}

std::optional<GroupMeta> GroupMeta::decode(std::string_view bytes) {
    if (bytes.size() < kFixed + kChecksum) return std::nullopt;
    const auto* const begin = reinterpret_cast<const unsigned char*>(bytes.data());
    const std::size_t checked = bytes.size() - kChecksum;
    if (boost::endian::load_big_u32(begin + checked) != crc32c(bytes.substr(0, checked)))
        return std::nullopt;
    std::array<std::uint64_t, kNumbers> numbers{};
    for (std::size_t i = 0; i < kNumbers; ++i)
        numbers[i] = boost::endian::load_big_u64(begin + i * 8);
    if (numbers[0] != kMagic || numbers[8] != checked - kFixed) return std::nullopt;
    GroupMeta meta{.term = numbers[1],
                   .vote = static_cast<NodeId>(numbers[2]),
                   .snapshot_index = numbers[3],
                   .snapshot_term = numbers[4],
                   .snapshot_offset = static_cast<Offset>(numbers[5]),
                   .configuration_index = numbers[6],
                   .configuration = std::string(bytes.substr(kFixed, numbers[8])),
                   .restarting = (numbers[7] & kRestarting) != 0,
                   .joining = (numbers[7] & kJoining) != 0};
    if (meta.term == 0 || !voters_of(meta.configuration)) return std::nullopt;
    return meta;
}

} // namespace mini_broker
