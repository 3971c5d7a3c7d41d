#pragma once

#include <insync/counters.hpp>
#include <insync/errors.hpp>
#include <insync/explain.hpp>
#include <insync/reports.hpp>
#include <insync/types.hpp>

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace insync::metrics {

/// A manager's metrics for prometheus-cpp (S9), gathered when they are scraped: nothing is counted
/// or kept for them in between.
///
/// Gauges of each partition, labels `topic` and `partition`:
///
/// - `isr_size`, `min_isr`: on every node that tracks it
/// - `high_watermark`: on the leader
/// - `follower_lag_entries`, `follower_lag_ms`, `last_heartbeat_timestamp_ms`: on the leader, with
///   `follower_id`. The time stamp is of the wall clock, and 0 for a follower never heard of.
/// - `follower_unconfirmed`, 1, there only while what a follower holds is not confirmed in this
///   epoch: its lag in entries is then what it lacks at least, the entries of this epoch.
///
/// Gauges of the node, over the partitions that it leads: `under_replicated_partitions`,
/// `under_min_isr_partitions`, `at_min_isr_partitions`, `refusing_produce_partitions`. Of all that
/// it tracks: `partitions`, `leader_partitions`, `stale_partitions`, `pending_waits`,
/// `sweep_duration_ms`.
///
/// Counters: `isr_shrinks_total`, `isr_expands_total`, `refused_produces_total`, `sweeps_total`,
/// `stalled_sweeps_total`, `views_read_total`, `damped_joins_total`, `clock_steps_back_total`,
/// `callbacks_thrown_total`, `epochs_fallen_total`, and `rejected_inputs_total` by `reason`, each
/// reason from 0.
///
/// Every name has the prefix in front, by default that of the design documents.
///
/// \tparam Manager  an `IsrManager`, which must outlive the collector
/// \par Thread safety
///     Safe, as the manager is. A scrape costs O(partitions), in time and in memory.
///
/// **Example**:
///
///     auto collector = std::make_shared<insync::metrics::PrometheusCollector<Manager>>(isr);
///     exposer.RegisterCollectable(collector);
template <class Manager>
class PrometheusCollector final : public prometheus::Collectable {
public:
    explicit PrometheusCollector(const Manager& manager, std::string prefix = "chronik_raft_")
        : manager_(manager), prefix_(std::move(prefix)) {}

    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
        std::vector<prometheus::MetricFamily> families;
        add_partitions(families);
        add_stats(families);
        add_counters(families);
        return families;
    }

private:
    using Families = std::vector<prometheus::MetricFamily>;
    using Labels = std::vector<prometheus::ClientMetric::Label>;

    void add_partitions(Families& families) const {
        auto isr_size = gauge("isr_size", "In-sync replicas, the leader included");
        auto min_isr = gauge("min_isr", "In-sync replicas that an acks=all write needs");
        auto watermark = gauge("high_watermark", "Index that every in-sync replica held");
        auto entries = gauge("follower_lag_entries", "Entries that the follower lacks");
        auto unconfirmed =
            gauge("follower_unconfirmed", "The lag in entries is what the follower lacks at least");
        auto time = gauge("follower_lag_ms", "Age of the oldest entry that the follower lacks");
        auto heartbeat = gauge("last_heartbeat_timestamp_ms", "When the follower last answered");
        manager_.for_each_partition([&](const PartitionReport& report) {
            const Labels labels{{"topic", report.topic},
                                {"partition", std::to_string(report.partition)}};
            set(isr_size, labels, report.isr.size());
            set(min_isr, labels, report.min_isr);
            if (!report.leading) return;
            set(watermark, labels, report.high_watermark);
            for (const FollowerReport& follower : report.followers) {
                Labels its = labels;
                its.push_back({"follower_id", std::to_string(follower.node)});
                const Index least = follower.lag.entries_at_least;
                if (follower.lag.entries || least > 0)
                    set(entries, its, follower.lag.entries.value_or(least));
                if (!follower.lag.entries) set(unconfirmed, its, 1);
                set(time, its, follower.lag.time.count());
                set(heartbeat, its, follower.last_contact_wall_ms);
            }
        });
        for (auto* const family :
             {&isr_size, &min_isr, &watermark, &entries, &unconfirmed, &time, &heartbeat})
            families.push_back(std::move(*family));
    }

    void add_stats(Families& families) const {
        const IsrStats stats = manager_.get_isr_stats();
        const auto add = [&](std::string_view name, std::string_view help, auto value) {
            families.push_back(gauge(name, help));
            set(families.back(), {}, value);
        };
        add("under_replicated_partitions", "Led here, with replicas outside the ISR",
            stats.under_replicated);
        add("under_min_isr_partitions", "Led here, with an ISR below min ISR", stats.under_min_isr);
        add("at_min_isr_partitions", "Led here, with an ISR of exactly min ISR", stats.at_min_isr);
        add("refusing_produce_partitions", "Led here, and refusing acks=all writes",
            stats.refusing_produce);
        add("partitions", "Tracked here", stats.partitions);
        add("leader_partitions", "Led here", stats.leading);
        add("stale_partitions", "Followed here, and without a leader for longer than the lag limit",
            stats.stale);
        add("pending_waits", "Writes with acks=all that wait for replication", stats.waits);
        add("sweep_duration_ms", "How long the last sweep took",
            manager_.last_sweep_duration().count());
    }

    void add_counters(Families& families) const {
        const IsrCounters counters = manager_.counters();
        const auto add = [&](std::string_view name, std::string_view help, std::uint64_t value) {
            families.push_back(family(name, help, prometheus::MetricType::Counter));
            count(families.back(), {}, value);
        };
        add("isr_shrinks_total", "Replicas taken out of an ISR by this node", counters.shrinks);
        add("isr_expands_total", "Replicas taken into an ISR by this node", counters.expands);
        add("refused_produces_total", "Writes refused for too few in-sync replicas",
            counters.refused_produces);
        add("sweeps_total", "Sweeps over all partitions", counters.sweeps);
        add("stalled_sweeps_total", "Sweeps that came too late to judge anybody",
            counters.stalled_sweeps);
        add("views_read_total", "Times that a partition's consensus was read", counters.views_read);
        add("damped_joins_total", "Joins put off by flap damping", counters.damped_joins);
        add("clock_steps_back_total", "Times that the clock went back", counters.clock_steps_back);
        add("callbacks_thrown_total", "Exceptions that came out of callbacks",
            counters.callbacks_thrown);
        add("epochs_fallen_total", "Partitions whose consensus went back to an older epoch",
            counters.epochs_fallen);
        auto rejected = family("rejected_inputs_total", "Inputs that changed nothing, by reason",
                               prometheus::MetricType::Counter);
        for (std::size_t i = 1; i < kResultCount; ++i) { // 0 is `ok`
            const auto reason = static_cast<Result>(i);
            count(rejected, {{"reason", std::string{to_string(reason)}}},
                  counters.rejected(reason));
        }
        families.push_back(std::move(rejected));
    }

    [[nodiscard]] prometheus::MetricFamily family(std::string_view name,
                                                  std::string_view help,
                                                  prometheus::MetricType type) const {
        prometheus::MetricFamily made;
        made.name = prefix_ + std::string{name};
        made.help = help;
        made.type = type;
        return made;
    }
    [[nodiscard]] prometheus::MetricFamily gauge(std::string_view name,
                                                 std::string_view help) const {
        return family(name, help, prometheus::MetricType::Gauge);
    }

    // A double holds every whole number up to 2^53 exactly; an index beyond that loses its last
    // digits, which is all the format has to offer.
    template <class Number>
    static void set(prometheus::MetricFamily& family, const Labels& labels, Number value) {
        prometheus::ClientMetric metric;
        metric.label = labels;
        metric.gauge.value = static_cast<double>(value);
        family.metric.push_back(std::move(metric));
    }
    static void count(prometheus::MetricFamily& family, const Labels& labels, std::uint64_t value) {
        prometheus::ClientMetric metric;
        metric.label = labels;
        metric.counter.value = static_cast<double>(value);
        family.metric.push_back(std::move(metric));
    }

    const Manager& manager_;
    std::string prefix_;
};

} // namespace insync::metrics
