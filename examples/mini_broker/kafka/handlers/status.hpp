#pragma once

#include "kafka/errors.hpp"
#include "kafka/handlers/context.hpp"
#include "types.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mini_broker::kafka {

/// What this node tells clients of a partition: integration point 1 of the design documents, and
/// what is left of it without a quorum (S7).
struct PartitionStatus {
    Error error = Error::none; ///< `leader_not_available` when nobody is known to lead
    std::int32_t leader = -1;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> isr;
    std::vector<std::int32_t> offline;
    /// This node stands in for a leader that is gone, so that clients get a reason and not a
    /// time-out: it appends nothing, and shows what is committed.
    bool acting = false;
};

/// \param partition  one that the image has
[[nodiscard]] PartitionStatus status_of(const Context& context,
                                        std::string_view topic,
                                        std::int32_t number,
                                        const Image::Partition& partition);

/// The brokers that are alive, as Metadata and DescribeCluster list them: both must say the same.
template <class Broker>
[[nodiscard]] std::vector<Broker> live_brokers(const Context& context) {
    std::vector<Broker> live;
    for (const auto& [node, broker] : context.image().brokers())
        if (context.nodes.alive(node))
            live.push_back({static_cast<std::int32_t>(node), broker.host, broker.port,
                            broker.rack.empty() ? std::nullopt : std::optional{broker.rack}});
    return live;
}

} // namespace mini_broker::kafka
