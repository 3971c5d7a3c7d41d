// How long a reader waits at worst while the sweep runs beside it.

#include "support/background.hpp"
#include "support/churn.hpp"
#include "support/latency.hpp"
#include "support/lookups.hpp"
#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/runner.hpp"

#include <fmt/core.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace bench;

constexpr std::chrono::milliseconds kSweepPeriod{100};
// Seldom enough that what a virtual machine does to a processor mostly hits the pauses between
// reads, where it is seen and left out.
constexpr std::chrono::nanoseconds kReadPeriod{10'000};
constexpr std::uint32_t kHeartbeatParts = 5; // each follower answers twice a second

/// One design with its sweep, and the percentiles of each of its runs.
struct Subject {
    std::string name;
    std::function<std::uint64_t(std::uint32_t)> read; ///< of the partition with this number
    std::function<void()> sweep;
    std::array<Target, 3> targets{};
    std::array<std::vector<double>, 3> percentiles{};
    double disturbed = 0; ///< the sum of all runs
};
constexpr std::array kShares{0.5, 0.99, 0.999};
constexpr std::array kShareNames{"p50", "p99", "p99.9"};

template <class Design>
auto reader(const Design& design, const Topology& topology) {
    return [&design, &topology](std::uint32_t i) -> std::uint64_t {
        const auto [topic, partition] = topology[i];
        return design.has_min_isr(topic, partition) ? 1 : 0;
    };
}

/// The subjects, swept by their own means; one partition of a hundred changes its ISR each time.
class Setting {
public:
    explicit Setting(std::uint32_t partitions)
        : all_(partitions, kSweepPeriod), changes_(partitions / 100) {
        for (std::uint32_t i = 0; i < partitions; ++i) {
            const auto [topic, partition] = all_.topology[i];
            coarse_.push_back(&all_.coarse.add(topic, partition));
            groups_.push_back(&all_.sharded.add_group(topic, partition));
        }
        all_.check_same_answers();
    }

    [[nodiscard]] std::vector<Subject> subjects() {
        const Churn churn{all_, changes_, kHeartbeatParts};
        const auto ours = [churn = Churn{churn}]() mutable { churn.step_ours(); };
        // What the baselines find is put there without their locks: readers do not look at it.
        const auto coarse = [this, churn = Churn{churn}]() mutable {
            churn.step([this](std::uint32_t i, bool shrinks) {
                coarse_[i]->followers[kFollowers[1]].match = shrinks ? 0 : kFarAhead;
            });
            keep(all_.coarse.sweep(0));
        };
        const auto sharded = [this, churn = Churn{churn}]() mutable {
            churn.step([this](std::uint32_t i, bool shrinks) {
                groups_[i]->match[1] = shrinks ? 0 : kFarAhead;
            });
            keep(all_.sharded.sweep(0));
        };
        for (CoarseTracker::Partition* partition : coarse_) {
            partition->end = kFarAhead;
            for (auto& [node, follower] : partition->followers) follower.match = kFarAhead;
        }
        for (ShardedTracker::Group* group : groups_) *group = {kFarAhead, {kFarAhead, kFarAhead}};

        const Topology& topology = all_.topology;
        return {
            {"insync", reader(all_.ours, topology), ours},
            {all_.coarse.kName, reader(all_.coarse, topology), coarse, {{{}, {}, {5'000, 30'000}}}},
            {all_.sharded.kName, reader(all_.sharded, topology), sharded, {{{}, {}, {8, 14}}}},
            {"(no read, no sweep: the machine's own noise)",
             [](std::uint32_t i) -> std::uint64_t { return i; }, [] {}},
        };
    }

    void measure(Subject& subject, OpenLoop& loop) const {
        const Background sweep{kSweepPeriod, [&] { subject.sweep(); }};
        pin_to_processor(0);
        loop.run([&](std::size_t i) { keep(subject.read(all_.queries.at(i))); });
        for (std::size_t i = 0; i < kShares.size(); ++i)
            subject.percentiles[i].push_back(loop.percentile(kShares[i]));
        subject.disturbed += loop.disturbed();
    }

private:
    static constexpr Index kFarAhead = 2 * kMaxLagEntries;
    LookupDesigns all_;
    std::uint32_t changes_;
    std::vector<CoarseTracker::Partition*> coarse_;
    std::vector<ShardedTracker::Group*> groups_;
};

} // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv, "Tail latency of reads beside a sweep.");
    raise_priority();
    Report report{instruction_set()};
    const std::uint32_t partitions = options.quick ? 10'000 : 100'000;
    Setting setting{partitions};
    std::vector<Subject> subjects = setting.subjects();
    OpenLoop loop{kReadPeriod, options.quick ? 20'000u : 200'000u};
    const int rounds = options.rounds(5);
    for (int round = 0; round < rounds; ++round)
        for (Subject& subject : subjects) setting.measure(subject, loop);

    fmt::print(
        "\nhas_min_isr by name, a read each {} us on average, {} partitions swept each {} ms on "
        "another processor,\n1 in 100 changes its ISR; a read that is late counts from when "
        "it was due\n",
        kReadPeriod.count() / 1000, partitions, kSweepPeriod.count());
    for (std::size_t i = 0; i < kShares.size(); ++i) {
        if (!options.wants(kShareNames[i])) continue;
        std::vector<Contender> rows;
        for (const Subject& subject : subjects)
            rows.push_back({subject.name, {}, subject.targets[i], subject.percentiles[i]});
        report.compare(kShareNames[i], "ns", rows);
    }
    report.heading("reads taken again because the kernel had put the reader aside");
    for (const Subject& subject : subjects)
        report.limit(subject.name, 100 * subject.disturbed / rounds, "%", -1, -1);
    return report.finish();
}
