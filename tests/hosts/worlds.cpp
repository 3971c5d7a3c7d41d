#include "hosts/worlds.hpp"

#include "hosts/world.hpp"

namespace hosts {

Verdict run_world(const raft_host& library,
                  std::span<const std::uint8_t> tape,
                  Totals& totals,
                  const WorldMistakes& mistakes,
                  bool traces) {
    World world{library, tape, totals, traces, mistakes};
    return world.run();
}

Tape world_of_seed(std::uint64_t seed) {
    // Some short, most of a dozen or two of faults.
    const std::size_t length = 30 + insync::testing::SeededNumbers{seed}.below(70);
    return ByteTape::of_seed(seed, length).bytes();
}

} // namespace hosts
