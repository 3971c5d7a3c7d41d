// The conformance kit's run on NuRaft itself, for whoever links it; docs/hosts/nuraft.md says how.
// Without NuRaft it is built with the tests' double of it.

#include "nuraft_cluster.hpp"

#include <insync/format.hpp>
#include <insync/testing/conformance.hpp>

#include <fmt/format.h>

#include <cstdint>

#if defined(__linux__)
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// NuRaft judges silence by std::chrono's clocks. In a program that defines this, they begin with
// the process, or for the time of day with a fixed one, and move as the cluster's time does.
extern "C" int clock_gettime(clockid_t id, struct timespec* time) noexcept {
    constexpr std::int64_t kSecond = 1'000'000'000;
    constexpr std::int64_t kTimeOfDay = 1'600'000'000 * kSecond; // NuRaft's random numbers' seed
    static const std::int64_t start = [] {
        struct timespec now{};
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now); // what its threads wait by
        return now.tv_sec * kSecond + now.tv_nsec;
    }();
    if (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME)
        return static_cast<int>(syscall(SYS_clock_gettime, id, time));
    const std::int64_t now =
        (id == CLOCK_MONOTONIC ? start : kTimeOfDay) + hosts::virtual_nanoseconds;
    time->tv_sec = now / kSecond;
    time->tv_nsec = now % kSecond;
    return 0;
}
#endif

int main() {
    const auto results = insync::testing::check_conformance([] { return hosts::NuraftCluster{}; });
    for (const auto& result : results) fmt::print("{}\n", result);
    return insync::testing::conforms(results) ? 0 : 1;
}
