#pragma once

#include "cluster/image.hpp"
#include "cluster/isr.hpp"
#include "cluster/refused_batches.hpp"
#include "raft/raft_group.hpp"
#include "types.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mini_broker {

/// One partition of which this node has a replica.
struct Replica {
    std::string topic;
    Uuid topic_id{};
    std::int32_t number = 0;
    std::vector<NodeId> replicas; ///< the preferred leader first
    std::int64_t max_message_bytes = 0;
    insync::PartitionHandle handle;
    std::unique_ptr<RaftGroup> raft;
    RefusedBatches refused;
    TimePoint led_since{}; ///< meaningless unless leading
    Term led = 0;          ///< the term in which it leads, as the log was told; 0: it does not
    /// Leadership goes back to the first replica at the next moment in which no write is pending.
    bool returning = false;
    /// The newest leadership that was heard of, over though it may be.
    struct Leadership {
        NodeId leader = insync::kNoNode;
        Term term = 0;
    } heard;

    /// Something that waits for more to read, or for another leader.
    using Waiter = std::function<void()>;
    /// Calls the waiter once, at the next change; not at all if nobody holds it any more.
    void wait(const std::shared_ptr<Waiter>& waiter) {
        // A quiet partition that is asked again and again must not gather those that gave up.
        if (waiting_.size() >= tidy_at_) {
            std::erase_if(waiting_, [](const auto& waiting) { return waiting.expired(); });
            tidy_at_ = std::max(kTidyAt, 2 * waiting_.size());
        }
        waiting_.push_back(waiter);
    }
    void wake() {
        for (const auto& waiting : std::exchange(waiting_, {}))
            if (const auto waiter = waiting.lock()) (*waiter)();
    }

private:
    static constexpr std::size_t kTidyAt = 64;

    std::vector<std::weak_ptr<Waiter>> waiting_;
    std::size_t tidy_at_ = kTidyAt;
};

} // namespace mini_broker
