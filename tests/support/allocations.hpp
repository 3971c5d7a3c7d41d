#pragma once

#include <cstddef>

namespace support {

/// Bytes that were allocated by operator new and not freed yet, in the whole program.
[[nodiscard]] std::size_t live_bytes() noexcept;

/// While it lives, the `nth` allocation of this thread fails, counted from 0, and no other.
class FailAllocation {
public:
    explicit FailAllocation(std::size_t nth) noexcept;
    FailAllocation(const FailAllocation&) = delete;
    FailAllocation& operator=(const FailAllocation&) = delete;
    ~FailAllocation();

    /// Whether it came to that.
    [[nodiscard]] static bool happened() noexcept;
};

/// Counts what this thread allocates while it lives.
class CountAllocations {
public:
    CountAllocations() noexcept;
    [[nodiscard]] std::size_t count() const noexcept;
    /// In sum, whatever was freed meanwhile.
    [[nodiscard]] std::size_t bytes() const noexcept;

private:
    std::size_t before_;
    std::size_t bytes_before_;
};

} // namespace support
