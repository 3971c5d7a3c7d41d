#include "property/random.hpp"
#include "simulation/run_tape.hpp"
#include "simulation/shrink.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>

using simulation::run_tape;
using simulation::shrink;
using simulation::Tape;
using simulation::tape_of_seed;
using simulation::Totals;
using simulation::Verdict;

TEST_CASE("no rule is violated in the worlds of these seeds", "[simulation]") {
    const std::uint64_t worlds = property::from_environment("INSYNC_WORLDS", 100);
    Totals totals;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        const Verdict verdict = run_tape(tape_of_seed(seed), totals);
        INFO("seed " << seed << ": " << verdict.rule << ": " << verdict.what);
        REQUIRE(verdict.ok());
    }
    CHECK(totals.worlds == worlds);
    CHECK(totals.elections > worlds);
    CHECK(totals.acknowledged > 10 * worlds);
    CHECK(totals.choices * 50 <
          totals.marks[static_cast<std::size_t>(simulation::Mark::model_compared)]);
}

TEST_CASE("a tape is the same world each time, told or not", "[simulation]") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Totals first;
        Totals second;
        const Verdict told = run_tape(tape_of_seed(seed), first, {.traces = true});
        const Verdict silent = run_tape(tape_of_seed(seed), second);
        CHECK(told.hash == silent.hash);
        CHECK(first.marks == second.marks);
        CHECK_FALSE(told.trace.empty());
    }
    Totals totals;
    CHECK(run_tape(tape_of_seed(1), totals).hash != run_tape(tape_of_seed(2), totals).hash);
}

TEST_CASE("an empty tape is a peaceful world", "[simulation]") {
    Totals totals;
    const Verdict verdict = run_tape({}, totals);
    CHECK(verdict.ok());
    CHECK(totals.shrinks == 0);
    CHECK(totals.lossy_restarts == 0);
    CHECK(totals.acknowledged > 0);
}

TEST_CASE("a shrunk tape still fails, and no byte of it can be spared", "[simulation]") {
    const auto fails = [](const Tape& tape) { // a 7 somewhere before a 9 or more
        const auto seven = std::find(tape.begin(), tape.end(), 7);
        return std::any_of(seven, tape.end(), [](std::uint8_t byte) { return byte >= 9; });
    };
    Tape tape(300, 1);
    tape[100] = 7;
    tape[250] = 200;
    CHECK(shrink(tape, fails) == Tape{7, 12});
}
