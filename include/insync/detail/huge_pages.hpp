#pragma once

#include <cstddef>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace insync::detail {

/// Memory for what is reached at random, obtained raw. From two megabytes on it lies on huge pages
/// where the system grants them on request: with a million partitions a look-up otherwise waits
/// longer for page tables than for the line itself.
struct HugePages {
    static constexpr std::size_t kPage = std::size_t{2} << 20;

    [[nodiscard]] static void* obtain(std::size_t bytes) noexcept {
        void* const memory = ::operator new(bytes, alignment(bytes), std::nothrow);
#if defined(__linux__)
        // A refusal changes nothing but the speed.
        if (memory != nullptr && bytes >= kPage)
            (void)::madvise(memory, bytes - bytes % kPage, MADV_HUGEPAGE);
#endif
        return memory;
    }
    /// \param bytes  as it was obtained with
    static void give_back(void* memory, std::size_t bytes) noexcept {
        ::operator delete(memory, alignment(bytes));
    }

private:
    [[nodiscard]] static constexpr std::align_val_t alignment(std::size_t bytes) noexcept {
        return std::align_val_t{bytes >= kPage ? kPage : 64};
    }
};

} // namespace insync::detail
