// Groups that sleep: a leader that has nothing to send sends no heartbeats either, as libraries
// with very many groups do it. Its followers then answer nothing, and their silence says nothing
// of them. What does is that their nodes are alive: docs/write_a_view.md, "Groups that sleep".
#include "toy_raft.hpp"
#include "toy_view.hpp"

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance.hpp>
#include <insync/types.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

using namespace std::chrono_literals;

/// When each node last heard of each other one, whatever their groups do: the heartbeats that a
/// host with many groups has anyway, one a node instead of one a group.
class NodeHeartbeats {
public:
    void note(insync::NodeId at, insync::NodeId from, insync::TimePoint now) {
        heard_[{at, from}] = now;
    }
    [[nodiscard]] insync::TimePoint last(insync::NodeId at, insync::NodeId from) const {
        const auto found = heard_.find({at, from});
        return found == heard_.end() ? insync::kNever : found->second;
    }

private:
    std::map<std::pair<insync::NodeId, insync::NodeId>, insync::TimePoint> heard_;
};

/// The toy's view, and what the followers' nodes are good for while the group sleeps.
class SleepingView {
public:
    using Group = toy::Node*;
    static constexpr auto contact_source = insync::ContactSource::response;

    SleepingView(toy::Node& node, const NodeHeartbeats& nodes) : awake_(node), nodes_(nodes) {}

    Group find_group(insync::TopicPartition partition, std::span<const insync::NodeId> replicas) {
        return awake_.find_group(partition, replicas);
    }
    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        const insync::ReadResult result = awake_.read(group, state);
        // Awake, only a follower's own answers count: its node may live, and its replica be stuck.
        if (!group->asleep()) return result;
        for (insync::FollowerRow& row : state.followers)
            row.contact = std::max(row.contact, nodes_.last(group->id(), row.node));
        return result;
    }
    [[nodiscard]] insync::Millis contact_slack() const noexcept { return awake_.contact_slack(); }

private:
    ToyView awake_;
    const NodeHeartbeats& nodes_;
};

/// The toy group with sleep, and with nodes that greet each other.
template <class V>
class SleepyCluster : public toy::Rig {
public:
    using View = V;

    SleepyCluster() {
        let_groups_sleep();
        for (const insync::NodeId id : nodes()) make_view(id);
    }
    View& view(insync::NodeId id) { return *views_.at(id); }
    void start(insync::NodeId id) {
        toy::Rig::start(id);
        make_view(id);
    }
    void add(insync::NodeId id) {
        toy::Rig::add(id);
        make_view(id);
    }
    void advance(insync::Millis span) {
        const insync::TimePoint end = clock().now() + span;
        while (clock().now() < end) {
            toy::Rig::advance(std::min<insync::Millis>(10ms, end - clock().now()));
            for (const insync::NodeId from : nodes())
                for (const insync::NodeId at : nodes())
                    if (from != at && connected(from, at)) greeted_.note(at, from, clock().now());
        }
    }
    [[nodiscard]] std::string_view cannot(insync::testing::ClusterAbility) const { return ""; }

private:
    void make_view(insync::NodeId id) {
        if constexpr (std::is_constructible_v<View, toy::Node&, const NodeHeartbeats&>)
            views_[id] = std::make_unique<View>(node(id), greeted_);
        else
            views_[id] = std::make_unique<View>(node(id));
    }

    NodeHeartbeats greeted_;
    std::map<insync::NodeId, std::unique_ptr<View>> views_;
};

/// \return how many checks failed
template <class View>
int judge(std::string_view name) {
    int failed = 0;
    fmt::print("{}:\n", name);
    for (const auto& result :
         insync::testing::check_conformance([] { return SleepyCluster<View>{}; })) {
        if (result.outcome != insync::testing::ConformanceOutcome::failed) continue;
        fmt::print("{}\n", result);
        ++failed;
    }
    fmt::print("{} checks failed\n", failed);
    return failed;
}

int main() {
    // The plain view's healthy group falls apart as soon as it sleeps, and that is all.
    const bool plain_fails = judge<ToyView>("ToyView") == 1;
    const bool other_passes = judge<SleepingView>("SleepingView") == 0;
    return plain_fails && other_passes ? 0 : 1;
}
