#pragma once

#include "property/model_world.hpp"

namespace property {

template <class View>
void World<View>::hear(const insync::IsrChange& change) {
    for (Tracked& t : tracked_) {
        if (t.topic != change.topic) continue;
        expect(t, "event before", Reported{change.before}.same_set(t.folded), true);
        t.folded = Reported{change.after};
        note("{} event {}: {}", t.topic, to_string(change.cause), to_text(t.folded));
        t.events.push_back({change.cause, t.folded});
    }
}

template <class View>
void World<View>::compare(Tracked& t) {
    const auto set = manager_->get_isr(t.topic, 0);
    for (const insync::PartitionHandle& old : t.removed) {
        expect(t, "removed handle", static_cast<bool>(old), false);
        expect(t, "min ISR by removed handle", manager_->has_min_isr(old), false);
    }
    expect(t, "tracked", set.has_value(), t.model != nullptr);
    if (!t.model || !failure.empty()) return;
    NaivePartition& model = *t.model;
    expect(t, "ISR", Reported{*set}, model.shown);
    expect(t, "ISR by handle", Reported{*manager_->get_isr(t.handle)}, model.shown);
    if (const auto has_min = model.has_min_isr()) {
        expect(t, "min ISR", manager_->has_min_isr(t.topic, 0), *has_min);
        expect(t, "min ISR by handle", manager_->has_min_isr(t.handle), *has_min);
    }
    expect(t, "high watermark", manager_->high_watermark(t.topic, 0), model.high_watermark());
    for (const NodeId node : model.shown.replicas) {
        const auto why = manager_->explain(t.topic, 0, node);
        expect(t, "explained", why.has_value(), true);
        if (why) expect(t, "match", why->match, model.match(node));
    }
    compare_published(t);
    std::sort(t.ended.begin(), t.ended.end());
    std::sort(model.ended.begin(), model.ended.end());
    expect(t, "ended waits", t.ended, model.ended);
    expect(t, "number of events", t.events.size(), model.events.size());
    for (std::size_t i = 0; i < std::min(t.events.size(), model.events.size()); ++i) {
        expect(t, "event", t.events[i].after, model.events[i].after);
        expect(t, "cause", to_string(t.events[i].cause), to_string(model.events[i].cause));
    }
    expect(t, "events add up", t.folded.same_set(Reported{*set}), true);
    choices += std::exchange(model.choices, 0);
    t.ended.clear();
    model.ended.clear();
    t.events.clear();
    model.events.clear();
}

/// S8: each decision is sent when it is made, and at every good read until it is shown.
template <class View>
void World<View>::compare_published(Tracked& t) {
    const bool due = t.model->unpublished() && (t.asked || !t.model->events.empty());
    if (publishing_) expect(t, "published", !t.published.empty(), due);
    if (!t.published.empty()) {
        const insync::PublishedIsr now{*manager_->get_isr(t.topic, 0)};
        expect(t, "what is published is in force", t.published.back() == now, true);
        expect(t, "published once", t.published.size(), std::size_t{1});
    }
    t.published.clear();
    t.asked = false;
}
template <class View>
void World<View>::compare_stats() {
    insync::IsrStats due;
    for (const Tracked& t : tracked_) {
        if (!t.model) continue;
        ++due.partitions;
        due.leading += t.model->leading() ? 1u : 0u;
        due.stale += t.model->shown.stale ? 1u : 0u;
        due.isr_members += t.model->shown.members.size();
        due.waits += t.model->waits();
    }
    const insync::IsrStats stats = manager_->get_isr_stats();
    expect(tracked_[0], "partitions", stats.partitions, due.partitions);
    expect(tracked_[0], "leading", stats.leading, due.leading);
    expect(tracked_[0], "stale", stats.stale, due.stale);
    expect(tracked_[0], "members", stats.isr_members, due.isr_members);
    expect(tracked_[0], "waits", stats.waits, due.waits);
}

} // namespace property
