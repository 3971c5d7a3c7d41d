#pragma once

#include "simulation/host.hpp"
#include "simulation/metadata.hpp"
#include "simulation/plan.hpp"
#include "simulation/run_tape.hpp"
#include "simulation/tracked.hpp"
#include "simulation/verdict.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace simulation {

/// Brokers, their consensus, their metadata and their clients, in virtual time, and all that goes
/// wrong with them, by a tape. When the tape has ended all is mended, and must converge.
class World {
public:
    World(ByteTape tape, Totals& totals, const RunOptions& options);

    /// Lives through the whole tape. Once only.
    Verdict run();

private:
    // world.hpp: time
    void live_until(TimePoint end);
    void step_consensus(TimePoint until);
    void on_step(const insync::testing::SimulatedStep& step);
    void tick(NodeId node);
    void produce();
    void deliver_metadata();
    void start_due_nodes();
    [[nodiscard]] TimePoint now() const { return cluster_.now(); }
    [[nodiscard]] Host& host(NodeId node) { return *hosts_[static_cast<std::size_t>(node) - 1]; }
    [[nodiscard]] NodeId last_node() const { return static_cast<NodeId>(cluster_.nodes()); }

    // faults.hpp: what goes wrong
    void happen();
    void link_fault(unsigned kind);
    void node_fault(unsigned kind);
    void clock_fault(unsigned kind);
    void view_fault(unsigned kind);
    void busy_reads(NodeId node);
    void leadership_fault(unsigned kind);
    void config_fault(unsigned kind);
    void metadata_fault(unsigned kind);
    void push_fault(unsigned kind);
    void callback_fault(unsigned kind);
    void fail_allocations();

    // member_faults.hpp: members that come back with nothing
    void member_fault(unsigned kind);
    [[nodiscard]] bool take_out(GroupNumber group, NodeId node, bool stays_assigned);
    void come_back(GroupNumber group, NodeId node);
    void live_alone(GroupNumber group, NodeId node);
    void join(GroupNumber group, NodeId node);
    void look_at_members(GroupNumber group);

    // group_faults.hpp: partitions that are made while nodes are dead
    void group_fault(unsigned kind);
    void take_for_dead(NodeId node, bool dead);
    void add_group(GroupNumber group);
    void create_group();

    void stop(NodeId node, bool loses_power, Millis away);
    void assign(GroupNumber group, const std::vector<NodeId>& nodes);
    [[nodiscard]] NodeId any_node() {
        return static_cast<NodeId>(tape_.below(cluster_.nodes()) + 1);
    }
    [[nodiscard]] GroupNumber any_group() {
        return static_cast<GroupNumber>(tape_.below(plan_.groups));
    }
    [[nodiscard]] Millis some_time() {
        constexpr std::array<int, 8> kTenths{1, 3, 6, 10, 12, 20, 30, 60};
        return plan_.config.max_lag_ms / 10 * kTenths[tape_.below(kTenths.size())];
    }

    // healing.hpp: what must come of it
    void heal();
    [[nodiscard]] bool make_whole();
    void converge();
    void keep_reads_busy(bool busy);
    void check_converged();
    void check_acknowledged();

    RunOptions options_;
    Report report_;
    ByteTape tape_;
    Plan plan_;
    insync::testing::SimulatedCluster cluster_;
    Metadata metadata_;
    Truth truth_;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::vector<TimePoint> next_tick_;
    Millis joins_late_{0};              ///< how long a host takes to begin anew
    std::vector<TimePoint> next_retry_; ///< of hosts whose reads failed
    std::vector<TimePoint> start_at_;   ///< of nodes that are down
    std::vector<TimePoint> resume_at_;  ///< of nodes that are paused
    std::vector<TimePoint> stalled_to_; ///< until when a host does not tick
    TimePoint next_load_;
    Index load_ = 3; ///< entries of one append
};

inline World::World(ByteTape tape, Totals& totals, const RunOptions& options)
    : options_(options),
      report_(totals, options.traces),
      tape_(std::move(tape)),
      plan_(Plan::draw(tape_)),
      cluster_(plan_.cluster),
      metadata_(plan_, report_),
      truth_{cluster_, {}, {}} {
    const std::size_t nodes = cluster_.nodes();
    for (GroupNumber group = 0; group < plan_.groups; ++group) add_group(group);
    const Millis interval = plan_.config.check_interval_ms;
    for (NodeId node = 1; node <= last_node(); ++node) {
        hosts_.push_back(std::make_unique<Host>(node, plan_, truth_, metadata_, report_));
        next_tick_.push_back(now() + interval * node / static_cast<int>(nodes));
    }
    next_retry_.assign(nodes, TimePoint::max());
    start_at_.assign(nodes, TimePoint::max());
    resume_at_.assign(nodes, TimePoint::max());
    stalled_to_.assign(nodes, insync::kNever);
    next_load_ = now() + plan_.load_gap;
}

inline Verdict World::run() {
    report_.note("{} nodes, {} groups of {}; lag {} ms, {} entries; sweeps each {} ms; min ISR {}",
                 cluster_.nodes(), plan_.groups, plan_.replicas, plan_.config.max_lag_ms.count(),
                 plan_.config.max_lag_entries, plan_.config.check_interval_ms.count(),
                 plan_.config.min_insync_replicas);
    for (const auto& host : hosts_) host->start();
    live_until(now() + plan_.config.max_lag_ms / 2);
    while (!tape_.ended() && !report_.failed()) {
        happen();
        live_until(now() + some_time());
    }
    if (!report_.failed()) heal();
    if (!report_.failed()) converge();
    for (const auto& host : hosts_) {
        if (!host->up()) continue;
        report_.totals().shrinks += host->manager().counters().shrinks;
        report_.totals().expands += host->manager().counters().expands;
        host->stop();
    }
    ++report_.totals().worlds;
    for (const Truth::Group& group : truth_.groups)
        report_.totals().partition_ms += static_cast<std::uint64_t>((now() - group.born).count());
    Verdict verdict = report_.verdict();
    verdict.trace = report_.trace();
    return verdict;
}

