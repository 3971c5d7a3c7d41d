#pragma once

// Part of host.hpp: the naive model of tests/property says the same as the manager, after each
// call.
#include "simulation/host.hpp" // IWYU pragma: keep

#include <algorithm>
#include <cstddef>

namespace simulation {

inline void Host::compare_with_model(Tracked& t, const insync::IsrSet& set) {
    property::NaivePartition& model = *t.model;
    const auto expect = [&](std::string_view what, bool same) {
        if (!same)
            report_.fail("model",
                         "node {} group {}: {} differs: manager {} of epoch {} version {}, leader "
                         "{}{}, model {} of epoch {} version {}, leader {}{}",
                         self_, t.group, what, set.members(), set.epoch(), set.version(),
                         set.leader(), set.stale() ? ", stale" : "", model.shown.members,
                         model.shown.epoch, model.shown.version, model.shown.leader,
                         model.shown.stale ? ", stale" : "");
    };
    report_.reach(Mark::model_compared);
    expect("the ISR", property::Reported{set} == model.shown);
    if (const auto has_min = model.has_min_isr())
        expect("min ISR", manager_->has_min_isr(t.handle) == *has_min);
    expect("the high watermark", manager_->high_watermark(t.handle) == model.high_watermark());
    std::sort(t.ended.begin(), t.ended.end());
    std::sort(model.ended.begin(), model.ended.end());
    expect("how waits ended", t.ended == model.ended);
    bool same_events = t.events.size() == model.events.size();
    for (std::size_t i = 0; same_events && i < t.events.size(); ++i)
        same_events = t.events[i].after == model.events[i].after &&
                      t.events[i].cause == model.events[i].cause;
    expect("what the listener was told", same_events);
    report_.totals().choices += model.choices;
    model.choices = 0;
    t.ended.clear();
    model.ended.clear();
    t.events.clear();
    model.events.clear();
}

} // namespace simulation
