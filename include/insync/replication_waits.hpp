#pragma once

#include <insync/detail/callback.hpp>
#include <insync/errors.hpp>
#include <insync/types.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace insync {

/// Called once, with no lock held, on the thread whose call ended the wait. Any public call of the
/// manager is legal inside it. If it throws, the exception is swallowed and counted.
using WaitCallback = detail::Callback<void(WaitResult)>;

namespace detail {

struct WaitKey {
    std::uint64_t partition;
    Index index;
    std::uint64_t id;
    friend auto operator<=>(const WaitKey&, const WaitKey&) = default;
};

struct Wait {
    TimePoint deadline;
    WaitCallback callback;
    WaitResult result = WaitResult::timed_out;
};

using WaitMap = std::map<WaitKey, Wait>;

} // namespace detail

/// Waits that have ended and whose callbacks are still to be called, outside every lock.
///
/// Moving a wait in takes over its map node, so ending a wait cannot fail for want of memory.
class EndedWaits {
public:
    /// Calls every callback, once, in order of index. \return how many of them threw.
    std::size_t deliver() {
        std::size_t thrown = 0;
        if (!waits_) return thrown;
        for (auto& [key, wait] : *waits_) {
            try {
                wait.callback(wait.result);
            } catch (...) {
                ++thrown;
            }
        }
        waits_.reset();
        return thrown;
    }

    [[nodiscard]] bool empty() const noexcept { return !waits_; }

private:
    friend class ReplicationWaits;
    std::optional<detail::WaitMap> waits_; // engaged only when one has ended: this is a hot path
};

/// The pending acks=all waits of all partitions (S6). It keeps them; whether one may end as
/// committed is the manager's decision.
///
/// Thread safety: safe. A leaf: it calls nothing while it holds its mutex.
class ReplicationWaits {
public:
    /// Names a partition for as long as it is registered.
    using Partition = std::uint64_t;

    /// \return `ok`, `too_many_waits` or `shut_down`; the callback is taken only with `ok`.
    /// Throws `std::bad_alloc`, and then nothing has changed.
    Result add(Partition partition,
               Index index,
               TimePoint deadline,
               WaitCallback& callback,
               std::size_t limit) {
        const std::lock_guard lock{mutex_};
        if (closed_) return Result::shut_down;
        if (waits_.size() >= limit) return Result::too_many_waits;
        const detail::WaitKey key{partition, index, ++last_id_};
        const auto wait = waits_.emplace(key, detail::Wait{deadline, {}}).first;
        try {
            deadlines_.emplace(Due{deadline, key.id}, key);
        } catch (...) {
            waits_.erase(wait);
            throw;
        }
        wait->second.callback = std::move(callback);
        return Result::ok;
    }

    /// Ends as committed the waits of `partition` for an index of at most `held`.
    /// \return whether the partition has waits left.
    bool commit(Partition partition, Index held, EndedWaits& ended) noexcept {
        const std::lock_guard lock{mutex_};
        return end_range(partition, held, WaitResult::committed, ended);
    }

    /// Ends all waits of `partition`.
    void end_all(Partition partition, WaitResult result, EndedWaits& ended) noexcept {
        const std::lock_guard lock{mutex_};
        end_range(partition, kMaxIndex, result, ended);
    }

    /// Ends the waits whose deadline is at or before `now`.
    void expire(TimePoint now, EndedWaits& ended) noexcept {
        const std::lock_guard lock{mutex_};
        while (!deadlines_.empty() && deadlines_.begin()->first.first <= now) {
            const auto wait = waits_.find(deadlines_.begin()->second);
            deadlines_.erase(deadlines_.begin());
            end(wait, WaitResult::timed_out, ended);
        }
    }

    /// Ends every wait there is as shut down, and takes no more.
    void close(EndedWaits& ended) noexcept {
        const std::lock_guard lock{mutex_};
        closed_ = true;
        deadlines_.clear();
        while (!waits_.empty()) end(waits_.begin(), WaitResult::shut_down, ended);
    }

    /// The earliest deadline; `TimePoint::max()` when nothing waits.
    [[nodiscard]] TimePoint next_deadline() const noexcept {
        const std::lock_guard lock{mutex_};
        return deadlines_.empty() ? TimePoint::max() : deadlines_.begin()->first.first;
    }

    [[nodiscard]] std::size_t size() const noexcept {
        const std::lock_guard lock{mutex_};
        return waits_.size();
    }

private:
    using Due = std::pair<TimePoint, std::uint64_t>;

    detail::WaitMap::iterator end(detail::WaitMap::iterator wait,
                                  WaitResult result,
                                  EndedWaits& ended) noexcept {
        const auto next = std::next(wait);
        wait->second.result = result;
        if (!ended.waits_) ended.waits_.emplace();
        ended.waits_->insert(waits_.extract(wait));
        return next;
    }

    bool end_range(Partition partition,
                   Index up_to,
                   WaitResult result,
                   EndedWaits& ended) noexcept {
        auto wait = waits_.lower_bound({partition, 0, 0});
        while (wait != waits_.end() && wait->first.partition == partition &&
               wait->first.index <= up_to) {
            deadlines_.erase({wait->second.deadline, wait->first.id});
            wait = end(wait, result, ended);
        }
        return wait != waits_.end() && wait->first.partition == partition;
    }

    mutable std::mutex mutex_;
    detail::WaitMap waits_;
    std::map<Due, detail::WaitKey> deadlines_;
    std::uint64_t last_id_ = 0;
    bool closed_ = false;
};

} // namespace insync
