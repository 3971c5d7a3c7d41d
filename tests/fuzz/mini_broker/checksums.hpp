#pragma once

#include "log/record_batch.hpp"

#include <boost/endian/conversion.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fuzz {

/// CRC-32C bit by bit, from the polynomial.
inline std::uint32_t reference_crc32c(std::string_view bytes) {
    std::uint32_t crc = ~0u;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f6'3b78 : 0);
    }
    return ~crc;
}

inline void put_crc(std::string& bytes, std::size_t at, std::string_view covered) {
    boost::endian::store_big_u32(reinterpret_cast<unsigned char*>(bytes.data()) + at,
                                 mini_broker::crc32c(covered));
}

/// Makes right the checksums of the record batches that begin at `from`, one after another, as far
/// as their lengths go: no fuzzer finds those by itself.
inline void repair_batches(std::string& bytes, std::size_t from = 0) {
    constexpr std::size_t kCrc = 17;
    constexpr std::size_t kCovered = 21;
    while (from < bytes.size()) {
        const auto left = std::string_view{bytes}.substr(from);
        const auto size = mini_broker::batch_size(left);
        if (!size || *size > left.size()) return;
        put_crc(bytes, from + kCrc, left.substr(kCovered, *size - kCovered));
        from += *size;
    }
}

} // namespace fuzz
