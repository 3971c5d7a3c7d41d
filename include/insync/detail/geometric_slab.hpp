#pragma once

#include <insync/detail/huge_pages.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace insync::detail {

/// An array of `T` that grows without moving: chunk k holds `First << k` elements, so that an index
/// is found with a shift and no look-up table, and elements are reached while others are added.
///
/// Memory is obtained raw, an element is constructed by whoever first uses its index, and none is
/// given back before the slab is destroyed: a reader may hold an index for ever. `T` must be
/// trivially destructible, or its owner destroys what it constructed.
///
/// Thread safety: `reserve` by one thread at a time; an element may be reached by any thread that
/// learned its index from the one that reserved it.
template <class T, std::uint32_t First>
class GeometricSlab {
    static_assert(std::has_single_bit(First));
    static constexpr unsigned kShift = std::countr_zero(First);

public:
    static constexpr std::size_t kChunks = 27 - kShift;
    static constexpr std::uint32_t kMaxSize = (First << kChunks) - First;

    GeometricSlab() = default;
    GeometricSlab(const GeometricSlab&) = delete;
    GeometricSlab& operator=(const GeometricSlab&) = delete;
    ~GeometricSlab() {
        for (unsigned chunk = 0; chunk < kChunks; ++chunk)
            HugePages::give_back(chunks_[chunk], chunk_size(chunk) * sizeof(T));
    }

    [[nodiscard]] T& operator[](std::uint32_t index) const noexcept {
        const std::uint32_t shifted = index + First;
        // Or-ing in First changes nothing, but tells the compiler that it is not zero.
        const auto chunk = chunk_of_shifted(shifted | First);
        return chunks_[chunk][shifted - (First << chunk)];
    }

    /// Makes room for `index`. \return false when memory or the range is exhausted.
    [[nodiscard]] bool reserve(std::uint32_t index) noexcept {
        if (index >= kMaxSize) return false;
        const auto chunk = chunk_of(index);
        if (chunks_[chunk] != nullptr) return true;
        void* const memory = HugePages::obtain(chunk_size(chunk) * sizeof(T));
        chunks_[chunk] = static_cast<T*>(memory);
        return memory != nullptr;
    }

    [[nodiscard]] static constexpr unsigned chunk_of(std::uint32_t index) noexcept {
        return chunk_of_shifted(index + First);
    }
    [[nodiscard]] static constexpr std::uint32_t chunk_size(unsigned chunk) noexcept {
        return First << chunk;
    }
    /// First index of a chunk.
    [[nodiscard]] static constexpr std::uint32_t chunk_begin(unsigned chunk) noexcept {
        return (First << chunk) - First;
    }
    /// The chunk's elements, side by side, for loops that must not shift at every step.
    [[nodiscard]] T* chunk(unsigned number) const noexcept { return chunks_[number]; }

private:
    // Not std::bit_width: standard libraries differ in its type, and one's cast is useless.
    [[nodiscard]] static constexpr unsigned chunk_of_shifted(std::uint32_t shifted) noexcept {
        return static_cast<unsigned>(31 - std::countl_zero(shifted)) - kShift;
    }

    std::array<T*, kChunks> chunks_{};
};

} // namespace insync::detail
