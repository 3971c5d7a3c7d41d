#pragma once

#include "support/allocations.hpp"

#include <cstddef>
#include <source_location>
#include <string_view>

namespace fuzz {

/// Ends the program as a finding unless `holds`; says where, and what should have been.
void require(bool holds,
             std::string_view what,
             std::source_location where = std::source_location::current());

/// Times its input's size that a decoder may allocate, in sum and whatever it frees, beside
/// `kFreeAllocation`.
inline constexpr std::size_t kMostAllocated = 16;
inline constexpr std::size_t kFreeAllocation = 64u << 10; // bytes

/// What `decode()` returns, which reads `size` bytes from outside and must not allocate more than
/// `times` as much.
template <class Decode>
auto bounded(std::size_t size,
             const Decode& decode,
             std::size_t times = kMostAllocated,
             std::source_location where = std::source_location::current()) {
    const support::CountAllocations allocations;
    auto decoded = decode();
    require(allocations.bytes() <= times * size + kFreeAllocation,
            "a decoder allocates no more than in proportion to what it reads", where);
    return decoded;
}

} // namespace fuzz
