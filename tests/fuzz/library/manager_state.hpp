#pragma once

#include <insync/format.hpp>
#include <insync/isr_manager.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <map>
#include <string>
#include <utility>

namespace fuzz {

using Name = std::pair<std::string, insync::PartitionId>;

inline std::int64_t ms(insync::TimePoint time) {
    return time.time_since_epoch().count();
}

/// All that a manager tells of one partition, in words, so that two moments can be compared.
inline std::string in_words(const insync::PartitionReport& report) {
    const insync::IsrSet& isr = report.isr;
    std::string words =
        fmt::format("{} of {} e{} v{} at {} own {} stale {} leading {} min {} of {} end {} hw {}",
                    isr, isr.replica_count(), isr.epoch(), isr.version(), ms(isr.changed_at()),
                    isr.own(), isr.stale(), report.leading, report.has_min_isr, report.min_isr,
                    report.end, report.high_watermark);
    for (const insync::FollowerReport& follower : report.followers)
        fmt::format_to(std::back_inserter(words), "; {} member {} match {} lag {} {} ms heard {}",
                       follower.node, follower.member,
                       follower.match ? fmt::to_string(*follower.match) : "unknown",
                       follower.lag.entries.value_or(~insync::Index{0}), follower.lag.time.count(),
                       ms(follower.last_contact));
    return words;
}

/// The same of all its partitions, and of the waits.
template <class Manager>
std::map<Name, std::string> in_words(const Manager& isr) {
    std::map<Name, std::string> words;
    isr.for_each_partition([&](const insync::PartitionReport& report) {
        words.emplace(Name{report.topic, report.partition}, in_words(report));
    });
    words[{"waits", 0}] = fmt::to_string(isr.get_isr_stats().waits);
    return words;
}

} // namespace fuzz
