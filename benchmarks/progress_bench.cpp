// Followers' acknowledgements: by handle, in batches, and by name.

#include "baselines/handles.hpp"
#include "baselines/sharded.hpp"
#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/runner.hpp"
#include "support/workload.hpp"
#include "support/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace bench;

/// What a report says: that a follower of an idle partition is alive, or that it holds one more
/// entry, which its leader has just appended. The second moves the high watermark.
enum class Traffic { heartbeat, advancing };

std::string_view to_string(Traffic traffic) {
    return traffic == Traffic::heartbeat ? "heartbeat of an idle partition" : "advancing match";
}

/// Who reports next: every (partition, follower) once, in random order, a slice of them a sample.
class Reports {
public:
    struct Reporter {
        std::uint32_t partition;
        std::uint32_t follower;
    };
    static constexpr std::size_t kMostASample = 200'000;

    explicit Reports(std::uint32_t partitions) {
        order_.reserve(std::size_t{2} * partitions);
        for (std::uint32_t i = 0; i < partitions; ++i)
            for (std::uint32_t follower = 0; follower < kFollowers.size(); ++follower)
                order_.push_back({i, follower});
        std::shuffle(order_.begin(), order_.end(), std::mt19937{13});
    }

    [[nodiscard]] std::span<const Reporter> next() {
        const std::size_t size = std::min(order_.size(), kMostASample);
        if (position_ + size > order_.size()) position_ = 0;
        position_ += size;
        return std::span<const Reporter>{order_}.subspan(position_ - size, size);
    }

private:
    std::vector<Reporter> order_;
    std::size_t position_ = 0;
};

/// insync, told by handle, in batches, or by name.
class Ours {
public:
    enum class Way { handle, batch, name };

    Ours(const Topology& topology, Way way, Traffic traffic)
        : topology_(topology),
          way_(way),
          traffic_(traffic),
          world_(topology, insync::Millis{1}),
          reports_(topology.partitions()) {
        world_.initialize();
        world_.heartbeat_all();
    }

    double sample() {
        const auto reporters = reports_.next();
        (void)pass(reporters); // warms up
        return pass(reporters) / static_cast<double>(reporters.size());
    }

    /// Ends the program unless reports were taken for what they said.
    void check() {
        if (traffic_ == Traffic::heartbeat) return;
        const Index end = ++end_;
        for (std::uint32_t i = 0; i < 100; ++i) {
            world_.append(i, end);
            world_.acknowledge(i, 0, end);
            require(world_.isr().high_watermark(world_.handles()[i]) < end, "it moved too early");
            world_.acknowledge(i, 1, end);
            require(world_.isr().high_watermark(world_.handles()[i]) == end, "it did not move");
        }
    }

private:
    double pass(std::span<const Reports::Reporter> reporters) {
        world_.advance_clock();
        if (traffic_ == Traffic::advancing) {
            ++end_;
            for (const auto& reporter : reporters) world_.append(reporter.partition, end_);
        }
        std::size_t taken = 0;
        const double ns = time_ns([&] { taken = report(reporters); });
        require(taken == reporters.size(), "a report was refused");
        return ns;
    }
    std::size_t report(std::span<const Reports::Reporter> reporters) {
        switch (way_) {
        case Way::handle: return by_handle(reporters);
        case Way::batch: return by_batch(reporters);
        case Way::name: break;
        }
        return by_name(reporters);
    }
    std::size_t by_handle(std::span<const Reports::Reporter> reporters) {
        std::size_t taken = 0;
        for (const auto& [partition, follower] : reporters) {
            const auto result = world_.isr().record_progress(
                world_.handles()[partition], 1, kFollowers[follower], end_, world_.now());
            taken += result == insync::Result::ok ? 1 : 0;
        }
        return taken;
    }
    std::size_t by_batch(std::span<const Reports::Reporter> reporters) {
        std::array<insync::ProgressReport, PushedWorld::kPushesAtOnce> batch;
        std::size_t taken = 0;
        for (std::size_t at = 0; at < reporters.size();) {
            std::size_t size = 0;
            for (; size < batch.size() && at < reporters.size(); ++size, ++at) {
                const auto& [partition, follower] = reporters[at];
                batch[size] = {world_.handles()[partition], 1, kFollowers[follower], end_,
                               world_.now()};
            }
            taken += world_.isr().record_progress(
                std::span<const insync::ProgressReport>{batch.data(), size});
        }
        return taken;
    }
    std::size_t by_name(std::span<const Reports::Reporter> reporters) {
        std::size_t taken = 0;
        for (const auto& [partition, follower] : reporters) {
            const auto [topic, number] = topology_[partition];
            const auto result = world_.isr().record_progress(topic, number, 1, kFollowers[follower],
                                                             end_, world_.now());
            taken += result == insync::Result::ok ? 1 : 0;
        }
        return taken;
    }

    const Topology& topology_;
    Way way_;
    Traffic traffic_;
    PushedWorld world_;
    Reports reports_;
    Index end_ = 0;
};

