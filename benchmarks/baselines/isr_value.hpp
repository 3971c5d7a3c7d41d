#pragma once

#include <insync/types.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>

namespace bench {

using insync::Index;
using insync::NodeId;

inline constexpr NodeId kSelf = 1;
inline constexpr std::array<NodeId, 3> kReplicas{1, 2, 3};
inline constexpr std::array<NodeId, 2> kFollowers{2, 3};
inline constexpr std::size_t kMinIsr = 2;
inline constexpr Index kMaxLagEntries = 10'000;
inline constexpr std::int64_t kMaxLagMs = 10'000;

/// Sets of replicas in the benchmarks: bit i is node i + 1.
using ReplicaBits = unsigned;
inline constexpr ReplicaBits kAllInSync = 0b111;

/// Rust's `BTreeSet<u64>` as long as one leaf will do: nothing allocated while empty, else a node
/// with room for eleven keys in order. Copying copies the node.
class LeafSet {
public:
    LeafSet() = default;
    LeafSet(const LeafSet& other) : leaf_(clone(other.leaf_.get())) {}
    LeafSet(LeafSet&&) noexcept = default;
    LeafSet& operator=(const LeafSet& other) {
        leaf_ = clone(other.leaf_.get());
        return *this;
    }
    LeafSet& operator=(LeafSet&&) noexcept = default;
    ~LeafSet() = default;

    [[nodiscard]] const NodeId* begin() const { return leaf_ ? leaf_->keys.data() : nullptr; }
    [[nodiscard]] const NodeId* end() const { return leaf_ ? begin() + leaf_->size : nullptr; }
    [[nodiscard]] std::size_t size() const { return leaf_ ? leaf_->size : 0; }
    [[nodiscard]] std::size_t count(NodeId node) const {
        return std::find(begin(), end(), node) != end() ? 1 : 0;
    }
    void insert(NodeId node) {
        if (count(node) != 0) return;
        if (!leaf_) leaf_ = std::make_unique<Leaf>();
        NodeId* const first = leaf_->keys.data();
        NodeId* const last = first + leaf_->size++;
        NodeId* const place = std::upper_bound(first, last, node);
        std::copy_backward(place, last, last + 1);
        *place = node;
    }
    void erase(NodeId node) {
        if (count(node) == 0) return;
        NodeId* const first = leaf_->keys.data();
        NodeId* const last = first + leaf_->size--;
        std::copy(std::find(first, last, node) + 1, last, std::find(first, last, node));
        if (leaf_->size == 0) leaf_.reset();
    }

private:
    struct Leaf {
        void* parent = nullptr;
        std::array<NodeId, 11> keys{};
        std::uint16_t place_in_parent = 0;
        std::uint16_t size = 0;
    };
    static std::unique_ptr<Leaf> clone(const Leaf* leaf) {
        return leaf == nullptr ? nullptr : std::make_unique<Leaf>(*leaf);
    }

    std::unique_ptr<Leaf> leaf_;
    std::size_t height_and_size_ = 0; // beside the root, as there
    std::size_t unused_ = 0;
};

/// An ISR in trees, as it is usually written. The original's is the same with B-trees.
template <class Set>
struct TreeIsr {
    NodeId leader = kSelf;
    Set members;
    Set catching_up;
    std::int64_t changed_ms = 0;

    static TreeIsr of(ReplicaBits bits) {
        TreeIsr isr;
        for (const NodeId node : kReplicas) {
            const bool member = (bits >> (node - 1) & 1u) != 0;
            (member ? isr.members : isr.catching_up).insert(node);
        }
        return isr;
    }
    [[nodiscard]] std::size_t size() const { return members.size(); }
    void join(NodeId node) {
        members.insert(node);
        catching_up.erase(node);
    }
    void leave(NodeId node) {
        members.erase(node);
        catching_up.insert(node);
    }
};
using SetIsr = TreeIsr<std::set<NodeId>>;
using BTreeIsr = TreeIsr<LeafSet>;

/// The same without an allocation, as a careful author would write it.
struct InlineIsr {
    NodeId leader = kSelf;
    std::int64_t changed_ms = 0;
    std::uint32_t member_count = 0;
    std::uint32_t replica_count = 0;
    std::array<NodeId, 8> nodes{}; // members first

    static InlineIsr of(ReplicaBits bits) {
        InlineIsr isr;
        for (const NodeId node : kReplicas)
            if ((bits >> (node - 1) & 1u) != 0) isr.nodes[isr.member_count++] = node;
        isr.replica_count = isr.member_count;
        for (const NodeId node : kReplicas)
            if ((bits >> (node - 1) & 1u) == 0) isr.nodes[isr.replica_count++] = node;
        return isr;
    }
    [[nodiscard]] std::size_t size() const { return member_count; }
};

/// Reads a whole ISR: what a metadata answer does with it, and what the sanity check compares.
template <class Set>
std::uint64_t digest(const TreeIsr<Set>& isr) {
    auto sum = static_cast<std::uint64_t>(isr.leader);
    for (const NodeId node : isr.members) sum += static_cast<std::uint64_t>(node);
    return sum;
}
inline std::uint64_t digest(const InlineIsr& isr) {
    auto sum = static_cast<std::uint64_t>(isr.leader);
    for (std::uint32_t i = 0; i < isr.member_count; ++i)
        sum += static_cast<std::uint64_t>(isr.nodes[i]);
    return sum;
}

} // namespace bench
