#pragma once

// The view of toy_raft.hpp that docs/write_a_view.md arrives at.

#include "toy_raft.hpp"

#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <cstdint>
#include <span>

class ToyView {
public:
    using Group = toy::Node*; // cheap to copy, and no name to look up at every sweep
    static constexpr auto contact_source = insync::ContactSource::response;

    explicit ToyView(toy::Node& node) : node_(node) {}

    Group find_group(insync::TopicPartition, std::span<const insync::NodeId>) { return &node_; }

    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        state.epoch = group->term();
        state.leader = group->leader();
        state.leading = group->leading();
        state.end = group->last_index();
        state.durable = group->durable_index();
        state.commit = group->commit_index();
        state.membership = group->membership();
        if (!state.leading) return insync::ReadResult::ok;
        for (const toy::Peer& peer : group->peers()) {
            if (peer.id == group->id()) continue; // the leader is never one of the rows
            insync::FollowerRow row{.node = peer.id, .kind = peer.kind};
            row.verified = peer.term == state.epoch; // else a leftover
            row.match = row.verified ? peer.match : 0;
            const bool answered = peer.answered_in == state.epoch; // a heartbeat, perhaps
            row.contact = answered ? peer.answered : insync::kNever;
            state.followers.push_back(row);
        }
        const bool moved = group->term() != state.epoch || !group->leading();
        return moved ? insync::ReadResult::torn : insync::ReadResult::ok;
    }

    // An answer arrives a round trip after the moment that it vouches for.
    [[nodiscard]] insync::Millis contact_slack() const noexcept { return toy::Rig::round_trip(); }

    // Optional: an unchanged group costs one call a sweep.
    [[nodiscard]] std::uint64_t version(const Group& group) const noexcept {
        return group->changes();
    }

private:
    toy::Node& node_;
};
static_assert(insync::VersionedView<ToyView>);
