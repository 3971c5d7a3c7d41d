#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace insync {

/// A broker, as consensus and Kafka name it. 0 and above are legal, -1 is reserved for "none".
using NodeId = std::int64_t;
inline constexpr NodeId kNoNode = -1;

/// A partition's number within its topic, from 0 to `kMaxPartition`.
using PartitionId = std::int32_t;
inline constexpr PartitionId kMaxPartition = (1 << 20) - 1;

/// A position in the consensus log, inclusive: "holds up to and including". 0 means none.
/// Kafka's exclusive offsets are the host's conversion.
using Index = std::uint64_t;
inline constexpr Index kMaxIndex = std::numeric_limits<std::int64_t>::max();

/// Leader epoch; in a Raft host the Raft term. A newer one fences all that was said in an older.
using Epoch = std::uint64_t;
inline constexpr Epoch kMaxEpoch = std::numeric_limits<std::uint32_t>::max() - 1;

/// Counts the changes of one partition's ISR. Sets are ordered by (epoch, version) (S4).
using Version = std::uint64_t;
inline constexpr Version kMaxVersion = std::numeric_limits<std::uint32_t>::max() - 1;

/// Replicas a partition may have. Kafka deployments use 3 to 5, Raft groups rarely more than 9.
inline constexpr std::size_t kMaxReplicas = 15;

/// Kafka's limit for a topic name; longer names are refused at registration, unknown in a read.
inline constexpr std::size_t kMaxTopicLength = 249;

using Millis = std::chrono::milliseconds;

/// Names the time line of the manager's `Clock` parameter; never called.
struct MonotonicTime;
/// A moment on that time line. Only differences mean anything (S11).
using TimePoint = std::chrono::time_point<MonotonicTime, Millis>;
/// "It never happened", for instance a replica that was never heard of.
inline constexpr TimePoint kNever = TimePoint::min();

/// `a - b` without overflow, whatever the two are (S11: clocks may start and jump anywhere).
[[nodiscard]] constexpr Millis saturating_age(TimePoint a, TimePoint b) noexcept {
    const auto x = a.time_since_epoch().count();
    const auto y = b.time_since_epoch().count();
    if (x <= y) return Millis{0};
    const auto gap = static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y);
    constexpr auto kMost = static_cast<std::uint64_t>(Millis::max().count());
    return Millis{static_cast<Millis::rep>(gap < kMost ? gap : kMost)};
}

/// `t + d` without overflow, for `d >= 0`.
[[nodiscard]] constexpr TimePoint saturating_add(TimePoint t, Millis d) noexcept {
    const auto x = t.time_since_epoch().count();
    if (x > 0 && d.count() > TimePoint::max().time_since_epoch().count() - x)
        return TimePoint::max();
    return t + d;
}

/// What names a partition. A view: the topic's characters belong to the caller.
struct TopicPartition {
    std::string_view topic;
    PartitionId partition = 0;

    friend bool operator==(const TopicPartition&, const TopicPartition&) = default;
};

} // namespace insync
