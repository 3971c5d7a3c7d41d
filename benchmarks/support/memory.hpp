#pragma once

#include "support/machine.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace bench {

/// Memory of this process that is really there.
inline double resident_bytes() {
    std::ifstream statm{"/proc/self/statm"};
    double size = 0;
    double resident = 0;
    statm >> size >> resident;
    require(static_cast<bool>(statm), "there is no /proc/self/statm to read");
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Runs `measure()` in a child process, whose memory nobody used before. \return its result
template <class Measure>
double in_child(const Measure& measure) {
    int ends[2];
    require(pipe(ends) == 0, "no pipe");
    std::fflush(stdout);
    const pid_t child = fork();
    require(child >= 0, "no child process");
    if (child == 0) {
        const double result = measure();
        const bool told = write(ends[1], &result, sizeof result) == sizeof result;
        _exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(ends[1]);
    double result = 0;
    const bool heard = read(ends[0], &result, sizeof result) == sizeof result;
    close(ends[0]);
    waitpid(child, nullptr, 0);
    require(heard, "the child process failed");
    return result;
}

} // namespace bench
