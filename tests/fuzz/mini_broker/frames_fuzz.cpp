// A stream of bytes that arrives in any pieces is cut into the same frames as one that arrives at
// once, and those are what the lengths say.

#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"
#include "net/frame_buffer.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using fuzz::Input;
using fuzz::require;
using mini_broker::FrameBuffer;
using Status = FrameBuffer::Status;

struct Cut {
    std::vector<std::string> frames;
    bool bad_length = false;
    std::size_t left = 0; ///< bytes that no frame was made of

    bool operator==(const Cut&) const = default;
};

/// From the definition alone.
Cut reference(std::string_view stream, std::uint32_t least, std::uint32_t most) {
    Cut cut;
    while (stream.size() >= 4) {
        std::uint32_t length = 0;
        for (const char byte : stream.substr(0, 4))
            length = length * 256 + static_cast<unsigned char>(byte);
        cut.bad_length = length < least || length > most;
        if (cut.bad_length || stream.size() - 4 < length) break;
        cut.frames.emplace_back(stream.substr(4, length));
        stream.remove_prefix(4 + length);
    }
    cut.left = stream.size();
    return cut;
}

/// Takes the frames that are whole. \return false after a bad length
bool take_frames(FrameBuffer& buffer, Cut& into) {
    std::string_view frame;
    for (;;) {
        const Status status = buffer.next(frame);
        if (status == Status::bad_length) into.bad_length = true;
        if (status != Status::frame) return status != Status::bad_length;
        into.frames.emplace_back(frame);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    const auto least = static_cast<std::uint32_t>(input.below(16));
    const std::uint32_t most = least + input.number<std::uint16_t>();
    const std::string_view sizes = input.bytes(input.below(32)); // of the pieces, in turn
    const std::string_view stream = input.rest();

    const Cut due = reference(stream, least, most);
    Cut got;
    FrameBuffer buffer{least, most};
    std::string_view rest = stream;
    for (std::size_t i = 0; !rest.empty(); ++i) {
        const std::size_t wanted =
            sizes.empty() ? rest.size() : static_cast<unsigned char>(sizes[i % sizes.size()]) + 1u;
        const std::string_view piece = rest.substr(0, wanted);
        rest.remove_prefix(piece.size());
        buffer.append(piece);
        require(buffer.capacity() <= 2 * (stream.size() + 32),
                "memory grows with what has arrived, not with what a length announces");
        if (!take_frames(buffer, got)) {
            buffer.append(rest);
            break;
        }
        buffer.tidy();
    }
    got.left = buffer.size();
    require(got == due, "the pieces make no difference");
    return 0;
}
