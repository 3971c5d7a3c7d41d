#pragma once

// libraft's own header is C, and fails in C++: its checks of the binary layout define types inside
// `sizeof`. Everything that it includes comes first, then those checks alone are left out.
#include <stdbool.h> // NOLINT: what raft.h itself includes
#include <uv.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#pragma push_macro("static_assert")
#undef static_assert
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif
#define static_assert(...)
extern "C" {
#include <raft.h>
}
#if defined(__clang__)
#pragma clang diagnostic pop
#endif
#pragma pop_macro("static_assert")

// Later versions changed who owns the memory of several events.
static_assert(RAFT_VERSION_NUMBER == 2201, "the mini-broker is written for libraft 0.22.1");
