#pragma once

#include "raft/raft_group.hpp"

#include <insync/adapters/libraft.hpp>
#include <insync/types.hpp>

#include <functional>
#include <utility>

namespace mini_broker {

/// What `insync::LibraftView` reads: the Raft groups of this node's partitions.
///
/// The view keeps what `find_group` gave. Take a partition out of the manager before its group is
/// destroyed.
class RaftHost {
public:
    using Group = RaftGroup*;
    static constexpr bool pushes = true; // `RaftEvents` carry every change to the manager
    using Lookup = std::function<RaftGroup*(insync::TopicPartition)>;

    explicit RaftHost(Lookup lookup) : lookup_(std::move(lookup)) {}

    [[nodiscard]] Group find_group(insync::TopicPartition partition) { return lookup_(partition); }
    [[nodiscard]] raft* core(const Group& group) const noexcept {
        return group == nullptr ? nullptr : group->core();
    }
    [[nodiscard]] const insync::ContactLog& contacts(const Group& group) const noexcept {
        return group->contacts();
    }

private:
    Lookup lookup_;
};

using RaftView = insync::LibraftView<RaftHost>;

} // namespace mini_broker
