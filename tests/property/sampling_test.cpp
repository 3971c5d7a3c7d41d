#include "property/random.hpp"

#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace insync;
using namespace insync::testing;
using property::Random;

/// Node 1 leads a log that gets a batch each `batch` ms while there is load. Node 2 has every batch
/// `delay` ms after the leader, so under load it never holds the end. Node 3 does the same until it
/// is stuck: then it goes on answering, but holds no more than it did.
struct Load {
    explicit Load(Random& random) {
        config.max_lag_ms = Millis{random.between(640, 3000)};
        config.check_interval_ms = Millis{random.between(20, config.max_lag_ms.count() / 2)};
        config.max_lag_entries = IsrConfig::kNoEntryLimit;
        gap = (config.max_lag_ms + Millis{7}) / 8 + config.check_interval_ms;
        const auto room = (config.max_lag_ms - gap).count();
        batch = Millis{random.between(1, room / 3)};
        delay = Millis{random.between(0, room / 2)};
        stuck_from = TimePoint{5 * config.max_lag_ms + Millis{random.between(0, 1000)}};
        stuck_until = stuck_from + 3 * config.max_lag_ms;
        for (TimePoint at{}; at < TimePoint{14 * config.max_lag_ms};) { // busy, idle, busy, ...
            const TimePoint idle = at + Millis{random.between(1, 6000)};
            for (; at < idle; at += batch) appended.push_back(at);
            at += Millis{random.between(0, 3 * config.max_lag_ms.count())};
        }
    }

    /// How many batches had arrived at `when`.
    [[nodiscard]] Index at(TimePoint when) const {
        const auto later = std::upper_bound(appended.begin(), appended.end(), when);
        return static_cast<Index>(later - appended.begin());
    }
    [[nodiscard]] Index end(TimePoint now) const { return 10 + at(now); }
    [[nodiscard]] Index healthy(TimePoint now) const { return 10 + at(now - delay); }
    [[nodiscard]] Index sluggish(TimePoint now) const {
        return healthy(now > stuck_from && now < stuck_until ? stuck_from : now);
    }
    /// Age of the oldest batch that whoever holds `match` lacks.
    [[nodiscard]] Millis lacking(Index match, TimePoint now) const {
        return match >= end(now) ? Millis{0} : saturating_age(now, appended[match - 10]);
    }
    [[nodiscard]] std::string text() const {
        return fmt::format(
            "limit {} ms, sweeps each {} ms, batches each {} ms, answers after {} ms",
            config.max_lag_ms.count(), config.check_interval_ms.count(), batch.count(),
            delay.count());
    }

    IsrConfig config;
    Millis batch{};
    Millis delay{};
    Millis gap{}; ///< by so much may the time of a sample be early
    TimePoint stuck_from;
    TimePoint stuck_until;
    std::vector<TimePoint> appended;
};

/// Runs one load, millisecond by millisecond. \return what went wrong, if anything did
template <class View>
std::string run(const Load& load) {
    ManualClock clock;
    View view;
    ScriptedGroup& group = view.lead("t", 0, 1, 1, 10);
    group.quorum(Quorum::held);
    group.follower(2, 10, clock.now()).follower(3, 10, clock.now());
    IsrManager isr{1, view, load.config, clock};
    if (isr.initialize_isr("t", 0, {1, 2, 3}) != Result::ok) return "no initialisation";
    const PartitionHandle handle = isr.find("t", 0);
    Index seen_end = 10;
    for (TimePoint now = clock.now(); now < load.appended.back(); now += Millis{1}) {
        clock.set(now);
        const bool due = now >= isr.next_deadline();
        const Index end = load.end(now);
        const bool grew = end > seen_end;
        seen_end = end;
        const Index two = load.healthy(now);
        const Index three = load.sluggish(now);
        if (due || View::pushes) {
            group.edit([&](GroupState& s) { s.end = s.durable = s.commit = end; });
            group.follower(2, two, now).follower(3, three, now);
        }
        if constexpr (View::pushes) {
            if (grew && isr.record_leader(handle, 1, {end, end, end}) != Result::ok) return "end";
            (void)isr.record_progress(handle, 1, 2, two, now);
            (void)isr.record_progress(handle, 1, 3, three, now);
        }
        if (!due) continue;
        isr.tick();
        const IsrSet set = isr.get_isr("t", 0).value();
        const auto when = now.time_since_epoch().count();
        if (!set.contains(2)) return fmt::format("at {} ms the healthy one was evicted", when);
        const Millis lacking = load.lacking(three, now);
        if (lacking > load.config.max_lag_ms && set.contains(3))
            return fmt::format("at {} ms one that lacks {} ms is in", when, lacking.count());
        if (lacking + load.gap <= load.config.max_lag_ms && !set.contains(3))
            return fmt::format("at {} ms one that lacks {} ms is out", when, lacking.count());
    }
    return {};
}

template <class View>
void run_many(std::string_view what) {
    const std::uint64_t replayed = property::from_environment("INSYNC_SEED", 0);
    const std::uint64_t first = replayed != 0 ? replayed : 1;
    const std::uint64_t last = replayed != 0 ? replayed : 40;
    fmt::print("sampling, {}: seeds {} to {}\n", what, first, last);
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        Random random{seed};
        const Load load{random};
        INFO("replay with INSYNC_SEED=" << seed << ", " << what << ": " << load.text());
        REQUIRE(run<View>(load) == "");
    }
}

TEST_CASE("always a batch behind stays in, stuck goes out, with a pulled view", "[sampling]") {
    run_many<ScriptedView>("pulled");
}

TEST_CASE("always a batch behind stays in, stuck goes out, with a versioned view", "[sampling]") {
    run_many<VersionedScriptedView>("versioned");
}

TEST_CASE("always a batch behind stays in, stuck goes out, with a pushing view", "[sampling]") {
    run_many<PushingScriptedView>("pushing");
}

} // namespace
