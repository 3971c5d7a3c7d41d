#pragma once

#include "simulation/verdict.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace simulation {

struct RunOptions {
    bool traces = false; ///< the verdict tells how it came about
    /// Worlds that are to fail allocations do, in programs that can; else they are as all others,
    /// and the same in every program.
    bool fails_allocations = true;
};

/// Lives through one tape: the entry for seeds, fuzzers and the shrinker alike. The same tape gives
/// the same verdict each time. What the world did is added to `totals`.
Verdict run_tape(std::span<const std::uint8_t> tape,
                 Totals& totals,
                 const RunOptions& options = {});

/// The tape of a seed, as long as a run of many seeds wants it.
std::vector<std::uint8_t> tape_of_seed(std::uint64_t seed);

} // namespace simulation
