#pragma once

#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mini_broker {

/// What both sides of a link between nodes say first.
struct Hello {
    static constexpr std::uint32_t kMagic = 0x4953594e; // "ISYN"
    static constexpr std::uint16_t kVersion = 2;
    static constexpr std::size_t kSize = 22;

    NodeId node = insync::kNoNode;
    std::uint64_t cluster = 0; ///< a hash of its name
};

/// FNV-1a: the same on every machine. It finds mistakes, it keeps nobody out.
[[nodiscard]] constexpr std::uint64_t cluster_hash(std::string_view name) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char each : name) hash = (hash ^ static_cast<unsigned char>(each)) * 0x100000001b3;
    return hash;
}

[[nodiscard]] inline std::string encode(const Hello& hello) {
    std::string bytes;
    const auto put = [&](std::uint64_t value, int size) {
        for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<char>(value >> (8 * i)));
    };
    put(Hello::kMagic, 4);
    put(Hello::kVersion, 2);
    put(static_cast<std::uint64_t>(hello.node), 8);
    put(hello.cluster, 8);
    return bytes;
}

/// Nothing if it is no hello of this version. `bytes` are `kSize`.
[[nodiscard]] inline std::optional<Hello> decode_hello(std::string_view bytes) noexcept {
    if (bytes.size() != Hello::kSize) return std::nullopt;
    const auto get = [&](std::size_t at, std::size_t size) {
        std::uint64_t value = 0;
        for (std::size_t i = at; i < at + size; ++i)
            value = value << 8 | static_cast<unsigned char>(bytes[i]);
        return value;
    };
    if (get(0, 4) != Hello::kMagic || get(4, 2) != Hello::kVersion) return std::nullopt;
    return Hello{static_cast<NodeId>(get(6, 8)), get(14, 8)};
}

} // namespace mini_broker
