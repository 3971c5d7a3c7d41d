#pragma once

#include <insync/types.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>

namespace insync {

/// Where the manager's time comes from (S11).
///
/// **You promise**: `now()` is monotonic, does not throw and may be called from any thread.
/// `wall_ms()` is milliseconds since 1970, used only where a metric is a timestamp.
/// **You get**: a `now()` that goes back is treated as standing still, and counted.
template <class C>
concept Clock = requires(const C& clock) {
    { clock.now() } noexcept -> std::same_as<TimePoint>;
    { clock.wall_ms() } noexcept -> std::convertible_to<std::int64_t>;
};

/// The process's monotonic clock: `std::chrono::steady_clock`.
struct SteadyClock {
    [[nodiscard]] TimePoint now() const noexcept {
        const auto since = std::chrono::steady_clock::now().time_since_epoch();
        return TimePoint{std::chrono::duration_cast<Millis>(since)};
    }

    [[nodiscard]] std::int64_t wall_ms() const noexcept {
        const auto since = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration_cast<Millis>(since).count();
    }
};

} // namespace insync
