// Worlds on raft-rs and etcd raft themselves: faults, real managers, and the disks as the judge.
//
//   INSYNC_WORLDS=N    so many worlds of each library (300)
//   INSYNC_SEED=S      beginning with that one (1)
//   INSYNC_MINUTES=M   instead, as many as there is time for
//   build/dev/tests/hosts/insync_host_tests "no rule is violated in worlds on raft-rs"
#include "hosts/worlds.hpp"

#include "property/random.hpp"
#include "simulation/shrink.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>

using hosts::Mistake;
using hosts::run_world;
using hosts::Totals;
using hosts::Verdict;
using hosts::world_of_seed;
using hosts::WorldMistakes;

#if defined(__SANITIZE_ADDRESS__)
#define INSYNC_SLOW_BUILD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INSYNC_SLOW_BUILD 1
#endif
#endif

namespace {

/// So many are told to have shown what they ought to.
constexpr std::uint64_t kMany = 300;
#ifdef INSYNC_SLOW_BUILD
constexpr std::uint64_t kWorlds = kMany / 6;
#else
constexpr std::uint64_t kWorlds = kMany;
#endif

/// How a world failed, told by the smallest one that fails alike.
std::string tell(const raft_host& library, std::uint64_t seed, const Verdict& verdict) {
    Totals ignored;
    const hosts::Tape tape = simulation::shrink(
        world_of_seed(seed),
        [&](const hosts::Tape& candidate) {
            return run_world(library, candidate, ignored).rule == verdict.rule;
        },
        400);
    const Verdict small = run_world(library, tape, ignored, {}, true);
    std::string text;
    for (const std::string& line : small.trace) text += line + "\n";
    return fmt::format("{}{}, INSYNC_SEED={} violates {}: {}\nand, made smaller: {}", text,
                       library.name, seed, verdict.rule, verdict.what, small.what);
}

void print(const raft_host& library, const Totals& totals, double seconds) {
    fmt::print(
        "{}: {} worlds, {:.1f} hours, {} steps, {} elections, {} acknowledged, {} matches "
        "held against disks, {:.1f} s\n",
        library.name, totals.worlds, static_cast<double>(totals.virtual_ms) / 3.6e6, totals.steps,
        totals.elections, totals.acknowledged, totals.verified, seconds);
    for (std::size_t i = 0; i < totals.marks.size(); ++i)
        fmt::print("{:12}  {}\n", totals.marks[i], hosts::kMarkNames[i]);
}

void live(const raft_host& library) {
    const auto first = property::from_environment("INSYNC_SEED", 1);
    const auto minutes = property::from_environment("INSYNC_MINUTES", 0);
    const auto worlds = property::from_environment("INSYNC_WORLDS", kWorlds);
    const auto begun = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    };
    const auto goes_on = [&](std::uint64_t done) {
        return minutes == 0 ? done < worlds : seconds() < 60.0 * static_cast<double>(minutes);
    };
    Totals totals;
    for (std::uint64_t seed = first; goes_on(seed - first); ++seed) {
        const Verdict verdict = run_world(library, world_of_seed(seed), totals);
        if (!verdict.ok()) FAIL(tell(library, seed, verdict));
    }
    print(library, totals, seconds());
    for (std::size_t i = 0; i < totals.marks.size() && totals.worlds >= kMany; ++i) {
        INFO("it never came about that " << hosts::kMarkNames[i]);
        CHECK(totals.marks[i] > 0);
    }
}

/// The rule that a run of worlds finds violated; nothing if it finds none.
std::string violated(const raft_host& library, const WorldMistakes& mistakes) {
    Totals ignored;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const Verdict verdict = run_world(library, world_of_seed(seed), ignored, mistakes);
        if (verdict.ok()) continue;
        UNSCOPED_INFO("seed " << seed << ": " << verdict.rule << ": " << verdict.what);
        return verdict.rule;
    }
    return {};
}

struct WrongBroker {
    const char* name;
    WorldMistakes mistakes;
    const char* rule; ///< the first that is seen to be violated
};

} // namespace

TEST_CASE("no rule is violated in worlds on raft-rs", "[hosts][worlds]") {
    live(*raft_rs_host());
}

TEST_CASE("no rule is violated in worlds on etcd raft", "[hosts][worlds]") {
    live(*etcd_raft_host());
}

TEST_CASE("a world on a real library is the same each time", "[hosts][worlds]") {
    const raft_host& library = *GENERATE(raft_rs_host(), etcd_raft_host());
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Totals first;
        Totals second;
        const Verdict silent = run_world(library, world_of_seed(seed), first);
        const Verdict told = run_world(library, world_of_seed(seed), second, {}, true);
        INFO(library.name << ", seed " << seed);
        CHECK(silent.hash == told.hash);
        CHECK(first.steps == second.steps);
        CHECK(first.marks == second.marks);
        CHECK_FALSE(told.trace.empty());
    }
}

TEST_CASE("worlds on a real library notice what a broker does wrong", "[hosts][worlds]") {
    const raft_host& library = *GENERATE(raft_rs_host(), etcd_raft_host());
    const WrongBroker wrong = GENERATE(
        WrongBroker{"takes what is not on the disk for durable", {Mistake::durable_is_end}, "S2"},
        WrongBroker{"verifies by recent_active", {Mistake::verified_by_activity}, "S2"},
        WrongBroker{"verifies by any answer", {Mistake::verified_by_contact}, "S2"},
        WrongBroker{"takes recent_active for a contact", {Mistake::contact_by_activity}, "S2"},
        WrongBroker{"takes 0 for a leader", {Mistake::nobody_is_node_0}, "S2"},
        WrongBroker{"claims a quorum", {Mistake::quorum_claimed}, "S5"},
        WrongBroker{"takes a learner for a voter", {Mistake::learners_vote}, "S3"},
        WrongBroker{"takes what was sent for what is held", {Mistake::match_is_sent}, "S2"},
        WrongBroker{"takes votes for contacts", {Mistake::none, true, false}, "S2"},
        WrongBroker{"does not forget who was removed", {Mistake::none, false, true}, "S2"});
    INFO(library.name << ": a broker that " << wrong.name);
    CHECK(violated(library, wrong.mistakes) == wrong.rule);
}
