// Allocations on the paths that promise none, counted by replaced allocation functions.

#include "baselines/coarse.hpp"
#include "baselines/sharded.hpp"
#include "support/allocation_count.hpp"
#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/runner.hpp"
#include "support/workload.hpp"
#include "support/world.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace {

using namespace bench;

class Paths {
public:
    Paths(std::uint32_t partitions, const Options& options, Report& report)
        : options_(options), report_(report), topology_(partitions), world_(topology_) {
        world_.initialize();
        for (std::uint32_t i = 0; i < partitions; ++i)
            coarse_.add(topology_[i].topic, topology_[i].partition);
        require(allocations_of([] { keep(std::make_unique<int>()); }) == 1, "nothing is counted");
    }

    void reads() {
        report_.heading("reads");
        const auto& isr = world_.isr();
        each("has_min_isr by name", [&](std::uint32_t i) {
            keep(isr.has_min_isr(topology_[i].topic, topology_[i].partition));
        });
        each("get_isr by name", [&](std::uint32_t i) {
            keep(digest(*isr.get_isr(topology_[i].topic, topology_[i].partition)));
        });
        each("is_in_sync by name", [&](std::uint32_t i) {
            keep(isr.is_in_sync(topology_[i].topic, topology_[i].partition, kFollowers[0]));
        });
        each("high_watermark by name", [&](std::uint32_t i) {
            keep(*isr.high_watermark(topology_[i].topic, topology_[i].partition));
        });
        each("find", [&](std::uint32_t i) {
            keep(isr.find(topology_[i].topic, topology_[i].partition) == world_.handles()[i]);
        });
        each("has_min_isr by handle",
             [&](std::uint32_t i) { keep(isr.has_min_isr(world_.handles()[i])); });
        each("get_isr by handle",
             [&](std::uint32_t i) { keep(digest(*isr.get_isr(world_.handles()[i]))); });
        each("high_watermark by handle",
             [&](std::uint32_t i) { keep(*isr.high_watermark(world_.handles()[i])); });
        each("get_isr of a partition that is not tracked",
             [&](std::uint32_t) { keep(isr.get_isr("no.such.topic.00000", 0).has_value()); });
    }

    void progress() {
        report_.heading("recorded progress");
        world_.advance_clock();
        each("heartbeat by handle", [&](std::uint32_t i) { world_.acknowledge(i, 0, 0); });
        world_.advance_clock();
        total("heartbeats of all, in batches of 64", [&] { world_.heartbeat_all(); });
        const std::uint64_t appends = allocations_of([&] {
            for (std::uint32_t i = 0; i < topology_.partitions(); ++i) world_.append(i, 1);
        });
        report_.limit("record_leader on all, first time (chunks for samples)",
                      static_cast<double>(appends), "in all", -1, -1);
        each("advancing match by handle", [&](std::uint32_t i) { world_.acknowledge(i, 0, 1); });
        each("advancing match by name: moves the high watermark", [&](std::uint32_t i) {
            const auto [topic, partition] = topology_[i];
            world_.check(
                world_.isr().record_progress(topic, partition, 1, kFollowers[1], 1, world_.now()));
        });
        each("record_leader from then on", [&](std::uint32_t i) { world_.append(i, 2); });
        for (std::uint32_t i = 0; i < topology_.partitions(); ++i)
            for (std::size_t follower = 0; follower < kFollowers.size(); ++follower)
                world_.catch_up(i, follower);
    }

    void sweeps() {
        report_.heading("sweeps");
        const std::uint64_t before = world_.isr().counters().sweeps;
        for (int i = 0; i < kSweeps; ++i) {
            world_.advance_clock();
            world_.heartbeat_all();
            total("idle sweep, followers healthy", [&] { world_.tick(); });
        }
        require(world_.isr().counters().sweeps == before + kSweeps, "a sweep was not done");
    }

    void baselines() {
        report_.heading("for comparison");
        const auto count = [&](std::string_view name, const auto& work) {
            const std::uint64_t allocations = allocations_of(work);
            report_.limit(name, static_cast<double>(allocations), "a call", -1, -1);
        };
        const auto [topic, partition] = topology_[7];
        count("coarse: has_min_isr", [&] { keep(coarse_.has_min_isr(topic, partition)); });
        count("coarse: get_isr", [&] { keep(digest(*coarse_.get_isr(topic, partition))); });
        ShardedTracker sharded;
        sharded.add(topic, partition);
        count("sharded: has_min_isr", [&] { keep(sharded.has_min_isr(topic, partition)); });
        count("sharded: get_isr", [&] { keep(digest(*sharded.get_isr(topic, partition))); });
        count("sharded: heartbeat", [&] { sharded.heartbeat(topic, partition, 2, 1); });
    }

private:
    static constexpr int kSweeps = 4;

    /// `work(i)` for every partition; all of it together may allocate nothing.
    template <class Work>
    void each(std::string_view name, const Work& work) {
        total(name, [&] {
            for (std::uint32_t i = 0; i < topology_.partitions(); ++i) work(i);
        });
    }
    template <class Work>
    void total(std::string_view name, const Work& work) {
        const std::uint64_t allocations = allocations_of(work);
        if (!options_.wants(name)) return;
        report_.limit(name, static_cast<double>(allocations), "in all", 0, 0);
    }

    const Options& options_;
    Report& report_;
    Topology topology_;
    PushedWorld world_;
    CoarseTracker coarse_;
};

} // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv, "Allocations.");
    Report report{instruction_set()};
    const std::uint32_t partitions = options.quick ? 1'000 : 100'000;
    Paths paths{partitions, options, report};
    report.heading(fmt::format("allocations over calls on all of {} partitions", partitions));
    paths.reads();
    paths.progress();
    paths.sweeps();
    paths.baselines();
    return report.finish();
}
