#pragma once

#include "types.hpp"

#include <string>

namespace mini_broker {

/// The links to the other nodes: one a node, which carries the messages of every group.
///
/// A frame is, in big-endian order: u32 length of what follows, u32 group, u8 type, payload. Types
/// below 16 are Raft's (`raft/message.hpp`), the others the cluster's own
/// (`cluster/node_messages.hpp`).
class Peers {
public:
    virtual ~Peers() = default;
    /// Where to append whole frames for a node; they leave together at the end of the turn. Null
    /// when there is no connection, or when too much waits already: then the message is dropped,
    /// which Raft is made for.
    [[nodiscard]] virtual std::string* outbox(NodeId node) = 0;
};

} // namespace mini_broker
