#pragma once

#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/simulated_cluster.hpp>
#include <insync/types.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace insync_test {

using insync::NodeId;
using namespace std::chrono_literals;

/// One group of a `SimulatedCluster`, as `insync::testing::ConformanceCluster` has it.
template <bool StepsDown, std::size_t Nodes = 3>
class SimulatedSubject {
public:
    using View = insync::testing::SimulatedView;

    SimulatedSubject() : cluster_(options(StepsDown)) {
        for (NodeId id = 1; id <= static_cast<NodeId>(Nodes); ++id) nodes_.push_back(id);
        add_group();
        for (const NodeId id : nodes_) views_.emplace(id, cluster_.view(id));
    }
    SimulatedSubject(const SimulatedSubject&) = delete;
    SimulatedSubject& operator=(const SimulatedSubject&) = delete;

    [[nodiscard]] const std::vector<NodeId>& nodes() const noexcept { return nodes_; }
    [[nodiscard]] View& view(NodeId id) { return views_.at(id); }
    [[nodiscard]] auto clock() const { return cluster_.clock(nodes_.front()); }
    [[nodiscard]] static insync::Millis heartbeat_limit() { return kOptions.heartbeat + kTravel; }
    [[nodiscard]] static insync::Millis election_limit() { return 3 * kOptions.election_timeout; }
    [[nodiscard]] static std::string_view cannot(insync::testing::ClusterAbility ability) {
        using enum insync::testing::ClusterAbility;
        switch (ability) {
        case interrupted_reads: return "a simulated cluster stands still while it is read";
        case lost_appends: return "a simulated heartbeat is an append without entries";
        case round_trips: return "contacts tell when a request left";
        default: return "";
        }
    }

    bool elect(NodeId id) { return cluster_.elect(group_, id); }
    insync::Index append(NodeId id) {
        cluster_.append_on(group_, id);
        return cluster_.replica(group_, id).log.end();
    }
    void cut(NodeId id) { cluster_.isolate(id); }
    void heal() { cluster_.heal(); }
    void stop(NodeId id) { cluster_.stop(id); }
    void start(NodeId id) {
        cluster_.start(id);
        views_.insert_or_assign(id, cluster_.view(id));
    }
    void advance(insync::Millis span) { cluster_.advance(span); }
    void set_kind(NodeId id, insync::ReplicaKind kind) { change_member(id, kind); }

    void hold_disk(NodeId id) { cluster_.set_flush_delay(id, 1h); }
    void release_disk(NodeId id) {
        cluster_.set_flush_delay(id, 0ms);
        cluster_.append_on(group_, id); // a flush takes with it what was written before
    }
    void hold_answers(NodeId id) {
        for (const NodeId other : nodes_) cluster_.hold_answers(id, other);
    }
    void deliver_answers(NodeId) { cluster_.release_answers(); }
    void remove(NodeId id) {
        change_member(id, std::nullopt);
        cluster_.stop(id);
        while (!cluster_.empty_disk(group_, id)) cluster_.advance(kOptions.heartbeat);
    }
    void add(NodeId id) {
        start(id);
        change_member(id, insync::ReplicaKind::voter);
    }
    void campaign_in_vain(NodeId id) {
        cluster_.heal();
        for (const NodeId other : nodes_)
            if (other != id) cluster_.cut(other, id);
        cluster_.campaign(group_, id);
    }
    void keep_leaders() {
        cluster_ = insync::testing::SimulatedCluster{options(false)}; // the views look at it
        add_group();
    }

private:
    static constexpr insync::testing::SimulatedOptions kOptions{};
    static insync::testing::SimulatedOptions options(bool steps_down) {
        return {.nodes = Nodes, .steps_down = steps_down};
    }
    void add_group() {
        const auto [topic, partition] = insync::testing::kConformancePartition;
        group_ = cluster_.add_group(topic, partition, nodes_);
    }
    void change_member(NodeId id, std::optional<insync::ReplicaKind> kind) {
        while (!cluster_.change_member(group_, id, kind)) cluster_.advance(kOptions.heartbeat);
    }
    static constexpr insync::Millis kTravel = 4 * kOptions.network.most_delay;

    std::vector<NodeId> nodes_;
    insync::testing::SimulatedCluster cluster_;
    insync::testing::GroupNumber group_ = 0;
    std::map<NodeId, View> views_;
};

} // namespace insync_test
