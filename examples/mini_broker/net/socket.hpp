#pragma once

#include "net/address.hpp"
#include "net/uv_loop.hpp"

#include <uv.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mini_broker {

/// A TCP connection on a `UvLoop`.
///
/// It keeps itself alive until it is closed; whoever made it must `close` it. After that no event
/// comes any more, so an owner that closes its socket in its destructor is safe.
class Socket : public std::enable_shared_from_this<Socket> {
public:
    struct Events {
        /// Bytes that have arrived, valid until it returns.
        std::function<void(std::string_view)> data;
        /// The other side is gone, or the connection failed; the socket is closed already.
        std::function<void(std::string_view why)> ended;
        /// What one call of `write` was given has been taken by the kernel.
        std::function<void()> written;
    };

    [[nodiscard]] static std::shared_ptr<Socket> make(UvLoop& loop);
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() = default;

    void on(Events events) { events_ = std::move(events); }
    /// Takes in what waits at a listening handle. \return 0 or libuv's error
    [[nodiscard]] int accept_from(uv_tcp_t& listener);
    /// Calls `connected` or, if that fails, `events.ended`.
    void connect(const SocketAddress& address, std::function<void()> connected);

    /// Begins or ends reading; doing so twice changes nothing.
    void read(bool wanted);
    void write(std::string bytes);
    /// The same of two parts, without joining them.
    void write(std::string head, std::string body);
    /// Bytes written that the kernel has not yet taken.
    [[nodiscard]] std::size_t pending() const noexcept { return pending_; }
    /// At once, and with it goes what is pending.
    void close();
    [[nodiscard]] bool open() const noexcept { return !closed_; }

    /// Ends the connection when the other side acknowledges nothing for so long.
    void set_unanswered_limit(Millis limit);
    [[nodiscard]] std::string remote() const;

private:
    struct Write;
    struct Connect;

    explicit Socket(UvLoop& loop) : loop_(loop) {}
    void tune();
    void received(ssize_t size, const uv_buf_t& buffer);
    void written(std::size_t size, int status);
    void fail(int error);
    template <class Step>
    void guard(Step&& step) {
        loop_.guard(std::forward<Step>(step));
    }

    UvLoop& loop_;
    uv_tcp_t handle_{};
    Events events_;
    std::shared_ptr<Socket> self_; // until the handle's last callback
    std::size_t pending_ = 0;
    bool reading_ = false;
    bool closed_ = false;
};

} // namespace mini_broker
