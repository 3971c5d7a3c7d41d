// The counting of support/allocations.hpp where the sanitizers bring their own operator new: they
// tell of each allocation, malloc's too.
#include "support/allocations.hpp"

#include <sanitizer/allocator_interface.h>

#include <cstdlib>

namespace {

thread_local std::size_t made = 0;
thread_local std::size_t made_bytes = 0;

void allocated(const volatile void*, std::size_t size) {
    ++made;
    made_bytes += size;
}
void freed(const volatile void*) {}

// Without it nothing would be counted, and every bound would hold.
const bool hooked = [] {
    if (__sanitizer_install_malloc_and_free_hooks(allocated, freed) == 0) std::abort();
    return true;
}();

} // namespace

namespace support {

CountAllocations::CountAllocations() noexcept : before_(made), bytes_before_(made_bytes) {}
std::size_t CountAllocations::count() const noexcept {
    return made - before_;
}
std::size_t CountAllocations::bytes() const noexcept {
    return made_bytes - bytes_before_;
}

} // namespace support
