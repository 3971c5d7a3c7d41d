#pragma once

#include "types.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <utility>

namespace mini_broker::simulation {

/// Virtual time, what is to happen in it, and the one source of every choice: a world is the same
/// each time that its seed is.
class World {
public:
    explicit World(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] TimePoint now() const noexcept { return now_; }
    void after(Millis delay, std::function<void()> task) {
        tasks_.emplace(std::pair{now_ + delay, next_++}, std::move(task));
    }
    /// Runs all that is due within `span`.
    void run_for(Millis span) {
        const TimePoint end = now_ + span;
        while (!tasks_.empty() && tasks_.begin()->first.first <= end) run_next();
        now_ = end;
    }

    // The distributions of the standard library differ between its makers.
    [[nodiscard]] std::uint64_t between(std::uint64_t least, std::uint64_t most) {
        return least + random_() % (most - least + 1);
    }
    [[nodiscard]] Millis between(Millis least, Millis most) {
        return least + Millis(static_cast<Millis::rep>(
                           between(0, static_cast<std::uint64_t>((most - least).count()))));
    }
    [[nodiscard]] bool chance(unsigned percent) { return random_() % 100 < percent; }

private:
    void run_next() {
        const auto first = tasks_.begin();
        const std::function<void()> task = std::move(first->second);
        now_ = first->first.first;
        tasks_.erase(first);
        task();
    }

    std::mt19937_64 random_;
    TimePoint now_{Millis{1000}};
    std::uint64_t next_ = 0;
    std::map<std::pair<TimePoint, std::uint64_t>, std::function<void()>> tasks_;
};

} // namespace mini_broker::simulation
