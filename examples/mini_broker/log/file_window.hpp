#pragma once

#include "io/disk.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mini_broker {

/// Reads a file from front to back in a few large steps, and shows any stretch of it as one piece.
class FileWindow {
public:
    /// \param end    no byte from here on is looked at
    /// \param ahead  bytes to read at once
    FileWindow(const File& file, std::uint64_t end, std::size_t ahead)
        : file_(file), end_(end), ahead_(ahead) {}

    /// Up to `size` bytes; fewer only at the end. Valid until the next call.
    std::string_view at(std::uint64_t position, std::size_t size) {
        if (position >= end_) return {};
        size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - position));
        if (position < begin_ || position + size > begin_ + filled_) {
            const auto wanted = static_cast<std::size_t>(
                std::min<std::uint64_t>(std::max(size, ahead_), end_ - position));
            if (buffer_.size() < wanted) buffer_.resize(wanted);
            filled_ = file_.read(position, buffer_.data(), wanted);
            begin_ = position;
        }
        const auto from = static_cast<std::size_t>(position - begin_);
        return std::string_view{buffer_.data(), filled_}.substr(from, size);
    }

private:
    const File& file_;
    std::uint64_t end_;
    std::size_t ahead_;
    std::string buffer_;
    std::uint64_t begin_ = 0; ///< where in the file the buffer begins
    std::size_t filled_ = 0;
};

} // namespace mini_broker
