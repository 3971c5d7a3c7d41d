#pragma once

#include "simulation/plan.hpp"

#include <insync/adapters/contact_log.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace simulation {

/// What may be wrong with a host's reads.
enum class ViewFault : std::uint8_t { none, torn, unavailable, frozen };

/// A node's view of the cluster, with a fault over it.
class HostView {
public:
    using Group = std::uint32_t; ///< its number, one more
    static constexpr auto contact_source = insync::ContactSource::request;

    /// \param noted  contacts, and whose match is confirmed, are noted as answers arrive, and not
    ///     asked of the library
    HostView(const insync::testing::SimulatedCluster& cluster, NodeId node, bool noted)
        : cluster_(&cluster), node_(node), noted_(noted) {}

    Group find_group(insync::TopicPartition partition, std::span<const NodeId>) {
        return static_cast<Group>(partition.partition) + 1;
    }
    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        Read& last = reads_[group - 1];
        last.result = read_with_fault(group - 1, state);
        last.state = state;
        return last.result;
    }
    /// What the manager was last told of a group; torn if it has not asked since `begin_reading`.
    struct Read {
        insync::ReadResult result = insync::ReadResult::torn;
        insync::GroupState state;
    };
    /// An answer has arrived, perhaps one of an older epoch, and the library has taken it in.
    void hear(GroupNumber group, const insync::testing::SimulatedAnswer& answer) noexcept {
        if (!cluster_->replica(group, node_).leads()) return;
        look_at_members(group);
        logs_[group].note_append_result(answer.from, answer.epoch, answer.accepted, answer.sent);
    }
    /// Members came or went.
    void look_at_members(GroupNumber group) noexcept {
        const auto& replica = cluster_->replica(group, node_);
        if (!replica.leads()) return;
        logs_[group].lead(replica.epoch);
        for (NodeId node = 1; node <= static_cast<NodeId>(cluster_->nodes()); ++node)
            if (cluster_->membership(group, node_).find(node) == nullptr)
                logs_[group].forget(node);
            else
                logs_[group].admit(node);
    }
    /// The process starts, and has noted nothing.
    void forget() noexcept { logs_ = {}; }
    void begin_reading() noexcept {
        for (Read& read : reads_) read.result = insync::ReadResult::torn;
    }
    [[nodiscard]] const Read& last_read(GroupNumber group) const noexcept { return reads_[group]; }
    [[nodiscard]] bool failed(GroupNumber group) const noexcept {
        return reads_[group].result != insync::ReadResult::ok;
    }
    /// Whether that was the truth.
    [[nodiscard]] bool saw_truth(GroupNumber group) const noexcept {
        return fault == ViewFault::none && !failed(group);
    }
    [[nodiscard]] Millis contact_slack() const noexcept { return Millis{0}; }

    /// From now on reads say what is true now.
    void freeze() {
        frozen_.resize(cluster_->groups());
        for (GroupNumber group = 0; group < frozen_.size(); ++group) {
            frozen_[group].clear();
            (void)cluster_->read(group, node_, frozen_[group]);
        }
        fault = ViewFault::frozen;
    }
    /// Whether it ever said of a match that it was confirmed, which it was not in that epoch.
    [[nodiscard]] bool vouches_wrongly() const noexcept { return vouches_wrongly_; }
    ViewFault fault = ViewFault::none;

private:
    insync::ReadResult read_with_fault(GroupNumber group, insync::GroupState& state) {
        if (fault == ViewFault::unavailable) return insync::ReadResult::unavailable;
        if (fault == ViewFault::frozen) {
            if (group >= frozen_.size()) return insync::ReadResult::unavailable;
            state = frozen_[group];
            return insync::ReadResult::ok;
        }
        const auto read = cluster_->read(group, node_, state);
        if (noted_) {
            for (insync::FollowerRow& row : state.followers) {
                const auto contact = logs_[group].find(row.node, state.epoch);
                vouches_wrongly_ = vouches_wrongly_ || (contact.verified && !row.verified);
                row.verified = contact.verified;
                row.contact = contact.at;
            }
        }
        return fault == ViewFault::torn ? insync::ReadResult::torn : read;
    }

    const insync::testing::SimulatedCluster* cluster_;
    NodeId node_;
    bool noted_;
    bool vouches_wrongly_ = false;
    std::array<Read, kMostGroups> reads_;
    std::array<insync::ContactLog, kMostGroups> logs_;
    std::vector<insync::GroupState> frozen_;
};

/// A node's clock, which notes the latest that the manager was shown: it does not look at every
/// call.
class HostClock {
public:
    HostClock(const insync::testing::SimulatedCluster& cluster, NodeId node, TimePoint& latest)
        : clock_(cluster, node), latest_(&latest) {}

    [[nodiscard]] TimePoint now() const noexcept {
        const TimePoint now = clock_.now();
        *latest_ = std::max(*latest_, now);
        return now;
    }
    [[nodiscard]] std::int64_t wall_ms() const noexcept { return clock_.wall_ms(); }

private:
    insync::testing::SimulatedClock clock_;
    TimePoint* latest_;
};

} // namespace simulation
