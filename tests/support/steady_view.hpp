#pragma once

#include <insync/consensus_view.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <span>

namespace support {

/// A view without state: every node always leads, and its followers have everything.
struct SteadyView {
    using Group = int;
    static constexpr auto contact_source = insync::ContactSource::request;
    insync::testing::ManualClock clock;

    Group find_group(insync::TopicPartition, std::span<const insync::NodeId>) const { return 0; }
    [[nodiscard]] insync::Millis contact_slack() const noexcept { return insync::Millis{0}; }
    insync::ReadResult read(const Group&, insync::GroupState& state) const noexcept {
        state.epoch = 1;
        state.leader = 1;
        state.leading = true;
        state.quorum = insync::Quorum::held;
        state.end = state.durable = state.commit = 100;
        for (const insync::NodeId node : state.assigned)
            if (node != 1)
                state.followers.push_back(
                    {node, insync::ReplicaKind::voter, true, 100, clock.now()});
        return insync::ReadResult::ok;
    }
};

} // namespace support
