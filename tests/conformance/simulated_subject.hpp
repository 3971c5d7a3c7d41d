#pragma once

#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/simulated_cluster.hpp>
#include <insync/types.hpp>

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

namespace insync_test {

using insync::NodeId;

/// One group of a `SimulatedCluster`, as `insync::testing::ConformanceCluster` has it.
template <bool StepsDown, std::size_t Nodes = 3>
class SimulatedSubject {
public:
    using View = insync::testing::SimulatedView;

    SimulatedSubject()
        : cluster_(insync::testing::SimulatedOptions{.nodes = Nodes, .steps_down = StepsDown}) {
        for (NodeId id = 1; id <= static_cast<NodeId>(Nodes); ++id) nodes_.push_back(id);
        const auto [topic, partition] = insync::testing::kConformancePartition;
        group_ = cluster_.add_group(topic, partition, nodes_);
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
        return ability == insync::testing::ClusterAbility::interrupted_reads
                   ? "a simulated cluster stands still while it is read"
                   : "";
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
    void set_kind(NodeId id, insync::ReplicaKind kind) {
        while (!cluster_.change_member(group_, id, kind)) cluster_.advance(kOptions.heartbeat);
    }

private:
    static constexpr insync::testing::SimulatedOptions kOptions{};
    static constexpr insync::Millis kTravel = 4 * kOptions.network.most_delay;

    std::vector<NodeId> nodes_;
    insync::testing::SimulatedCluster cluster_;
    insync::testing::GroupNumber group_ = 0;
    std::map<NodeId, View> views_;
};

} // namespace insync_test
