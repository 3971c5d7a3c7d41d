#pragma once

#include "baselines/isr_value.hpp"
#include "baselines/key.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bench {

/// What one writes first: one reader-writer lock over one hash map. A key is built for each
/// look-up, `get_isr` copies the sets, and a sweep walks the map with the lock held.
class CoarseTracker {
public:
    static constexpr const char* kName = "coarse: shared_mutex + unordered_map";

    struct Follower {
        Index match = 0;
        std::int64_t contact_ms = 0;
    };
    struct Partition {
        SetIsr isr = SetIsr::of(kAllInSync);
        std::map<NodeId, Follower> followers{{kFollowers[0], {}}, {kFollowers[1], {}}};
        Index end = 0;
    };

    void reserve(std::size_t partitions) { partitions_.reserve(partitions); }

    /// \return the partition, which does not move: drivers prepare what the next sweep will find
    /// without taking the lock, as readers do not look at progress.
    Partition& add(std::string_view topic, std::int32_t partition) {
        return partitions_[Key{std::string{topic}, partition}];
    }

    [[nodiscard]] bool has_min_isr(std::string_view topic, std::int32_t partition) const {
        const Key key{std::string{topic}, partition};
        const std::shared_lock lock{mutex_};
        const auto found = partitions_.find(key);
        return found == partitions_.end() || found->second.isr.size() >= kMinIsr;
    }

    [[nodiscard]] std::optional<SetIsr> get_isr(std::string_view topic,
                                                std::int32_t partition) const {
        const Key key{std::string{topic}, partition};
        const std::shared_lock lock{mutex_};
        const auto found = partitions_.find(key);
        if (found == partitions_.end()) return std::nullopt;
        return found->second.isr;
    }

    /// One ISR change as a sweep would make it.
    void set_members(std::string_view topic, std::int32_t partition, ReplicaBits bits) {
        const Key key{std::string{topic}, partition};
        SetIsr isr = SetIsr::of(bits);
        const std::unique_lock lock{mutex_};
        const auto found = partitions_.find(key);
        if (found != partitions_.end()) found->second.isr = std::move(isr);
    }

    /// \return how many replicas joined or left
    std::size_t sweep(std::int64_t now_ms) {
        const std::unique_lock lock{mutex_};
        std::size_t moved = 0;
        for (auto& [key, partition] : partitions_) moved += judge(partition, now_ms);
        return moved;
    }

private:
    static std::size_t judge(Partition& partition, std::int64_t now_ms) {
        std::size_t moved = 0;
        for (const auto& [node, follower] : partition.followers) {
            const bool in_sync = partition.end - follower.match <= kMaxLagEntries &&
                                 now_ms - follower.contact_ms <= kMaxLagMs;
            const bool member = partition.isr.members.count(node) != 0;
            if (in_sync == member) continue;
            if (in_sync)
                partition.isr.join(node);
            else
                partition.isr.leave(node);
            partition.isr.changed_ms = now_ms;
            ++moved;
        }
        return moved;
    }

    mutable std::shared_mutex mutex_;
    std::unordered_map<Key, Partition, StdKeyHash> partitions_;
};

} // namespace bench
