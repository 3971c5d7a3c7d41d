#pragma once

#include <insync/detail/geometric_slab.hpp>
#include <insync/detail/name.hpp>
#include <insync/detail/reuse_guard.hpp>
#include <insync/types.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <span>
#include <vector>

namespace insync::detail {

/// The replicas assigned to a partition, ascending; one object for all partitions that have the
/// same ones. Unchanging while any partition refers to it. A replica's *position* is its place
/// here.
struct ReplicaSet {
    static constexpr std::uint32_t kNone = ~0u;

    std::atomic<std::uint32_t> size{0};
    std::uint32_t references = 0; // under the mutex of ReplicaSets
    std::array<std::atomic<NodeId>, kMaxReplicas> nodes{};

    [[nodiscard]] std::uint32_t count() const noexcept {
        return size.load(std::memory_order_acquire);
    }
    [[nodiscard]] NodeId operator[](std::uint32_t position) const noexcept {
        return nodes[position].load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint32_t position(NodeId node) const noexcept {
        const std::uint32_t replicas = count();
        for (std::uint32_t i = 0; i < replicas; ++i)
            if ((*this)[i] == node) return i;
        return kNone;
    }
    /// The same for a set of at most three, without a branch: which follower answers next is
    /// nothing that a processor can predict. Not below `count()` where there is none, or where the
    /// set is larger.
    [[nodiscard]] std::uint32_t position_of_three(NodeId node) const noexcept {
        const std::uint32_t first = (*this)[0] == node ? 1 : 0;
        const std::uint32_t second = (*this)[1] == node ? 1 : 0;
        const std::uint32_t third = (*this)[2] == node ? 1 : 0;
        return second + 2 * third - (1 - (first | second | third));
    }
    [[nodiscard]] bool equals(std::span<const NodeId> sorted) const noexcept {
        if (count() != sorted.size()) return false;
        for (std::uint32_t i = 0; i < sorted.size(); ++i)
            if ((*this)[i] != sorted[i]) return false;
        return true;
    }
};

/// Keeps each distinct set of replicas once: a cluster of a hundred brokers with a million
/// partitions has few hundred of them, so they stay in the cache.
///
/// A set that no partition refers to is used again. Readers that were looking at it find out, as
/// the partition through which they came has changed since (`PublishedState::read`); a reader that
/// holds the guard keeps it from being used at all.
///
/// Thread safety: `operator[]` any thread; `obtain` and `release` safe, by a leaf mutex.
class ReplicaSets {
public:
    static constexpr std::uint32_t kMaxSets = (1u << 20) - 1;

    explicit ReplicaSets(const ReuseGuard& guard) noexcept : guard_(guard) {}

    [[nodiscard]] const ReplicaSet& operator[](std::uint32_t id) const noexcept {
        return sets_[id];
    }

    /// A reference to the set of `sorted`, which is ascending and legal; to be released once.
    /// Throws `std::bad_alloc`, and then nothing has changed.
    std::uint32_t obtain(std::span<const NodeId> sorted) {
        const std::lock_guard lock{mutex_};
        const std::uint64_t hash = hash_of(sorted);
        if (!index_.empty())
            for (std::size_t at = hash & mask(); index_[at] != 0; at = (at + 1) & mask()) {
                const std::uint32_t id = index_[at] - 1;
                if (!sets_[id].equals(sorted)) continue;
                ++sets_[id].references;
                return id;
            }
        if (2 * (live_ + 1) > index_.size()) grow();
        const std::uint32_t id = take();
        ReplicaSet& set = sets_[id];
        for (std::uint32_t i = 0; i < sorted.size(); ++i)
            set.nodes[i].store(sorted[i], std::memory_order_release);
        set.size.store(static_cast<std::uint32_t>(sorted.size()), std::memory_order_release);
        set.references = 1;
        link(id, hash);
        ++live_;
        return id;
    }

    void release(std::uint32_t id) noexcept {
        const std::lock_guard lock{mutex_};
        if (--sets_[id].references > 0) return;
        unlink(id);
        --live_;
        spare_.push_back(id); // room was made when the id was first taken
    }

private:
    [[nodiscard]] std::size_t mask() const noexcept { return index_.size() - 1; }

    [[nodiscard]] static std::uint64_t hash_of(std::span<const NodeId> nodes) noexcept {
        std::uint64_t hash = nodes.size();
        for (const NodeId node : nodes)
            hash = mix(hash ^ 0x9e37'79b9'7f4a'7c15,
                       static_cast<std::uint64_t>(node) ^ 0xd6e8'feb8'6659'fd93);
        return hash;
    }
    [[nodiscard]] std::uint64_t hash_of(const ReplicaSet& set) const noexcept {
        std::array<NodeId, kMaxReplicas> nodes{};
        const std::uint32_t size = set.count();
        for (std::uint32_t i = 0; i < size; ++i) nodes[i] = set[i];
        return hash_of(std::span{nodes.data(), size});
    }

    std::uint32_t take() {
        if (!spare_.empty() && guard_.nobody_reaches()) {
            const std::uint32_t id = spare_.back();
            spare_.pop_back();
            return id;
        }
        if (count_ > kMaxSets || !sets_.reserve(count_)) throw std::bad_alloc{};
        if (spare_.capacity() <= count_) spare_.reserve(2 * std::size_t{count_} + 8);
        new (&sets_[count_]) ReplicaSet{};
        return count_++;
    }

    void link(std::uint32_t id, std::uint64_t hash) noexcept {
        std::size_t at = hash & mask();
        while (index_[at] != 0) at = (at + 1) & mask();
        index_[at] = id + 1;
    }

    /// Closes the gap by moving back what would not be found any more behind it.
    void unlink(std::uint32_t id) noexcept {
        std::size_t gap = hash_of(sets_[id]) & mask();
        while (index_[gap] != id + 1) gap = (gap + 1) & mask();
        for (std::size_t at = (gap + 1) & mask(); index_[at] != 0; at = (at + 1) & mask()) {
            const std::size_t home = hash_of(sets_[index_[at] - 1]) & mask();
            if (((at - home) & mask()) < ((at - gap) & mask())) continue;
            index_[gap] = index_[at];
            gap = at;
        }
        index_[gap] = 0;
    }

    void grow() {
        std::vector<std::uint32_t> old(index_.empty() ? 16 : 2 * index_.size());
        old.swap(index_);
        for (const std::uint32_t entry : old)
            if (entry != 0) link(entry - 1, hash_of(sets_[entry - 1]));
    }

    const ReuseGuard& guard_;
    std::mutex mutex_;
    GeometricSlab<ReplicaSet, 16> sets_;
    std::uint32_t count_ = 0;
    std::size_t live_ = 0;
    std::vector<std::uint32_t> index_; // id + 1, by hash; 0 is empty
    std::vector<std::uint32_t> spare_;
};

} // namespace insync::detail
