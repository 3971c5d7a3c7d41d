#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace insync::detail {

/// A set of a partition's replicas, one bit for each position in its `ReplicaSet`.
using Mask = std::uint16_t;

/// All that the produce path asks of a partition, in one 64-bit word, so that a reader sees a whole
/// decision or the one before, never half of one.
///
///     63      62       61   60..45      44..19  18..15   14..0
///     present has_min  far  generation  slot    leader   members
///
/// `slot` is where the partition's other state is kept, `generation` counts the uses of that slot:
/// together they tell a registration from all others, so a handle outlives its partition safely.
/// While a decision is being written (`far`), the low 19 bits name the transit record to read
/// instead (`PublishedState`).
class StateWord {
public:
    static constexpr std::uint32_t kNoLeader = 15;
    static constexpr std::uint32_t kMaxGeneration = 0xffff;
    static constexpr std::uint32_t kMaxSlot = (1u << 26) - 1;
    static constexpr std::uint64_t kPresent = 1ull << 63;
    static constexpr std::uint64_t kHasMin = 1ull << 62;
    static constexpr std::uint64_t kFar = 1ull << 61;
    /// The bits that a registration keeps for its whole life.
    static constexpr std::uint64_t kIdentity = kPresent | (0xffffull << 45) | (0x3ff'ffffull << 19);

    constexpr StateWord() = default;
    constexpr explicit StateWord(std::uint64_t bits) noexcept : bits_(bits) {}

    [[nodiscard]] static constexpr StateWord identity(std::uint32_t slot,
                                                      std::uint32_t generation) noexcept {
        return StateWord{kPresent | static_cast<std::uint64_t>(generation) << 45 |
                         static_cast<std::uint64_t>(slot) << 19};
    }
    /// The same registration with another decision.
    [[nodiscard]] constexpr StateWord decided(Mask members,
                                              std::uint32_t leader,
                                              bool has_min) const noexcept {
        return StateWord{(bits_ & kIdentity) | (has_min ? kHasMin : 0) |
                         static_cast<std::uint64_t>(leader) << 15 | members};
    }
    /// The same registration and answer, to be read from a transit record.
    [[nodiscard]] constexpr StateWord in_transit(std::uint32_t record) const noexcept {
        return StateWord{(bits_ & (kIdentity | kHasMin)) | kFar | record};
    }

    [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
    [[nodiscard]] constexpr std::uint64_t identity() const noexcept { return bits_ & kIdentity; }
    [[nodiscard]] constexpr bool present() const noexcept { return (bits_ & kPresent) != 0; }
    [[nodiscard]] constexpr bool has_min() const noexcept { return (bits_ & kHasMin) != 0; }
    [[nodiscard]] constexpr bool far() const noexcept { return (bits_ & kFar) != 0; }
    [[nodiscard]] constexpr std::uint32_t slot() const noexcept {
        return static_cast<std::uint32_t>(bits_ >> 19) & kMaxSlot;
    }
    [[nodiscard]] constexpr std::uint32_t generation() const noexcept {
        return static_cast<std::uint32_t>(bits_ >> 45) & kMaxGeneration;
    }
    [[nodiscard]] constexpr std::uint32_t transit_record() const noexcept {
        return static_cast<std::uint32_t>(bits_ & 0x7'ffff);
    }
    [[nodiscard]] constexpr Mask members() const noexcept {
        return static_cast<Mask>(bits_ & 0x7fff);
    }
    [[nodiscard]] constexpr std::uint32_t leader() const noexcept {
        return static_cast<std::uint32_t>(bits_ >> 15) & 15;
    }

private:
    std::uint64_t bits_ = 0;
};

[[nodiscard]] constexpr Mask bit(std::uint32_t position) noexcept {
    return static_cast<Mask>(1u << position);
}
[[nodiscard]] constexpr Mask all_of(std::size_t replicas) noexcept {
    return static_cast<Mask>((1u << replicas) - 1);
}
[[nodiscard]] constexpr std::size_t count(Mask mask) noexcept {
    return static_cast<std::size_t>(std::popcount(mask));
}

} // namespace insync::detail
