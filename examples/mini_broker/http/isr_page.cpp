#include "http/isr_page.hpp"

#include <insync/format.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace mini_broker {

namespace {

using nlohmann::json;

json replica_of(const insync::Explanation& why, TimePoint now) {
    json replica{{"node", why.node},
                 {"in_sync", why.member},
                 {"state", std::string{insync::to_string(why.state)}}};
    replica["why"] = fmt::format("{}", why);
    using enum insync::ReplicaState;
    for (const auto unmeasured : {leader, as_registered, as_published, as_decided})
        if (why.state == unmeasured) return replica;
    replica["lag_ms"] = why.lag.time.count();
    if (why.match) replica["match"] = *why.match;
    if (why.lag.entries)
        replica["lag_entries"] = *why.lag.entries;
    else
        replica["lag_entries_at_least"] = why.lag.entries_at_least;
    if (why.last_contact != insync::kNever)
        replica["last_contact_ms_ago"] = insync::saturating_age(now, why.last_contact).count();
    return replica;
}

json partition_of(const Isr& isr, const insync::PartitionReport& report) {
    const insync::IsrSet& set = report.isr;
    const TimePoint now = isr.clock().now();
    json partition{{"topic", report.topic},
                   {"partition", report.partition},
                   {"leader", set.leader()},
                   {"epoch", set.epoch()},
                   {"version", set.version()},
                   {"isr", std::vector<NodeId>(set.members().begin(), set.members().end())},
                   {"min_isr", report.min_isr},
                   {"has_min_isr", report.has_min_isr},
                   {"leading", report.leading},
                   {"stale", set.stale()},
                   {"age_ms", set.age(now).count()},
                   {"replicas", json::array()}};
    if (report.leading) {
        partition["end"] = report.end;
        partition["high_watermark"] = report.high_watermark;
    }
    for (const auto nodes : {set.members(), set.catching_up()})
        for (const NodeId node : nodes)
            if (const auto why = isr.explain(report.topic, report.partition, node))
                partition["replicas"].push_back(replica_of(*why, now));
    return partition;
}

} // namespace

HttpAnswer isr_page(const Isr& isr) {
    const insync::IsrStats stats = isr.get_isr_stats();
    json page{{"node", isr.self()},
              {"leading", stats.leading},
              {"under_replicated", stats.under_replicated},
              {"under_min_isr", stats.under_min_isr},
              {"partitions", json::array()}};
    isr.for_each_partition([&](const insync::PartitionReport& report) {
        page["partitions"].push_back(partition_of(isr, report));
    });
    return {page.dump(2) + "\n", "application/json", 200};
}

} // namespace mini_broker
