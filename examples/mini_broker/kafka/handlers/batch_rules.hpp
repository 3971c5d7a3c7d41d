#pragma once

#include "kafka/errors.hpp"
#include "log/record_batch.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mini_broker::kafka {

/// What the bytes of one partition of a produce request are, before anybody asks whether they may
/// be appended.
struct BatchShape {
    Error error = Error::none;
    std::string message; ///< for a person, with an error
    BatchHeader header;
};

/// Whether the bytes are exactly one record batch that a client may send. Looks at the header
/// alone, not at the CRC.
[[nodiscard]] BatchShape check_shape(std::optional<std::string_view> records);

} // namespace mini_broker::kafka
