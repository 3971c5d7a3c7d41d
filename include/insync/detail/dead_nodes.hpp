#pragma once

#include <insync/types.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

namespace insync::detail {

/// The nodes that the host knows to be dead: they are given nothing on credit (S3).
///
/// \par Thread safety
///     Safe. Its lock is a leaf, taken with a partition's lock held; while nobody is dead, no lock.
class DeadNodes {
public:
    /// Throws `std::bad_alloc`, and then nothing changed.
    void add(NodeId node) {
        const std::lock_guard lock{mutex_};
        const auto at = std::lower_bound(nodes_.begin(), nodes_.end(), node);
        if (at == nodes_.end() || *at != node) nodes_.insert(at, node);
        count_.store(nodes_.size(), std::memory_order_relaxed);
    }
    void remove(NodeId node) noexcept {
        const std::lock_guard lock{mutex_};
        const auto at = std::lower_bound(nodes_.begin(), nodes_.end(), node);
        if (at != nodes_.end() && *at == node) nodes_.erase(at);
        count_.store(nodes_.size(), std::memory_order_relaxed);
    }
    [[nodiscard]] bool contains(NodeId node) const noexcept {
        if (count_.load(std::memory_order_relaxed) == 0) return false;
        const std::lock_guard lock{mutex_};
        return std::binary_search(nodes_.begin(), nodes_.end(), node);
    }

private:
    mutable std::mutex mutex_;
    std::vector<NodeId> nodes_; // in ascending order
    std::atomic<std::size_t> count_{0};
};

} // namespace insync::detail
