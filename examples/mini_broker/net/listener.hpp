#pragma once

#include "logger.hpp"
#include "net/address.hpp"
#include "net/socket.hpp"
#include "net/uv_loop.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace mini_broker {

/// Accepts TCP connections. When the system cannot (too many open files), it shuts for a moment and
/// tries again, instead of being told the same without end.
class Listener {
public:
    static constexpr Millis kPause{200};

    /// Takes the port, but refuses who connects until `listen`. The one who is given a socket must
    /// close it. Throws `NetError`.
    Listener(UvLoop& loop,
             Logger& logger,
             const Address& address,
             std::function<void(std::shared_ptr<Socket>)> accepted);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Accepts from now on. Throws `NetError`.
    void listen();

    /// The real one where 0 was asked for.
    [[nodiscard]] std::uint16_t port() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace mini_broker
