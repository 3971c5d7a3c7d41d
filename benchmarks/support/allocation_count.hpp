#pragma once

// Replaces the global allocation functions of the whole program with ones that count. Not inline,
// as the language wants it: include it in one source of a program only.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace bench {

namespace detail {
inline std::atomic<std::uint64_t> allocations{0};

inline void* counted_allocation(std::size_t size, std::size_t alignment) noexcept {
    allocations.fetch_add(1, std::memory_order_relaxed);
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    return alignment <= alignof(std::max_align_t)
               ? std::malloc(size == 0 ? 1 : size)
               : std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
}
inline void* counted_or_throw(std::size_t size, std::size_t alignment) {
    if (void* const memory = counted_allocation(size, alignment)) return memory;
    throw std::bad_alloc{};
}
} // namespace detail

/// How often `work()` allocates, in any thread.
template <class Work>
std::uint64_t allocations_of(const Work& work) {
    const std::uint64_t before = detail::allocations.load();
    work();
    return detail::allocations.load() - before;
}

} // namespace bench

// The array forms call these.
void* operator new(std::size_t size) {
    return bench::detail::counted_or_throw(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return bench::detail::counted_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return bench::detail::counted_allocation(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return bench::detail::counted_allocation(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
