#pragma once

#include <insync/errors.hpp>
#include <insync/handle.hpp>
#include <insync/kafka/error_codes.hpp>
#include <insync/types.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

// Min ISR on a broker's produce path (integration point 2): what to ask before the append, and what
// to answer after it.
//
//     leader?  ->  admit_produce  ->  append  ->  respond_when_replicated  ->  response
//     no: 6        no: refuse                     the partition's error code
//
// Whether this node leads is the host's own question, to be asked first: `has_min_isr` is false on
// a node that does not lead, and "not enough replicas" would not send the client to the leader.

namespace insync::kafka {

/// The `acks` field of a produce request.
inline constexpr std::int16_t kAcksAll = -1;
inline constexpr std::int16_t kAcksLeader = 1;
inline constexpr std::int16_t kAcksNone = 0;

/// What stands in a produce response where there is no offset and no time.
inline constexpr std::int64_t kNoOffset = -1;
inline constexpr std::int64_t kNoTimestamp = -1;

/// Which code says "not enough replicas" when that was found *before* the append. After it, it is
/// 20 in either case.
enum class MinIsrError : std::uint8_t {
    /// 20, as the design documents have it. A client that tells lost writes from doubtful ones
    /// (librdkafka) then takes a write that was never appended for one that may exist.
    as_documented,
    /// 19, as Apache Kafka does: nothing was appended, and the client knows it.
    exact,
};

[[nodiscard]] constexpr ErrorCode error_before_append(MinIsrError policy) noexcept {
    return policy == MinIsrError::exact ? ErrorCode::not_enough_replicas
                                        : ErrorCode::not_enough_replicas_after_append;
}

/// The answer to a produce whose acks=all wait has ended.
[[nodiscard]] constexpr ErrorCode error_after_append(WaitResult result) noexcept {
    switch (result) {
    case WaitResult::committed: return ErrorCode::none;
    case WaitResult::not_enough_replicas: return ErrorCode::not_enough_replicas_after_append;
    // The record may survive under the next leader; this is what Apache Kafka says all the same,
    // and what makes the client look for that leader.
    case WaitResult::not_leader: return ErrorCode::not_leader_or_follower;
    case WaitResult::timed_out:
    case WaitResult::shut_down: return ErrorCode::request_timed_out;
    }
    return ErrorCode::unknown_server_error;
}

/// The answer to a produce that was appended, but whose wait was refused.
[[nodiscard]] constexpr ErrorCode error_of_refused_wait(Result result) noexcept {
    if (result == Result::not_leader || result == Result::stale)
        return ErrorCode::not_leader_or_follower;
    if (result == Result::unknown_partition) return ErrorCode::unknown_topic_or_partition;
    // Nobody will tell what becomes of the record, and the one code that says so is this.
    return ErrorCode::request_timed_out;
}

namespace detail {

template <class Manager, class... Partition>
[[nodiscard]] ErrorCode admit(Manager& manager,
                              std::int16_t acks,
                              MinIsrError policy,
                              const Partition&... partition) {
    if (acks == kAcksNone || acks == kAcksLeader) return ErrorCode::none;
    if (acks != kAcksAll) return ErrorCode::invalid_required_acks;
    if (manager.has_min_isr(partition...)) return ErrorCode::none;
    manager.count_refused_produce();
    return error_before_append(policy);
}

} // namespace detail

/// Whether a produce may be appended to a partition; ask before anything is written.
///
/// Min ISR binds acks=all alone: a producer that asked for less gets less, as in Kafka. A partition
/// that is not tracked is answered as `IsrConfig::unknown_partition` says.
/// \return `none`; `invalid_required_acks` for a value that does not exist; else the code for too
///         few replicas, and the refusal was counted (`refused_produces`)
/// \par Complexity
///     That of `has_min_isr`: wait-free, no allocation.
template <class Manager>
[[nodiscard]] ErrorCode admit_produce(Manager& manager,
                                      std::string_view topic,
                                      PartitionId partition,
                                      std::int16_t acks,
                                      MinIsrError policy = MinIsrError::as_documented) {
    return detail::admit(manager, acks, policy, topic, partition);
}
/// The same by handle. A null handle is refused: a partition without tracking has a name only.
template <class Manager>
[[nodiscard]] ErrorCode admit_produce(Manager& manager,
                                      const PartitionHandle& partition,
                                      std::int16_t acks,
                                      MinIsrError policy = MinIsrError::as_documented) {
    return detail::admit(manager, acks, policy, partition);
}

/// Fills the host's own partition response for a produce that comes to nothing: the code, and -1 in
/// place of every number. The fields carry Kafka's names; `log_append_time` with or without `_ms`,
/// and `error_code` as a number or an enumeration.
template <class Response>
    requires requires(Response& response) {
        response.error_code;
        response.base_offset = kNoOffset;
        response.log_start_offset = kNoOffset;
    }
void refuse(Response& response, ErrorCode code) {
    using Code = std::remove_cvref_t<decltype(response.error_code)>;
    response.error_code = static_cast<Code>(wire(code));
    response.base_offset = kNoOffset;
    response.log_start_offset = kNoOffset;
    if constexpr (requires { response.log_append_time = kNoTimestamp; })
        response.log_append_time = kNoTimestamp;
    else
        response.log_append_time_ms = kNoTimestamp;
}

/// One append whose acks=all answer is due.
struct Appended {
    Epoch epoch = 0;      ///< in which it was appended
    Index index = 0;      ///< of its last entry
    TimePoint deadline{}; ///< from the request's `timeout_ms`, on the manager's clock
};

/// Calls `respond(ErrorCode)` exactly once: when the append is replicated as acks=all asks, or
/// cannot be any more, or at its deadline (S6).
///
/// It may be called before this returns, and on any thread that calls the manager, with no lock
/// held. Throws `std::bad_alloc`, and then never calls; what `respond` throws comes out only where
/// the wait was refused, and is swallowed and counted by the manager everywhere else.
template <class Manager, class Respond>
void respond_when_replicated(Manager& manager,
                             const PartitionHandle& partition,
                             const Appended& appended,
                             Respond respond) {
    // Shared, because a wait that is refused has already taken its callback.
    const auto shared = std::make_shared<Respond>(std::move(respond));
    const Result result = manager.await_replication(
        partition, appended.epoch, appended.index, appended.deadline,
        [shared](WaitResult ended) { (*shared)(error_after_append(ended)); });
    if (result != Result::ok) (*shared)(error_of_refused_wait(result));
}

} // namespace insync::kafka
