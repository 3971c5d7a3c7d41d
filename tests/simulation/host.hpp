#pragma once

#include "simulation/host_view.hpp"
#include "simulation/metadata.hpp"
#include "simulation/plan.hpp"
#include "simulation/tracked.hpp"
#include "simulation/verdict.hpp"

#include <insync/isr_manager.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace simulation {

using Manager = insync::IsrManager<HostView, HostClock>;

/// One broker: its manager, what it does with it, and what is checked after each call.
class Host {
public:
    Host(NodeId self, const Plan& plan, Truth& truth, Metadata& metadata, Report& report)
        : self_(self),
          plan_(plan),
          truth_(truth),
          metadata_(metadata),
          report_(report),
          view_(truth.cluster, self, plan.noted) {}
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    // What the host does: host_actions.hpp

    /// The process starts: every partition is tracked, with the set that the metadata last showed.
    void start();
    /// It ends, whichever way.
    void stop();
    [[nodiscard]] bool up() const noexcept { return manager_ != nullptr; }
    [[nodiscard]] HostView& view() noexcept { return view_; }
    [[nodiscard]] const Manager& manager() const noexcept { return *manager_; }
    [[nodiscard]] Tracked& tracked(GroupNumber group) { return tracked_[group]; }

    void tick();
    /// Whether reads failed, so that the loop should come round sooner.
    [[nodiscard]] bool has_failed_reads() const noexcept { return up() && fails_; }
    [[nodiscard]] Millis retry_pause() const {
        return std::max(plan_.config.check_interval_ms / 8, Millis{1});
    }
    /// Its library tells that something has changed in a group.
    void look(GroupNumber group);
    /// A client asks for one append with acks=all.
    void produce(GroupNumber group, Index count);
    void push_answer(GroupNumber group, NodeId follower);
    void push_row(GroupNumber group, Epoch epoch, const insync::FollowerRow& row);
    void push_heartbeat(GroupNumber group, NodeId node);
    void move_by_hand(GroupNumber group, NodeId node, bool add);
    void set_min_isr(GroupNumber group, int min_isr);
    void set_assignment(GroupNumber group, const std::vector<NodeId>& nodes);
    void apply_published(GroupNumber group);
    void track_anew(GroupNumber group);
    void begin_anew(GroupNumber group);
    void forget_alone(GroupNumber group);
    /// A partition is made; the options tell who is alive, or the marks alone do.
    void make(GroupNumber group, bool tells_who_is_alive);
    /// The cluster takes a node for dead, or no more.
    void mark(NodeId node, bool dead);
    /// The allocation after `nth` others fails, in whichever call of the manager that is.
    void fail_allocation(std::size_t nth) noexcept { failing_allocation_ = nth; }
    void forget_failing_allocation() noexcept { failing_allocation_.reset(); }
    void throw_in_callbacks(int times) noexcept { throwing_ = times; }
    /// The latest time that the manager was shown.
    [[nodiscard]] TimePoint latest_seen() const noexcept { return seen_; }
    /// Nothing is wrong but that reads fail: no partition may lose its quorum for that.
    void expect_calm(bool calm) noexcept { calm_ = calm; }
    /// All is well and still, and the leader says `due`: this host must say the same.
    void expect_converged(GroupNumber group, const insync::IsrSet& due);

private:
    struct Store {
        Host& host;
        void publish(insync::TopicPartition name, const insync::PublishedIsr& isr);
    };
    using Result = insync::Result;
    using Moment = property::NaivePartition::Moment;

    // How a call is made and judged: host_calls.hpp
    template <class Call>
    Result call(const Call& manager_call);
    template <class Call, class ModelCall>
    Result call_both(Tracked& t, std::string_view what, const Call& call, const ModelCall& model);
    void track(GroupNumber group, bool tells_who_is_alive = false);
    [[nodiscard]] insync::IsrSet first_set(const Tracked& t,
                                           const insync::PublishedIsr& newest) const;
    void await(Tracked& t, const PendingWait& wait);
    void hear(const insync::IsrChange& change);
    void on_wait_ended(GroupNumber group, int id, insync::WaitResult result);
    void in_callback();
    bool begin_sweep(TimePoint now);
    void schedule_retry(TimePoint now);
    [[nodiscard]] const insync::PublishedIsr& known_set(GroupNumber group) const;
    [[nodiscard]] bool is_overdue(TimePoint now) const {
        return insync::saturating_age(now, last_sweep_) > 2 * plan_.config.check_interval_ms;
    }
    /// What the manager will see next time that it looks.
    [[nodiscard]] TimePoint local_now() const {
        return std::max(seen_, truth_.cluster.local_now(self_));
    }
    Moment moment(Tracked& t, bool may_evict, TimePoint last, bool paused);
    void observe_model(Tracked& t, bool may_evict, TimePoint last, bool paused);

    // What must be true: oracle.hpp and refinement.hpp
    void check(Tracked& t);
    void check_set(Tracked& t, const insync::IsrSet& set);
    void check_high_watermark(Tracked& t, const insync::IsrSet& set);
    void check_waits(Tracked& t, const insync::IsrSet& set);
    void check_after_sweep(Tracked& t);
    void check_members_after_sweep(Tracked& t, const insync::IsrSet& set);
    void check_leader(const Tracked& t, const insync::IsrSet& set);
    void check_fallen(const Tracked& t, const insync::IsrSet& set);
    void check_first_members(Tracked& t, const insync::IsrSet& set);
    void check_change(Tracked& t, const insync::IsrChange& change);
    void check_told(const Tracked& t);
    void check_vouched(Tracked& t, const insync::IsrSet& set);
    void check_committed(const Tracked& t, const PendingWait& wait);
    void compare_with_model(Tracked& t, const insync::IsrSet& set);

    NodeId self_;
    const Plan& plan_;
    Truth& truth_;
    Metadata& metadata_;
    Report& report_;
    HostView view_;
    Store store_{*this};
    std::vector<Tracked> tracked_;
    std::unique_ptr<Manager> manager_;
    TimePoint seen_ = insync::kNever; ///< the latest that the manager was shown
    TimePoint last_sweep_;
    TimePoint next_sweep_;
    TimePoint next_retry_ = TimePoint::max();
    bool stalled_ = false; ///< the last sweep came late
    bool calm_ = false;    ///< nothing but reads may fail
    bool fails_ = false;   ///< some reads failed at the last
    std::optional<std::size_t> failing_allocation_;
    int throwing_ = 0;
    int depth_ = 0; ///< of calls within callbacks
    int last_wait_ = 0;
};

} // namespace simulation

#include "simulation/host_actions.hpp"
#include "simulation/host_calls.hpp"
#include "simulation/oracle.hpp"
#include "simulation/refinement.hpp"
