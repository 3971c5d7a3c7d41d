#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace insync {

/// What an operation on the manager came to. Everything but `ok` and `stale` changed nothing and
/// was counted (S10), but for what is said of `not_leader` and `epoch_conflict`; `stale` is a
/// normal outcome of a distributed system, not an error.
enum class [[nodiscard]] Result : std::uint8_t {
    ok,
    stale,               ///< older than what is known: epoch, version or index
    unknown_partition,   ///< never initialised, or removed since
    already_exists,      ///< initialised before, with another content
    not_leader,          ///< this node does not lead the partition in that epoch; hearing of a
                         ///< newer one than its own ends its leadership (S6)
    invalid_topic,       ///< empty, ".", "..", over 249 characters, or not of [A-Za-z0-9._-]
    invalid_partition,   ///< not from 0 to kMaxPartition
    invalid_node,        ///< negative; -1 is reserved for "none"
    empty_replicas,      ///< a partition needs at least one replica
    duplicate_replica,   ///< one node id stands twice in a list
    too_many_replicas,   ///< more than kMaxReplicas
    not_a_replica,       ///< the node is not assigned to the partition, or the view's last good
                         ///< read had no row for it
    invalid_isr,         ///< an ISR that is empty or that lacks its own leader
    invalid_min_isr,     ///< min ISR must be at least 1
    invalid_index,       ///< above kMaxIndex
    beyond_leader_end,   ///< a follower cannot hold what its leader has not
    epoch_conflict,      ///< one (epoch, version) with two contents, a fault of the host; a
                         ///< leader numbers its own set anew, above the other
    epoch_exhausted,     ///< above kMaxEpoch or kMaxVersion; never wraps
    leader_cannot_leave, ///< the leader is always in its own ISR
    not_confirmed,       ///< what the replica holds is not known in this epoch yet
    not_eligible,        ///< a learner, a joining or a leaving replica is never in sync
    inconsistent_view,   ///< the view contradicted itself; its last good answer stands
    torn,                ///< the view could not read one consistent state just now
    unavailable,         ///< the view could not answer
    superseded,          ///< another thread observed the partition meanwhile; its result stands
    too_many_waits,      ///< the configured number of waits is in use
    no_memory,           ///< an allocation failed; the state is as before
    shut_down,           ///< the manager was shut down
};

inline constexpr std::size_t kResultCount = static_cast<std::size_t>(Result::shut_down) + 1;

/// The enumerator's own name, for logs and metric labels.
[[nodiscard]] constexpr std::string_view to_string(Result result) noexcept {
    constexpr std::string_view kNames[kResultCount] = {
        "ok",
        "stale",
        "unknown_partition",
        "already_exists",
        "not_leader",
        "invalid_topic",
        "invalid_partition",
        "invalid_node",
        "empty_replicas",
        "duplicate_replica",
        "too_many_replicas",
        "not_a_replica",
        "invalid_isr",
        "invalid_min_isr",
        "invalid_index",
        "beyond_leader_end",
        "epoch_conflict",
        "epoch_exhausted",
        "leader_cannot_leave",
        "not_confirmed",
        "not_eligible",
        "inconsistent_view",
        "torn",
        "unavailable",
        "superseded",
        "too_many_waits",
        "no_memory",
        "shut_down",
    };
    const auto at = static_cast<std::size_t>(result);
    return at < kResultCount ? kNames[at] : std::string_view{"unknown"};
}

/// How an `acks=all` wait ended (S6). Each wait ends exactly once.
enum class WaitResult : std::uint8_t {
    committed,           ///< consensus committed it and every present ISR member holds it
    not_enough_replicas, ///< the ISR fell below min ISR: Kafka's 20, after append
    not_leader,          ///< another epoch began, leadership was lost, or the partition removed
    timed_out,           ///< the deadline passed; the outcome is unknown
    shut_down,           ///< the manager was shut down; the outcome is unknown
};

[[nodiscard]] constexpr std::string_view to_string(WaitResult result) noexcept {
    switch (result) {
    case WaitResult::committed: return "committed";
    case WaitResult::not_enough_replicas: return "not_enough_replicas";
    case WaitResult::not_leader: return "not_leader";
    case WaitResult::timed_out: return "timed_out";
    case WaitResult::shut_down: return "shut_down";
    }
    return "unknown";
}

} // namespace insync
