#include "property/model_world.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdio>

namespace {

using namespace property;

/// Worlds of `kSteps` steps each; INSYNC_SEED replays one, INSYNC_WORLDS runs more of them.
template <class View>
void run(std::string_view what) {
    constexpr std::size_t kSteps = 1500;
    const std::uint64_t replayed = from_environment("INSYNC_SEED", 0);
    const std::uint64_t first = replayed != 0 ? replayed : 1;
    const std::uint64_t worlds = replayed != 0 ? 1 : from_environment("INSYNC_WORLDS", 50);
    fmt::print("model, {}: seeds {} to {}, {} steps each\n", what, first, first + worlds - 1,
               kSteps);
    std::size_t steps = 0;
    std::size_t choices = 0;
    for (std::uint64_t seed = first; seed < first + worlds; ++seed) {
        World<View> world{seed};
        bool agreed = true;
        for (std::size_t i = 0; i < kSteps && agreed; ++i) agreed = world.step();
        steps += world.steps;
        choices += world.choices;
        if (!agreed)
            FAIL("replay with INSYNC_SEED=" << seed << ", " << what << "\n" << world.failure);
    }
    // A model that leaves much open checks little.
    CHECK(choices * 30 < steps);
    CHECK(steps == worlds * kSteps);
}

TEST_CASE("a manager with a pulled view does after each step what the rules say", "[model]") {
    run<insync::testing::ScriptedView>("pulled");
}

TEST_CASE("a view with versions gives the same answers as one that is read each time", "[model]") {
    run<insync::testing::VersionedScriptedView>("versioned");
}

TEST_CASE("a view that pushes gives the same answers as one that is read each time", "[model]") {
    run<insync::testing::PushingScriptedView>("pushing");
}

} // namespace
