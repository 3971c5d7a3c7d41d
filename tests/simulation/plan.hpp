#pragma once

#include <insync/config.hpp>
#include <insync/testing/byte_tape.hpp>
#include <insync/testing/simulated_cluster.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace simulation {

using insync::Epoch;
using insync::Index;
using insync::kNoNode;
using insync::Millis;
using insync::NodeId;
using insync::TimePoint;
using insync::testing::ByteTape;
using insync::testing::GroupNumber;

/// How many partitions a world has at most.
inline constexpr std::size_t kMostGroups = 6;

/// What one world is made of, and which faults it may know: drawn from the tape before anything
/// happens, so that worlds differ in kind and not only in course.
struct Plan {
    insync::IsrConfig config;
    insync::testing::SimulatedOptions cluster;
    std::size_t groups = 1;   ///< more are made in its course
    std::size_t replicas = 3; ///< of each group
    bool refined = false;     ///< the naive model runs beside the managers
    bool noted = false;       ///< views note the answers, and ask the library for the rest
    bool pushes = false;      ///< hosts tell of answers and appends as they come
    bool re_enters = false;   ///< callbacks call the manager
    bool fails_to_allocate = false;
    Millis load_gap{1000};     ///< between two produce requests to a group
    Millis wait{0};            ///< how long an acks=all request waits
    std::uint64_t classes = 0; ///< of faults, one bit each (`Fault`)

    static Plan draw(ByteTape& tape);
};

inline Plan Plan::draw(ByteTape& tape) {
    const auto one_of = [&](const auto& values) { return values[tape.below(std::size(values))]; };
    Plan plan;
    plan.classes = ~(std::uint64_t{tape.byte()} | std::uint64_t{tape.byte()} << 8 |
                     std::uint64_t{tape.byte()} << 16 | std::uint64_t{tape.byte()} << 24);
    plan.cluster.nodes = one_of(std::array<std::size_t, 8>{3, 3, 3, 3, 2, 4, 5, 1});
    plan.replicas = plan.cluster.nodes - (tape.chance(20) ? 1u : 0u);
    plan.replicas = std::max<std::size_t>(plan.replicas, 1);
    plan.groups = one_of(std::array<std::size_t, 4>{2, 1, 3, 4});
    insync::IsrConfig& config = plan.config;
    config.max_lag_ms = Millis{one_of(std::array<int, 4>{10'000, 2000, 5000, 30'000})};
    config.check_interval_ms = config.max_lag_ms / one_of(std::array<int, 4>{10, 8, 5, 2});
    config.max_lag_entries = one_of(std::array<Index, 4>{10'000, 40, 400, ~Index{0}});
    config.min_insync_replicas = static_cast<int>(one_of(std::array<int, 4>{2, 1, 2, 3}));
    plan.cluster.heartbeat = config.max_lag_ms / 20;
    plan.cluster.election_timeout = 3 * plan.cluster.heartbeat;
    plan.cluster.steps_down = !tape.chance(40);
    plan.cluster.seed = tape.byte();
    config.quorum_contact_ms =
        plan.cluster.steps_down ? config.max_lag_ms : plan.cluster.election_timeout * 2;
    plan.refined = !tape.chance(70);
    plan.pushes = tape.chance(50);
    plan.noted = tape.chance(50);
    if (tape.chance(20)) config.damping.join_percent = static_cast<int>(tape.between(20, 99));
    if (!plan.refined) {
        if (tape.chance(20)) config.damping.min_dwell = config.max_lag_ms / 4;
        if (tape.chance(50)) config.damping.max_dwell = config.max_lag_ms;
        plan.re_enters = tape.chance(30);
        plan.fails_to_allocate = tape.chance(30);
    }
    plan.load_gap = config.check_interval_ms * one_of(std::array<int, 4>{1, 2, 1, 10});
    plan.wait = config.max_lag_ms / one_of(std::array<int, 3>{1, 4, 20});
    return plan;
}

} // namespace simulation
