#pragma once

#include "kafka/api.hpp"
#include "kafka/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mini_broker::kafka {

struct RequestHeader {
    std::int16_t api_key = 0;
    std::int16_t api_version = 0;
    std::int32_t correlation_id = 0;
    std::optional<std::string> client_id;
    const Api* api = nullptr; ///< null for a key that is not served
    std::string_view body;    ///< in the frame

    /// Otherwise nothing but the numbers was read, and there is no body: what follows them is
    /// anyone's guess. The answer is to close the connection, but for ApiVersions.
    [[nodiscard]] bool accepted() const noexcept {
        return api != nullptr && api->accepts(api_version);
    }
};

/// Reads the header of a request, of which the length is not a part. Nothing if it is malformed.
[[nodiscard]] std::optional<RequestHeader> parse_header(std::string_view frame);

/// Appends a request's header, the length excluded.
void append_header(const RequestHeader& header, std::string& out);
/// The same for a response's. That of ApiVersions is never flexible: its reader may not know the
/// version yet.
void append_response_header(ApiKey key, int version, std::int32_t correlation_id, std::string& out);

/// Begins a frame in `out`: room for its length. `end_frame` fills that in.
[[nodiscard]] std::size_t begin_frame(std::string& out);
void end_frame(std::size_t begun, std::string& out) noexcept;

/// Appends a whole response: length, header and body.
template <class Response>
void append_response(const Response& response,
                     int version,
                     std::int32_t correlation_id,
                     std::string& out) {
    const std::size_t begun = begin_frame(out);
    append_response_header(Response::kApi, version, correlation_id, out);
    encode(response, version, out);
    end_frame(begun, out);
}

} // namespace mini_broker::kafka
