#pragma once

#include <insync/clock.hpp>
#include <insync/types.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace insync::testing {

/// A clock that moves only when a test moves it (S11).
///
/// Copies share one time: the manager keeps its clock by value, and the test holds another copy of
/// the same. Both of its times stand still until they are told otherwise.
///
/// \par Thread safety
///     Safe: every member may be called from any thread. The two times are two atomics, so a reader
///     may see one of them moved by `advance` and the other one not yet.
///
/// **Example**:
///
///     insync::testing::ManualClock clock;
///     insync::IsrManager isr{1, view, config, clock};
///     clock.advance(1s);
///     isr.tick();
class ManualClock {
public:
    /// Any moment will do as a start: only differences mean anything. The wall clock's default is
    /// not 0, because a wall time of 0 stands for "never" in the reports.
    explicit ManualClock(TimePoint start = TimePoint{}, std::int64_t wall_ms = 1'600'000'000'000)
        : time_(std::make_shared<Time>(start.time_since_epoch().count(), wall_ms)) {}

    [[nodiscard]] TimePoint now() const noexcept {
        return TimePoint{Millis{time_->monotonic.load(std::memory_order_acquire)}};
    }
    [[nodiscard]] std::int64_t wall_ms() const noexcept {
        return time_->wall.load(std::memory_order_acquire);
    }

    /// Lets time pass: moves both times on.
    void advance(Millis by) const noexcept {
        time_->wall.fetch_add(by.count(), std::memory_order_acq_rel);
        time_->monotonic.fetch_add(by.count(), std::memory_order_acq_rel);
    }

    /// Puts the monotonic time anywhere, also back: a broken clock is what such a test is about.
    /// The wall clock stays where it is.
    void set(TimePoint now) const noexcept {
        time_->monotonic.store(now.time_since_epoch().count(), std::memory_order_release);
    }

    /// Puts the wall clock anywhere, as an administrator or NTP does. Monotonic time stays.
    void set_wall_ms(std::int64_t wall_ms) const noexcept {
        time_->wall.store(wall_ms, std::memory_order_release);
    }

private:
    struct Time {
        Time(Millis::rep monotonic_ms, std::int64_t wall_ms) noexcept
            : monotonic(monotonic_ms), wall(wall_ms) {}
        std::atomic<Millis::rep> monotonic;
        std::atomic<std::int64_t> wall;
    };

    std::shared_ptr<Time> time_;
};

static_assert(Clock<ManualClock>);

} // namespace insync::testing
