#pragma once

#include "io/loop.hpp"
#include "mini_broker/simulation/sim_world.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace mini_broker::simulation {

/// The event loop of one run of a node: what it was to do dies with it.
class SimLoop : public Loop {
public:
    /// Runs a task as one turn of the node, and catches what ends the node.
    using Turn = std::function<void(const std::function<void()>&)>;

    SimLoop(World& world, Turn turn, bool slow_syncs = true)
        : world_(world),
          turn_(std::move(turn)),
          slow_percent_(!slow_syncs        ? 0
                        : world.chance(20) ? 60
                                           : 5) {}

    [[nodiscard]] TimePoint now() const noexcept override { return world_.now(); }
    [[nodiscard]] std::int64_t wall_ms() const noexcept override {
        return 1'700'000'000'000 + world_.now().time_since_epoch().count();
    }
    void after(Millis delay, std::function<void()> task) override {
        enter(delay + world_.between(Millis{0}, Millis{2}), std::move(task));
    }
    /// The work takes effect at some instant; that it did is known only later.
    void in_background(std::function<void()> work, std::function<void()> done) override {
        if (holds_) {
            held_.emplace_back(std::move(work), std::move(done));
            return;
        }
        const Millis longest = world_.chance(slow_percent_) ? Millis{400} : Millis{8};
        const Millis begin = world_.between(Millis{0}, longest);
        enter(begin, [this, longest, work = std::move(work), done = std::move(done)] {
            work();
            enter(world_.between(Millis{0}, longest), done);
        });
    }

    /// Nothing in the background begins until it is released.
    void hold_background() { holds_ = true; }
    void release_background() {
        holds_ = false;
        for (auto& [work, done] : std::exchange(held_, {}))
            in_background(std::move(work), std::move(done));
    }

private:
    void enter(Millis delay, std::function<void()> task) {
        world_.after(delay, [this, run = std::weak_ptr<bool>(run_), task = std::move(task)] {
            if (!run.expired()) turn_(task);
        });
    }

    World& world_;
    Turn turn_;
    bool holds_ = false;
    std::vector<std::pair<std::function<void()>, std::function<void()>>> held_;
    unsigned slow_percent_; ///< of what is done in the background
    std::shared_ptr<bool> run_ = std::make_shared<bool>(true);
};

} // namespace mini_broker::simulation
