#pragma once

#include "hosts/raft_cluster.hpp"

#include <insync/adapters/raft_c.hpp>
#include <insync/consensus_view.hpp>

#include <cstdint>
#include <span>

namespace hosts {

/// What a broker has for its view: here of one partition, which is the node's group.
class ViewHost {
public:
    using Group = const Node*;

    explicit ViewHost(const Node& node) : node_(node) {}
    [[nodiscard]] Group find_group(insync::TopicPartition) const { return &node_; }
    [[nodiscard]] static insync_raft_group raft(Group group) noexcept { return group->raft; }
    [[nodiscard]] static const insync::RaftContacts& contacts(Group group) noexcept {
        return group->contacts;
    }

private:
    const Node& node_;
};

/// What an author of a view may do wrong; `none` is the view that ships.
enum class Mistake : std::uint8_t {
    none,
    durable_is_end,       ///< what is not on the disk yet counts
    verified_by_activity, ///< `recent_active` is taken for a confirmation
    verified_by_contact,  ///< any answer is taken for a confirmation
    contact_by_activity,  ///< `recent_active` is taken for a contact
    nobody_is_node_0,     ///< 0 is taken for a leader
    quorum_claimed,       ///< held, though leaders go on without
    learners_vote,        ///< every member is taken for a voter
    end_is_committed,     ///< the commit index is taken for the end
    match_is_sent         ///< what was sent is taken for what is held
};

/// The view of a node, and perhaps a mistake in it.
class HostedView {
public:
    using Group = ViewHost::Group;
    static constexpr auto contact_source = insync::ContactSource::response;

    HostedView(const RaftCluster& cluster, NodeId id, Millis slack, Mistake mistake = Mistake::none)
        : cluster_(cluster),
          view_host_(cluster.node(id)),
          right_(*cluster.library().reader, view_host_, slack),
          mistake_(mistake) {}
    HostedView(const HostedView&) = delete;
    HostedView& operator=(const HostedView&) = delete;

    Group find_group(insync::TopicPartition partition, std::span<const NodeId> replicas) {
        return right_.find_group(partition, replicas);
    }
    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        const insync::ReadResult result = right_.read(group, state);
        if (mistake_ != Mistake::none && result == insync::ReadResult::ok) spoil(group, state);
        return result;
    }
    [[nodiscard]] Millis contact_slack() const noexcept { return right_.contact_slack(); }
    [[nodiscard]] std::uint64_t version(const Group& group) const noexcept {
        return right_.version(group);
    }

private:
    void spoil(const Group& group, insync::GroupState& state) const noexcept;

    const RaftCluster& cluster_;
    ViewHost view_host_;
    insync::RaftCView<ViewHost> right_;
    Mistake mistake_;
};

inline void HostedView::spoil(const Group& group, insync::GroupState& state) const noexcept {
    insync_raft_state raft{};
    std::array<insync_raft_peer, 2 * insync::kMaxReplicas> peers{};
    const auto count = cluster_.library().reader->read(group->raft, &raft, peers.data(),
                                                       static_cast<std::uint32_t>(peers.size()));
    if (count < 0) return;
    if (mistake_ == Mistake::durable_is_end) state.durable = state.end;
    if (mistake_ == Mistake::nobody_is_node_0 && state.leader == insync::kNoNode) state.leader = 0;
    if (mistake_ == Mistake::quorum_claimed && state.leading) state.quorum = insync::Quorum::held;
    if (mistake_ == Mistake::end_is_committed) state.end = state.commit;
    for (insync::FollowerRow& row : state.followers) {
        if (mistake_ == Mistake::learners_vote) row.kind = insync::ReplicaKind::voter;
        if (mistake_ == Mistake::verified_by_contact) row.verified = row.contact != insync::kNever;
        if (mistake_ == Mistake::match_is_sent && row.verified) row.match = state.end;
        for (const insync_raft_peer& peer :
             std::span{peers.data(), static_cast<std::size_t>(count)}) {
            if (static_cast<NodeId>(peer.id) != row.node || peer.recent_active == 0) continue;
            if (mistake_ == Mistake::verified_by_activity) row.verified = true;
            if (mistake_ == Mistake::contact_by_activity) row.contact = cluster_.now();
        }
    }
}

} // namespace hosts
