#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace bench {

/// Latencies of reads that are *due* at given times, whatever the ones before took: the pauses in
/// between are drawn around a mean, so that they do not keep step with the kernel's clock tick.
///
/// A read that could not begin in time, because the one before was stuck, counts from when it was
/// due: otherwise one stall of 10 ms would be one bad sample among the ten thousand good ones that
/// nobody could take meanwhile.
///
/// What others do to the reader's processor says nothing about any design. A pause between two
/// looks at the clock, while the reader only waits for the next read to be due, moves the dates
/// that follow; a stretch of reads in which the kernel put the reader aside is taken again. Waiting
/// for a lock is neither: it counts.
class OpenLoop {
public:
    OpenLoop(std::chrono::nanoseconds mean_pause, std::size_t reads)
        : reads_(reads), pauses_(kPauses) {
        latency_ns_.reserve(reads_ + kStretch);
        std::mt19937 random{17};
        const std::int64_t mean = mean_pause.count();
        std::uniform_int_distribution<std::int64_t> any{mean / 2, mean + mean / 2};
        for (std::chrono::nanoseconds& pause : pauses_)
            pause = std::chrono::nanoseconds{any(random)};
    }

    /// Calls `read(i)` until enough of them were undisturbed.
    template <class Read>
    void run(const Read& read) {
        latency_ns_.clear();
        disturbed_ = 0;
        std::size_t position = 0;
        Time::time_point planned = Time::now();
        Time::time_point last = planned;
        const std::size_t most = kMostTries * reads_ / kStretch;
        for (std::size_t tried = 0; tried < most && latency_ns_.size() < reads_; ++tried) {
            const std::size_t kept = latency_ns_.size();
            const long before = preemptions();
            for (std::size_t i = 0; i < kStretch; ++i) {
                planned = wait_until(planned + pauses_[position % kPauses], last);
                read(position++);
                last = Time::now();
                note(last - planned);
            }
            if (preemptions() == before) continue;
            ++disturbed_;
            latency_ns_.resize(kept);
            planned = last = Time::now();
        }
    }

    /// The latency that a `share` of the reads does not exceed.
    [[nodiscard]] double percentile(double share) {
        if (latency_ns_.empty()) return 0;
        const auto last = static_cast<double>(latency_ns_.size() - 1);
        const auto nth = latency_ns_.begin() + static_cast<std::ptrdiff_t>(share * last);
        std::nth_element(latency_ns_.begin(), nth, latency_ns_.end());
        return *nth;
    }

    /// The share of stretches that were taken again, or given up.
    [[nodiscard]] double disturbed() const {
        const std::size_t good = latency_ns_.size() / kStretch;
        return static_cast<double>(disturbed_) / static_cast<double>(good + disturbed_);
    }

private:
    using Time = std::chrono::steady_clock;
    static constexpr std::size_t kStretch = 100;
    static constexpr std::size_t kMostTries = 3;
    static constexpr std::size_t kPauses = 4'096;

    /// \param last  when the clock was last read
    /// \return when the next read really is due: as planned, or later, after a pause that was seen
    static Time::time_point wait_until(Time::time_point planned, Time::time_point last) {
        constexpr std::chrono::nanoseconds kPause{500};
        while (last < planned) {
            const Time::time_point now = Time::now();
            if (now - last > kPause && now > planned) return now;
            last = now;
        }
        return planned;
    }

    static long preemptions() {
        rusage usage{};
        getrusage(RUSAGE_THREAD, &usage);
        return usage.ru_nivcsw;
    }
    void note(Time::duration taken) {
        constexpr std::int64_t kMost = 4'000'000'000;
        const std::int64_t ns = std::chrono::nanoseconds{taken}.count();
        latency_ns_.push_back(static_cast<std::uint32_t>(std::min(ns, kMost)));
    }

    std::size_t reads_;
    std::vector<std::chrono::nanoseconds> pauses_;
    std::vector<std::uint32_t> latency_ns_;
    std::size_t disturbed_ = 0;
};

} // namespace bench
