#pragma once

#include <insync/isr_rules.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace insync {

/// Where a replica stands in the eyes of the node that is asked.
enum class ReplicaState : std::uint8_t {
    leader,
    in_sync,
    grace,         ///< member of the inherited ISR, not confirmed in this epoch yet (S3)
    catching_up,   ///< outside, confirmed, and short of the limits for joining
    held_out,      ///< outside by hand or by flap damping, though its lag would let it in
    unconfirmed,   ///< outside, and nothing is known of it in this epoch
    not_eligible,  ///< a learner, joining or leaving
    not_a_member,  ///< assigned, but the consensus group has no such member
    as_registered, ///< this node does not lead, and nothing was decided since the partition began
    as_published,  ///< this node does not lead: it knows only what the leader published
    as_decided,    ///< this node does not lead any more: it is what it decided last
};

[[nodiscard]] constexpr std::string_view to_string(ReplicaState state) noexcept {
    switch (state) {
    case ReplicaState::leader: return "leader";
    case ReplicaState::in_sync: return "in_sync";
    case ReplicaState::grace: return "grace";
    case ReplicaState::catching_up: return "catching_up";
    case ReplicaState::held_out: return "held_out";
    case ReplicaState::unconfirmed: return "unconfirmed";
    case ReplicaState::not_eligible: return "not_eligible";
    case ReplicaState::not_a_member: return "not_a_member";
    case ReplicaState::as_registered: return "as_registered";
    case ReplicaState::as_published: return "as_published";
    case ReplicaState::as_decided: return "as_decided";
    }
    return "unknown";
}

/// Why a replica is in the ISR of a partition or out of it (S9).
struct Explanation {
    NodeId node = kNoNode;
    NodeId leader = kNoNode;
    bool member = false;
    bool leader_ahead = false; ///< the leader is of a newer epoch than the set (`IsrSet`)
    bool epoch_fell = false;   ///< the group went back to an older epoch: see `register_anew`
    ReplicaState state = ReplicaState::as_published;
    Verdict verdict = Verdict::in_sync; ///< the rule that fails, on the leader
    Epoch epoch = 0;
    Version version = 0;
    TimePoint since{};               ///< when the reported set last changed
    std::optional<Index> match;      ///< what it is confirmed to hold, on the leader
    ReplicaLag lag;                  ///< on the leader
    LagLimits limits;                ///< what the lag is held against
    TimePoint last_contact = kNever; ///< on the leader
};

/// One partition that stopping a node would leave short.
struct ShortPartition {
    std::string topic;
    PartitionId partition = 0;
    std::size_t isr_size = 0; ///< before the stop
    std::size_t min_isr = 0;  ///< effective
};

/// Whether a node can be stopped: the partitions, of those this node reports on, whose ISR would
/// fall below min ISR without it (S9). Sets that are stale count as they were last published.
struct SafeToStop {
    std::vector<ShortPartition> would_fall_short;
    [[nodiscard]] bool safe() const noexcept { return would_fall_short.empty(); }
};

/// Counts over all partitions at one moment (S9).
struct IsrStats {
    std::size_t partitions = 0;
    std::size_t leading = 0;
    std::size_t under_replicated = 0; ///< led, with assigned replicas outside the ISR
    std::size_t under_min_isr = 0;    ///< led, with an ISR below min ISR
    std::size_t at_min_isr = 0;       ///< led, with an ISR of exactly min ISR
    std::size_t refusing_produce = 0; ///< led, and `has_min_isr` is false for whatever reason
    std::size_t stale = 0;            ///< followed, without a leader for `max_lag_ms`
    std::size_t isr_members = 0;      ///< sum of the reported ISR sizes
    std::size_t waits = 0;            ///< acks=all waits pending
};

} // namespace insync
