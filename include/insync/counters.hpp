#pragma once

#include <insync/errors.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace insync {

/// What has happened since the manager was made (S9). Each only rises.
struct IsrCounters {
    std::uint64_t shrinks = 0; ///< replicas that left an ISR by this node's decision
    std::uint64_t expands = 0; ///< replicas that joined one by this node's decision
    std::uint64_t sweeps = 0;
    std::uint64_t stalled_sweeps = 0; ///< sweeps that came too late to evict anybody (S3)
    std::uint64_t views_read = 0;
    std::uint64_t refused_produces = 0; ///< told by `count_refused_produce`
    std::uint64_t damped_joins = 0;     ///< joins put off by flap damping
    std::uint64_t clock_steps_back = 0; ///< times that the clock was seen to go back (S11)
    std::uint64_t callbacks_thrown = 0; ///< exceptions of user callbacks, swallowed
    /// Partitions whose view showed an older epoch than it had shown: see `register_anew`.
    std::uint64_t epochs_fallen = 0;
    std::array<std::uint64_t, kResultCount>
        results{}; ///< by reason; `ok` and `stale` are not counted

    [[nodiscard]] std::uint64_t rejected(Result reason) const noexcept {
        return results[static_cast<std::size_t>(reason)];
    }
};

namespace detail {

/// The same, as the manager counts it. Relaxed: nothing is ordered by a count.
struct AtomicCounters {
    using Count = std::atomic<std::uint64_t>;

    Count shrinks{0};
    Count expands{0};
    Count sweeps{0};
    Count stalled_sweeps{0};
    Count views_read{0};
    Count refused_produces{0};
    Count damped_joins{0};
    Count clock_steps_back{0};
    Count callbacks_thrown{0};
    Count epochs_fallen{0};
    std::array<Count, kResultCount> results{};

    static void add(Count& counter, std::uint64_t n = 1) noexcept {
        if (n != 0) counter.fetch_add(n, std::memory_order_relaxed);
    }
    /// Counts `result` unless it is a normal outcome, and hands it on.
    Result count(Result result) noexcept {
        if (result != Result::ok && result != Result::stale)
            add(results[static_cast<std::size_t>(result)]);
        return result;
    }

    [[nodiscard]] IsrCounters read() const noexcept {
        const auto get = [](const Count& counter) {
            return counter.load(std::memory_order_relaxed);
        };
        IsrCounters values{get(shrinks),
                           get(expands),
                           get(sweeps),
                           get(stalled_sweeps),
                           get(views_read),
                           get(refused_produces),
                           get(damped_joins),
                           get(clock_steps_back),
                           get(callbacks_thrown),
                           get(epochs_fallen),
                           {}};
        for (std::size_t i = 0; i < kResultCount; ++i) values.results[i] = get(results[i]);
        return values;
    }
};

} // namespace detail
} // namespace insync