/// Lets everything happen that is due until then, in one order.
inline void World::live_until(TimePoint end) {
    while (!report_.failed()) {
        const TimePoint sweep = *std::min_element(next_tick_.begin(), next_tick_.end());
        const TimePoint next = std::min({sweep, next_load_, metadata_.due(), end,
                                         *std::min_element(next_retry_.begin(), next_retry_.end()),
                                         *std::min_element(start_at_.begin(), start_at_.end()),
                                         *std::min_element(resume_at_.begin(), resume_at_.end())});
        step_consensus(next);
        report_.set_now(now().time_since_epoch().count());
        start_due_nodes();
        deliver_metadata();
        for (NodeId node = 1; node <= last_node(); ++node)
            if (std::min(next_tick_[static_cast<std::size_t>(node) - 1],
                         next_retry_[static_cast<std::size_t>(node) - 1]) <= now())
                tick(node);
        if (next_load_ <= now()) produce();
        if (now() >= end) return;
    }
}

inline void World::step_consensus(TimePoint until) {
    while (!report_.failed()) {
        const auto step = cluster_.step(until);
        if (!step) return;
        if (step->elected || step->joined || step->answer) on_step(*step);
    }
}

inline void World::on_step(const insync::testing::SimulatedStep& step) {
    report_.set_now(now().time_since_epoch().count());
    const auto& replica = cluster_.replica(step.group, step.node);
    auto& truth = truth_.groups[step.group];
    if (step.joined) join(step.group, step.node);
    if (step.answer && step.answer->accepted && replica.leads() &&
        step.answer->epoch < replica.epoch)
        report_.reach(Mark::late_answer);
    if (step.elected && replica.alone) {
        truth.alone.insert({step.node, replica.epoch});
    } else if (step.elected) {
        ++report_.totals().elections;
        report_.note("node {} leads group {} in epoch {}, end {}", step.node, step.group,
                     replica.epoch, replica.log.end());
        if (!truth.leaders.try_emplace(replica.epoch, step.node).second)
            report_.fail("raft", "group {}: two leaders of epoch {}", step.group, replica.epoch);
        for (const auto& [epoch, index] : truth.acknowledged)
            // One that has been paused may learn late that it was elected, and lead nobody.
            if (epoch < replica.epoch && !replica.log.holds(index, epoch))
                report_.fail("G1",
                             "group {}: leader {} lacks the acknowledged index {} of epoch "
                             "{}",
                             step.group, step.node, index, epoch);
        for (NodeId other = 1; other <= last_node(); ++other)
            if (other != step.node && cluster_.replica(step.group, other).leads())
                report_.reach(Mark::two_leaders);
    }
    Host& at = host(step.node);
    if (step.answer) at.view().hear(step.group, *step.answer);
    if (step.answered_by == kNoNode || !plan_.pushes || !at.up()) return;
    if (at.view().fault == ViewFault::none) at.push_answer(step.group, step.answered_by);
}

/// A host's loop comes round, unless its process is down or does not get on.
inline void World::tick(NodeId node) {
    const auto at = static_cast<std::size_t>(node) - 1;
    if (next_tick_[at] <= now()) next_tick_[at] = now() + plan_.config.check_interval_ms;
    next_retry_[at] = TimePoint::max();
    if (!host(node).up() || cluster_.is_paused(node)) return;
    if (stalled_to_[at] > now()) {
        next_tick_[at] = stalled_to_[at];
        return;
    }
    for (GroupNumber group = 0; group < plan_.groups; ++group)
        if (host(node).tracked(group).anew_at <= now()) host(node).begin_anew(group);
    host(node).tick();
    if (host(node).has_failed_reads()) next_retry_[at] = now() + host(node).retry_pause();
}

inline void World::produce() {
    next_load_ = now() + plan_.load_gap;
    if (load_ == 0) return;
    for (GroupNumber group = 0; group < plan_.groups; ++group)
        for (NodeId node = 1; node <= last_node(); ++node)
            if (host(node).up() && !cluster_.is_paused(node) &&
                cluster_.replica(group, node).leads())
                host(node).produce(group, load_);
}

inline void World::deliver_metadata() {
    if (metadata_.due() > now()) return;
    for (const GroupNumber group : metadata_.take(now()))
        for (NodeId node = 1; node <= last_node(); ++node)
            if (host(node).up() && !cluster_.is_paused(node)) host(node).apply_published(group);
}

inline void World::start_due_nodes() {
    for (NodeId node = 1; node <= last_node(); ++node) {
        const auto at = static_cast<std::size_t>(node) - 1;
        if (start_at_[at] <= now()) {
            start_at_[at] = TimePoint::max();
            report_.note("node {} starts", node);
            cluster_.start(node);
            take_for_dead(node, false);
            host(node).start();
        }
        if (resume_at_[at] <= now()) {
            resume_at_[at] = TimePoint::max();
            report_.note("node {} goes on", node);
            cluster_.resume(node);
            // What the metadata showed meanwhile.
            for (GroupNumber group = 0; group < plan_.groups && host(node).up(); ++group)
                host(node).apply_published(group);
        }
    }
}

} // namespace simulation

#include "simulation/faults.hpp"
#include "simulation/group_faults.hpp"
#include "simulation/healing.hpp"
#include "simulation/member_faults.hpp"
