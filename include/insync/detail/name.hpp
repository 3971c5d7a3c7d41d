#pragma once

#include <insync/types.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace insync::detail {

/// One word of memory that readers may look at while a writer rewrites it.
using Cell = std::atomic<std::uint64_t>;

/// Kafka's rule for topic names, S10. Readers need not ask: an illegal name is never found.
[[nodiscard]] inline bool is_legal_topic(std::string_view name) noexcept {
    if (name.empty() || name.size() > kMaxTopicLength || name == "." || name == "..") return false;
    for (const char c : name) {
        const bool legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!legal) return false;
    }
    return true;
}

[[nodiscard]] inline std::uint64_t load8(const char* p) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    return word;
}

/// A name as 64-bit words, the last one overlapping the one before; with the length they tell names
/// apart. So names are hashed and compared without a loop over characters and without vector
/// instructions.
class NameWords {
public:
    static constexpr std::size_t kNear = 3;

    /// Words of a name of this length: `kNear` for all that fit, unused ones being 0.
    [[nodiscard]] static constexpr std::size_t count(std::size_t length) noexcept {
        return length <= 8 * kNear ? kNear : (length + 7) / 8;
    }

    explicit NameWords(std::string_view name) noexcept : name_(name) {}

    [[nodiscard]] std::uint64_t operator[](std::size_t i) const noexcept {
        const std::size_t length = name_.size();
        const std::size_t at = 8 * i;
        if (at + 8 <= length) return load8(name_.data() + at);
        if (at >= length) return 0;
        return length >= 8 ? load8(name_.data() + length - 8) : small();
    }

private:
    [[nodiscard]] std::uint64_t small() const noexcept {
        std::uint64_t word = 0;
        for (const char c : name_) word = word << 8 | static_cast<unsigned char>(c);
        return word;
    }

    std::string_view name_;
};

__extension__ using Wide = unsigned __int128;

/// The two halves of a 64 by 64 bit product, folded: the mixing step of the wyhash family.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// A name, ready to be looked up: its near words and its hash, computed once.
struct NameKey {
    /// \param seed  differs from manager to manager, so that no client can choose topic names that
    ///              collide
    [[gnu::always_inline]] NameKey(std::string_view name, std::uint64_t seed) noexcept
        : text(name) {
        const std::size_t length = name.size();
        if (is_common(length)) [[likely]] {
            const char* const text_begin = name.data();
            near = {load8(text_begin), load8(text_begin + 8), load8(text_begin + length - 8)};
            hash = hash_near(seed) | 1;
        } else {
            *this = of_any_length(name, seed);
        }
    }

    /// Lengths that need no case distinction.
    [[nodiscard]] static constexpr bool is_common(std::size_t length) noexcept {
        return length > 16 && length <= 8 * NameWords::kNear;
    }

    std::string_view text;
    std::array<std::uint64_t, NameWords::kNear> near{};
    std::uint64_t hash = 0; ///< never 0, which marks empty slots and tombstones

private:
    static constexpr std::uint64_t kA = 0x9e37'79b9'7f4a'7c15;
    static constexpr std::uint64_t kB = 0xd6e8'feb8'6659'fd93;

    [[nodiscard]] std::uint64_t hash_near(std::uint64_t seed) const noexcept {
        return mix(mix(near[0] ^ kA, near[1] ^ seed) ^ text.size(), near[2] ^ kB);
    }
    NameKey() = default;
    [[nodiscard, gnu::noinline]] static NameKey of_any_length(std::string_view name,
                                                              std::uint64_t seed) noexcept {
        const NameWords words{name};
        NameKey key;
        key.text = name;
        key.near = {words[0], words[1], words[2]};
        key.hash = key.hash_near(seed);
        for (std::size_t i = NameWords::kNear; i < NameWords::count(name.size()); ++i)
            key.hash = mix(key.hash ^ kA, words[i] ^ kB);
        key.hash |= 1;
        return key;
    }
};

/// Writes the words of `name` to `cells`.
inline void store_name(Cell* cells, std::string_view name) noexcept {
    const NameWords words{name};
    for (std::size_t i = 0; i < NameWords::count(name.size()); ++i)
        cells[i].store(words[i], std::memory_order_release);
}

[[nodiscard, gnu::noinline]] inline bool same_far_words(const Cell* cells,
                                                        std::string_view name) noexcept {
    const NameWords words{name};
    for (std::size_t i = NameWords::kNear; i < NameWords::count(name.size()); ++i)
        if (cells[i].load(std::memory_order_acquire) != words[i]) return false;
    return true;
}

/// Whether `cells`, a name of the same length, spell it.
[[nodiscard, gnu::always_inline]] inline bool same_name(const Cell* cells,
                                                        const NameKey& key) noexcept {
    const std::uint64_t difference = (cells[0].load(std::memory_order_acquire) ^ key.near[0]) |
                                     (cells[1].load(std::memory_order_acquire) ^ key.near[1]) |
                                     (cells[2].load(std::memory_order_acquire) ^ key.near[2]);
    if (key.text.size() <= 8 * NameWords::kNear) [[likely]]
        return difference == 0;
    return difference == 0 && same_far_words(cells, key.text);
}

/// The characters behind `cells`, for a writer that knows they stand still.
[[nodiscard]] inline std::string read_name(const Cell* cells, std::size_t length) {
    std::string name(length, '\0');
    if (length < 8) {
        std::uint64_t word = cells[0].load(std::memory_order_relaxed);
        for (std::size_t i = length; i > 0; --i, word >>= 8)
            name[i - 1] = static_cast<char>(word & 0xff);
        return name;
    }
    for (std::size_t i = 0; 8 * i < length; ++i) {
        const std::uint64_t word = cells[i].load(std::memory_order_relaxed);
        const std::size_t at = 8 * i + 8 <= length ? 8 * i : length - 8;
        std::memcpy(name.data() + at, &word, 8);
    }
    return name;
}

} // namespace insync::detail
