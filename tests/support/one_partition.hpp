#pragma once

#include <insync/config.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/handle.hpp>
#include <insync/isr_manager.hpp>
#include <insync/isr_set.hpp>
#include <insync/isr_store.hpp>
#include <insync/node_list.hpp>
#include <insync/reports.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <chrono>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace support {

using namespace std::chrono_literals;

using Nodes = std::vector<insync::NodeId>;
using Lines = std::vector<std::string>;
/// How a wait has ended so far: empty while it is pending, one result afterwards.
using Ended = std::vector<insync::WaitResult>;

/// Node 1, unless told otherwise, of a cluster that keeps one partition, "my-topic" 0, on a clock
/// that only the test moves and that starts at 0. Keeps what the listeners and the log were told.
template <class View = insync::testing::ScriptedView>
class OnePartition {
public:
    static constexpr std::string_view kTopic = "my-topic";

    insync::testing::ManualClock clock;
    View view;
    std::vector<insync::IsrChange> changes;
    Lines lines;

private:
    std::deque<Ended> waits_; // references to elements stay valid
    insync::Result last_await_ = insync::Result::ok;

public:
    // After all that its callbacks use, as it ends the pending waits when it goes.
    insync::IsrManager<View, insync::testing::ManualClock> isr;

    explicit OnePartition(const insync::IsrConfig& config = {}, insync::NodeId self = 1)
        : isr{self, view, config, clock} {
        isr.subscribe([this](const insync::IsrChange& change) { changes.push_back(change); });
        isr.set_log_sink([this](std::string_view line) { lines.emplace_back(line); });
    }

    // What the consensus says ---------------------------------------------------------------------

    insync::testing::ScriptedGroup& group() { return view.group(kTopic, 0); }
    /// This node leads, with all of its log durable and committed.
    void lead(insync::Epoch epoch, insync::Index end) { group().lead(isr.self(), epoch, end); }
    /// A follower holds `match`, confirmed, and was heard of just now.
    void hear(insync::NodeId node, insync::Index match) {
        group().follower(node, match, clock.now());
    }
    void hear(std::initializer_list<insync::NodeId> nodes, insync::Index match) {
        for (const insync::NodeId node : nodes) hear(node, match);
    }
    [[nodiscard]] insync::TimePoint in(insync::Millis later) const { return clock.now() + later; }

    // What the host does --------------------------------------------------------------------------

    insync::Result initialize(insync::NodeList replicas = {1, 2, 3}) {
        return isr.initialize_isr(kTopic, 0, replicas);
    }
    insync::Result inherit(const insync::PublishedIsr& inherited,
                           insync::NodeList replicas = {1, 2, 3}) {
        return isr.initialize_isr(kTopic, 0, replicas, inherited);
    }
    /// Node 1 leads in epoch 4 with a log that ends at `end`, of which 2 and 3 hold all.
    void start_healthy(insync::Index end = 100) {
        lead(4, end);
        hear({2, 3}, end);
        (void)initialize();
    }
    insync::Result observe() { return isr.update_isr(kTopic, 0); }
    /// The next sweep, in time.
    void sweep() {
        clock.advance(isr.config().check_interval_ms);
        isr.tick();
    }
    /// Sweeps until the clock says `until`; before each, `each()` scripts what is seen.
    template <class Each>
    void sweep_until(insync::Millis until, const Each& each) {
        while (clock.now() < insync::TimePoint{until}) {
            clock.advance(isr.config().check_interval_ms);
            each();
            isr.tick();
        }
    }
    void sweep_until(insync::Millis until) {
        sweep_until(until, [] {});
    }

    insync::PartitionHandle handle() const { return isr.find(kTopic, 0); }
    /// An acks=all wait; what is returned fills when it ends, and stays valid.
    Ended& await(insync::Epoch epoch, insync::Index index, insync::Millis timeout = 60s) {
        Ended& ended = waits_.emplace_back();
        last_await_ =
            isr.await_replication(kTopic, 0, epoch, index, in(timeout),
                                  [&ended](insync::WaitResult result) { ended.push_back(result); });
        return ended;
    }
    /// What registering the last wait came to.
    [[nodiscard]] insync::Result last_await() const { return last_await_; }

    // What comes of it ----------------------------------------------------------------------------

    [[nodiscard]] insync::IsrSet set() const { return isr.get_isr(kTopic, 0).value(); }
    [[nodiscard]] Nodes members() const { return set().to_vec(); }
    [[nodiscard]] bool has_min() const { return isr.has_min_isr(kTopic, 0); }
    [[nodiscard]] std::optional<insync::Index> high_watermark() const {
        return isr.high_watermark(kTopic, 0);
    }
    [[nodiscard]] insync::Explanation explain(insync::NodeId node) const {
        return isr.explain(kTopic, 0, node).value();
    }
    [[nodiscard]] insync::PartitionReport report() const {
        insync::PartitionReport copy;
        isr.for_each_partition([&](const insync::PartitionReport& one) { copy = one; });
        return copy;
    }
    [[nodiscard]] insync::FollowerReport report(insync::NodeId node) const {
        for (const insync::FollowerReport& follower : report().followers)
            if (follower.node == node) return follower;
        return {};
    }
};

} // namespace support
