#pragma once

#include <insync/detail/name.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/types.hpp>

#include <atomic>
#include <cstdint>

namespace insync {

/// A partition, resolved once: 16 bytes, cheap to copy, no look-up. Valid while its manager lives.
///
/// It stays safe to use after its partition was removed, and then stands for no partition, for
/// ever, also when one of the same name was added again. A default handle stands for none either.
class PartitionHandle {
public:
    PartitionHandle() = default;

    /// Whether it stands for a partition that is tracked now.
    [[nodiscard]] explicit operator bool() const noexcept {
        return word_ != nullptr &&
               detail::StateWord{word_->load(std::memory_order_acquire)}.identity() == identity_;
    }

    friend bool operator==(const PartitionHandle&, const PartitionHandle&) = default;

private:
    template <class View, class C>
    friend class IsrManager;

    PartitionHandle(detail::Cell* word, std::uint64_t identity) noexcept
        : word_(word), identity_(identity) {}

    [[nodiscard]] bool has_min() const noexcept {
        using detail::StateWord;
        if (word_ == nullptr) return false;
        // One load decides, so relaxed is enough: nothing else is read because of it.
        const std::uint64_t bits = word_->load(std::memory_order_relaxed);
        constexpr std::uint64_t kAsked = StateWord::kIdentity | StateWord::kHasMin;
        return (bits & kAsked) == (identity_ | StateWord::kHasMin);
    }

    detail::Cell* word_ = nullptr;
    std::uint64_t identity_ = 0;
};

/// One follower's acknowledgement, for `IsrManager::record_progress` in batches.
struct ProgressReport {
    PartitionHandle partition;
    Epoch epoch = 0;
    NodeId node = kNoNode;
    Index match = 0;
    TimePoint contact = kNever;
};

/// A leader's own positions in its log, inclusive.
struct LeaderPositions {
    Index end = 0;     ///< last index
    Index durable = 0; ///< last index on stable storage
    Index commit = 0;  ///< consensus commit index
};

} // namespace insync
