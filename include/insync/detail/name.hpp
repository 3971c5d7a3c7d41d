#pragma once

#include <insync/types.hpp>

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

/// A name as 64-bit words, one word a step, the last one overlapping the one before; with the
/// length it tells names apart. So names are hashed and compared without a loop over characters and
/// without vector instructions.
class NameWords {
public:
    static constexpr std::size_t kMaxWords = (kMaxTopicLength + 7) / 8;

    explicit NameWords(std::string_view name) noexcept : name_(name) {}

    [[nodiscard]] static constexpr std::size_t count(std::size_t length) noexcept {
        return (length + 7) / 8;
    }
    [[nodiscard]] std::size_t count() const noexcept { return count(name_.size()); }

    [[nodiscard]] std::uint64_t operator[](std::size_t i) const noexcept {
        const std::size_t at = 8 * i;
        if (at + 8 <= name_.size()) return load8(name_.data() + at);
        if (name_.size() >= 8) return load8(name_.data() + name_.size() - 8);
        return small();
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

/// Hashes a name. The seed differs from manager to manager, so that no client can choose topic
/// names that collide.
[[nodiscard]] inline std::uint64_t hash_name(std::string_view name, std::uint64_t seed) noexcept {
    constexpr std::uint64_t kA = 0x9e37'79b9'7f4a'7c15;
    constexpr std::uint64_t kB = 0xd6e8'feb8'6659'fd93;
    const NameWords words{name};
    if (name.size() > 16 && name.size() <= 24) [[likely]] {
        const std::uint64_t head = mix(words[0] ^ kA, words[1] ^ seed);
        return mix(head ^ name.size(), load8(name.data() + name.size() - 8) ^ kB);
    }
    std::uint64_t hash = seed ^ name.size();
    for (std::size_t i = 0; i < words.count(); ++i) hash = mix(hash ^ kA, words[i] ^ kB);
    return mix(hash, kA);
}

/// Writes the words of `name` to `cells`.
inline void store_name(Cell* cells, std::string_view name) noexcept {
    const NameWords words{name};
    for (std::size_t i = 0; i < words.count(); ++i)
        cells[i].store(words[i], std::memory_order_release);
}

/// Whether `cells`, a name of the same length as `name`, spell it.
[[nodiscard]] inline bool same_name(const Cell* cells, std::string_view name) noexcept {
    const NameWords words{name};
    if (name.size() > 16 && name.size() <= 24) [[likely]] {
        const std::uint64_t difference =
            (cells[0].load(std::memory_order_acquire) ^ words[0]) |
            (cells[1].load(std::memory_order_acquire) ^ words[1]) |
            (cells[2].load(std::memory_order_acquire) ^ load8(name.data() + name.size() - 8));
        return difference == 0;
    }
    for (std::size_t i = 0; i < words.count(); ++i)
        if (cells[i].load(std::memory_order_acquire) != words[i]) return false;
    return true;
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
    for (std::size_t i = 0; i < NameWords::count(length); ++i) {
        const std::uint64_t word = cells[i].load(std::memory_order_relaxed);
        const std::size_t at = 8 * i + 8 <= length ? 8 * i : length - 8;
        std::memcpy(name.data() + at, &word, 8);
    }
    return name;
}

} // namespace insync::detail
