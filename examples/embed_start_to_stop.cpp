// A host from start to stop: in which order its parts come up and go down, and what it tells the
// manager on the way. The consensus library and the metadata are stubs; docs/embed.md says the rest.
#include <insync/insync.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using insync::NodeId;
using insync::Result;
using insync::testing::ManualClock;

namespace broker {

/// What the replicated metadata says of a partition.
struct Assigned {
    std::string topic;
    insync::PartitionId partition = 0;
    std::vector<NodeId> replicas;
    std::vector<NodeId> alive;               ///< of them, when it was made
    std::optional<insync::PublishedIsr> isr; ///< what a leader last published
};

/// Where decisions go. Really the metadata's log: `publish` proposes to it and returns.
class Metadata {
public:
    void publish(insync::TopicPartition partition, const insync::PublishedIsr& isr) {
        const std::lock_guard lock{mutex_};
        proposed_[std::string{partition.topic}] = isr;
    }
    insync::PublishedIsr proposed(const std::string& topic) {
        const std::lock_guard lock{mutex_};
        return proposed_[topic];
    }

private:
    std::mutex mutex_;
    std::map<std::string, insync::PublishedIsr> proposed_;
};

class Node {
public:
    using View = insync::testing::ScriptedView;
    using Isr = insync::IsrManager<View, ManualClock>;

    // Before anything is registered, so that no change is missed.
    Node(NodeId self, View& view, Metadata& metadata, ManualClock clock)
        : isr_(self, view, {.max_lag_ms = 10s, .min_insync_replicas = 2}, std::move(clock)),
          loop_(isr_) {
        isr_.set_log_sink([](std::string_view line) { fmt::print("{}\n", line); });
        isr_.subscribe([this](const insync::IsrChange&) { ++changes_; });
        isr_.publish_to(metadata);
    }

    Isr& isr() { return isr_; }
    int changes() const { return changes_; }

    bool start(const std::vector<NodeId>& dead, const std::vector<Assigned>& partitions) {
        bool all = true;
        for (const NodeId node : dead) all = isr_.mark_dead(node) == Result::ok && all;
        for (const Assigned& partition : partitions) all = add(partition) == Result::ok && all;
        loop_.start(); // or call tick() yourself, whenever next_deadline() has come
        return all;
    }

    Result add(const Assigned& assigned) {
        insync::PartitionOptions options;
        if (assigned.isr)
            options.inherited = &*assigned.isr;
        else
            options.alive = insync::NodeList{assigned.alive};
        return isr_.initialize_isr(assigned.topic, assigned.partition, assigned.replicas, options);
    }

    /// The metadata has a new set: on every node, the one that decided it included.
    Result shown(const Assigned& assigned) {
        return isr_.apply_published_isr(assigned.topic, assigned.partition, *assigned.isr);
    }

    /// The library has taken a lower term than it had, as when a server joins a cluster.
    Result term_fell(const Assigned& assigned) {
        return isr_.register_anew(assigned.topic, assigned.partition);
    }

    void stop() {
        isr_.shut_down(); // every wait ends now, and its request can still be answered
        loop_.stop();     // the view is not read any more, and the library may go
    }

private:
    std::atomic<int> changes_{0}; // what callbacks use stands before the manager
    Isr isr_;
    insync::IsrUpdateLoop<Isr> loop_; // and what uses the manager, after it
};

} // namespace broker

int main() {
    using broker::Assigned;
    ManualClock clock;
    broker::Node::View view; // before the manager, which reads it until it is gone
    broker::Metadata metadata;
    broker::Node node{1, view, metadata, clock};

    // The library is not up yet: its group says nothing, and the partition only waits for it.
    view.group("orders", 0).reads_return(insync::ReadResult::unavailable);
    Assigned orders{"orders", 0, {1, 2, 3}, {1, 2}, {}};
    if (!node.start(/*dead*/ {3}, {orders})) return 1;
    if (node.isr().has_min_isr("orders", 0)) return 1; // nobody leads

    // Now it is, and this node leads. Nobody waits for node 3, which was dead from the beginning.
    view.group("orders", 0).reads_return(insync::ReadResult::ok);
    view.lead("orders", 0, 1, /*epoch*/ 5, /*end*/ 100).follower(2, 100, clock.now());
    if (node.isr().update_isr("orders", 0) != Result::ok) return 1; // or the next sweep finds it
    fmt::print("{}, writable: {}\n", *node.isr().get_isr("orders", 0),
               node.isr().has_min_isr("orders", 0));
    if (!node.isr().has_min_isr("orders", 0)) return 1;

    // What was published comes back on every node; only so does a follower know.
    orders.isr = metadata.proposed("orders");
    if (node.shown(orders) != Result::ok) return 1;

    std::optional<insync::WaitResult> ended;
    const insync::PartitionHandle handle = node.isr().find("orders", 0);
    view.group("orders", 0).positions({101, 101, 100});
    const Result waits = node.isr().await_replication(
        handle, 5, 101, clock.now() + 30s, [&](insync::WaitResult result) { ended = result; });
    if (waits != Result::ok) return 1;
    node.stop();
    return ended == insync::WaitResult::shut_down && node.changes() > 0 ? 0 : 1;
}
