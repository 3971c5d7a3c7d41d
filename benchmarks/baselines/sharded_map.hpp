#pragma once

#include "baselines/key.hpp"
#include "baselines/rw_spin_lock.hpp"

#include <absl/container/flat_hash_map.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

/// Mirror of Rust's DashMap 5.5 with a (String, i32) key: four shards a processor, rounded up to a
/// power of two, each a SwissTable behind a spinning reader-writer lock, hashed with SipHash-1-3.
/// As there, the key is hashed once for shard and table, and a look-up needs an owned key.
template <class Value>
class ShardedMap {
public:
    ShardedMap() : shards_(std::bit_ceil(std::size_t{4} * processors())) {}

    void reserve(std::size_t entries) {
        for (Shard& shard : shards_) shard.map.reserve(entries / shards_.size());
    }

    /// Calls `use(const Value&)` with the shard locked for reading. \return whether it was found
    template <class Use>
    bool read(const Key& key, const Use& use) const {
        const HashedKey hashed{key};
        const Shard& shard = shard_of(hashed.hash);
        const std::shared_lock lock{shard.lock};
        const auto found = shard.map.find(hashed);
        if (found == shard.map.end()) return false;
        use(found->second);
        return true;
    }

    /// The same with the shard locked for writing.
    template <class Use>
    bool write(const Key& key, const Use& use) {
        const HashedKey hashed{key};
        Shard& shard = shard_of(hashed.hash);
        const std::unique_lock lock{shard.lock};
        const auto found = shard.map.find(hashed);
        if (found == shard.map.end()) return false;
        use(found->second);
        return true;
    }

    void insert(Key key, Value value) {
        const HashedKey hashed{key};
        Shard& shard = shard_of(hashed.hash);
        const std::unique_lock lock{shard.lock};
        const auto found = shard.map.find(hashed);
        if (found != shard.map.end())
            found->second = std::move(value);
        else
            shard.map.emplace(std::move(key), std::move(value));
    }

    [[nodiscard]] std::vector<Key> clone_keys() const {
        std::vector<Key> keys;
        for (const Shard& shard : shards_) {
            const std::shared_lock lock{shard.lock};
            for (const auto& [key, value] : shard.map) keys.push_back(key);
        }
        return keys;
    }

private:
    struct HashedKey {
        explicit HashedKey(const Key& k) : key(k), hash(SipHash13::of(k.topic, k.partition)) {}
        const Key& key;
        std::uint64_t hash;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const Key& key) const {
            return SipHash13::of(key.topic, key.partition);
        }
        std::size_t operator()(const HashedKey& key) const { return key.hash; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const Key& a, const Key& b) const { return a == b; }
        bool operator()(const Key& a, const HashedKey& b) const { return a == b.key; }
    };
    struct alignas(64) Shard {
        mutable RwSpinLock lock;
        absl::flat_hash_map<Key, Value, Hash, Equal> map;
    };

    static std::size_t processors() {
        const unsigned number = std::thread::hardware_concurrency();
        return number == 0 ? 1 : number;
    }
    // The top seven bits belong to the table's control bytes, as in the original.
    [[nodiscard]] std::size_t index_of(std::uint64_t hash) const {
        return (hash << 7 >> 32) & (shards_.size() - 1);
    }
    [[nodiscard]] const Shard& shard_of(std::uint64_t hash) const {
        return shards_[index_of(hash)];
    }
    [[nodiscard]] Shard& shard_of(std::uint64_t hash) { return shards_[index_of(hash)]; }

    std::vector<Shard> shards_;
};

} // namespace bench
