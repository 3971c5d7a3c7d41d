#pragma once

#include "hosts/raft_cluster.hpp"
#include "hosts/world_broker.hpp"
#include "hosts/world_plan.hpp"
#include "hosts/world_truth.hpp"

#include <insync/isr_store.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace hosts {

/// One group of a real consensus library with a broker on each node, in virtual time, and all that
/// goes wrong with them, by a tape. When the tape has ended all is mended, and must be in sync.
class World {
public:
    World(const raft_host& library,
          std::span<const std::uint8_t> tape,
          Totals& totals,
          bool traces,
          const WorldMistakes& mistakes);

    /// Lives through the whole tape. Once only.
    Verdict run();

private:
    /// A step of membership that is wanted.
    struct Wish {
        std::uint32_t how = RAFT_HOST_SIMPLE;
        std::vector<raft_host_change> steps;
        bool wipes = false; ///< who is removed by it loses its disk
        Millis returns{0};  ///< and is added again so much later; 0 is never
    };
    struct PendingChange {
        Wish wish;
        Index index = 0;
        Epoch term = 0;
    };

    // world.hpp: time
    void live_until(TimePoint end);
    void on_step(NodeId id);
    void each(Millis gap, const std::function<void()>& what);
    void start(NodeId id);
    void publish(const insync::PublishedIsr& isr);
    void show_published();
    [[nodiscard]] TimePoint now() const { return cluster_.now(); }
    [[nodiscard]] Broker& broker(NodeId id) { return *brokers_[static_cast<std::size_t>(id) - 1]; }
    [[nodiscard]] NodeId leader() const;

    // world_members.hpp: who belongs to the group
    void pursue_wishes();
    void watch_change();
    void conclude(const PendingChange& change);
    void remove(const PendingChange& change, NodeId id);
    void end_removed(const PendingChange& change, NodeId id);
    void admit(NodeId id);
    void want(std::uint32_t what, NodeId id);
    void assign(const std::vector<NodeId>& nodes);
    [[nodiscard]] bool is_void(const Wish& wish, NodeId at) const;

    // world_faults.hpp: what goes wrong
    void happen();
    void link_fault(unsigned kind);
    void node_fault(unsigned kind);
    void leadership_fault(unsigned kind);
    void membership_fault(unsigned kind);
    void broker_fault(unsigned kind);
    void crash(NodeId id, Millis away);
    [[nodiscard]] NodeId any_node() {
        return static_cast<NodeId>(tape_.below(cluster_.ids().size()) + 1);
    }
    [[nodiscard]] Millis some_time() {
        constexpr std::array<int, 8> kTenths{1, 3, 6, 10, 2, 5, 12, 20};
        return plan_.config.max_lag_ms / 10 * kTenths[tape_.below(kTenths.size())];
    }

    // world_healing.hpp: what must come of it
    void heal();
    void converge();
    void tell_state(NodeId id);
    [[nodiscard]] std::optional<std::string> what_is_amiss();

    Report report_;
    ByteTape tape_;
    Plan plan_;
    RaftCluster cluster_;
    Truth truth_;
    std::vector<std::unique_ptr<Broker>> brokers_;
    std::vector<NodeId> assigned_;
    insync::PublishedIsr published_; ///< the newest that the metadata shows
    insync::testing::SeededNumbers numbers_;
    unsigned publish_lost_percent_ = 0;
    std::deque<Wish> wishes_;
    std::optional<PendingChange> pending_;
    bool joint_ = false;                 ///< a joint change is under way,
    TimePoint joint_until_{};            ///< and is to be so until then
    std::set<NodeId> ending_;            ///< who was removed, and has not ended yet
    std::map<NodeId, Epoch> removed_in_; ///< who was removed, in the term in which it was
    Millis load_gap_;
};

inline World::World(const raft_host& library,
                    std::span<const std::uint8_t> tape,
                    Totals& totals,
                    bool traces,
                    const WorldMistakes& mistakes)
    : report_(totals, traces),
      tape_(tape),
      plan_([&] {
          Plan plan = Plan::draw(tape_);
          plan.cluster.notes_everything = mistakes.notes_everything;
          plan.cluster.never_forgets = mistakes.never_forgets;
          return plan;
      }()),
      cluster_(library, plan_.cluster),
      truth_(cluster_, report_),
      numbers_(plan_.cluster.seed + 77),
      load_gap_(plan_.load_gap) {
    for (const NodeId id : cluster_.ids()) {
        if (!plan_.reassigns || cluster_.node(id).member) assigned_.push_back(id);
        brokers_.push_back(
            std::make_unique<Broker>(id, plan_, cluster_, truth_, report_, mistakes.view,
                                     [this](const insync::PublishedIsr& isr) { publish(isr); }));
    }
}

