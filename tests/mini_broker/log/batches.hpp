#pragma once

#include "log/record_batch.hpp"

#include <boost/endian/conversion.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace log_test {

using mini_broker::Offset;
using mini_broker::Term;

/// What a test wants to be in a client's batch.
struct Wanted {
    Offset base_offset = 0;
    Term term = 1;
    std::int32_t records = 1;
    std::int64_t timestamp = 1000;
    std::int64_t producer = -1;
    std::int16_t epoch = -1;
    std::int32_t first_sequence = -1;
    std::size_t body = 20; ///< bytes of records, which no log looks at
    char fill = 'r';
};

/// A batch as a client sends it, but for position and what the records hold.
inline std::string make_batch(const Wanted& wanted) {
    std::string batch(mini_broker::kBatchHeader, '\0');
    batch.append(wanted.body, wanted.fill);
    const auto at = [&](std::size_t position) {
        return reinterpret_cast<unsigned char*>(batch.data()) + position;
    };
    boost::endian::store_big_s32(at(8), static_cast<std::int32_t>(batch.size() - 12));
    batch[16] = 2;
    boost::endian::store_big_s32(at(23), wanted.records - 1);
    boost::endian::store_big_s64(at(27), wanted.timestamp);
    boost::endian::store_big_s64(at(35), wanted.timestamp);
    boost::endian::store_big_s64(at(43), wanted.producer);
    boost::endian::store_big_s16(at(51), wanted.epoch);
    boost::endian::store_big_s32(at(53), wanted.first_sequence);
    boost::endian::store_big_s32(at(57), wanted.records);
    mini_broker::set_position(batch, wanted.base_offset, wanted.term);
    boost::endian::store_big_u32(at(17), mini_broker::crc32c(std::string_view{batch}.substr(21)));
    return batch;
}

} // namespace log_test
