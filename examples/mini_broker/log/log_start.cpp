#include "log/log_start.hpp"

#include "log/fields.hpp"
#include "log/record_batch.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace mini_broker {
namespace {

constexpr std::uint32_t kMagic = 0x6d62'7331; // "mbs1"

std::string path_in(const std::string& directory) {
    return directory + "/start";
}

} // namespace

LogStart LogStart::read(Disk& disk, const std::string& directory) {
    const auto bytes = disk.read_whole(path_in(directory));
    if (!bytes) return {};
    FieldTaker taker{*bytes};
    const auto magic = taker.take<std::uint32_t>();
    const auto crc = taker.take<std::uint32_t>();
    const bool whole = taker.whole() && magic == kMagic && crc == crc32c(taker.rest());
    LogStart start;
    start.index = taker.take<Index>();
    start.offset = taker.take<Offset>();
    start.emptying = taker.take<std::uint8_t>() != 0;
    start.producers = taker.rest();
    if (!whole || !taker.whole() || start.index == 0 || start.offset < 0) {
        throw DiskError(fmt::format("{}: damaged", path_in(directory)));
    }
    return start;
}

void LogStart::write(Disk& disk, const std::string& directory) const {
    std::string body;
    put_field(body, index);
    put_field(body, offset);
    put_field(body, static_cast<std::uint8_t>(emptying ? 1 : 0));
    body += producers;
    std::string bytes;
    put_field(bytes, kMagic);
    put_field(bytes, crc32c(body));
    disk.replace(path_in(directory), bytes + body);
}

} // namespace mini_broker
