#include "kafka/header.hpp"

#include "kafka/wire.hpp"

#include <boost/endian/conversion.hpp>

namespace mini_broker::kafka {

std::optional<RequestHeader> parse_header(std::string_view frame) {
    RequestHeader header;
    Reader reader(frame, 0, false); // the client id's length is never compact
    reader.all(header.api_key, header.api_version, header.correlation_id);
    header.api = find_api(header.api_key);
    if (reader.ok() && header.accepted()) {
        reader.field(header.client_id);
        if (header.api->flexible(header.api_version)) reader.skip_tags();
        header.body = reader.rest();
    }
    if (!reader.ok()) return std::nullopt;
    return header;
}

void append_header(const RequestHeader& header, std::string& out) {
    Writer writer(out, 0, false);
    writer.all(header.api_key, header.api_version, header.correlation_id, header.client_id);
    const Api* const api = find_api(header.api_key);
    if (api != nullptr && api->flexible(header.api_version)) out.push_back('\0'); // no tags
}

void append_response_header(ApiKey key,
                            int version,
                            std::int32_t correlation_id,
                            std::string& out) {
    Writer(out, 0, false).field(correlation_id);
    if (key != ApiKey::api_versions && api(key).flexible(version)) out.push_back('\0'); // no tags
}

std::size_t begin_frame(std::string& out) {
    const std::size_t begun = out.size();
    out.append(4, '\0');
    return begun;
}

void end_frame(std::size_t begun, std::string& out) noexcept {
    const auto size = static_cast<std::uint32_t>(out.size() - begun - 4);
    boost::endian::store_big_u32(reinterpret_cast<unsigned char*>(&out[begun]), size);
}

} // namespace mini_broker::kafka
