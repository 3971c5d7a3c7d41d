#pragma once

#include "io/peers.hpp"
#include "logger.hpp"
#include "net/address.hpp"
#include "net/uv_loop.hpp"
#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace mini_broker {

struct PeerLinkOptions {
    NodeId self = 0;
    Address listen;
    std::map<NodeId, Address> peers; ///< the other nodes; an entry for `self` is ignored
    /// Nodes whose clusters have different names refuse each other.
    std::string cluster = "mini-broker";
    std::size_t max_pending = 64u << 20;  ///< bytes that wait for one node
    std::uint32_t max_frame = 128u << 20; ///< bytes, without its length
    Millis retry_least{100};              ///< between attempts to connect, doubled each time
    Millis retry_most{1000};              ///< up to this
    Millis hello_limit{2000};             ///< for the other side to say who it is
    Millis unanswered_limit{10000};       ///< for the other side's kernel to acknowledge bytes
    std::size_t max_unidentified = 64;    ///< incoming connections that have not said hello
};

struct PeerEvents {
    /// A frame has come; the view is valid until this returns.
    std::function<void(NodeId from, GroupId group, std::uint8_t type, std::string_view payload)>
        frame;
    std::function<void(NodeId node)> up;   ///< the connection to this node is made
    std::function<void(NodeId node)> down; ///< and it is lost
};

/// The links to the other nodes over TCP. Every node makes one connection to every other and sends
/// on it alone; what it receives comes on the connections that the others made.
///
/// First on a connection are the two hellos, in which each side says who it is and of which
/// cluster. Whoever says something else, or sends what is no frame, is disconnected. There is no
/// authentication: the network of the nodes must be trusted.
class PeerLinks final : public Peers {
public:
    /// Listens at once, and connects as long as it lives. Throws `NetError` if it cannot listen.
    PeerLinks(UvLoop& loop, Logger& logger, PeerLinkOptions options, PeerEvents events);
    ~PeerLinks() override;
    PeerLinks(const PeerLinks&) = delete;
    PeerLinks& operator=(const PeerLinks&) = delete;

    [[nodiscard]] std::string* outbox(NodeId node) override;

    /// Where a node is, from now on. A new node is connected to, a changed one once it is lost.
    void set_address(NodeId node, const Address& address);
    /// The port that it listens on, also where 0 was asked for.
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Whether messages to the node go out.
    [[nodiscard]] bool connected(NodeId node) const noexcept;
    /// When anything last came from the node; `kNever` if nothing did.
    [[nodiscard]] TimePoint last_heard(NodeId node) const noexcept;
    /// Bytes that wait to be sent to the node.
    [[nodiscard]] std::size_t pending(NodeId node) const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace mini_broker
