#pragma once

#include "baselines/isr_value.hpp"
#include "baselines/key.hpp"
#include "baselines/rw_spin_lock.hpp"

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace bench {

/// A lock-based map by someone who knows how: many shards, a fast hash computed once, no key built
/// for a look-up, values that need no allocation.
class TunedTracker {
public:
    static constexpr const char* kName = "tuned: 64 spin shards + absl flat map";

    void reserve(std::size_t partitions) {
        for (Shard& shard : shards_) shard.map.reserve(partitions / kShards);
    }

    void add(std::string_view topic, std::int32_t partition) {
        const Asked asked{topic, partition};
        shard_of(asked.hash)
            .map.emplace(Key{std::string{topic}, partition}, InlineIsr::of(kAllInSync));
    }

    [[nodiscard]] bool has_min_isr(std::string_view topic, std::int32_t partition) const {
        const Asked asked{topic, partition};
        const Shard& shard = shard_of(asked.hash);
        const std::shared_lock lock{shard.lock};
        const auto found = shard.map.find(asked);
        return found == shard.map.end() || found->second.size() >= kMinIsr;
    }

    [[nodiscard]] std::optional<InlineIsr> get_isr(std::string_view topic,
                                                   std::int32_t partition) const {
        const Asked asked{topic, partition};
        const Shard& shard = shard_of(asked.hash);
        const std::shared_lock lock{shard.lock};
        const auto found = shard.map.find(asked);
        if (found == shard.map.end()) return std::nullopt;
        return found->second;
    }

    void set_members(std::string_view topic, std::int32_t partition, ReplicaBits bits) {
        const Asked asked{topic, partition};
        const InlineIsr isr = InlineIsr::of(bits);
        Shard& shard = shard_of(asked.hash);
        const std::unique_lock lock{shard.lock};
        const auto found = shard.map.find(asked);
        if (found != shard.map.end()) found->second = isr;
    }

private:
    static constexpr std::size_t kShards = 64;

    struct Asked {
        Asked(std::string_view t, std::int32_t p)
            : topic(t), partition(p), hash(absl::HashOf(t, p)) {}
        std::string_view topic;
        std::int32_t partition;
        std::size_t hash;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const Key& key) const {
            return absl::HashOf(std::string_view{key.topic}, key.partition);
        }
        std::size_t operator()(const Asked& asked) const { return asked.hash; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const Key& a, const Key& b) const { return a == b; }
        bool operator()(const Key& a, const Asked& b) const {
            return a.partition == b.partition && a.topic == b.topic;
        }
    };
    struct alignas(64) Shard {
        mutable RwSpinLock lock;
        absl::flat_hash_map<Key, InlineIsr, Hash, Equal> map;
    };

    // From the top, as the table uses the low bits.
    [[nodiscard]] const Shard& shard_of(std::size_t hash) const {
        return shards_[hash >> 50 & (kShards - 1)];
    }
    [[nodiscard]] Shard& shard_of(std::size_t hash) { return shards_[hash >> 50 & (kShards - 1)]; }

    std::array<Shard, kShards> shards_;
};

} // namespace bench
