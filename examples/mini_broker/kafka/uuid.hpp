#pragma once

#include <array>
#include <cstdint>

namespace mini_broker::kafka {

/// A topic's id; all zeros where there is none.
using Uuid = std::array<std::uint8_t, 16>;

} // namespace mini_broker::kafka