/// Lets something happen again and again.
inline void World::each(Millis gap, const std::function<void()>& what) {
    cluster_.at(now() + gap, [this, gap, what] {
        if (report_.failed()) return;
        report_.set_now(now());
        what();
        each(gap, what);
    });
}

inline Verdict World::run() {
    report_.set_now(now());
    const auto& config = plan_.config;
    report_.note(
        "{} nodes, {} of them voters; check_quorum {}, pre_vote {}, {} writes; lag {} ms, "
        "{} entries; sweeps each {} ms; min ISR {}{}{}",
        cluster_.ids().size(), plan_.cluster.voters, plan_.cluster.check_quorum,
        plan_.cluster.pre_vote, plan_.cluster.async_persistence ? "asynchronous" : "immediate",
        config.max_lag_ms.count(), config.max_lag_entries, config.check_interval_ms.count(),
        config.min_insync_replicas, plan_.reassigns ? "; reassigns" : "",
        plan_.observes ? "; observes" : "");
    try {
        cluster_.on_step = [this](NodeId id) { on_step(id); };
        cluster_.on_answer = [this](NodeId id, const Mail& mail) { truth_.note_answer(id, mail); };
        cluster_.on_former_self = [this](const Mail&) { report_.reach(Mark::former_self); };
        for (const NodeId id : cluster_.ids())
            if (cluster_.node(id).up) start(id);
        for (const NodeId id : cluster_.ids())
            each(config.check_interval_ms / 4, [this, id] {
                if (broker(id).up() && !cluster_.node(id).paused) broker(id).tick();
            });
        each(load_gap_, [this] {
            if (load_gap_.count() == 0) return;
            for (const NodeId id : cluster_.ids())
                if (broker(id).up() && !cluster_.node(id).paused && cluster_.show(id).leads())
                    broker(id).produce();
        });
        each(Millis{20}, [this] {
            if (std::ranges::count_if(cluster_.ids(),
                                      [this](NodeId id) { return cluster_.show(id).leads(); }) > 1)
                report_.reach(Mark::two_leaders);
            pursue_wishes();
        });
        live_until(now() + config.max_lag_ms);
        while (!tape_.ended() && !report_.failed()) {
            happen();
            live_until(now() + some_time());
        }
        if (!report_.failed()) heal();
        if (!report_.failed()) converge();
    } catch (const BrokenLibrary& broken) {
        report_.fail("raft", "{}", broken.what());
    }
    cluster_.on_step = nullptr;
    for (const auto& each_broker : brokers_)
        if (each_broker->up()) each_broker->stop();
    ++report_.totals().worlds;
    report_.totals().virtual_ms +=
        static_cast<std::uint64_t>(insync::saturating_age(now(), kStart).count());
    return report_.verdict();
}

inline void World::live_until(TimePoint end) {
    // In pieces, so that a world that has failed ends.
    while (now() < end && !report_.failed()) cluster_.run_until(std::min(end, now() + Millis{10}));
    report_.set_now(now());
}

inline void World::on_step(NodeId id) {
    report_.set_now(now());
    ++report_.totals().steps;
    const Shown shown = cluster_.show(id);
    truth_.note(id, shown);
    watch_change();
    if (broker(id).up()) broker(id).on_step(shown);
}

inline void World::start(NodeId id) {
    broker(id).start(assigned_, published_);
}

/// A decision is under way for a while, or lost.
inline void World::publish(const insync::PublishedIsr& isr) {
    if (numbers_.below(100) < publish_lost_percent_) return;
    cluster_.at(now() + Millis{1 + static_cast<Millis::rep>(numbers_.below(30))}, [this, isr] {
        if (std::pair{isr.epoch, isr.version} <= std::pair{published_.epoch, published_.version})
            return;
        published_ = isr;
        report_.set_now(now());
        show_published();
    });
}

inline void World::show_published() {
    if (published_.members.empty()) return;
    for (const NodeId id : cluster_.ids())
        if (broker(id).up() && !cluster_.node(id).paused) broker(id).apply_published(published_);
}

/// Who leads in the highest term.
inline NodeId World::leader() const {
    NodeId found = kNoNode;
    Epoch term = 0;
    for (const NodeId id : cluster_.ids()) {
        const Shown shown = cluster_.show(id);
        if (!shown.leads() || shown.state.term < term) continue;
        found = id;
        term = shown.state.term;
    }
    return found;
}

} // namespace hosts

#include "hosts/world_faults.hpp"  // IWYU pragma: keep
#include "hosts/world_healing.hpp" // IWYU pragma: keep
#include "hosts/world_members.hpp" // IWYU pragma: keep
