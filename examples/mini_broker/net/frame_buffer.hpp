#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mini_broker {

/// Cuts a stream of bytes into frames: a big-endian length of four bytes, then as many bytes. Its
/// memory grows with what has arrived, never with what a length announces.
class FrameBuffer {
public:
    enum class Status : std::uint8_t { frame, incomplete, bad_length };

    /// A length outside `least` to `most` is bad.
    constexpr FrameBuffer(std::uint32_t least, std::uint32_t most) noexcept
        : least_(least), most_(most) {}

    void append(std::string_view bytes) {
        bytes_.erase(0, taken_);
        taken_ = 0;
        bytes_.append(bytes);
    }
    /// Lets go of memory that no frame needs any more, once all of them were taken.
    void tidy() noexcept {
        if (taken_ != bytes_.size() || bytes_.capacity() <= kKeptCapacity) return;
        std::string{}.swap(bytes_); // assigning would keep the memory
        taken_ = 0;
    }
    /// The next frame without its length, valid until the next call of `append` or `tidy`.
    [[nodiscard]] Status next(std::string_view& frame) noexcept {
        const std::string_view rest = std::string_view{bytes_}.substr(taken_);
        if (rest.size() < kPrefix) return Status::incomplete;
        std::uint32_t length = 0;
        for (std::size_t i = 0; i < kPrefix; ++i)
            length = length << 8 | static_cast<unsigned char>(rest[i]);
        if (length < least_ || length > most_) return Status::bad_length;
        if (rest.size() - kPrefix < length) return Status::incomplete;
        frame = rest.substr(kPrefix, length);
        taken_ += kPrefix + length;
        return Status::frame;
    }
    /// Bytes that no frame was made of yet.
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - taken_; }
    /// Bytes of memory.
    [[nodiscard]] std::size_t capacity() const noexcept { return bytes_.capacity(); }

private:
    static constexpr std::size_t kPrefix = 4;
    static constexpr std::size_t kKeptCapacity = 64u << 10; // of an empty buffer

    std::uint32_t least_;
    std::uint32_t most_;
    std::string bytes_;
    std::size_t taken_ = 0;
};

} // namespace mini_broker
