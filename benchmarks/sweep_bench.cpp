// The sweep over a million partitions: while all is well, and when every partition loses a follower
// at the same time.

#include "baselines/coarse.hpp"
#include "baselines/full_scan.hpp"
#include "baselines/sharded.hpp"
#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/runner.hpp"
#include "support/workload.hpp"
#include "support/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace bench;

/// Sweeps of a healthy cluster: each sample is the mean of a few, as not all do the same work.
constexpr int kSweepsASample = 10;

/// insync: both followers of every partition answer before each sweep; only the sweep is timed.
template <class View>
double healthy_sweep(World<View>& world) {
    double total = 0;
    const auto before = world.isr().counters();
    for (int i = 0; i < kSweepsASample; ++i) {
        world.advance_clock();
        world.heartbeat_all();
        total += time_ns([&] { world.tick(); });
    }
    const auto after = world.isr().counters();
    require(after.sweeps == before.sweeps + kSweepsASample, "a sweep was not done");
    require(after.shrinks == before.shrinks, "a healthy follower was evicted");
    return total / kSweepsASample / world.partitions();
}

void healthy(const Topology& topology, const Options& options, Report& report) {
    const std::uint32_t partitions = topology.partitions();
    const std::string title =
        fmt::format("sweep of {} partitions, all followers healthy, per partition", partitions);
    if (!options.wants(title)) return;

    PushedWorld pushed{topology};
    PulledWorld pulled{topology};
    pushed.initialize();
    pulled.initialize();
    CoarseTracker coarse;
    ShardedTracker sharded;
    FullScan scan{partitions};
    coarse.reserve(partitions);
    sharded.reserve(partitions);
    for (std::uint32_t i = 0; i < partitions; ++i) {
        const auto [topic, partition] = topology[i];
        coarse.add(topic, partition);
        sharded.add(topic, partition);
        sharded.add_group(topic, partition);
    }
    // Their followers' stamps stand still, and so does their time: nobody expires, all the work is
    // done.
    const auto timed = [partitions](auto& design, int sweeps) {
        return [&design, partitions, sweeps] {
            std::size_t moved = 0;
            const double ns = time_ns([&] {
                for (int i = 0; i < sweeps; ++i) moved += design.sweep(0);
            });
            require(moved == 0, "a healthy follower was evicted by a baseline");
            return ns / sweeps / partitions;
        };
    };
    std::vector<Contender> designs{
        {"insync, pushed progress", [&] { return healthy_sweep(pushed); }},
        {sharded.kName, timed(sharded, 1), {15'000, 20'000}},
        {scan.name(), timed(scan, kSweepsASample), {10, 20}},
        {"unordered_map walked under its lock", timed(coarse, 1)},
        {"(insync, pulled: asks each group's version)", [&] { return healthy_sweep(pulled); }},
    };
    interleave(designs, options.rounds(7));
    report.compare(title, "ns", designs);
}

/// A node that replicates every partition fails, comes back, fails again.
class NodeFailure {
public:
    explicit NodeFailure(const Topology& topology) : world_(topology) {
        world_.initialize();
        coarse_.reserve(topology.partitions());
        for (std::uint32_t i = 0; i < topology.partitions(); ++i)
            partitions_.push_back(&coarse_.add(topology[i].topic, topology[i].partition));
    }

    /// \return what a partition costs in the sweep that evicts the node
    double fail_ours() {
        for (int i = 0; i < kMostSweeps; ++i) {
            const std::uint64_t before = world_.isr().counters().shrinks;
            world_.advance_clock();
            world_.heartbeat(0, world_.partitions(), 0);
            const double ns = time_ns([&] { world_.tick(); });
            const std::uint64_t evicted = world_.isr().counters().shrinks - before;
            if (evicted == 0) continue;
            require(evicted == world_.partitions(), "the node was not evicted in one sweep");
            return ns / world_.partitions();
        }
        require(false, "the failed node was never evicted");
        return 0;
    }
    /// \return the same for the sweep that lets the node join
    double recover_ours() {
        for (int i = 0; i < kMostSweeps; ++i) {
            const std::uint64_t before = world_.isr().counters().expands;
            world_.advance_clock();
            world_.heartbeat_all();
            const double ns = time_ns([&] { world_.tick(); });
            const std::uint64_t joined = world_.isr().counters().expands - before;
            if (joined == 0) continue;
            require(joined == world_.partitions(), "the node did not join in one sweep");
            sweeps_to_join_ = std::max(sweeps_to_join_, i + 1);
            return ns / world_.partitions();
        }
        require(false, "the node never joined again");
        return 0;
    }

    /// The most sweeps that it ever took from the node's first answer until it had joined.
    [[nodiscard]] int sweeps_to_join() const { return sweeps_to_join_; }

    double fail_coarse() { return sweep_coarse(-2 * kMaxLagMs); }
    double recover_coarse() { return sweep_coarse(0); }

private:
    static constexpr int kMostSweeps = 2 * kMaxLagMs / 1'000;

    double sweep_coarse(std::int64_t contact_ms) {
        for (CoarseTracker::Partition* partition : partitions_)
            partition->followers[kFollowers[1]].contact_ms = contact_ms;
        std::size_t moved = 0;
        const double ns = time_ns([&] { moved = coarse_.sweep(0); });
        require(moved == partitions_.size(), "the walked map did not change every ISR");
        return ns / static_cast<double>(partitions_.size());
    }

    PushedWorld world_;
    CoarseTracker coarse_;
    std::vector<CoarseTracker::Partition*> partitions_;
    int sweeps_to_join_ = 0;
};

void node_failure(const Topology& topology, const Options& options, Report& report) {
    const std::string title =
        fmt::format("sweep in which all of {} partitions lose a follower, per partition",
                    topology.partitions());
    if (!options.wants(title)) return;
    NodeFailure failure{topology};
    std::vector<double> ours_back;
    std::vector<double> coarse_back;
    std::vector<Contender> designs{
        {"insync",
         [&] {
             const double ns = failure.fail_ours();
             ours_back.push_back(failure.recover_ours());
             return ns;
         }},
        {"unordered_map walked under its lock",
         [&] {
             const double ns = failure.fail_coarse();
             coarse_back.push_back(failure.recover_coarse());
             return ns;
         },
         {8, 15}},
    };
    interleave(designs, options.rounds(7));
    report.compare(title, "ns", designs);
    for (Contender& design : designs) design.target = {};
    designs[0].samples = ours_back;
    designs[1].samples = coarse_back;
    report.compare("the same when the node comes back and joins all of them", "ns", designs);
    report.limit("insync: sweeps from its first answer to that", failure.sweeps_to_join(), "", 1,
                 1);
}

} // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv, "The sweep.");
    raise_priority();
    Report report{instruction_set()};
    const Topology topology{options.quick ? 10'000u : 1'000'000u};
    pin_to_processor(0);
    healthy(topology, options, report);
    node_failure(topology, options, report);
    return report.finish();
}
