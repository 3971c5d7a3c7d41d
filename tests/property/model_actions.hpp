#pragma once

#include "property/model_world.hpp"

namespace property {

/// Lets the view say what is true, with the fault over it.
template <class View>
void World<View>::show(Tracked& t) {
    auto& group = view_.group(t.topic, 0);
    insync::GroupState state = t.truth;
    if (t.fault == Fault::old_epoch && state.epoch > 0) --state.epoch;
    if (t.fault == Fault::inconsistent) {
        state.commit = state.end + 1;
        if (random_.chance(50)) state.followers.push_back({.node = self_});
    }
    group.edit([&](insync::GroupState& shown) { shown = state; });
    group.reads_return(t.fault == Fault::torn          ? insync::ReadResult::torn
                       : t.fault == Fault::unavailable ? insync::ReadResult::unavailable
                                                       : insync::ReadResult::ok);
}

template <class View>
void World<View>::push_news(Tracked& t) {
    if (pushed()) manager_->notify(t.handle);
}

template <class View>
void World<View>::push_positions(Tracked& t,
                                 Epoch epoch,
                                 const insync::LeaderPositions& positions) {
    note("{} push e{} end {} durable {} commit {}", t.topic, epoch, positions.end,
         positions.durable, positions.commit);
    const TimePoint now = seen();
    const Result result = manager_->record_leader(t.handle, epoch, positions);
    expect(t, "record_leader", result, t.model->record_leader(epoch, positions, now));
}

template <class View>
void World<View>::push_row(Tracked& t, Epoch epoch, const insync::FollowerRow& row) {
    note("{} push e{} {} holds {} contact {}", t.topic, epoch, row.node, row.match,
         row.contact.time_since_epoch().count());
    const TimePoint contact = std::min(row.contact, seen());
    const Result result =
        manager_->record_progress(t.handle, epoch, row.node, row.match, row.contact);
    const Result due = t.model->record_progress(epoch, row.node, row.match, contact);
    // A contact that an unread view knew already is news to the tracker.
    const bool news = insync::VersionedView<View> && result == Result::ok && due == Result::stale;
    if (!news) expect(t, "record_progress", result, due);
}

/// A row for each assigned replica that has none; most of them voters.
template <class View>
void World<View>::add_rows(Tracked& t) {
    for (const NodeId node : t.model->shown.replicas) {
        const auto same = [&](const insync::FollowerRow& row) { return row.node == node; };
        auto& rows = t.truth.followers;
        if (node == self_ || std::any_of(rows.begin(), rows.end(), same)) continue;
        rows.push_back({.node = node});
        if (random_.chance(10)) rows.back().kind = insync::ReplicaKind::joining;
    }
}

template <class View>
void World<View>::elect_self(Tracked& t) {
    t.highest += random_.one_of({1u, 1u, 1u, 5u});
    t.truth.epoch = t.highest;
    t.truth.leading = t.model->shown.replicas.contains(self_) || random_.chance(10);
    t.truth.leader = t.truth.leading ? self_ : insync::kNoNode;
    t.truth.quorum = reports_quorum_ ? insync::Quorum::held : insync::Quorum::unreported;
    t.truth.followers.clear();
    if (t.truth.leading) t.truth.durable = ++t.truth.end; // its first entry, as in Raft
    if (t.truth.leading) add_rows(t);
    note("{} elected, epoch {}", t.topic, t.highest);
    show(t);
    push_news(t);
}

template <class View>
void World<View>::elect_other(Tracked& t) {
    if (random_.chance(50)) t.truth.epoch = ++t.highest;
    t.truth.leading = false;
    t.truth.followers.clear();
    // In the same epoch nobody else can lead.
    t.truth.leader = t.truth.epoch == t.model->heard() || random_.chance(40) ? insync::kNoNode : 5;
    note("{} leader {}, epoch {}", t.topic, t.truth.leader, t.truth.epoch);
    show(t);
    push_news(t);
}

template <class View>
void World<View>::append(Tracked& t) {
    if (!t.truth.leading) return;
    const auto some = [&](Index most) { return random_.below(most + 1); };
    if (random_.chance(80)) t.truth.end += random_.one_of({1u, 3u, 20u, 500u});
    t.truth.durable = random_.chance(80) ? t.truth.end : some(t.truth.end);
    t.truth.commit = random_.chance(70) ? t.truth.durable : some(t.truth.end);
    show(t);
    if (pushed()) push_positions(t, t.truth.epoch, {t.truth.end, t.truth.durable, t.truth.commit});
}

/// A follower's answer arrives: most have all, some are behind, a few are late, doubled or wrong.
template <class View>
void World<View>::acknowledge(Tracked& t) {
    if (t.truth.followers.empty()) return;
    insync::FollowerRow& row = t.truth.followers[random_.below(t.truth.followers.size())];
    insync::FollowerRow told = row;
    told.match = random_.chance(70) ? t.truth.end : random_.below(t.truth.end + 1);
    told.contact = clock_.now() - Millis{random_.chance(70) ? 0 : random_.between(0, 3000)};
    if (random_.chance(2)) told.match = t.truth.end + 1 + random_.below(50);
    // A view that is always read may show nonsense, too.
    if (told.match <= t.truth.end || (!always_pushed_ && random_.chance(50))) {
        const bool falls = row.verified && told.match < row.match && random_.chance(10);
        row.match = falls ? told.match : std::max(row.match, told.match);
        row.verified = true;
        row.contact = std::max(row.contact, told.contact);
        show(t);
        if (falls) push_news(t);
    }
    if (!pushed()) return;
    push_row(t, t.truth.epoch, told);
    if (random_.chance(5)) push_row(t, t.truth.epoch, told);
}

template <class View>
void World<View>::beat(Tracked& t) {
    if (t.truth.followers.empty()) return;
    insync::FollowerRow& row = t.truth.followers[random_.below(t.truth.followers.size())];
    if (!always_pushed_ && random_.chance(70)) { // many at a time, as on an idle partition
        for (insync::FollowerRow& each : t.truth.followers) each.contact = clock_.now();
        note("{} is heard of by the view", t.topic);
        show(t);
        return;
    }
    row.contact = std::max(row.contact, clock_.now());
    show(t);
    note("{} heartbeat of {}", t.topic, row.node);
    const TimePoint now = seen();
    expect(t, "update_heartbeat", manager_->update_heartbeat(t.topic, 0, row.node),
           t.model->update_heartbeat(row.node, now));
}

/// What arrives late, from strangers, or from the future.
template <class View>
void World<View>::push_nonsense(Tracked& t) {
    const NodeId node = kPool[random_.below(kPool.size())];
    Epoch epoch = t.truth.epoch;
    if (random_.chance(50)) epoch -= std::min<Epoch>(epoch, 1 + random_.below(2));
    if (random_.chance(5)) epoch = ++t.highest; // somebody was elected; the view is told later
    const Index match = random_.below(t.truth.end + 10);
    if (random_.chance(60))
        push_row(t, epoch, {.node = node, .match = match, .contact = clock_.now()});
    else
        push_positions(t, epoch, {match, random_.below(match + 2), random_.below(match + 2)});
    // What contradicts the view is the view's to deny: let it be asked.
    show(t);
    if (pushed()) push_news(t);
}

/// A member leaves the group, or is another one under the same name, which has nothing.
template <class View>
void World<View>::lose_member(Tracked& t) {
    if (t.truth.followers.empty()) return;
    auto& rows = t.truth.followers;
    const auto row = rows.begin() + static_cast<std::ptrdiff_t>(random_.below(rows.size()));
    const bool leaves = random_.chance(50);
    note("{} {} {}", t.topic, row->node, leaves ? "leaves the group" : "comes back empty");
    if (leaves)
        rows.erase(row);
    else
        *row = {.node = row->node, .kind = row->kind};
    show(t);
    push_news(t);
}

template <class View>
void World<View>::register_anew(Tracked& t) {
    note("{} registered anew", t.topic);
    (void)seen();
    const Result result = manager_->register_anew(t.topic, 0);
    expect(t, "register_anew", result, Result::ok);
    t.model->register_anew(dead_);
    (void)observe(t, true, latest_, true);
}

/// The host learns that a node is dead, or alive again.
template <class View>
void World<View>::die(Tracked&) {
    const NodeId node = kPool[random_.below(kPool.size())];
    const bool dies = random_.chance(50);
    note("{} is {}", node, dies ? "dead" : "alive");
    (void)(dies ? manager_->mark_dead(node) : manager_->mark_alive(node));
    if (dies)
        dead_.insert(node);
    else
        dead_.erase(node);
}

template <class View>
void World<View>::change_kind(Tracked& t) {
    if (t.truth.followers.empty()) return;
    using insync::ReplicaKind;
    auto& rows = t.truth.followers;
    insync::FollowerRow& row = rows[random_.below(rows.size())];
    row.kind =
        random_.chance(60)
            ? ReplicaKind::voter
            : random_.one_of({ReplicaKind::learner, ReplicaKind::joining, ReplicaKind::leaving});
    if (random_.chance(10)) rows.erase(rows.begin() + (&row - rows.data()));
    if (random_.chance(30)) add_rows(t);
    note("{} kinds changed", t.topic);
    show(t);
    push_news(t);
}

template <class View>
void World<View>::change_quorum(Tracked& t) {
    if (!t.truth.leading || !reports_quorum_) return;
    t.truth.quorum = random_.chance(70) ? insync::Quorum::held : insync::Quorum::lost;
    note("{} quorum {}", t.topic, t.truth.quorum == insync::Quorum::held);
    show(t);
    push_news(t);
}

template <class View>
void World<View>::break_view(Tracked& t) {
    t.fault =
        random_.one_of({Fault::torn, Fault::unavailable, Fault::old_epoch, Fault::inconsistent});
    note("{} view breaks, {}", t.topic, static_cast<int>(t.fault));
    show(t);
    push_news(t);
}

template <class View>
void World<View>::mend_view(Tracked& t) {
    if (t.fault == Fault::none) return;
    t.fault = Fault::none;
    note("{} view mended", t.topic);
    show(t);
    push_news(t);
}

template <class View>
void World<View>::set_min_isr(Tracked& t) {
    const int min_isr = static_cast<int>(random_.between(random_.chance(10) ? -1 : 1, 5));
    note("{} min ISR {}", t.topic, min_isr);
    (void)seen();
    const Result result = manager_->set_min_insync_replicas(t.topic, 0, min_isr);
    expect(t, "set_min_insync_replicas", result, t.model->set_min_isr(min_isr));
}

template <class View>
void World<View>::move_by_hand(Tracked& t) {
    const NodeId node = kPool[random_.below(kPool.size())];
    const bool add = random_.chance(50);
    note("{} {} {} by hand", t.topic, add ? "add" : "remove", node);
    const TimePoint now = seen();
    const Result result =
        add ? manager_->add_to_isr(t.topic, 0, node) : manager_->remove_from_isr(t.topic, 0, node);
    expect(t, "by hand", result, t.model->move_by_hand(node, add, now));
}

/// What the metadata shows: newer, older, equal, or a fault of the host.
template <class View>
void World<View>::publish(Tracked& t) {
    const Reported& shown = t.model->shown;
    const std::vector<NodeId> replicas{shown.replicas.begin(), shown.replicas.end()};
    insync::PublishedIsr isr =
        some_set(random_.chance(80) ? replicas : some_nodes(true), shown.epoch, shown.version);
    if (random_.chance(40)) isr = insync::PublishedIsr{*manager_->get_isr(t.topic, 0)};
    switch (random_.below(6)) {
    case 0: isr.epoch = ++t.highest; break;
    case 1: isr.version += 1 + random_.below(3); break;
    case 2: isr.version -= std::min<Index>(isr.version, 1); break;
    case 3: isr.epoch -= std::min<Epoch>(isr.epoch, 1); break;
    default: break;
    }
    note("{} published {} leader {} e{} v{}", t.topic, isr.members, isr.leader, isr.epoch,
         isr.version);
    (void)seen();
    const Result result = manager_->apply_published_isr(t.topic, 0, isr);
    expect(t, "apply_published_isr", result, t.model->apply_published(isr));
}

template <class View>
void World<View>::await(Tracked& t) {
    const TimePoint now = seen();
    NaiveWait wait{++last_wait_, random_.below(t.truth.end + 5),
                   now + Millis{random_.between(0, 3 * interval().count())}};
    if (random_.chance(2)) wait.index = ~Index{0} - random_.below(2);
    const Epoch epoch =
        t.truth.epoch - (random_.chance(10) ? std::min<Epoch>(t.truth.epoch, 1) : 0);
    note("{} wait {} for {} in e{}", t.topic, wait.id, wait.index, epoch);
    const Result result = manager_->await_replication(
        t.topic, 0, epoch, wait.index, wait.deadline,
        [&t, id = wait.id](WaitResult ended) { t.ended.emplace_back(id, ended); });
    expect(t, "await_replication", result, t.model->await(wait, epoch, now));
}

/// What happens how often: an action stands here as many times as it has weight.
template <class View>
const std::array<typename World<View>::Action, 51> World<View>::kActions = [] {
    const std::pair<Action, int> weights[] = {
        {&World::pass_time, 11},  {&World::tick, 2},          {&World::update_isr, 1},
        {&World::append, 5},      {&World::acknowledge, 8},   {&World::beat, 4},
        {&World::await, 3},       {&World::elect_self, 1},    {&World::elect_other, 1},
        {&World::mend_view, 2},   {&World::break_view, 1},    {&World::push_nonsense, 1},
        {&World::change_kind, 1}, {&World::change_quorum, 1}, {&World::reassign, 1},
        {&World::set_min_isr, 1}, {&World::move_by_hand, 1},  {&World::publish, 1},
        {&World::remove, 1},      {&World::break_clock, 1},   {&World::lose_member, 1},
        {&World::die, 1},         {&World::register_anew, 1},
    };
    std::array<Action, 51> actions{};
    std::size_t count = 0;
    for (const auto& [action, weight] : weights)
        for (int i = 0; i < weight; ++i) actions.at(count++) = action;
    return actions;
}();

} // namespace property
