#pragma once

#include "support/machine.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace bench {

/// Counts the calling thread's own instructions, where machine and kernel let us.
class InstructionCounter {
public:
    InstructionCounter() {
        perf_event_attr what{};
        what.size = sizeof what;
        what.type = PERF_TYPE_HARDWARE;
        what.config = PERF_COUNT_HW_INSTRUCTIONS;
        what.exclude_kernel = 1;
        what.exclude_hv = 1;
        file_ = static_cast<int>(syscall(SYS_perf_event_open, &what, 0, -1, -1, 0));
    }
    InstructionCounter(const InstructionCounter&) = delete;
    InstructionCounter& operator=(const InstructionCounter&) = delete;
    ~InstructionCounter() {
        if (file_ >= 0) close(file_);
    }

    [[nodiscard]] bool works() const { return file_ >= 0; }
    [[nodiscard]] std::uint64_t read() const {
        std::uint64_t count = 0;
        require(::read(file_, &count, sizeof count) == sizeof count, "the counter cannot be read");
        return count;
    }

private:
    int file_ = -1;
};

/// Runs this program again under callgrind, as `--count OPERATION`, and counts only what is done
/// inside the function whose name matches `function`.
/// \return the instructions; nothing where there is no valgrind
inline std::optional<std::uint64_t> count_by_callgrind(const std::string& operation,
                                                       const std::string& function) {
    const auto out =
        std::filesystem::temp_directory_path() / ("insync_callgrind." + std::to_string(getpid()));
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const std::string toggle = "--toggle-collect=" + function;
    const std::string file = "--callgrind-out-file=" + out.string();
    const pid_t child = fork();
    require(child >= 0, "no child process");
    if (child == 0) {
        execlp("valgrind", "valgrind", "--tool=callgrind", "-q", toggle.c_str(), file.c_str(),
               self.c_str(), "--count", operation.c_str(), static_cast<char*>(nullptr));
        _exit(EXIT_FAILURE);
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::optional<std::uint64_t> total;
    std::ifstream lines{out};
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("totals: ")) total = std::stoull(line.substr(std::strlen("totals: ")));
    std::filesystem::remove(out);
    return status == 0 ? total : std::nullopt;
}

} // namespace bench
