#pragma once

#include "simulation/verdict.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace simulation {

/// Lives through one tape: the entry for seeds, fuzzers and the shrinker alike. The same tape gives
/// the same verdict on every machine.
/// \param totals  what the world did is added to it
/// \param traces  whether the verdict tells how it came about
Verdict run_tape(std::span<const std::uint8_t> tape, Totals& totals, bool traces = false);

/// The tape of a seed, as long as a run of many seeds wants it.
std::vector<std::uint8_t> tape_of_seed(std::uint64_t seed);

} // namespace simulation
