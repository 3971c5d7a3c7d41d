// Bytes a partition: what the process grows by when it tracks a million, RF 3, 50 a topic.

#include "baselines/coarse.hpp"
#include "baselines/inline_map.hpp"
#include "baselines/sharded.hpp"
#include "support/machine.hpp"
#include "support/memory.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/runner.hpp"
#include "support/workload.hpp"
#include "support/world.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace bench;

/// Both followers answer and a sweep is done, so many times.
void live_quietly(PushedWorld& world, int sweeps) {
    for (int i = 0; i < sweeps; ++i) {
        world.advance_clock();
        world.heartbeat_all();
        world.tick();
    }
}

/// Every partition gets entries all the time, and its followers are always a batch behind: long
/// enough for each to keep all the samples of its end that it ever keeps (S3).
void live_busily(PushedWorld& world) {
    constexpr Index kBatch = 100;
    constexpr int kSweeps = 2 * kMaxLagMs / 1'000;
    for (int i = 1; i <= kSweeps; ++i) {
        const auto end = static_cast<Index>(i) * kBatch;
        world.advance_clock();
        for (std::uint32_t p = 0; p < world.partitions(); ++p) {
            world.append(p, end);
            for (std::size_t follower = 0; follower < kFollowers.size(); ++follower)
                world.acknowledge(p, follower, end - kBatch);
        }
        world.tick();
    }
    require(world.isr().counters().shrinks == 0, "a follower was evicted under load");
}

/// The consensus layer's rows and the handles belong to the host: they are there beforehand.
template <class Live>
double bytes_of_ours(const Topology& topology, const Live& live) {
    PushedWorld world{topology};
    const double before = resident_bytes();
    world.initialize();
    live(world);
    return (resident_bytes() - before) / topology.partitions();
}

template <class Design>
double bytes_of(const Topology& topology) {
    const double before = resident_bytes();
    Design design;
    design.reserve(topology.partitions());
    for (std::uint32_t i = 0; i < topology.partitions(); ++i)
        design.add(topology[i].topic, topology[i].partition);
    return (resident_bytes() - before) / topology.partitions();
}

} // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv, "Memory a partition.");
    Report report{instruction_set()};
    const Topology topology{options.quick ? 10'000u : 1'000'000u};
    const std::string title =
        fmt::format("memory a partition, {} partitions, 50 a topic, idle", topology.partitions());
    const auto busy = [&] { return bytes_of_ours(topology, live_busily); };
    const auto idle = [&] {
        return bytes_of_ours(topology, [](PushedWorld& world) { live_quietly(world, 5); });
    };
    const auto after_load = [&] {
        return bytes_of_ours(topology, [](PushedWorld& world) {
            live_busily(world);
            for (std::size_t follower = 0; follower < kFollowers.size(); ++follower)
                for (std::uint32_t i = 0; i < world.partitions(); ++i) world.catch_up(i, follower);
            live_quietly(world, 5);
        });
    };
    if (options.wants(title)) {
        std::vector<Contender> designs{
            {"insync", idle},
            {ShardedTracker::kName, [&] { return bytes_of<ShardedTracker>(topology); }, {6, 7.5}},
            {InlineMap::kName, [&] { return bytes_of<InlineMap>(topology); }, {3.3, 4}},
            {CoarseTracker::kName, [&] { return bytes_of<CoarseTracker>(topology); }},
        };
        for (Contender& design : designs) design.samples.push_back(in_child(design.sample));
        report.compare(title, "bytes", designs);
        report.limit("insync, idle", designs[0].median(), "bytes", 100, 85);
    }
    if (options.wants("under load")) {
        report.heading("every partition busy: entries all the time, all samples of S3 kept");
        report.limit("insync, under load", in_child(busy), "bytes", 250, 160);
        report.limit("insync, idle again after that", in_child(after_load), "bytes", -1, -1);
    }
    return report.finish();
}
