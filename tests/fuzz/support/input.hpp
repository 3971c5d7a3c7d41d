#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fuzz {

/// One input as numbers and choices, taken from front to back. Once it is used up, all are 0.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) noexcept : left_(data, size) {}

    [[nodiscard]] bool empty() const noexcept { return left_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return left_.size(); }

    /// A number of that type, any of them.
    template <class T>
    T number() noexcept {
        return static_cast<T>(take(sizeof(T)));
    }
    /// From 0 to `end - 1`, of no more bytes than that needs; `end` must not be 0.
    std::uint64_t below(std::uint64_t end) noexcept {
        const auto bits = static_cast<std::size_t>(std::bit_width(end - 1));
        return take((bits + 7) / 8) % end;
    }
    bool flag() noexcept { return below(2) != 0; }
    template <class T, std::size_t N>
    const T& one_of(const T (&values)[N]) noexcept {
        return values[below(N)];
    }
    /// So many bytes, fewer at the end. They lie in the input.
    std::string_view bytes(std::size_t size) noexcept {
        const auto taken = left_.first(size < left_.size() ? size : left_.size());
        left_ = left_.subspan(taken.size());
        return {reinterpret_cast<const char*>(taken.data()), taken.size()};
    }
    std::string_view rest() noexcept { return bytes(left_.size()); }

private:
    std::uint64_t take(std::size_t size) noexcept {
        std::uint64_t value = 0;
        for (; size > 0 && !left_.empty(); --size) {
            value = value << 8 | left_.front();
            left_ = left_.subspan(1);
        }
        return value;
    }

    std::span<const std::uint8_t> left_;
};

} // namespace fuzz

/// What libFuzzer calls, and the replay: each target's only function. It returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
