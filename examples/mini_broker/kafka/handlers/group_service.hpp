#pragma once

#include "cluster/controller.hpp"
#include "io/loop.hpp"
#include "kafka/groups/coordinator.hpp"
#include "types.hpp"

#include <cstdint>
#include <functional>

namespace mini_broker::kafka {

/// Consumer groups on this node: it coordinates all of them while it leads the metadata group, in
/// whose log the committed offsets are, and none otherwise.
class GroupService {
public:
    GroupService(Controller& controller, Loop& loop, std::function<std::uint32_t()> random);

    /// Whether this node coordinates, and knows every offset that was committed before.
    [[nodiscard]] bool active() const;
    [[nodiscard]] Coordinator& coordinator() noexcept { return coordinator_; }
    void tick();

private:
    Controller& controller_;
    Loop& loop_;
    Coordinator coordinator_;
    bool was_active_ = false;
    TimePoint next_tick_{};
};

} // namespace mini_broker::kafka
