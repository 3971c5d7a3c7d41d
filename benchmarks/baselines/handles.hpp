#pragma once

#include "baselines/isr_value.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

namespace bench {

/// A partition that was looked up once and is kept by address, behind a mutex.
class MutexPartition {
public:
    [[nodiscard]] bool has_min_isr() const {
        const std::lock_guard lock{mutex_};
        return isr_.size() >= kMinIsr;
    }
    [[nodiscard]] SetIsr get_isr() const {
        const std::lock_guard lock{mutex_};
        return isr_;
    }

private:
    mutable std::mutex mutex_;
    SetIsr isr_ = SetIsr::of(kAllInSync);
};

/// The same behind a reader-writer lock, and without allocations.
class SharedMutexPartition {
public:
    [[nodiscard]] bool has_min_isr() const {
        const std::shared_lock lock{mutex_};
        return isr_.size() >= kMinIsr;
    }
    [[nodiscard]] InlineIsr get_isr() const {
        const std::shared_lock lock{mutex_};
        return isr_;
    }

private:
    mutable std::shared_mutex mutex_;
    InlineIsr isr_ = InlineIsr::of(kAllInSync);
};

/// A leader's view of one partition's followers as it is usually written: a mutex, a map of
/// progress, and the high watermark as the least match of the ISR.
class NaiveProgress {
public:
    void set_end(Index end) {
        const std::lock_guard lock{mutex_};
        end_ = end;
        advance();
    }
    void record(NodeId node, Index match, std::int64_t contact_ms) {
        const std::lock_guard lock{mutex_};
        const auto found = followers_.find(node);
        if (found == followers_.end()) return;
        Follower& follower = found->second;
        follower.match = std::max(follower.match, match);
        follower.contact_ms = std::max(follower.contact_ms, contact_ms);
        advance();
    }
    [[nodiscard]] Index high_watermark() const {
        const std::lock_guard lock{mutex_};
        return high_watermark_;
    }

private:
    struct Follower {
        Index match = 0;
        std::int64_t contact_ms = 0;
    };
    void advance() {
        Index held = end_;
        for (const auto& [node, follower] : followers_)
            if (isr_.count(node) != 0) held = std::min(held, follower.match);
        high_watermark_ = std::max(high_watermark_, held);
    }

    mutable std::mutex mutex_;
    std::set<NodeId> isr_{kReplicas.begin(), kReplicas.end()};
    std::map<NodeId, Follower> followers_{{kFollowers[0], {}}, {kFollowers[1], {}}};
    Index end_ = 0;
    Index high_watermark_ = 0;
};

} // namespace bench
