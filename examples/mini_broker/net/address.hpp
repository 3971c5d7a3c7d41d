#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

/// A network that does not let this node begin: an address that is taken, or that nobody knows.
struct NetError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Address {
    std::string host; ///< a name or a number, IPv6 without brackets
    std::uint16_t port = 0;

    friend bool operator==(const Address&, const Address&) = default;
};

/// Reads `host:port` or `[v6]:port`; nothing if it is neither.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);
/// As `parse_address` reads it.
[[nodiscard]] std::string to_string(const Address& address);

struct SocketAddress {
    sockaddr_storage storage{};

    [[nodiscard]] const sockaddr* get() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};
[[nodiscard]] std::string to_string(const SocketAddress& address);
[[nodiscard]] std::uint16_t port_of(const SocketAddress& address) noexcept;

/// What a number stands for; nothing if the host is a name.
[[nodiscard]] std::optional<SocketAddress> numeric(const Address& address);
/// What the address stands for, IPv4 first: none if nobody knows. Blocks when the host is a name.
[[nodiscard]] std::vector<SocketAddress> resolve(const Address& address);
/// Whether all that the address stands for is this machine alone; false if nobody knows.
[[nodiscard]] bool is_loopback(const Address& address);

} // namespace mini_broker
