#pragma once

#include "types.hpp"

#include <functional>

namespace mini_broker {

/// Time, and work that is done elsewhere or later: an event loop, or its simulation.
///
/// Everything of the broker runs on the loop's one thread; no part of it has a lock.
class Loop {
public:
    virtual ~Loop() = default;
    /// Monotonic, the same during one turn of the loop.
    [[nodiscard]] virtual TimePoint now() const noexcept = 0;
    /// Milliseconds since 1970, for what people and clients read.
    [[nodiscard]] virtual std::int64_t wall_ms() const noexcept = 0;
    /// Runs `work` on another thread, then `done` on this one. What `work` throws ends the node.
    virtual void in_background(std::function<void()> work, std::function<void()> done) = 0;
    /// Runs `task` once, `delay` from now or a little later.
    virtual void after(Millis delay, std::function<void()> task) = 0;
};

} // namespace mini_broker