/// A mutex and a map for each partition, kept by address.
class Naive {
public:
    Naive(std::uint32_t partitions, Traffic traffic) : traffic_(traffic), reports_(partitions) {
        for (std::uint32_t i = 0; i < partitions; ++i)
            partitions_.push_back(std::make_unique<NaiveProgress>());
    }

    double sample() {
        const auto reporters = reports_.next();
        (void)pass(reporters);
        return pass(reporters) / static_cast<double>(reporters.size());
    }

    void check() {
        if (traffic_ == Traffic::heartbeat) return;
        const Index end = ++end_;
        partitions_[0]->set_end(end);
        for (const NodeId node : kFollowers) partitions_[0]->record(node, end, now_ms_);
        require(partitions_[0]->high_watermark() == end, "the baseline's did not move");
    }

private:
    double pass(std::span<const Reports::Reporter> reporters) {
        ++now_ms_;
        if (traffic_ == Traffic::advancing) {
            ++end_;
            for (const auto& reporter : reporters) partitions_[reporter.partition]->set_end(end_);
        }
        return time_ns([&] {
            for (const auto& [partition, follower] : reporters)
                partitions_[partition]->record(kFollowers[follower], end_, now_ms_);
        });
    }

    Traffic traffic_;
    Reports reports_;
    std::vector<std::unique_ptr<NaiveProgress>> partitions_;
    std::int64_t now_ms_ = 0;
    Index end_ = 0;
};

/// The original's heartbeat: a time stamp, by name.
class Sharded {
public:
    explicit Sharded(const Topology& topology)
        : topology_(topology), reports_(topology.partitions()) {
        tracker_.reserve(topology.partitions());
        for (std::uint32_t i = 0; i < topology.partitions(); ++i)
            tracker_.add(topology[i].topic, topology[i].partition);
    }

    double sample() {
        const auto reporters = reports_.next();
        (void)pass(reporters);
        return pass(reporters) / static_cast<double>(reporters.size());
    }

private:
    double pass(std::span<const Reports::Reporter> reporters) {
        ++now_ms_;
        std::size_t taken = 0;
        const double ns = time_ns([&] {
            for (const auto& [partition, follower] : reporters) {
                const auto [topic, number] = topology_[partition];
                taken += tracker_.heartbeat(topic, number, kFollowers[follower], now_ms_) ? 1 : 0;
            }
        });
        require(taken == reporters.size(), "a heartbeat was lost");
        return ns;
    }

    const Topology& topology_;
    ShardedTracker tracker_;
    Reports reports_;
    std::int64_t now_ms_ = 0;
};

void by_handle(const Topology& topology, Traffic traffic, const Options& options, Report& report) {
    const std::string title = fmt::format("record_progress by handle, {} partitions, {}",
                                          topology.partitions(), to_string(traffic));
    if (!options.wants(title)) return;
    Ours single{topology, Ours::Way::handle, traffic};
    Ours batched{topology, Ours::Way::batch, traffic};
    Naive naive{topology.partitions(), traffic};
    std::vector<Contender> designs{
        {"insync", [&] { return single.sample(); }},
        {"insync, batches of 64", [&] { return batched.sample(); }},
        {"mutex + std::map", [&] { return naive.sample(); }},
    };
    interleave(designs, options.rounds(15));
    single.check();
    batched.check();
    naive.check();
    designs[2].target = {5, 9};
    report.compare(title, "ns", {designs[0], designs[2]});
    designs[2].target = {10, 18};
    report.compare(title + ", in batches", "ns", {designs[1], designs[2]});
}

void by_name(const Topology& topology, const Options& options, Report& report) {
    const std::uint32_t partitions = topology.partitions();
    const std::string title = fmt::format("record_progress by name, {} partitions, ", partitions);
    if (!options.wants(title)) return;
    Ours heartbeat{topology, Ours::Way::name, Traffic::heartbeat};
    Ours advancing{topology, Ours::Way::name, Traffic::advancing};
    Sharded sharded{topology};
    std::vector<Contender> designs{
        {"insync", [&] { return heartbeat.sample(); }},
        {"insync", [&] { return advancing.sample(); }},
        {"sharded: its heartbeat, a time stamp only", [&] { return sharded.sample(); }},
    };
    interleave(designs, options.rounds(15));
    advancing.check();
    designs[2].target = partitions == 1'000'000 ? Target{1.5, 4} : Target{4, 6};
    const auto name_of = [&](Traffic traffic) { return title + std::string{to_string(traffic)}; };
    report.compare(name_of(Traffic::heartbeat), "ns", {designs[0], designs[2]});
    report.compare(name_of(Traffic::advancing), "ns", {designs[1], designs[2]});
}

} // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv, "Followers' progress.");
    raise_priority();
    pin_to_processor(0);
    Report report{instruction_set()};
    const Topology usual{options.quick ? 10'000u : 100'000u};
    by_handle(usual, Traffic::heartbeat, options, report);
    by_handle(usual, Traffic::advancing, options, report);
    for (const std::uint32_t partitions : {10'000u, 100'000u, 1'000'000u}) {
        if (options.quick && partitions > 10'000) break;
        by_name(Topology{partitions}, options, report);
    }
    return report.finish();
}
