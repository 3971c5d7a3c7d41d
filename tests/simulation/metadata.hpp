#pragma once

#include "simulation/plan.hpp"
#include "simulation/verdict.hpp"

#include <insync/isr_store.hpp>

#include <fmt/ranges.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace simulation {

/// The host's replicated metadata (S8): decisions come in late, twice or never; each that is newer
/// than the last is kept, and shown to every node sooner or later.
class Metadata {
public:
    Metadata(const Plan& plan, Report& report)
        : report_(report), newest_(plan.groups), seen_(plan.groups), numbers_(plan.cluster.seed) {}

    void add_group() {
        newest_.emplace_back();
        seen_.emplace_back();
    }

    /// How decisions fare on their way.
    struct Quality {
        unsigned lost_percent = 0;
        unsigned doubled_percent = 0;
        Millis most_delay{20};
    };
    void set_quality(const Quality& quality) { quality_ = quality; }

    void publish(GroupNumber group, const insync::PublishedIsr& isr, TimePoint now) {
        for (const auto& known : seen_[group])
            if (known.epoch == isr.epoch && known.version == isr.version && known != isr)
                report_.fail("S8", "group {}: epoch {} version {} was decided as {} and as {}",
                             group, isr.epoch, isr.version, known.members, isr.members);
        if (seen_[group].empty() || seen_[group].back() != isr) seen_[group].push_back(isr);
        if (numbers_.below(100) < quality_.lost_percent) return report_.reach(Mark::publish_lost);
        arrive(group, isr, now);
        if (numbers_.below(100) < quality_.doubled_percent) arrive(group, isr, now);
    }

    /// When the next decision arrives; `TimePoint::max()` when none is under way.
    [[nodiscard]] TimePoint due() const noexcept {
        return under_way_.empty() ? TimePoint::max() : under_way_.front().when;
    }
    /// Takes in what has arrived. \return the groups of which something newer is known
    std::vector<GroupNumber> take(TimePoint now) {
        std::vector<GroupNumber> changed;
        while (due() <= now) {
            const Decision next = under_way_.front();
            under_way_.erase(under_way_.begin());
            insync::PublishedIsr& newest = newest_[next.group];
            if (std::pair{next.isr.epoch, next.isr.version} <=
                std::pair{newest.epoch, newest.version})
                continue;
            newest = next.isr;
            changed.push_back(next.group);
        }
        return changed;
    }
    /// The newest; without members where there is none.
    [[nodiscard]] const insync::PublishedIsr& newest(GroupNumber group) const {
        return newest_[group];
    }

private:
    struct Decision {
        TimePoint when;
        GroupNumber group;
        insync::PublishedIsr isr;
    };

    void arrive(GroupNumber group, const insync::PublishedIsr& isr, TimePoint now) {
        const auto most = static_cast<std::uint64_t>(quality_.most_delay.count());
        const TimePoint when = now + Millis{1 + static_cast<Millis::rep>(numbers_.below(most))};
        auto at = under_way_.begin();
        while (at != under_way_.end() && at->when <= when) ++at;
        under_way_.insert(at, {when, group, isr});
    }

    Report& report_;
    Quality quality_;
    std::vector<insync::PublishedIsr> newest_;
    std::vector<std::vector<insync::PublishedIsr>> seen_; ///< every decision that was published
    std::vector<Decision> under_way_;                     ///< in order of time
    insync::testing::SeededNumbers numbers_;
};

} // namespace simulation
