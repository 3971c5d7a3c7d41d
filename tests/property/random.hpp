#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <span>
#include <string>

namespace property {

/// xoshiro256** with its seed stretched by splitmix64: the same numbers on every machine, which the
/// distributions of the standard library do not promise.
class Random {
public:
    explicit Random(std::uint64_t seed) noexcept {
        for (std::uint64_t& word : state_) {
            seed += 0x9e37'79b9'7f4a'7c15;
            std::uint64_t z = seed;
            z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
            z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
            word = z ^ (z >> 31);
        }
    }
    /// Draws from the bytes of `tape` first, which must outlive it, of no more than each choice
    /// needs; then from the seed.
    Random(std::uint64_t seed, std::span<const std::uint8_t> tape) noexcept : Random(seed) {
        tape_ = tape;
    }
    /// Whether nothing is left of the tape.
    [[nodiscard]] bool at_end() const noexcept { return tape_.empty(); }

    std::uint64_t next() noexcept {
        if (!at_end()) return take(64);
        const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = rotate(state_[3], 45);
        return result;
    }

    /// From 0 to `end - 1`; `end` must not be 0. Biased by less than 2^-40 for what is asked here.
    std::uint64_t below(std::uint64_t end) noexcept {
        const std::uint64_t drawn =
            at_end() ? next() : take(static_cast<int>(std::bit_width(end - 1)));
        return drawn % end;
    }
    std::int64_t between(std::int64_t least, std::int64_t most) noexcept {
        return least +
               static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
    }
    bool chance(unsigned percent) noexcept { return below(100) < percent; }
    template <class T>
    T one_of(std::initializer_list<T> values) noexcept {
        return values.begin()[below(values.size())];
    }

private:
    static std::uint64_t rotate(std::uint64_t x, int by) noexcept {
        return (x << by) | (x >> (64 - by));
    }

    std::uint64_t take(int bits) noexcept {
        std::uint64_t taken = 0;
        for (; bits > 0 && !at_end(); bits -= 8) {
            taken = taken << 8 | tape_.front();
            tape_ = tape_.subspan(1);
        }
        return taken;
    }

    std::array<std::uint64_t, 4> state_{};
    std::span<const std::uint8_t> tape_;
};

/// A number that the environment may give; `otherwise` where it does not.
inline std::uint64_t from_environment(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace property
