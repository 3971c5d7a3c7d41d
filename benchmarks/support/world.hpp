#pragma once

#include "bench_view.hpp"
#include "support/machine.hpp"
#include "support/workload.hpp"

#include <insync/isr_manager.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

/// The ISR as insync returns it, read whole.
inline std::uint64_t digest(const insync::IsrSet& isr) {
    auto sum = static_cast<std::uint64_t>(isr.leader());
    for (const NodeId node : isr.members()) sum += static_cast<std::uint64_t>(node);
    return sum;
}

/// A manager that leads all partitions of a topology, with the consensus and the time it sees.
template <class View>
class World {
public:
    using Manager = insync::IsrManager<View, BenchClock>;
    static constexpr const char* kName = "insync";
    static constexpr std::size_t kPushesAtOnce = 64;

    /// \param interval  between two sweeps, by which `advance_clock` advances
    explicit World(const Topology& topology, insync::Millis interval = insync::Millis{1'000})
        : topology_(&topology),
          interval_(interval),
          view_(topology.partitions()),
          handles_(topology.partitions()),
          isr_(kSelf, view_, config(interval), BenchClock{now_ms_}) {}

    /// Registers every partition, all of a topic's together, and resolves the handles.
    void initialize() {
        for (std::uint32_t i = 0; i < topology_->partitions(); ++i) {
            BenchView::Row& row = view_.row(i);
            for (insync::TimePoint& contact : row.contact) contact = now();
            const auto [topic, partition] = (*topology_)[i];
            if (partition == 0) check(isr_.reserve(topic, kPartitionsPerTopic));
            check(isr_.initialize_isr(topic, partition, kReplicas));
            handles_[i] = isr_.find(topic, partition);
        }
    }

    [[nodiscard]] Manager& isr() { return isr_; }
    [[nodiscard]] const std::vector<insync::PartitionHandle>& handles() const { return handles_; }
    [[nodiscard]] std::uint32_t partitions() const { return topology_->partitions(); }
    [[nodiscard]] insync::TimePoint now() const {
        return insync::TimePoint{insync::Millis{now_ms_.load(std::memory_order_relaxed)}};
    }

    // As the baselines name them.
    [[nodiscard]] bool has_min_isr(std::string_view topic, std::int32_t partition) const {
        return isr_.has_min_isr(topic, partition);
    }
    [[nodiscard]] std::optional<insync::IsrSet> get_isr(std::string_view topic,
                                                        std::int32_t partition) const {
        return isr_.get_isr(topic, partition);
    }
    void set_members(std::string_view topic, std::int32_t partition, ReplicaBits bits) {
        for (const NodeId node : kFollowers) {
            const bool member = (bits >> (node - 1) & 1u) != 0;
            if (isr_.is_in_sync(topic, partition, node) == member) continue;
            check(member ? isr_.add_to_isr(topic, partition, node)
                         : isr_.remove_from_isr(topic, partition, node));
        }
    }

    /// Lets a sweep become due.
    void advance_clock() { now_ms_ += interval_.count(); }
    void tick() { isr_.tick(); }

    /// The leader of partition `i` has `end`, durable and committed.
    void append(std::uint32_t i, Index end) {
        BenchView::Row& row = view_.row(i);
        row.end = end;
        ++row.version;
        check(isr_.record_leader(handles_[i], 1, {end, end, end}));
    }
    /// A follower of partition `i` answers, now, that it holds `match`.
    void acknowledge(std::uint32_t i, std::size_t follower, Index match) {
        BenchView::Row& row = view_.row(i);
        row.match[follower] = match;
        row.contact[follower] = now();
        ++row.version;
        check(isr_.record_progress(handles_[i], 1, kFollowers[follower], match, now()));
    }

    /// A follower of partition `i` answers that it holds all there is.
    void catch_up(std::uint32_t i, std::size_t follower) {
        acknowledge(i, follower, view_.row(i).end);
    }

    /// A follower answers for the partitions [first, last), in batches, at the positions it had.
    void heartbeat(std::uint32_t first, std::uint32_t last, std::size_t follower) {
        std::array<insync::ProgressReport, kPushesAtOnce> reports;
        for (std::uint32_t i = first; i < last;) {
            std::size_t size = 0;
            for (; size < reports.size() && i < last; ++size, ++i) {
                BenchView::Row& row = view_.row(i);
                row.contact[follower] = now();
                reports[size] = {handles_[i], 1, kFollowers[follower], row.match[follower], now()};
            }
            (void)isr_.record_progress(
                std::span<const insync::ProgressReport>{reports.data(), size});
        }
    }
    void heartbeat_all() {
        for (std::size_t follower = 0; follower < kFollowers.size(); ++follower)
            heartbeat(0, partitions(), follower);
    }
    /// Every partition hears from both followers once in `parts` calls.
    void heartbeat_next(std::uint32_t parts) {
        const std::uint32_t size = partitions() / parts;
        const std::uint32_t first = next_part_++ % parts * size;
        for (std::size_t follower = 0; follower < kFollowers.size(); ++follower)
            heartbeat(first, first + size, follower);
    }

    static void check(insync::Result result) {
        if (result != insync::Result::ok) [[unlikely]]
            require(false, to_string(result));
    }

    [[nodiscard]] static insync::IsrConfig config(insync::Millis interval) {
        insync::IsrConfig config;
        config.check_interval_ms = interval;
        config.max_lag_ms = insync::Millis{kMaxLagMs};
        config.max_lag_entries = kMaxLagEntries;
        config.min_insync_replicas = static_cast<int>(kMinIsr);
        return config;
    }

private:
    const Topology* topology_;
    insync::Millis interval_;
    std::atomic<std::int64_t> now_ms_{1'000'000};
    View view_;
    std::vector<insync::PartitionHandle> handles_;
    Manager isr_;
    std::uint32_t next_part_ = 0;
};

using PushedWorld = World<PushingBenchView>;
using PulledWorld = World<VersionedBenchView>;

} // namespace bench
