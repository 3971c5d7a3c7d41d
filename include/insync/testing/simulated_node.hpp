#pragma once

#include <insync/testing/byte_tape.hpp>
#include <insync/testing/simulated_events.hpp>
#include <insync/types.hpp>

#include <cstdint>
#include <vector>

namespace insync::testing {

/// A node's clock: true time, with an error of its own. It may run fast or slow, stand still, and
/// jump. Only the node's manager sees it; consensus keeps true time.
class SimulatedTime {
public:
    /// What it shows at the true time `now`.
    [[nodiscard]] TimePoint at(TimePoint now) const noexcept {
        const auto passed = saturating_age(now, since_).count();
        return saturating_add(shown_,
                              Millis{passed / 100 * percent_ + passed % 100 * percent_ / 100});
    }
    /// From `now` on it runs at so many percent of true time; 0 is a clock that stands still.
    void set_rate(TimePoint now, int percent) noexcept { set(now, at(now), percent); }
    /// Puts it to `shown`, forward or back.
    void set_time(TimePoint now, TimePoint shown) noexcept { set(now, shown, percent_); }
    [[nodiscard]] int rate() const noexcept { return static_cast<int>(percent_); }

private:
    void set(TimePoint now, TimePoint shown, Millis::rep percent) noexcept {
        shown_ = shown;
        since_ = now;
        percent_ = percent;
    }

    TimePoint since_{};
    TimePoint shown_{};
    Millis::rep percent_ = 100;
};

/// How often a node's reads of its consensus fail, as those of a busy lock do.
struct ReadQuality {
    unsigned unavailable_percent = 0;
    unsigned torn_percent = 0;          ///< of those that are not unavailable
    TimePoint until = TimePoint::max(); ///< in true time; from then on they are good again
};

/// One machine: whether it runs, its clock, how quick its disk is, and how its reads fare.
struct SimulatedNode {
    bool up = true;
    bool paused = false;
    std::uint64_t generation = 1; ///< counts its starts
    SimulatedTime time;
    Millis flush_delay{0};
    std::vector<SimulatedEvent> held_up; ///< what came while it was paused
    ReadQuality reads;
    mutable SeededNumbers read_numbers; ///< its own, so that a read changes no history
};

/// How messages fare on their way, on every link.
struct NetworkQuality {
    Millis least_delay{1};
    Millis most_delay{1}; ///< where it is above the least, messages overtake each other
    unsigned lost_percent = 0;
    unsigned doubled_percent = 0;
};

} // namespace insync::testing
