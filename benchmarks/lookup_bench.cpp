// has_min_isr and get_isr by name: the calls of the produce and the metadata path.

#include "support/background.hpp"
#include "support/churn.hpp"
#include "support/lookups.hpp"
#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/runner.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace bench;

struct Targets {
    Target coarse;
    Target sharded;
    Target tuned;
};

Targets has_min_targets(std::uint32_t partitions, unsigned threads) {
    Targets targets;
    targets.tuned = {threads == 1 ? 3.0 : 3.5, 5};
    if (partitions == 10'000) {
        targets.sharded = {8, 15};
    } else if (partitions == 100'000) {
        targets.coarse = {threads == 1 ? 10.0 : 12.0, 30};
        targets.sharded = {9, 30};
    } else {
        targets.sharded = {8, 20};
    }
    return targets;
}

Targets get_isr_targets(std::uint32_t partitions) {
    if (partitions == 100'000) return {{15, 35}, {10, 25}, {2.4, 3.3}};
    if (partitions == 1'000'000) return {{}, {8, 17}, {}};
    return {};
}

/// \param sample_of  gives for a design the way to take a sample of it
template <class SampleOf>
std::vector<Contender> contenders(LookupDesigns& all,
                                  const SampleOf& sample_of,
                                  const Targets& targets) {
    return {
        {all.ours.kName, sample_of(all.ours)},
        {all.coarse.kName, sample_of(all.coarse), targets.coarse},
        {all.sharded.kName, sample_of(all.sharded), targets.sharded},
        {all.tuned.kName, sample_of(all.tuned), targets.tuned},
    };
}

void undisturbed(LookupDesigns& all, const Options& options, Report& report) {
    const std::uint32_t partitions = all.topology.partitions();
    const Pace pace = Pace::of(options.quick);
    const auto run = [&](const std::string& title, const auto& sample_of, const Targets& targets) {
        if (!options.wants(title)) return;
        auto designs = contenders(all, sample_of, targets);
        interleave(designs, options.rounds(15));
        report.compare(title, "ns", designs);
    };
    for (const unsigned threads : {1u, 2u}) {
        const std::string where = fmt::format("by name, {} partitions, {} thread{}", partitions,
                                              threads, threads == 1 ? "" : "s");
        const auto has_min = [&](auto& design) {
            return Stream{has_min_by_name(design, all), threads, pace};
        };
        const auto get_isr = [&](auto& design) {
            return Stream{get_isr_by_name(design, all), threads, pace};
        };
        run("has_min_isr " + where, has_min, has_min_targets(partitions, threads));
        run("get_isr " + where, get_isr, get_isr_targets(partitions));
    }
}

/// Every 10 ms 1000 ISRs change, while two threads read. The readers' time is wall time: under the
/// coarse lock they wait.
void beside_a_sweep(LookupDesigns& all, const Options& options, Report& report) {
    const std::string title =
        fmt::format("has_min_isr by name, {} partitions, 2 threads, a sweep each 10 ms",
                    all.topology.partitions());
    if (!options.wants(title)) return;
    constexpr std::chrono::milliseconds kPeriod{10};
    constexpr std::uint32_t kChanges = 1'000;
    constexpr std::uint32_t kHeartbeatParts = 100; // each follower answers once a second
    const auto sample_of = [&](auto& design) {
        const Pace pace = Pace::of(options.quick);
        return [&design, stream = Stream{has_min_by_name(design, all), 2, pace, Timer::wall},
                churn = Churn{all, kChanges, kHeartbeatParts}]() mutable {
            const auto step = [&] {
                if constexpr (requires { design.tick(); })
                    churn.step_ours();
                else
                    churn.step_given(design);
            };
            const Background sweep{kPeriod, step};
            return stream();
        };
    };
    auto designs = contenders(all, sample_of, {{20, 90}, {}, {}});
    interleave(designs, options.rounds(25));
    report.compare(title, "ns, wall", designs);
}

} // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv, "Look-ups by name.");
    raise_priority();
    Report report{instruction_set()};
    for (const std::uint32_t partitions : {10'000u, 100'000u, 1'000'000u}) {
        if (options.quick && partitions > 10'000) break;
        LookupDesigns all{partitions};
        all.check_same_answers();
        undisturbed(all, options, report);
    }
    LookupDesigns all{options.quick ? 10'000u : 100'000u, insync::Millis{10}};
    all.check_same_answers();
    beside_a_sweep(all, options, report);
    return report.finish();
}
