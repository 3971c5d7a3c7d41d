#pragma once

#include <insync/isr_set.hpp>
#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <initializer_list>
#include <span>

namespace insync {

/// One partition's ISR as the host keeps it in its replicated metadata, feeds it to the nodes that
/// do not lead, and gives it back after a restart (S8).
struct PublishedIsr {
    NodeId leader = kNoNode; ///< who decided it; `kNoNode` is legal for a partition without one
    Epoch epoch = 0;
    Version version = 0;
    boost::container::static_vector<NodeId, kMaxReplicas> members;

    PublishedIsr() = default;
    /// \pre at most `kMaxReplicas` members
    PublishedIsr(NodeId leader_node,
                 Epoch of_epoch,
                 Version of_version,
                 std::initializer_list<NodeId> nodes)
        : leader(leader_node), epoch(of_epoch), version(of_version), members(nodes) {}
    explicit PublishedIsr(const IsrSet& set)
        : leader(set.leader_ahead() ? kNoNode : set.leader()),
          epoch(set.epoch()),
          version(set.version()),
          members(set.members().begin(), set.members().end()) {}

    friend bool operator==(const PublishedIsr&, const PublishedIsr&) = default;
};

/// Where a leader's decisions go: the host's replicated metadata (S8).
///
/// **You promise**: `publish` does not block for a round trip; it hands the set to the metadata log
/// and returns. Whether it arrives is told by `apply_published_isr`, on every node.
/// **You get**: one call a change, with no lock held, and again at every sweep until
/// `apply_published_isr` has shown the same (epoch, version) or a newer one. Duplicates are normal.
template <class S>
concept IsrStore = requires(S& store, TopicPartition partition, const PublishedIsr& isr) {
    store.publish(partition, isr);
};

} // namespace insync
