#include "net/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace mini_broker {

std::optional<Address> parse_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    // Without brackets nobody can tell which colon begins the port.
    if (host.empty() || host.size() > 255) return std::nullopt;
    if (!bracketed && host.find_first_of(":[]") != std::string_view::npos) return std::nullopt;
    Address address{std::string{host}, 0};
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
    return address;
}

std::string to_string(const Address& address) {
    const bool v6 = address.host.find(':') != std::string::npos;
    return (v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

std::uint16_t port_of(const SocketAddress& address) noexcept {
    if (address.storage.ss_family == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port);
    if (address.storage.ss_family == AF_INET)
        return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
    return 0;
}

std::string to_string(const SocketAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v6 = address.storage.ss_family == AF_INET6;
    const void* const number =
        v6 ? static_cast<const void*>(
                 &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr)
           : static_cast<const void*>(
                 &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr);
    if (inet_ntop(v6 ? AF_INET6 : AF_INET, number, text.data(), text.size()) == nullptr) return "?";
    return to_string(Address{text.data(), port_of(address)});
}

std::optional<SocketAddress> numeric(const Address& address) {
    SocketAddress made;
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&made.storage);
    if (inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address.port);
        return made;
    }
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&made.storage);
    if (inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address.port);
        return made;
    }
    return std::nullopt;
}

std::vector<SocketAddress> resolve(const Address& address) {
    if (const auto number = numeric(address)) return {*number};
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(address.port);
    if (getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found) != 0) return {};
    std::vector<SocketAddress> all;
    for (const int family : {AF_INET, AF_INET6})
        for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
            if (each->ai_family != family) continue;
            std::memcpy(&all.emplace_back().storage, each->ai_addr, each->ai_addrlen);
        }
    freeaddrinfo(found);
    return all;
}

bool is_loopback(const Address& address) {
    const auto all = resolve(address);
    return !all.empty() && std::all_of(all.begin(), all.end(), [](const SocketAddress& one) {
        if (one.storage.ss_family == AF_INET6)
            return IN6_IS_ADDR_LOOPBACK(
                       &reinterpret_cast<const sockaddr_in6*>(&one.storage)->sin6_addr) != 0;
        const auto number = reinterpret_cast<const sockaddr_in*>(&one.storage)->sin_addr.s_addr;
        return (ntohl(number) >> 24) == 127;
    });
}

} // namespace mini_broker
