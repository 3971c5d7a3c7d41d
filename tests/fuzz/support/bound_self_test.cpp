// That the bound on what decoders allocate is one: within it nothing happens, and beyond it a
// target ends as a finding.
#include "fuzz/support/require.hpp"

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <vector>

int main() {
    constexpr std::size_t kRead = 100;
    constexpr std::size_t kMost = fuzz::kMostAllocated * kRead + fuzz::kFreeAllocation;
    const auto decode = [](std::size_t bytes) {
        return fuzz::bounded(kRead, [bytes] { return std::vector<char>(bytes); }).size();
    };
    if (decode(kMost) != kMost) return EXIT_FAILURE;
    std::signal(SIGABRT, [](int) { std::_Exit(EXIT_SUCCESS); }); // as it must come now
    static_cast<void>(decode(kMost + 1));
    return EXIT_FAILURE;
}
