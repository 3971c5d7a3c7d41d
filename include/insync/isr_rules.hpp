#pragma once

#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace insync {

/// What the rules of S3 say of one replica.
enum class Verdict : std::uint8_t {
    in_sync,
    lag_entries,   ///< behind by more than `max_lag_entries`
    lag_ms,        ///< not caught up for more than `max_lag_ms`
    not_confirmed, ///< outside the ISR, and what it holds is not confirmed in this epoch
    not_eligible,  ///< a learner, joining or leaving
};

/// The bounds within which a replica is in sync; a bound itself still is.
struct LagLimits {
    Index entries = 0;
    Millis time{0};
};

[[nodiscard]] inline LagLimits staying_limits(const IsrConfig& config) noexcept {
    return {config.max_lag_entries, config.max_lag_ms};
}

/// Lower than for staying where flap damping says so (S3).
[[nodiscard]] inline LagLimits joining_limits(const IsrConfig& config) noexcept {
    const auto percent = config.damping.join_percent;
    if (percent == 100) return staying_limits(config);
    LagLimits limits;
    limits.time = config.max_lag_ms / 100 * percent + config.max_lag_ms % 100 * percent / 100;
    const auto part = static_cast<Index>(percent);
    limits.entries =
        config.max_lag_entries == IsrConfig::kNoEntryLimit
            ? config.max_lag_entries
            : config.max_lag_entries / 100 * part + config.max_lag_entries % 100 * part / 100;
    return limits;
}

/// Whether a member may stay. One that is not confirmed is judged by time alone: entries are judged
/// once they are known (S3).
[[nodiscard]] inline Verdict judge_member(ReplicaKind kind,
                                          const ReplicaLag& lag,
                                          const LagLimits& limits) noexcept {
    if (kind != ReplicaKind::voter) return Verdict::not_eligible;
    if (lag.entries && *lag.entries > limits.entries) return Verdict::lag_entries;
    if (lag.time > limits.time) return Verdict::lag_ms;
    return Verdict::in_sync;
}

/// Whether a replica outside may join: it must also be confirmed in this epoch (S3).
[[nodiscard]] inline Verdict judge_outsider(ReplicaKind kind,
                                            const ReplicaLag& lag,
                                            const LagLimits& limits) noexcept {
    if (kind == ReplicaKind::voter && !lag.entries) return Verdict::not_confirmed;
    return judge_member(kind, lag, limits);
}

/// Members that an acks=all write really needs: the configured number, within 1 and the number of
/// replicas. Kafka: `Partition.effectiveMinIsr`.
[[nodiscard]] constexpr std::size_t effective_min_isr(int configured,
                                                      std::size_t replicas) noexcept {
    const auto wanted = configured < 1 ? std::size_t{1} : static_cast<std::size_t>(configured);
    return wanted < replicas ? wanted : std::max<std::size_t>(replicas, 1);
}

/// Whether `reached` voters of `voters`, the leader counted in both, are a majority (S5).
[[nodiscard]] constexpr bool is_majority(std::size_t reached, std::size_t voters) noexcept {
    return 2 * reached > voters;
}

/// How long a replica that left for the `departures`-th time in a row stays out (S3, damping).
[[nodiscard]] inline Millis dwell_after(const Damping& damping, unsigned departures) noexcept {
    Millis dwell = damping.min_dwell;
    for (unsigned i = 1; i < departures && dwell < damping.max_dwell; ++i)
        dwell = dwell > damping.max_dwell / 2 ? damping.max_dwell : 2 * dwell;
    return damping.max_dwell.count() > 0
               ? std::min(dwell, std::max(damping.max_dwell, damping.min_dwell))
               : dwell;
}

} // namespace insync
