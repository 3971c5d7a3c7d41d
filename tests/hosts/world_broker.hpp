#pragma once

#include "hosts/hosted_view.hpp"
#include "hosts/world_plan.hpp"
#include "hosts/world_truth.hpp"

#include <insync/isr_manager.hpp>
#include <insync/isr_store.hpp>
#include <insync/testing/manual_clock.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hosts {

/// A node's view whose reads may fail for a while.
class BrokerView : public HostedView {
public:
    using HostedView::HostedView;
    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        return failing ? insync::ReadResult::unavailable : HostedView::read(group, state);
    }
    bool failing = false;
};

using Manager = insync::IsrManager<BrokerView, insync::testing::ManualClock>;

/// One broker: its manager on its node's library, what it does with it, and what is judged.
class Broker {
public:
    /// Where decisions go (S8).
    using Publish = std::function<void(const insync::PublishedIsr&)>;

    Broker(NodeId self,
           const Plan& plan,
           RaftCluster& cluster,
           Truth& truth,
           Report& report,
           Mistake mistake,
           Publish publish)
        : self_(self),
          plan_(plan),
          cluster_(cluster),
          truth_(truth),
          report_(report),
          mistake_(mistake),
          store_{std::move(publish)} {}
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    /// The process starts, with what the metadata knows.
    void start(const std::vector<NodeId>& assigned, const insync::PublishedIsr& known);
    void stop();
    [[nodiscard]] bool up() const noexcept { return manager_ != nullptr; }
    [[nodiscard]] Manager& manager() noexcept { return *manager_; }
    [[nodiscard]] BrokerView& view() noexcept { return *view_; }
    [[nodiscard]] insync::PartitionHandle handle() const noexcept { return handle_; }
    [[nodiscard]] std::size_t waits() const noexcept { return waits_.size(); }

    void tick();
    /// The library has done something.
    void on_step(const Shown& shown);
    void produce();
    void apply_published(const insync::PublishedIsr& isr) {
        (void)manager_->apply_published_isr(kTopic, 0, isr);
        check();
    }
    void assign(const std::vector<NodeId>& nodes) {
        (void)manager_->set_assignment(kTopic, 0, nodes);
        check();
    }
    /// A pause of the process, or of the library's time: what is late now is nobody's fault.
    void excuse(TimePoint until) { excused_ = std::max(excused_, until); }

    static constexpr std::string_view kTopic = "t";

private:
    struct Store {
        Publish send;
        void publish(insync::TopicPartition, const insync::PublishedIsr& isr) { send(isr); }
    };
    struct Wait {
        Epoch epoch = 0;
        Index index = 0;
    };
    /// The ISR at the beginning of this leadership.
    struct Beginning {
        Epoch epoch = 0;
        TimePoint when{};
        std::set<NodeId> members;
    };

    void on_wait_ended(int id, insync::WaitResult result);
    void on_change(const insync::IsrChange& change);

    // What must be true: world_judge.hpp
    void check_view(const Shown& shown);
    void check_row(const insync::GroupState& state, const insync::FollowerRow& row);
    void check();
    void check_high_watermark(const insync::IsrSet& set);
    void check_committed(const Wait& wait);
    void check_after_sweep();
    void check_member(const insync::IsrSet& set, const Shown& shown, NodeId node);
    void check_quorum(const Shown& shown);
    [[nodiscard]] bool is_in_grace(NodeId node) const;

    NodeId self_;
    const Plan& plan_;
    RaftCluster& cluster_;
    Truth& truth_;
    Report& report_;
    Mistake mistake_;
    Store store_;
    std::unique_ptr<BrokerView> view_;
    std::unique_ptr<Manager> manager_;
    insync::PartitionHandle handle_;
    std::map<int, Wait> waits_;
    int last_wait_ = 0;
    TimePoint last_sweep_;
    TimePoint next_sweep_;
    TimePoint excused_ = insync::kNever;
    Beginning beginning_;
    std::uint64_t membership_ = 0;
    TimePoint members_since_{}; ///< when that changed
    bool led_ = false;
    insync::IsrSet last_;
    Index high_watermark_ = 0;
};

