#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

namespace mini_broker {

/// Reads CBOR (RFC 8949) that another node sent or a log holds. Nothing for what is none, and for
/// what is nested deeper than anything that this broker writes, as reading it takes stack.
[[nodiscard]] std::optional<nlohmann::json> parse_cbor(std::string_view bytes);

} // namespace mini_broker
