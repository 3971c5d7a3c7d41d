// The program's operator new, so that tests can count allocations and let them fail. Built on
// malloc, which the sanitizers know.
#include "support/allocations.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

namespace {

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
std::atomic<std::size_t> live{0};
thread_local std::size_t until_failure = kNever;
thread_local bool failed = false;
thread_local std::size_t made = 0;
thread_local std::size_t made_bytes = 0;

void* allocate(std::size_t size, std::size_t alignment) noexcept {
    ++made;
    made_bytes += size;
    if (until_failure != kNever && until_failure-- == 0) {
        until_failure = kNever;
        failed = true;
        return nullptr;
    }
    const std::size_t wanted = std::max<std::size_t>(size, 1);
    void* const memory =
        alignment <= alignof(std::max_align_t)
            ? std::malloc(wanted)
            : std::aligned_alloc(alignment, (wanted + alignment - 1) / alignment * alignment);
    if (memory != nullptr) live.fetch_add(malloc_usable_size(memory), std::memory_order_relaxed);
    return memory;
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
    void* const memory = allocate(size, alignment);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

void release(void* memory) noexcept {
    if (memory != nullptr) live.fetch_sub(malloc_usable_size(memory), std::memory_order_relaxed);
    std::free(memory);
}

} // namespace

namespace support {

std::size_t live_bytes() noexcept {
    return live.load();
}

FailAllocation::FailAllocation(std::size_t nth) noexcept {
    until_failure = nth;
    failed = false;
}
FailAllocation::~FailAllocation() {
    until_failure = kNever;
}
bool FailAllocation::happened() noexcept {
    return failed;
}

CountAllocations::CountAllocations() noexcept : before_(made), bytes_before_(made_bytes) {}
std::size_t CountAllocations::count() const noexcept {
    return made - before_;
}
std::size_t CountAllocations::bytes() const noexcept {
    return made_bytes - bytes_before_;
}

} // namespace support

// NOLINTBEGIN(misc-new-delete-overloads)
void* operator new(std::size_t size) {
    return allocate_or_throw(size, 0);
}
void* operator new[](std::size_t size) {
    return allocate_or_throw(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size, 0);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    release(memory);
}
void operator delete[](void* memory) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    release(memory);
}
// NOLINTEND(misc-new-delete-overloads)
