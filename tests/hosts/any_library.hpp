#pragma once

#include "raft_group.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <cstdint>
#include <string_view>

namespace insync::tests {

/// Each library in turn: the test case runs once for each.
inline const raft_host& any_library() {
    return *(GENERATE(0, 1) == 0 ? raft_rs_host() : etcd_raft_host());
}

inline RaftGroup::Options any_options() {
    return {.check_quorum = GENERATE(false, true), .asynchronous = GENERATE(false, true)};
}

/// What `raft_host_entry::hash` says of an entry with this text.
constexpr std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3u;
    return hash;
}

} // namespace insync::tests
