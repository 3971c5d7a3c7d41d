#pragma once

#include <insync/types.hpp>

#include <atomic>
#include <cstdint>

namespace insync::detail {

/// A moment in four bytes: milliseconds since the manager's origin, modulo 2^32.
///
/// Two stamps compare rightly while they are less than 2^31 ms (24 days) apart. What is kept longer
/// is held within `kMaxAge` of now by `clamp`, at each sweep that looks at it; a stamp that no
/// sweep looks at belongs to a follower that was in contact within `max_lag_ms`.
struct Stamp {
    std::uint32_t value = 0;

    friend bool operator==(Stamp, Stamp) = default;
};

/// Ages saturate here, 12 days: far beyond every limit that a replica could be judged by.
inline constexpr std::uint32_t kMaxAge = 1u << 30;

/// Milliseconds from `then` to `now`; 0 when `then` is the later one.
[[nodiscard]] constexpr std::uint32_t age(Stamp now, Stamp then) noexcept {
    const auto gap = static_cast<std::int32_t>(now.value - then.value);
    return gap < 0 ? 0 : static_cast<std::uint32_t>(gap);
}

[[nodiscard]] constexpr bool is_later(Stamp a, Stamp b) noexcept {
    return static_cast<std::int32_t>(a.value - b.value) > 0;
}

[[nodiscard]] constexpr Stamp later(Stamp a, Stamp b) noexcept {
    return is_later(a, b) ? a : b;
}
[[nodiscard]] constexpr Stamp earlier(Stamp a, Stamp b) noexcept {
    return is_later(a, b) ? b : a;
}
[[nodiscard]] constexpr Stamp after(Stamp t, std::uint32_t ms) noexcept {
    return Stamp{t.value + ms};
}
/// So long ago that no limit is kept: what "never heard of" means at `now`.
[[nodiscard]] constexpr Stamp long_before(Stamp now) noexcept {
    return Stamp{now.value - kMaxAge};
}
[[nodiscard]] constexpr Stamp clamp(Stamp t, Stamp now) noexcept {
    return age(now, t) > kMaxAge ? long_before(now) : t;
}

/// Translates between the host's time points and stamps.
///
/// A clock that jumps ahead by more than `kMostAtOnce` is taken to have gone on by that much: what
/// was old before is out of every limit afterwards, and stamps stay comparable.
class Timeline {
public:
    static constexpr std::uint64_t kMostAtOnce = kMaxAge / 2;

    explicit Timeline(TimePoint origin) noexcept : origin_(origin) {}

    [[nodiscard]] Stamp stamp(TimePoint t) const noexcept {
        const std::uint64_t skipped = skipped_.load(std::memory_order_relaxed);
        return Stamp{static_cast<std::uint32_t>(since_origin(t) - skipped)};
    }
    /// The stamp of `t` as seen at `now`: never later than `now`, at most `kMaxAge` before it.
    [[nodiscard]] Stamp stamp(TimePoint t, TimePoint now) const noexcept {
        const auto gap = saturating_age(now, t).count();
        const auto ms = gap < std::int64_t{kMaxAge} ? static_cast<std::uint32_t>(gap) : kMaxAge;
        return Stamp{stamp(now).value - ms};
    }
    [[nodiscard]] TimePoint time(Stamp s, TimePoint now) const noexcept {
        return now - Millis{static_cast<std::int64_t>(age(stamp(now), s))};
    }
    /// Milliseconds from the origin.
    [[nodiscard]] std::uint64_t since_origin(TimePoint t) const noexcept {
        return static_cast<std::uint64_t>(t.time_since_epoch().count()) -
               static_cast<std::uint64_t>(origin_.time_since_epoch().count());
    }
    [[nodiscard]] TimePoint from_origin(std::uint64_t ms) const noexcept {
        const auto count = static_cast<std::uint64_t>(origin_.time_since_epoch().count()) + ms;
        return TimePoint{Millis{static_cast<std::int64_t>(count)}};
    }

    /// Told once of every step of the clock, by whoever saw it first.
    void step(Millis ahead) noexcept {
        const auto ms = static_cast<std::uint64_t>(ahead.count());
        if (ms > kMostAtOnce) skipped_.fetch_add(ms - kMostAtOnce, std::memory_order_relaxed);
    }

private:
    TimePoint origin_;
    std::atomic<std::uint64_t> skipped_{0};
};

} // namespace insync::detail
