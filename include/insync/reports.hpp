#pragma once

#include <insync/isr_set.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace insync {

/// One follower of a partition that this node leads, at one moment.
struct FollowerReport {
    NodeId node = kNoNode;
    bool member = false;
    std::optional<Index> match; ///< nothing while it is not confirmed in this epoch
    ReplicaLag lag;
    TimePoint last_contact = kNever;
    std::int64_t last_contact_wall_ms = 0; ///< the same since 1970; 0 for never
};

/// One partition at one moment, for metrics and pages (S9).
struct PartitionReport {
    std::string topic;
    PartitionId partition = 0;
    IsrSet isr;
    bool leading = false;
    bool has_min_isr = false;
    std::size_t min_isr = 0;                                                 ///< effective
    Index end = 0;                                                           ///< on the leader
    Index high_watermark = 0;                                                ///< on the leader
    boost::container::static_vector<FollowerReport, kMaxReplicas> followers; ///< on the leader
};

} // namespace insync
