#pragma once

#include <insync/isr_set.hpp>
#include <insync/kafka/error_codes.hpp>
#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

namespace insync::kafka {

/// A broker in Kafka's protocol: 32 bits, -1 for none.
using BrokerId = std::int32_t;
inline constexpr BrokerId kNoBroker = -1;
/// Stands for a leader epoch that is not known, or that 32 bits cannot hold.
inline constexpr std::int32_t kNoLeaderEpoch = -1;

/// The broker id of a node; nothing for a node that Kafka's protocol cannot name.
[[nodiscard]] constexpr std::optional<BrokerId> broker_id(NodeId node) noexcept {
    if (node < 0 || node > std::numeric_limits<BrokerId>::max()) return std::nullopt;
    return static_cast<BrokerId>(node);
}

[[nodiscard]] constexpr std::int32_t leader_epoch(Epoch epoch) noexcept {
    constexpr Epoch kMost = std::numeric_limits<std::int32_t>::max();
    return epoch <= kMost ? static_cast<std::int32_t>(epoch) : kNoLeaderEpoch;
}

/// What a Metadata response says of one partition, as far as the ISR decides it.
struct PartitionMetadata {
    ErrorCode error = ErrorCode::none; ///< `leader_not_available` when nobody is known to lead
    BrokerId leader_id = kNoBroker;
    std::int32_t leader_epoch = kNoLeaderEpoch;
    boost::container::static_vector<BrokerId, kMaxReplicas> isr_nodes;
    bool tracked = false; ///< false: it is the assigned broker alone, nothing else is known
    bool stale = false;   ///< no leader was heard of for `max_lag_ms` (S7)
};

/// Describes a partition by its ISR: what this node decided if it leads, else what the leader last
/// published. A leader of a newer epoch than that is named without an epoch, as clients would be
/// fenced with that of the set; and as a member, which every leader is.
[[nodiscard]] inline PartitionMetadata describe(const IsrSet& isr) {
    PartitionMetadata metadata;
    metadata.tracked = true;
    metadata.stale = isr.stale();
    metadata.leader_id = broker_id(isr.leader()).value_or(kNoBroker);
    if (metadata.leader_id == kNoBroker) metadata.error = ErrorCode::leader_not_available;
    metadata.leader_epoch = isr.leader_ahead() ? kNoLeaderEpoch : leader_epoch(isr.epoch());
    for (const NodeId node : isr.members())
        if (const auto broker = broker_id(node)) metadata.isr_nodes.push_back(*broker);
    const bool missing = isr.leader_ahead() && !isr.contains(isr.leader());
    if (missing && metadata.leader_id != kNoBroker && metadata.isr_nodes.size() < kMaxReplicas)
        metadata.isr_nodes.push_back(metadata.leader_id);
    return metadata;
}

/// Describes a partition (integration point 1).
/// \param assigned  the broker that answers for a partition without tracking, as on a single node:
///                  it is then leader and ISR, alone
/// \par Complexity
///     That of `get_isr`: wait-free, no allocation.
template <class Manager>
[[nodiscard]] PartitionMetadata describe(const Manager& manager,
                                         std::string_view topic,
                                         PartitionId partition,
                                         NodeId assigned) {
    if (const std::optional<IsrSet> isr = manager.get_isr(topic, partition)) return describe(*isr);
    PartitionMetadata metadata;
    metadata.leader_id = broker_id(assigned).value_or(kNoBroker);
    if (metadata.leader_id == kNoBroker)
        metadata.error = ErrorCode::leader_not_available;
    else
        metadata.isr_nodes.push_back(metadata.leader_id);
    return metadata;
}

/// Writes it into the host's own partition response, whose fields carry Kafka's names. Replicas and
/// offline replicas are left as they are: those the host knows, from its assignment and from who is
/// registered. So is `leader_epoch` where the response's version has none.
template <class Response>
    requires requires(Response& response, const PartitionMetadata& metadata) {
        response.error_code;
        response.leader_id = metadata.leader_id;
        response.isr_nodes.assign(metadata.isr_nodes.begin(), metadata.isr_nodes.end());
    }
void fill(Response& response, const PartitionMetadata& metadata) {
    using Code = std::remove_cvref_t<decltype(response.error_code)>;
    response.error_code = static_cast<Code>(wire(metadata.error));
    response.leader_id = metadata.leader_id;
    if constexpr (requires { response.leader_epoch = metadata.leader_epoch; })
        response.leader_epoch = metadata.leader_epoch;
    response.isr_nodes.assign(metadata.isr_nodes.begin(), metadata.isr_nodes.end());
}

} // namespace insync::kafka
