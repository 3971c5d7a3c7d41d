#pragma once

#include <fmt/core.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <cstdlib>
#include <ctime>
#include <string_view>
#include <thread>

namespace bench {

/// Keeps the calling thread on one processor, so that threads of a sample do not share one and
/// caches stay warm. Does nothing where that is not allowed.
inline void pin_to_processor(unsigned number) {
    const unsigned processors = std::thread::hardware_concurrency();
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processors == 0 ? 0 : number % processors, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/// Asks for a little more than the neighbours get; only root is given it.
inline void raise_priority() {
    (void)setpriority(PRIO_PROCESS, 0, -5);
}

/// CPU time of the calling thread: unlike wall time it does not count a neighbour's turns.
inline double thread_cpu_ns() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// Ends the program where a benchmark would measure something else than it says.
inline void require(bool holds, std::string_view what) {
    if (holds) return;
    fmt::print(stderr, "benchmark is broken: {}\n", what);
    std::exit(EXIT_FAILURE);
}

/// How the code under test was compiled. insync has no intrinsics and no run-time dispatch: what a
/// plain build measures *is* the portable fallback.
inline std::string_view instruction_set() {
#if defined(__AVX512F__)
    return "built for AVX-512";
#elif defined(__AVX2__)
    return "built for AVX2";
#elif defined(__SSE4_2__)
    return "built for SSE4.2";
#else
    return "built for the plain architecture (no -march): insync has no intrinsics, so this is "
           "its only code path";
#endif
}

} // namespace bench
