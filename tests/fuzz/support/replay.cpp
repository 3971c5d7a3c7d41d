// Runs a target on files, without libFuzzer: a corpus as a test, or a finding under a debugger.
//
//   fuzz_TARGET FILE_OR_DIRECTORY...

#include "fuzz/support/input.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string current; // the input that is being run

extern "C" void tell_input(int) {
    constexpr char kNewline = '\n';
    // There is nothing to be done where even this cannot be written.
    if (write(STDERR_FILENO, current.data(), current.size()) < 0 ||
        write(STDERR_FILENO, &kNewline, 1) < 0)
        _exit(1);
}

std::vector<fs::path> inputs_in(const fs::path& path) {
    if (!fs::is_directory(path)) return {path};
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(path))
        if (entry.is_regular_file()) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

bool run(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return false;
    // Not a byte of room behind it, so that a sanitizer sees who reads too far.
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    current = "finding: " + path.string();
    return LLVMFuzzerTestOneInput(exact.data(), exact.size()) == 0;
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGABRT, tell_input);
    std::size_t inputs = 0;
    for (int i = 1; i < argc; ++i)
        for (const fs::path& path : inputs_in(argv[i])) {
            if (!run(path)) {
                fmt::print(stderr, "{}: cannot be run\n", path.string());
                return EXIT_FAILURE;
            }
            ++inputs;
        }
    fmt::print("{} inputs\n", inputs);
    return inputs == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
