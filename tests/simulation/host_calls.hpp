#pragma once

// Part of host.hpp: how one call of the manager is made, and what it may call back.
#include "simulation/host.hpp" // IWYU pragma: keep

#ifdef INSYNC_SIMULATION_FAILS_ALLOCATIONS
#include "support/allocations.hpp"
#endif

#include <stdexcept>
#include <string_view>
#include <utility>

namespace simulation {

/// Calls the manager, perhaps with one allocation failing. What it then refuses it may refuse.
template <class Call>
insync::Result Host::call(const Call& manager_call) {
#ifdef INSYNC_SIMULATION_FAILS_ALLOCATIONS
    if (failing_allocation_ && depth_ == 0) {
        const support::CountAllocations counted;
        Result result = Result::ok;
        {
            const support::FailAllocation failing{*failing_allocation_};
            result = manager_call();
        }
        if (support::FailAllocation::happened()) {
            ++report_.totals().failed_allocations;
            failing_allocation_.reset();
        } else {
            *failing_allocation_ -= counted.count();
        }
        return result;
    }
#endif
    return manager_call();
}

/// Lets manager and model do the same, and compares what they return.
template <class Call, class ModelCall>
insync::Result Host::call_both(Tracked& t,
                               std::string_view what,
                               const Call& manager_call,
                               const ModelCall& model_call) {
    const Result result = call(manager_call);
    if (t.model) {
        const Result due = model_call(*t.model);
        if (result != due)
            report_.fail("model", "node {} group {}: {} gives {}, the model {}", self_, t.group,
                         what, to_string(result), to_string(due));
    }
    if (plan_.re_enters)
        for (Tracked& each : tracked_) check(each); // callbacks touch them all
    else
        check(t);
    return result;
}

inline void Host::Store::publish(insync::TopicPartition name, const insync::PublishedIsr& isr) {
    // Of a group of its own this metadata knows nothing.
    const auto group = static_cast<GroupNumber>(name.partition);
    if (!host.truth_.groups[group].alone.contains({host.self_, isr.epoch}))
        host.metadata_.publish(group, isr, host.truth_.cluster.now());
    host.in_callback();
}

inline void Host::hear(const insync::IsrChange& change) {
    Tracked& t = tracked_[static_cast<std::size_t>(change.partition)];
    if (change.before != t.folded)
        report_.fail("L28", "node {} group {}: a change from {} of {} does not follow {} of {}",
                     self_, t.group, change.before.members(), change.before.version(),
                     t.folded.members(), t.folded.version());
    report_.note("node {} group {}: {}: {} -> {}, epoch {} version {}", self_, t.group,
                 to_string(change.cause), change.before.members(), change.after.members(),
                 change.after.epoch(), change.after.version());
    t.folded = change.after;
    if (t.model) t.events.push_back({change.cause, property::Reported{change.after}});
    check_change(t, change);
    in_callback();
}

inline void Host::on_wait_ended(GroupNumber group, int id, insync::WaitResult result) {
    Tracked& t = tracked_[group];
    const auto wait = t.waits.extract(id);
    if (wait.empty()) return report_.fail("L23", "node {}: wait {} ended twice", self_, id);
    using insync::WaitResult;
    if (t.model) t.ended.emplace_back(id, result);
    check_told(t);
    switch (result) {
    case WaitResult::committed:
        report_.reach(Mark::committed);
        ++report_.totals().acknowledged;
        check_committed(t, wait.mapped());
        break;
    case WaitResult::not_enough_replicas: report_.reach(Mark::not_enough_replicas); break;
    case WaitResult::not_leader: report_.reach(Mark::not_leader); break;
    case WaitResult::timed_out:
        report_.reach(Mark::timed_out);
        if (wait.mapped().deadline > seen_)
            report_.fail("L23", "node {} group {}: wait {} timed out early", self_, group, id);
        break;
    case WaitResult::shut_down: break;
    }
    in_callback();
}

/// What user code does inside a callback: it may call anything, and it may throw (C5, C8).
inline void Host::in_callback() {
    if (manager_ == nullptr || depth_ > 0) return;
    if (plan_.re_enters) {
        ++depth_;
        for (Tracked& t : tracked_) {
            (void)manager_->has_min_isr(t.handle);
            (void)manager_->explain("t", static_cast<int>(t.group), self_);
            (void)manager_->update_isr(t.handle);
        }
        (void)begin_sweep(local_now());
        manager_->tick();
        (void)manager_->safe_to_stop(self_);
        --depth_;
    }
    if (throwing_ > 0) {
        --throwing_;
        report_.reach(Mark::callback_threw);
        throw std::runtime_error{"a callback of the simulation"};
    }
}

inline Host::Moment Host::moment(Tracked& t, bool may_evict, TimePoint last, bool paused) {
    const auto set = manager_->get_isr(t.handle);
    return {seen_,
            may_evict,
            last,
            paused,
            false,
            property::Reported{*set},
            manager_->has_min_isr(t.handle),
            truth_.dead};
}

/// Shows the model what the manager has just read.
inline void Host::observe_model(Tracked& t, bool may_evict, TimePoint last, bool paused) {
    const HostView::Read& read = view_.last_read(t.group);
    (void)t.model->observe(read.result, read.state, moment(t, may_evict, last, paused));
}

/// What the manager does by itself at a tick: a sweep, when one is due (S4). One that is late
/// evicts nobody, the next one judges (S3).
inline bool Host::begin_sweep(TimePoint now) {
    if (now < next_sweep_) return false;
    stalled_ = is_overdue(now) && !stalled_;
    if (stalled_) report_.reach(Mark::stalled_sweep);
    last_sweep_ = now;
    next_sweep_ = now + plan_.config.check_interval_ms;
    return true;
}

/// Else reads that failed are repeated, eight times an interval (S2).
inline void Host::schedule_retry(TimePoint now) {
    fails_ = false;
    for (Tracked& t : tracked_) fails_ = fails_ || t.failed;
    next_retry_ = fails_ ? now + retry_pause() : TimePoint::max();
}

} // namespace simulation
