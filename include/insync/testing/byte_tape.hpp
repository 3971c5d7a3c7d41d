#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace insync::testing {

/// A stretched seed: the same numbers on every machine, which the distributions of the standard
/// library do not promise (splitmix64). A value of eight bytes.
class SeededNumbers {
public:
    explicit SeededNumbers(std::uint64_t seed = 0) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        state_ += 0x9e37'79b9'7f4a'7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
        return z ^ (z >> 31);
    }
    /// From 0 to `end - 1`; 0 where `end` is 0.
    std::uint64_t below(std::uint64_t end) noexcept { return end == 0 ? 0 : next() % end; }

private:
    std::uint64_t state_;
};

/// Bytes from which a simulation takes every one of its choices, so that a seed, a fuzzer and a
/// shrinker drive the same run.
///
/// Past its end a tape gives zeros, and the choice for 0 is the harmless one everywhere: a chance
/// is not taken, a number is the least. So every prefix of a tape is a tape, and ends in peace.
///
/// **Example**:
///
///     insync::testing::ByteTape tape = insync::testing::ByteTape::of_seed(7, 400);
///     if (tape.chance(30)) cluster.cut(1, 1 + tape.below(3));
class ByteTape {
public:
    ByteTape() = default;
    explicit ByteTape(std::vector<std::uint8_t> bytes) noexcept : bytes_(std::move(bytes)) {}
    explicit ByteTape(std::span<const std::uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {}

    /// The tape that a seed stands for.
    static ByteTape of_seed(std::uint64_t seed, std::size_t length) {
        SeededNumbers numbers{seed};
        std::vector<std::uint8_t> bytes(length);
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(numbers.next() >> 32);
        return ByteTape{std::move(bytes)};
    }

    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const noexcept { return bytes_; }
    /// Whether everything from here on is 0.
    [[nodiscard]] bool ended() const noexcept { return at_ >= bytes_.size(); }

    std::uint8_t byte() noexcept { return ended() ? std::uint8_t{0} : bytes_[at_++]; }

    /// From 0 to `end - 1`, and 0 where `end` is 0; one byte up to 256, else as many as it needs.
    std::uint64_t below(std::uint64_t end) noexcept {
        if (end < 2) return 0;
        std::uint64_t number = byte();
        for (std::uint64_t rest = (end - 1) >> 8; rest != 0; rest >>= 8)
            number = number << 8 | byte();
        return number % end;
    }
    /// From `least` to `most`.
    std::int64_t between(std::int64_t least, std::int64_t most) noexcept {
        const auto span = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least);
        return least + static_cast<std::int64_t>(below(span + 1));
    }
    /// Whether something befalls that does so in `percent` of cases; never for a byte of 0.
    bool chance(unsigned percent) noexcept { return byte() % 100u >= 100u - percent; }

private:
    std::vector<std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

} // namespace insync::testing
