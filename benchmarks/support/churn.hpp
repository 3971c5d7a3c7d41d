#pragma once

#include "support/lookups.hpp"

#include <cstdint>

namespace bench {

/// ISR changes beside the readers: at each step some replicas leave, or the same come back.
///
/// insync is told of positions and contacts and then sweeps all partitions, which finds what
/// changed. The baselines find theirs in a sweep of their own, or are given the changes.
class Churn {
public:
    Churn(LookupDesigns& all, std::uint32_t changes, std::uint32_t heartbeat_parts)
        : all_(all), changes_(changes), heartbeat_parts_(heartbeat_parts) {}

    void step_ours() {
        PushedWorld& world = all_.ours;
        world.advance_clock();
        world.heartbeat_next(heartbeat_parts_);
        const Index end = (step_ / 2 + 1) * 2 * kMaxLagEntries;
        step([&](std::uint32_t i, bool shrinks) {
            if (shrinks) {
                world.append(i, end);
                world.acknowledge(i, 0, end);
            } else {
                world.catch_up(i, 1);
            }
        });
        world.tick();
    }

    template <class Design>
    void step_given(Design& design) {
        step([&](std::uint32_t i, bool shrinks) {
            const auto [topic, partition] = all_.topology[i];
            design.set_members(topic, partition, shrinks ? 0b011 : kAllInSync);
        });
    }

    /// Calls `change(partition, shrinks)` for the partitions whose turn it is.
    template <class Change>
    void step(const Change& change) {
        const bool shrinks = step_ % 2 == 0;
        const std::uint32_t stride = all_.topology.partitions() / changes_;
        for (std::uint32_t i = 0; i < changes_; ++i)
            change(i * stride + step_ / 2 % stride, shrinks);
        ++step_;
    }

private:
    LookupDesigns& all_;
    std::uint32_t changes_;
    std::uint32_t heartbeat_parts_;
    std::uint32_t step_ = 0;
};

} // namespace bench
