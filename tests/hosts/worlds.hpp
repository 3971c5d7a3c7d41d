#pragma once

#include "hosts/world_plan.hpp"

#include <cstdint>
#include <span>

namespace hosts {

/// Lives through one tape on a library: the same tape is the same world each time.
Verdict run_world(const raft_host& library,
                  std::span<const std::uint8_t> tape,
                  Totals& totals,
                  const WorldMistakes& mistakes = {},
                  bool traces = false);

/// The tape of a seed.
Tape world_of_seed(std::uint64_t seed);

} // namespace hosts
