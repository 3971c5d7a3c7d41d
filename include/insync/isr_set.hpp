#pragma once

#include <insync/types.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace insync {

namespace detail {
class IsrEngine;
}

/// One partition's in-sync replicas at one instant, whole: who leads, who is in sync, who is not,
/// since when, and how far the answer is to be believed. A value; 152 bytes, no allocation.
///
/// Invariant: members and catching-up replicas are disjoint, each in ascending order; together they
/// are the assigned replicas. The leader, if any, is a member, unless it is ahead of the set.
class IsrSet {
public:
    IsrSet() noexcept {} // NOLINT(modernize-use-equals-default): that would fill `nodes_`

    /// Builds a set from its parts; mostly for tests and for metadata that is read back.
    /// \pre together at most `kMaxReplicas` (asserted)
    IsrSet(NodeId leader,
           std::span<const NodeId> members,
           std::span<const NodeId> catching_up,
           Epoch epoch = 0,
           Version version = 0)
        : leader_(leader), order_(epoch << 32 | (version & 0xffff'ffff)) {
        assert(members.size() + catching_up.size() <= kMaxReplicas);
        for (const NodeId node : members) nodes_[size_++] = node;
        count_ = size_;
        for (const NodeId node : catching_up) nodes_[count_++] = node;
        std::sort(nodes_.begin(), nodes_.begin() + size_);
        std::sort(nodes_.begin() + size_, nodes_.begin() + count_);
    }

    /// Who leads, as far as this node knows: the leader that decided this set, or a newer one
    /// (`leader_ahead`); `kNoNode` when none is known. A node that does not lead never names
    /// itself.
    [[nodiscard]] NodeId leader() const noexcept { return leader_; }
    /// Whether the leader is of a newer epoch than the set: the consensus knows it, and what it has
    /// decided was not published here yet. `epoch()` is not its epoch.
    [[nodiscard]] bool leader_ahead() const noexcept { return leader_ahead_; }
    /// In-sync replicas, the leader included, ascending. Valid while this object lives.
    [[nodiscard]] std::span<const NodeId> members() const& noexcept {
        return {nodes_.data(), size_};
    }
    std::span<const NodeId> members() const&& = delete;
    /// Assigned replicas that are not in sync, ascending.
    [[nodiscard]] std::span<const NodeId> catching_up() const& noexcept {
        return {nodes_.data() + size_, static_cast<std::size_t>(count_ - size_)};
    }
    std::span<const NodeId> catching_up() const&& = delete;
    /// The members as a vector, as the design documents call it. Allocates.
    [[nodiscard]] std::vector<NodeId> to_vec() const {
        return {nodes_.begin(), nodes_.begin() + size_};
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t replica_count() const noexcept { return count_; }
    [[nodiscard]] bool contains(NodeId node) const noexcept {
        return std::find(nodes_.begin(), nodes_.begin() + size_, node) != nodes_.begin() + size_;
    }

    [[nodiscard]] Epoch epoch() const noexcept { return order_ >> 32; }
    [[nodiscard]] Version version() const noexcept { return order_ & 0xffff'ffff; }
    /// When this node decided the set, or received it from the leader that did.
    [[nodiscard]] TimePoint changed_at() const noexcept { return changed_at_; }
    /// How long ago that was, at `now`.
    [[nodiscard]] Millis age(TimePoint now) const noexcept {
        return saturating_age(now, changed_at_);
    }
    /// Whether this node leads and the set is its own decision; otherwise it is what the leader
    /// last published, or what a former leader is left with (S7).
    [[nodiscard]] bool own() const noexcept { return own_; }
    /// Whether no leader was heard of for `max_lag_ms`, so that the set may be out of date (S7).
    [[nodiscard]] bool stale() const noexcept { return stale_; }

    /// The same members, assignment, epoch and version. Times and flags do not count, nor who is
    /// known to lead: that may change while the set stays.
    friend bool operator==(const IsrSet& a, const IsrSet& b) noexcept {
        return a.order_ == b.order_ && a.size_ == b.size_ && a.count_ == b.count_ &&
               std::equal(a.nodes_.begin(), a.nodes_.begin() + a.count_, b.nodes_.begin());
    }

private:
    friend class detail::IsrEngine;

    NodeId leader_ = kNoNode;
    TimePoint changed_at_{};
    std::uint64_t order_ = 0; // epoch in the upper half, version in the lower
    std::uint8_t size_ = 0;
    std::uint8_t count_ = 0;
    bool own_ = false;
    bool stale_ = false;
    bool leader_ahead_ = false;
    std::array<NodeId, kMaxReplicas> nodes_; // only the first count_ are ever read
};

} // namespace insync
