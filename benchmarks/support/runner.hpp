#pragma once

#include "support/machine.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

// Why not Google Benchmark: what counts here is the ratio of two designs on a machine whose speed
// changes from second to second. So samples of all designs are interleaved, in another random order
// each round, each after a warm-up of its own, and a table sets the ratio beside its target. That
// is what this file does; a library would add a dependency and leave that part to us.

/// The ratio that a baseline must be slower by.
struct Target {
    double at_least = 0; ///< 0: no target, the ratio is for information
    double aim = 0;
};

/// One design in a comparison: how to take one sample of it, and what was measured.
struct Contender {
    std::string name;
    std::function<double()> sample; ///< cost of one operation, in the table's unit
    Target target{};
    std::vector<double> samples{};

    [[nodiscard]] double best() const { return *std::min_element(samples.begin(), samples.end()); }
    [[nodiscard]] double median() const {
        std::vector<double> sorted = samples;
        std::sort(sorted.begin(), sorted.end());
        const std::size_t middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
};

/// Takes `rounds` samples of each contender, all of one round before the next, in random order.
inline void interleave(std::vector<Contender>& contenders, int rounds) {
    std::mt19937 random{11};
    std::vector<std::size_t> order(contenders.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (int round = 0; round < rounds; ++round) {
        std::shuffle(order.begin(), order.end(), random);
        for (const std::size_t i : order) contenders[i].samples.push_back(contenders[i].sample());
    }
}

/// Makes the compiler believe that `value` is needed.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "r,m"(value) : "memory");
}

/// CPU time counts no neighbour's turns, but no waiting either: where a design makes threads wait
/// for each other, take wall time.
enum class Timer { thread_cpu, wall };

/// How long each sample runs.
struct Pace {
    std::chrono::microseconds warm_up;
    std::chrono::microseconds timed;

    [[nodiscard]] static Pace of(bool quick) {
        using std::chrono::milliseconds;
        return quick ? Pace{milliseconds{1}, milliseconds{1}}
                     : Pace{milliseconds{15}, milliseconds{20}};
    }
};

/// A stream of operations that each thread follows from its own position on.
///
/// `run(position, count)` does so many operations and returns anything that depends on all of
/// their results.
class Stream {
public:
    using Run = std::function<std::uint64_t(std::uint64_t position, std::uint64_t count)>;
    static constexpr std::uint64_t kBatch = 1024;
    static constexpr unsigned kMostThreads = 2;

    Stream(Run run, unsigned threads, Pace pace, Timer timer = Timer::thread_cpu)
        : run_(std::move(run)), threads_(threads), pace_(pace), timer_(timer) {
        for (unsigned i = 0; i < kMostThreads; ++i) position_[i] = i * kBatch * 999;
    }

    /// One sample: nanoseconds an operation takes a thread, with all threads running.
    double operator()() {
        std::atomic<unsigned> warm{0};
        std::vector<std::thread> others;
        std::vector<double> cost(threads_);
        for (unsigned i = 1; i < threads_; ++i)
            others.emplace_back([&, i] { cost[i] = sample_one(i, warm); });
        cost[0] = sample_one(0, warm);
        for (std::thread& other : others) other.join();
        return std::accumulate(cost.begin(), cost.end(), 0.0) / threads_;
    }

private:
    using Time = std::chrono::steady_clock;

    double sample_one(unsigned thread, std::atomic<unsigned>& warm) {
        pin_to_processor(thread);
        (void)run_until(thread, Time::now() + pace_.warm_up);
        warm.fetch_add(1);
        while (warm.load() < threads_) std::this_thread::yield();
        const auto start = Time::now();
        const double cpu_start = thread_cpu_ns();
        const std::uint64_t done = run_until(thread, start + pace_.timed);
        const double cpu = thread_cpu_ns() - cpu_start;
        const std::chrono::duration<double, std::nano> wall = Time::now() - start;
        return (timer_ == Timer::wall ? wall.count() : cpu) / static_cast<double>(done);
    }

    std::uint64_t run_until(unsigned thread, Time::time_point end) {
        std::uint64_t done = 0;
        do {
            keep(run_(position_[thread], kBatch));
            position_[thread] += kBatch;
            done += kBatch;
        } while (Time::now() < end);
        return done;
    }

    Run run_;
    unsigned threads_;
    Pace pace_;
    Timer timer_;
    std::uint64_t position_[kMostThreads];
};

/// Nanoseconds of CPU time, or of wall time, that `work()` takes.
template <class Work>
double time_ns(const Work& work, Timer timer = Timer::thread_cpu) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = thread_cpu_ns();
    work();
    const double cpu = thread_cpu_ns() - cpu_start;
    const std::chrono::duration<double, std::nano> wall = std::chrono::steady_clock::now() - start;
    return timer == Timer::wall ? wall.count() : cpu;
}

} // namespace bench
