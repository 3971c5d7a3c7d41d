#pragma once

#include <insync/consensus_view.hpp>
#include <insync/testing/simulated_log.hpp>
#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace insync::testing {

/// One member of a simulated group: a node, on one of its disks. With an empty disk it is another
/// member than before, who has promised nobody anything; what was said by or to the one that it was
/// is lost. Else a node that forgot its vote could elect two leaders of one epoch.
struct SimulatedMember {
    NodeId node = kNoNode;
    ReplicaKind kind = ReplicaKind::voter;
    std::uint32_t disk = 1; ///< each empty disk of a group has a higher number than those before
    friend bool operator==(const SimulatedMember&, const SimulatedMember&) = default;
};

/// The members of a group from one entry of its log on. Changes differ by one node, so that a
/// majority of the old and one of the new have a node in common.
struct SimulatedMembership {
    Index index = 0;
    Epoch epoch = 0;
    std::vector<SimulatedMember> members;
    NodeId alone = kNoNode; ///< whose group of its own this is; of nobody, if it is everyone's

    /// The member that this node is; null if it is none.
    [[nodiscard]] const SimulatedMember* find(NodeId node) const noexcept {
        const auto at =
            std::find_if(members.begin(), members.end(),
                         [&](const SimulatedMember& member) { return member.node == node; });
        return at == members.end() ? nullptr : &*at;
    }
    [[nodiscard]] bool is_voter(NodeId node) const noexcept {
        const SimulatedMember* const member = find(node);
        return member != nullptr && member->kind == ReplicaKind::voter;
    }
    [[nodiscard]] bool is_voter(NodeId node, std::uint32_t disk) const noexcept {
        const SimulatedMember* const member = find(node);
        return member != nullptr && member->kind == ReplicaKind::voter && member->disk == disk;
    }
    [[nodiscard]] std::size_t voters() const noexcept {
        return static_cast<std::size_t>(std::count_if(
            members.begin(), members.end(),
            [](const SimulatedMember& member) { return member.kind == ReplicaKind::voter; }));
    }
};

/// What a leader knows of another replica. Of the time before its election it keeps a left-over
/// `match`, as real libraries do, which means nothing until it is `verified`.
struct SimulatedPeer {
    Index next = 1;
    Index match = 0;
    bool verified = false;
    TimePoint contact = kNever;  ///< by the leader's clock: when a request left that was answered
    TimePoint answered = kNever; ///< in true time: when an answer came
};

/// One node's part in one group.
struct SimulatedReplica {
    enum class Role : std::uint8_t { follower, candidate, leader };

    // On stable storage.
    Epoch epoch = 0;
    NodeId voted_for = kNoNode;
    SimulatedLog log;
    std::uint32_t disk = 1; ///< which of the node's disks this is
    bool alone = false;     ///< in a group of its own, until it joins everyone's
    // Lost with the process.
    Role role = Role::follower;
    NodeId leader = kNoNode;
    Index commit = 0;
    Index epoch_start = 0;      ///< of this node's own leadership
    std::size_t membership = 0; ///< which of the group's is in force here
    std::uint64_t votes = 0;    ///< by node, one bit each
    std::uint64_t timer = 0;    ///< which of its timers counts
    TimePoint election_due{};   ///< when it stands for election unless it hears of a leader
    TimePoint leader_heard = kNever;
    std::vector<SimulatedPeer> peers; ///< by node number; a leader's

    [[nodiscard]] bool leads() const noexcept { return role == Role::leader; }
};

/// The highest index that a majority of the voters holds durably, as far as the leader knows.
[[nodiscard]] inline Index held_by_majority(const SimulatedReplica& leader,
                                            NodeId self,
                                            const SimulatedMembership& membership) {
    boost::container::static_vector<Index, 2 * kMaxReplicas> held;
    for (const SimulatedMember& member : membership.members) {
        if (member.kind != ReplicaKind::voter) continue;
        if (member.node == self) {
            held.push_back(leader.log.durable());
            continue;
        }
        const SimulatedPeer& peer = leader.peers[static_cast<std::size_t>(member.node)];
        held.push_back(peer.verified ? peer.match : 0);
    }
    if (held.empty()) return 0;
    std::sort(held.begin(), held.end());
    return held[(held.size() - 1) / 2];
}

} // namespace insync::testing
