#pragma once

#include "toy_raft.hpp"
#include "toy_view.hpp"

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace insync_test {

using insync::FollowerRow;
using insync::GroupState;
using insync::NodeId;
using insync::ReadResult;
using insync::ReplicaKind;
using insync::TimePoint;

/// What a wrong view makes of a right one's read; it may remember. Made anew when a node starts.
using Spoil = std::function<void(ReadResult&, GroupState&)>;

/// One mistake, and the one check that must find it.
struct Mistake {
    std::string_view name;
    std::string_view found_by;
    std::function<Spoil(toy::Rig&, toy::Node&)> make;
    /// The version that goes with it, if that is the mistake.
    std::uint64_t (*version)(const toy::Node&) = nullptr;
    /// The slack, if that is.
    insync::Millis slack = toy::Rig::round_trip();
};

/// The toy's view with one mistake in it.
class WrongView {
public:
    using Group = toy::Node*;
    static constexpr auto contact_source = insync::ContactSource::response;

    WrongView(const Mistake& mistake, toy::Rig& rig, toy::Node& node)
        : right_(node), mistake_(mistake), spoil_(mistake.make(rig, node)) {}

    Group find_group(insync::TopicPartition partition, std::span<const NodeId> replicas) {
        return right_.find_group(partition, replicas);
    }
    ReadResult read(const Group& group, GroupState& state) noexcept {
        ReadResult result = right_.read(group, state);
        spoil_(result, state);
        return result;
    }
    [[nodiscard]] insync::Millis contact_slack() const noexcept { return mistake_.slack; }
    [[nodiscard]] std::uint64_t version(const Group& group) const noexcept {
        return mistake_.version == nullptr ? right_.version(group) : mistake_.version(*group);
    }

private:
    ToyView right_;
    const Mistake& mistake_;
    Spoil spoil_;
};

class WrongCluster : public toy::Rig {
public:
    using View = WrongView;

    explicit WrongCluster(const Mistake& mistake) : mistake_(mistake) {
        for (const NodeId id : nodes()) make_view(id);
    }
    WrongView& view(NodeId id) { return *views_.at(id); }
    void start(NodeId id) {
        toy::Rig::start(id);
        make_view(id);
    }
    void add(NodeId id) {
        toy::Rig::add(id);
        make_view(id);
    }
    static std::string_view cannot(insync::testing::ClusterAbility) { return ""; }

private:
    void make_view(NodeId id) {
        views_[id] = std::make_unique<WrongView>(mistake_, *this, node(id));
    }

    const Mistake& mistake_;
    std::map<NodeId, std::unique_ptr<WrongView>> views_;
};

/// A mistake that needs to know nothing but the read.
template <class Change>
auto always(Change change) {
    return [change](toy::Rig&, toy::Node&) -> Spoil {
        return [change](ReadResult&, GroupState& state) { change(state); };
    };
}
/// The same for each row of a leader.
template <class Change>
auto each_row(Change change) {
    return [change](toy::Rig& rig, toy::Node&) -> Spoil {
        return [change, &rig](ReadResult&, GroupState& state) {
            for (FollowerRow& row : state.followers) change(row, state, rig.clock().now());
        };
    };
}
inline auto taken_for_voter(ReplicaKind kind) {
    return each_row([kind](FollowerRow& row, const GroupState&, TimePoint) {
        if (row.kind == kind) row.kind = ReplicaKind::voter;
    });
}

/// Each of them a mistake that a view, or a library below it, has made.
std::vector<Mistake> mistakes();

} // namespace insync_test
