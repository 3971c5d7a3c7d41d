#pragma once

#include "baselines/isr_value.hpp"
#include "baselines/key.hpp"
#include "baselines/sharded_map.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

/// Mirror of the Rust tracker that this library descends from: two sharded maps by (topic,
/// partition), the ISRs and the progress lists; every call builds a key; every value is cloned.
/// What it asks of its consensus layer is mirrored too: that is one more sharded map.
class ShardedTracker {
public:
    static constexpr const char* kName = "sharded: mirror of the original's DashMap";

    /// One group as the consensus layer has it. Followers as in `kFollowers`.
    struct Group {
        Index end = 0;
        std::array<Index, kFollowers.size()> match{};
    };

    void reserve(std::size_t partitions) {
        isr_.reserve(partitions);
        progress_.reserve(partitions);
    }

    /// The two maps of the tracker itself.
    void add(std::string_view topic, std::int32_t partition) {
        const Key key{std::string{topic}, partition};
        isr_.insert(key, BTreeIsr::of(kAllInSync));
        std::vector<Progress> progress;
        progress.reserve(kReplicas.size());
        for (const NodeId node : kReplicas) progress.push_back({node, 0, 0});
        progress_.insert(key, std::move(progress));
    }
    /// The consensus layer's map, which only a sweep needs. Drivers prepare what the next sweep
    /// will find through the result.
    Group& add_group(std::string_view topic, std::int32_t partition) {
        auto group = std::make_shared<Group>();
        Group& result = *group;
        groups_.insert(Key{std::string{topic}, partition}, std::move(group));
        return result;
    }

    [[nodiscard]] bool has_min_isr(std::string_view topic, std::int32_t partition) const {
        const Key key{std::string{topic}, partition};
        bool has_min = true;
        isr_.read(key, [&](const BTreeIsr& isr) { has_min = isr.size() >= kMinIsr; });
        return has_min;
    }

    [[nodiscard]] std::optional<BTreeIsr> get_isr(std::string_view topic,
                                                  std::int32_t partition) const {
        const Key key{std::string{topic}, partition};
        std::optional<BTreeIsr> copy;
        isr_.read(key, [&](const BTreeIsr& isr) { copy = isr; });
        return copy;
    }

    void set_members(std::string_view topic, std::int32_t partition, ReplicaBits bits) {
        const Key key{std::string{topic}, partition};
        isr_.write(key, [&](BTreeIsr& isr) { isr = BTreeIsr::of(bits); });
    }

    /// Stamps a follower as alive. It knows nothing of positions, let alone a high watermark.
    bool heartbeat(std::string_view topic,
                   std::int32_t partition,
                   NodeId node,
                   std::int64_t now_ms) {
        const Key key{std::string{topic}, partition};
        return progress_.write(key, [&](std::vector<Progress>& replicas) {
            for (Progress& replica : replicas)
                if (replica.node == node) replica.heartbeat_ms = now_ms;
        });
    }

    /// Its loop: for each of a copy of all keys, ask the group, copy the ISR, bring the progress
    /// up to date, put the ISR back. \return how many replicas joined or left
    std::size_t sweep(std::int64_t now_ms) {
        std::size_t moved = 0;
        for (const Key& key : isr_.clone_keys()) moved += update(key, now_ms);
        return moved;
    }

private:
    struct Progress {
        NodeId node;
        Index applied;
        std::int64_t heartbeat_ms;
    };

    std::size_t update(const Key& listed, std::int64_t now_ms) {
        const Key key = listed;
        std::shared_ptr<Group> group;
        groups_.read(key, [&](const std::shared_ptr<Group>& found) { group = found; });
        if (group == nullptr) return 0;
        BTreeIsr isr;
        isr_.write(key, [&](const BTreeIsr& found) { isr = found; });
        std::size_t moved = 0;
        progress_.write(key, [&](std::vector<Progress>& replicas) {
            for (Progress& replica : replicas) moved += judge(replica, *group, now_ms, isr);
        });
        isr_.insert(key, std::move(isr));
        return moved;
    }

    static std::size_t judge(Progress& replica,
                             const Group& group,
                             std::int64_t now_ms,
                             BTreeIsr& isr) {
        if (replica.node == kSelf) {
            replica.applied = group.end;
            replica.heartbeat_ms = now_ms;
            return 0;
        }
        replica.applied = group.match[replica.node == kFollowers[0] ? 0 : 1];
        const bool in_sync = group.end - replica.applied <= kMaxLagEntries &&
                             now_ms - replica.heartbeat_ms <= kMaxLagMs;
        const bool member = isr.members.count(replica.node) != 0;
        if (in_sync == member) return 0;
        if (in_sync)
            isr.join(replica.node);
        else
            isr.leave(replica.node);
        isr.changed_ms = now_ms;
        return 1;
    }

    ShardedMap<BTreeIsr> isr_;
    ShardedMap<std::vector<Progress>> progress_;
    ShardedMap<std::shared_ptr<Group>> groups_;
};

} // namespace bench
