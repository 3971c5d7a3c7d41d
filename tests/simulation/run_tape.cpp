#include "simulation/run_tape.hpp"

#include "simulation/world.hpp"

namespace simulation {

Verdict run_tape(std::span<const std::uint8_t> tape, Totals& totals, const RunOptions& options) {
    World world{ByteTape{tape}, totals, options};
    return world.run();
}

std::vector<std::uint8_t> tape_of_seed(std::uint64_t seed) {
    // Some short, most of some dozens of faults.
    const std::size_t length = 60 + insync::testing::SeededNumbers{seed}.below(240);
    return ByteTape::of_seed(seed, length).bytes();
}

} // namespace simulation