inline void Broker::start(const std::vector<NodeId>& assigned, const insync::PublishedIsr& known) {
    view_ = std::make_unique<BrokerView>(cluster_, self_, plan_.slack, mistake_);
    manager_ = std::make_unique<Manager>(self_, *view_, plan_.config, cluster_.clock());
    manager_->subscribe([this](const insync::IsrChange& change) { on_change(change); });
    manager_->publish_to(store_);
    last_sweep_ = next_sweep_ = cluster_.now();
    beginning_ = {};
    last_ = {};
    led_ = false;
    high_watermark_ = 0;
    const bool inherits =
        std::find_first_of(known.members.begin(), known.members.end(), assigned.begin(),
                           assigned.end()) != known.members.end();
    const insync::Result result = inherits ? manager_->initialize_isr(kTopic, 0, assigned, known)
                                           : manager_->initialize_isr(kTopic, 0, assigned);
    if (result != insync::Result::ok)
        return report_.fail("S10", "node {}: initialize_isr gives {}", self_, to_string(result));
    handle_ = manager_->find(kTopic, 0);
    check();
}

inline void Broker::stop() {
    if (const auto manager = std::exchange(manager_, nullptr)) manager->shut_down();
    if (!waits_.empty()) report_.fail("S6", "node {}: a wait outlived its manager", self_);
    view_ = nullptr;
}

/// What the broker's loop does, some times in each interval.
inline void Broker::tick() {
    const TimePoint now = cluster_.now();
    const bool sweeps = now >= next_sweep_;
    if (sweeps) {
        if (insync::saturating_age(now, last_sweep_) > 2 * plan_.config.check_interval_ms) {
            report_.reach(Mark::stalled_sweep);
            excuse(now + plan_.config.check_interval_ms);
        }
        last_sweep_ = now;
        next_sweep_ = now + plan_.config.check_interval_ms;
    }
    manager_->tick();
    check();
    if (sweeps) check_after_sweep();
}

inline void Broker::on_step(const Shown& shown) {
    if (std::exchange(membership_, shown.state.membership) != shown.state.membership)
        members_since_ = cluster_.now();
    check_view(shown);
    if (!plan_.observes || !shown.leads()) return;
    (void)manager_->update_isr(handle_);
    check();
}

inline void Broker::produce() {
    if (!manager_->has_min_isr(handle_)) return manager_->count_refused_produce();
    const Epoch epoch = cluster_.show(self_).state.term;
    const Index index = cluster_.propose(self_, "record");
    if (index == 0 || !up()) return;
    const int id = ++last_wait_;
    waits_[id] = {epoch, index};
    const insync::Result result = manager_->await_replication(
        handle_, epoch, index, cluster_.now() + plan_.wait,
        [this, id](insync::WaitResult ended) { on_wait_ended(id, ended); });
    if (result != insync::Result::ok && waits_.erase(id) == 0)
        report_.fail("S6", "node {}: a refused wait was ended", self_);
    check();
}

inline void Broker::on_wait_ended(int id, insync::WaitResult result) {
    const auto wait = waits_.extract(id);
    if (wait.empty()) return report_.fail("S6", "node {}: wait {} ended twice", self_, id);
    using insync::WaitResult;
    switch (result) {
    case WaitResult::committed:
        report_.reach(Mark::committed);
        ++report_.totals().acknowledged;
        check_committed(wait.mapped());
        break;
    case WaitResult::not_enough_replicas: report_.reach(Mark::not_enough_replicas); break;
    case WaitResult::not_leader: report_.reach(Mark::not_leader); break;
    case WaitResult::timed_out: report_.reach(Mark::timed_out); break;
    case WaitResult::shut_down: break;
    }
}

} // namespace hosts

#include "hosts/world_judge.hpp" // IWYU pragma: keep
