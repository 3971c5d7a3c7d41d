#pragma once

#include <insync/isr_store.hpp>
#include <insync/node_list.hpp>

#include <optional>

namespace insync {

/// What a host knows of a partition when it registers it, beside its replicas. Nothing in it need
/// outlive the call.
struct PartitionOptions {
    /// Its own min ISR, at least 1; the configured one where there is none.
    std::optional<int> min_isr = {};
    /// Which nodes the cluster knows to be up; pass it if you know it. The first set is of these
    /// and of this node, so that nobody waits for a node that was dead before the partition was
    /// made. Where there is none, all replicas are taken for up but those that were marked dead.
    std::optional<NodeList> alive = {};
    /// The ISR that the metadata last knew (S8); null for a partition that is new.
    const PublishedIsr* inherited = nullptr;
};

} // namespace insync
