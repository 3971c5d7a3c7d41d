#pragma once

#include "io/loop.hpp"
#include "raft/view.hpp"

#include <insync/isr_manager.hpp>

namespace mini_broker {

/// The manager's time: the system's monotonic clock, which is the loop's too, or in a simulation
/// the loop's own. Readers on other threads must not ask a real loop.
struct BrokerClock {
    const Loop* simulated = nullptr;

    [[nodiscard]] TimePoint now() const noexcept {
        return simulated != nullptr ? simulated->now() : insync::SteadyClock{}.now();
    }
    [[nodiscard]] std::int64_t wall_ms() const noexcept {
        return simulated != nullptr ? simulated->wall_ms() : insync::SteadyClock{}.wall_ms();
    }
};

/// What tracks the in-sync replicas of this node's partitions.
using Isr = insync::IsrManager<RaftView, BrokerClock>;

} // namespace mini_broker

// Compiled once, in isr.cpp: a dozen files call it.
extern template class insync::IsrManager<mini_broker::RaftView, mini_broker::BrokerClock>;
