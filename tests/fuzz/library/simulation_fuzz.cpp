// The library in its simulated cluster, every choice of which is a byte of the input: what
// tests/simulation checks after each event must hold.

#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"
#include "simulation/run_tape.hpp"

#include <fmt/format.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    simulation::Totals totals;
    const simulation::Verdict verdict = simulation::run_tape({data, size}, totals);
    fuzz::require(verdict.ok(), fmt::format("{}: {}", verdict.rule, verdict.what));
    return 0;
}
