#pragma once

// Part of host.hpp: what a host does with its manager.
#include "simulation/host.hpp" // IWYU pragma: keep

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace simulation {

inline void Host::start() {
    if (up()) return;
    view_.fault = ViewFault::none;
    view_.forget();
    seen_ = insync::kNever;
    manager_ = std::make_unique<Manager>(self_, view_, plan_.config,
                                         HostClock{truth_.cluster, self_, seen_});
    manager_->subscribe([this](const insync::IsrChange& change) { hear(change); });
    manager_->publish_to(store_);
    last_sweep_ = next_sweep_ = seen_;
    next_retry_ = TimePoint::max();
    stalled_ = fails_ = false;
    for (const NodeId node : truth_.dead) mark(node, true);
    tracked_.reserve(kMostGroups); // the manager's calls refer to them
    tracked_.resize(plan_.groups);
    for (GroupNumber group = 0; group < plan_.groups; ++group) track(group);
}

inline void Host::stop() {
    failing_allocation_.reset();
    throwing_ = 0;
    if (const auto manager = std::exchange(manager_, nullptr)) manager->shut_down();
    for (const Tracked& t : tracked_)
        if (!t.waits.empty())
            report_.fail("L24", "node {} group {}: a wait outlived its manager", self_, t.group);
    tracked_.clear();
}

/// What a partition begins with, by what the metadata knows and who is taken for dead.
inline insync::IsrSet Host::first_set(const Tracked& t, const insync::PublishedIsr& newest) const {
    std::vector<NodeId> in;
    std::vector<NodeId> others;
    const auto divide = [&](const auto& is_in) {
        in.clear();
        others.clear();
        for (const NodeId node : t.assigned) (is_in(node) ? in : others).push_back(node);
    };
    const auto contains = [](const auto& nodes, NodeId node) {
        return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
    };
    divide([&](NodeId node) { return contains(newest.members, node); });
    if (!in.empty()) {
        const bool known = contains(t.assigned, newest.leader);
        return {known ? newest.leader : kNoNode, in, others, newest.epoch, newest.version};
    }
    divide([&](NodeId node) { return node == self_ || !truth_.dead.contains(node); });
    if (in.empty()) divide([](NodeId) { return true; });
    return {kNoNode, in, others};
}

/// Begins to track a partition, with what the metadata knows.
inline void Host::track(GroupNumber group, bool tells_who_is_alive) {
    Tracked& t = tracked_[group];
    const insync::PublishedIsr& newest = known_set(group);
    forget_alone(group);
    t = {};
    t.group = group;
    t.assigned = truth_.groups[group].assigned;
    t.min_isr = plan_.config.min_insync_replicas;
    t.folded = t.last = first_set(t, newest);
    t.heard = t.folded.epoch();
    const bool inherits = t.folded.version() != 0;
    if (plan_.refined)
        t.model = std::make_unique<property::NaivePartition>(
            self_, plan_.config, std::set<NodeId>{t.assigned.begin(), t.assigned.end()},
            std::nullopt, inherits ? &newest : nullptr, truth_.dead);
    insync::PartitionOptions options;
    if (inherits) options.inherited = &newest;
    const auto members = t.folded.members();
    if (tells_who_is_alive && !inherits && members.size() < t.assigned.size())
        options.alive = insync::NodeList{members};
    const Result result =
        manager_->initialize_isr("t", static_cast<insync::PartitionId>(group), t.assigned, options);
    if (result != Result::ok)
        return report_.fail("S10", "node {}: initialize_isr gives {}", self_, to_string(result));
    t.handle = manager_->find("t", static_cast<insync::PartitionId>(group));
    t.failed = false; // the next sweep reads it, whatever this read gave
    if (t.model) observe_model(t, true, seen_, true);
    check(t);
}

/// What the metadata shows this node; a node that leads a group of its own knows none of it.
inline const insync::PublishedIsr& Host::known_set(GroupNumber group) const {
    static const insync::PublishedIsr kNothing{};
    return truth_.cluster.replica(group, self_).alone ? kNothing : metadata_.newest(group);
}

/// Once it has joined, the group may come to the epochs in which this node led alone.
inline void Host::forget_alone(GroupNumber group) {
    if (truth_.cluster.replica(group, self_).alone) return;
    std::erase_if(truth_.groups[group].alone,
                  [&](const auto& each) { return each.first == self_; });
}

/// The group is another one than before, or its epoch has fallen: all that was known is forgotten.
inline void Host::begin_anew(GroupNumber group) {
    Tracked& t = tracked_[group];
    failing_allocation_.reset(); // the host would try again
    forget_alone(group);
    if (view_.fault == ViewFault::frozen) view_.fault = ViewFault::none; // of another group
    t.heard = 0;
    t.emptied.clear();
    t.vouched_in = 0; // the same epoch may come again, of another group
    t.anew_at = TimePoint::max();
    view_.begin_reading();
    const Result result = manager_->register_anew("t", static_cast<insync::PartitionId>(group));
    if (result != Result::ok)
        report_.fail("S10", "node {} group {}: register_anew gives {}", self_, group,
                     to_string(result));
    if (!t.waits.empty())
        report_.fail("L24", "node {} group {}: a wait outlived its group", self_, group);
    t.last = insync::IsrSet{};
    t.high_watermark = 0;
    t.failed = false;
    if (t.model) {
        t.model->register_anew(truth_.dead);
        observe_model(t, true, seen_, true);
    }
    for (Tracked& each : tracked_) check(each);
    apply_published(group);
}

inline void Host::make(GroupNumber group, bool tells_who_is_alive) {
    tracked_.emplace_back();
    track(group, tells_who_is_alive);
}

inline void Host::mark(NodeId node, bool dead) {
    failing_allocation_.reset(); // the host would try again
    const Result result = dead ? manager_->mark_dead(node) : manager_->mark_alive(node);
    if (result != Result::ok)
        report_.fail("S10", "node {}: {} is marked, which gives {}", self_, node,
                     to_string(result));
    for (Tracked& t : tracked_) check(t);
}

inline void Host::track_anew(GroupNumber group) {
    Tracked& t = tracked_[group];
    if (t.last.own() || truth_.cluster.replica(group, self_).leads()) return;
    const insync::PartitionHandle old = t.handle;
    if (manager_->remove_partition("t", static_cast<insync::PartitionId>(group)) != Result::ok)
        report_.fail("S10", "node {} group {}: remove_partition fails", self_, group);
    const auto expect_dead = [&] {
        if (old || manager_->has_min_isr(old))
            report_.fail("S5", "node {} group {}: a removed handle lives", self_, group);
    };
    expect_dead();
    if (!t.waits.empty())
        report_.fail("L24", "node {} group {}: a wait outlived its partition", self_, group);
    track(group);
    expect_dead(); // nor does it name the next in its place
}

/// What the host's loop does each `check_interval_ms`, by its own clock or thereabouts, and more
/// often while reads fail.
inline void Host::tick() {
    const TimePoint now = local_now();
    const TimePoint last = last_sweep_;
    const bool late = is_overdue(now);
    const bool sweeps = begin_sweep(now);
    const bool retries = !sweeps && now >= next_retry_;
    view_.begin_reading();
    (void)call([&] {
        manager_->tick();
        return Result::ok;
    });
    for (Tracked& t : tracked_)
        if (t.model) t.model->expire_waits(now);
    for (Tracked& t : tracked_) {
        const bool read = sweeps || (retries && t.failed);
        if (t.model && read)
            observe_model(t, !stalled_, sweeps ? last : last_sweep_, sweeps && late);
        if (read) t.failed = view_.failed(t.group);
        check(t);
        if (read) check_after_sweep(t);
    }
    if (sweeps || retries) schedule_retry(now);
}

inline void Host::look(GroupNumber group) {
    Tracked& t = tracked_[group];
    const TimePoint now = local_now();
    const bool late = is_overdue(now);
    view_.look_at_members(group);
    view_.begin_reading();
    (void)call([&] { return manager_->update_isr(t.handle); });
    if (t.model) observe_model(t, !late && !stalled_, last_sweep_, late);
    for (Tracked& each : tracked_) check(each); // callbacks may touch them all
    if (view_.saw_truth(group) && !plan_.fails_to_allocate) check_vouched(t, t.last);
}

inline void Host::produce(GroupNumber group, Index count) {
    Tracked& t = tracked_[group];
    const auto& replica = truth_.cluster.replica(group, self_);
    if (!manager_->has_min_isr(t.handle)) return manager_->count_refused_produce();
    if (!truth_.cluster.append_on(group, self_, count)) return;
    const insync::LeaderPositions positions{replica.log.end(), replica.log.durable(),
                                            replica.commit};
    if (plan_.pushes)
        (void)call_both(
            t, "record_leader",
            [&] { return manager_->record_leader(t.handle, replica.epoch, positions); },
            [&](auto& model) { return model.record_leader(replica.epoch, positions, seen_); });
    // What it appended when it led before, a slow handler asks for only now.
    if (t.appended && t.appended->epoch != replica.epoch) await(t, *t.appended);
    t.appended = PendingWait{replica.epoch, replica.log.end(), local_now() + plan_.wait};
    await(t, *t.appended);
}

inline void Host::await(Tracked& t, const PendingWait& wait) {
    const int id = ++last_wait_;
    t.waits[id] = wait;
    (void)call_both(
        t, "await_replication",
        [&] {
            const auto ended = [this, group = t.group, id](insync::WaitResult result) {
                on_wait_ended(group, id, result);
            };
            const Result result =
                manager_->await_replication(t.handle, wait.epoch, wait.index, wait.deadline, ended);
            if (result != Result::ok && t.waits.erase(id) == 0)
                report_.fail("L23", "node {} group {}: a refused wait was ended", self_, t.group);
            return result;
        },
        [&](auto& model) {
            return model.await({id, wait.index, wait.deadline}, wait.epoch, seen_);
        });
}

inline void Host::push_answer(GroupNumber group, NodeId follower) {
    const auto& replica = truth_.cluster.replica(group, self_);
    const auto& peer = replica.peers[static_cast<std::size_t>(follower)];
    if (peer.verified)
        push_row(group, replica.epoch,
                 {.node = follower, .match = peer.match, .contact = peer.contact});
}

inline void Host::push_row(GroupNumber group, Epoch epoch, const insync::FollowerRow& row) {
    Tracked& t = tracked_[group];
    t.heard = std::max(t.heard, epoch);
    (void)call_both(
        t, "record_progress",
        [&] {
            const Result result =
                manager_->record_progress(t.handle, epoch, row.node, row.match, row.contact);
            if (result != Result::ok && result != Result::stale) report_.reach(Mark::refused_push);
            return result;
        },
        [&](auto& model) {
            const TimePoint contact = std::min(row.contact, seen_);
            return model.record_progress(epoch, row.node, row.match, contact);
        });
}

inline void Host::push_heartbeat(GroupNumber group, NodeId node) {
    Tracked& t = tracked_[group];
    const auto number = static_cast<insync::PartitionId>(group);
    const Result result = call_both(
        t, "update_heartbeat", [&] { return manager_->update_heartbeat("t", number, node); },
        [&](auto& model) { return model.update_heartbeat(node, seen_); });
    if (result == Result::ok) t.heartbeats[node] = seen_;
}

inline void Host::move_by_hand(GroupNumber group, NodeId node, bool add) {
    Tracked& t = tracked_[group];
    const auto number = static_cast<insync::PartitionId>(group);
    (void)call_both(
        t, "a move by hand",
        [&] {
            const Result result = add ? manager_->add_to_isr("t", number, node)
                                      : manager_->remove_from_isr("t", number, node);
            if (result == Result::ok) report_.reach(Mark::moved_by_hand);
            return result;
        },
        [&](auto& model) { return model.move_by_hand(node, add, seen_); });
}

inline void Host::set_min_isr(GroupNumber group, int min_isr) {
    Tracked& t = tracked_[group];
    const auto number = static_cast<insync::PartitionId>(group);
    (void)call_both(
        t, "set_min_insync_replicas",
        [&] {
            const Result result = manager_->set_min_insync_replicas("t", number, min_isr);
            if (result == Result::ok) t.min_isr = min_isr;
            return result;
        },
        [&](auto& model) { return model.set_min_isr(min_isr); });
}

inline void Host::set_assignment(GroupNumber group, const std::vector<NodeId>& nodes) {
    Tracked& t = tracked_[group];
    const auto number = static_cast<insync::PartitionId>(group);
    t.assigned = nodes;
    failing_allocation_.reset(); // the host would try again
    (void)call_both(
        t, "set_assignment", [&] { return manager_->set_assignment("t", number, nodes); },
        [&](auto& model) { return model.set_assignment({nodes.begin(), nodes.end()}); });
}

inline void Host::apply_published(GroupNumber group) {
    Tracked& t = tracked_[group];
    const insync::PublishedIsr& newest = known_set(group);
    if (newest.members.empty()) return;
    t.heard = std::max(t.heard, newest.epoch);
    const auto apply = [&] {
        return manager_->apply_published_isr("t", static_cast<insync::PartitionId>(group), newest);
    };
    (void)call_both(
        t, "apply_published_isr",
        [&] {
            const Result result = apply();
            return result == Result::no_memory ? apply() : result; // as a host would
        },
        [&](auto& model) { return model.apply_published(newest); });
}

} // namespace simulation
