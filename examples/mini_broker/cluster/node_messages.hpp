#pragma once

#include "cluster/image.hpp"
#include "io/peers.hpp"
#include "types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mini_broker {

/// What nodes say to each other beside Raft's messages; all of it concerns the metadata group.
enum class NodeMessage : std::uint8_t {
    ping = 16,    ///< "I am alive"
    leaving = 17, ///< "I am about to stop: take me out of every ISR"
    command = 18, ///< a command for the leader of the metadata
    result = 19,  ///< and what it came to
};

/// A command that is passed on to the leader. `request` is the sender's own number of it.
struct ForwardedCommand {
    std::uint64_t request = 0;
    std::string command;
};
/// \param index  where it stands in the metadata log; who waits for it has applied it then
struct ForwardedResult {
    std::uint64_t request = 0;
    Index index = 0;
    CommandResult result;
};

[[nodiscard]] std::string encode(const ForwardedCommand& message);
[[nodiscard]] std::string encode(const ForwardedResult& message);
[[nodiscard]] std::optional<ForwardedCommand> decode_forwarded_command(std::string_view bytes);
[[nodiscard]] std::optional<ForwardedResult> decode_forwarded_result(std::string_view bytes);

/// Sends one frame, if there is a connection. \return whether there was
bool send(Peers& peers, NodeId to, NodeMessage type, std::string_view payload);

} // namespace mini_broker
