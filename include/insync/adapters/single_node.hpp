#pragma once

#include <insync/consensus_view.hpp>
#include <insync/handle.hpp>
#include <insync/types.hpp>

#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace insync {

/// For a broker whose log positions do not matter to the tracker: every position is 0.
struct NoPositions {};

/// A broker that stands alone, as a consensus: this node leads every partition in epoch 1, holds
/// its quorum by itself and has no followers.
///
/// Where a partition is registered with further replicas, they are no members of the group and so
/// never in sync: what a cluster's metadata says is not what this broker does.
///
/// \tparam Positions  `positions(TopicPartition) -> LeaderPositions`, called at every read of a
///                    partition, from any thread that calls the manager. Without it the tracker
///                    answers `has_min_isr` and `get_isr` all the same; the high watermark stays 0,
///                    and an acks=all wait for anything above that ends at its deadline.
///
/// \par Thread safety
///     Safe, if `positions` is.
template <class Positions = NoPositions>
class SingleNodeView {
    static constexpr bool kHasPositions = !std::is_same_v<Positions, NoPositions>;
    using Name = std::pair<std::string, PartitionId>;

public:
    static constexpr ContactSource contact_source = ContactSource::request;
    static constexpr Epoch kOnlyEpoch = 1;

    /// A partition's name, kept as long as the view lives; null without `positions`.
    using Group = const Name*;

    explicit SingleNodeView(NodeId self, Positions positions = {})
        : self_(self), positions_(std::move(positions)) {}

    Group find_group(TopicPartition partition, std::span<const NodeId>) {
        if constexpr (kHasPositions) {
            const std::lock_guard lock{mutex_};
            return &*names_.emplace(partition.topic, partition.partition).first;
        } else {
            static_cast<void>(partition);
            return nullptr;
        }
    }

    ReadResult read(const Group& group, GroupState& state) noexcept {
        state.epoch = kOnlyEpoch;
        state.leader = self_;
        state.leading = true;
        state.quorum = Quorum::held;
        if constexpr (kHasPositions) {
            if (group == nullptr) return ReadResult::unavailable;
            try {
                const LeaderPositions positions =
                    positions_(TopicPartition{group->first, group->second});
                state.end = positions.end;
                state.durable = positions.durable;
                state.commit = state.applied = positions.commit;
            } catch (...) {
                return ReadResult::unavailable;
            }
        } else {
            static_cast<void>(group);
        }
        return ReadResult::ok;
    }

    /// Without positions a read always says the same, so that a sweep need not ask twice.
    [[nodiscard]] std::uint64_t version(const Group&) const noexcept
        requires(!kHasPositions)
    {
        return 1;
    }

    [[nodiscard]] Millis contact_slack() const noexcept { return Millis{0}; }

private:
    NodeId self_;
    Positions positions_;
    std::mutex mutex_;
    std::set<Name> names_; // nodes never move
};

static_assert(VersionedView<SingleNodeView<>>);

} // namespace insync
