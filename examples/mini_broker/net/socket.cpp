#include "net/socket.hpp"

#include <netinet/tcp.h>

#include <array>
#include <utility>

namespace mini_broker {

struct Socket::Write {
    uv_write_t request{};
    std::shared_ptr<Socket> socket;
    std::string head;
    std::string body;

    [[nodiscard]] std::size_t size() const noexcept { return head.size() + body.size(); }
};

struct Socket::Connect {
    uv_connect_t request{};
    std::shared_ptr<Socket> socket;
    std::function<void()> connected;
};

std::shared_ptr<Socket> Socket::make(UvLoop& loop) {
    std::shared_ptr<Socket> made{new Socket{loop}};
    uv_tcp_init(loop.native(), &made->handle_); // opens nothing yet, so it cannot fail
    made->handle_.data = made.get();
    made->self_ = made;
    return made;
}

int Socket::accept_from(uv_tcp_t& listener) {
    const int result = uv_accept(reinterpret_cast<uv_stream_t*>(&listener),
                                 reinterpret_cast<uv_stream_t*>(&handle_));
    if (result == 0) tune();
    return result;
}

void Socket::tune() {
    uv_tcp_nodelay(&handle_, 1);
    uv_tcp_keepalive(&handle_, 1, 60);
}

void Socket::connect(const SocketAddress& address, std::function<void()> connected) {
    auto attempt = std::make_unique<Connect>();
    attempt->socket = shared_from_this();
    attempt->connected = std::move(connected);
    attempt->request.data = attempt.get();
    const int result = uv_tcp_connect(
        &attempt->request, &handle_, address.get(), [](uv_connect_t* request, int status) {
            const std::unique_ptr<Connect> its{static_cast<Connect*>(request->data)};
            its->socket->guard([&] {
                if (its->socket->closed_) return;
                if (status < 0) return its->socket->fail(status);
                its->socket->tune();
                its->connected();
            });
        });
    if (result < 0) return fail(result);
    static_cast<void>(attempt.release()); // the callback's
}

void Socket::read(bool wanted) {
    if (closed_ || wanted == reading_) return;
    reading_ = wanted;
    auto* const stream = reinterpret_cast<uv_stream_t*>(&handle_);
    if (!wanted) {
        uv_read_stop(stream);
        return;
    }
    const int result = uv_read_start(
        stream,
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
            *buffer = static_cast<Socket*>(handle->data)->loop_.read_buffer();
        },
        [](uv_stream_t* readable, ssize_t size, const uv_buf_t* buffer) {
            const auto keep = static_cast<Socket*>(readable->data)->shared_from_this();
            keep->guard([&] { keep->received(size, *buffer); });
        });
    if (result < 0) fail(result);
}

void Socket::received(ssize_t size, const uv_buf_t& buffer) {
    if (closed_ || size == 0) return;
    if (size < 0) return fail(static_cast<int>(size));
    if (events_.data) events_.data({buffer.base, static_cast<std::size_t>(size)});
}

void Socket::write(std::string bytes) {
    write(std::move(bytes), {});
}

void Socket::write(std::string head, std::string body) {
    if (closed_ || (head.empty() && body.empty())) return;
    auto output = std::make_unique<Write>();
    output->socket = shared_from_this();
    output->head = std::move(head);
    output->body = std::move(body);
    output->request.data = output.get();
    // Not `uv_buf_init`, whose length has 32 bits.
    const std::array<uv_buf_t, 2> buffers{
        uv_buf_t{output->head.data(), output->head.size()},
        uv_buf_t{output->body.data(), output->body.size()},
    };
    const int result =
        uv_write(&output->request, reinterpret_cast<uv_stream_t*>(&handle_), buffers.data(),
                 output->body.empty() ? 1 : 2, [](uv_write_t* request, int status) {
                     const std::unique_ptr<Write> its{static_cast<Write*>(request->data)};
                     its->socket->guard([&] { its->socket->written(its->size(), status); });
                 });
    if (result < 0) return fail(result);
    pending_ += output.release()->size(); // the callback's
}

void Socket::written(std::size_t size, int status) {
    pending_ -= size;
    if (closed_) return;
    if (status < 0) return fail(status);
    if (events_.written) events_.written();
}

void Socket::fail(int error) {
    if (closed_) return;
    close();
    if (events_.ended)
        events_.ended(error == UV_EOF ? "closed by the other side" : uv_strerror(error));
}

void Socket::close() {
    if (closed_) return;
    closed_ = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) {
        // The events go with the last callback, as one of them may be what called `close`.
        const auto last = std::exchange(static_cast<Socket*>(handle->data)->self_, nullptr);
        last->events_ = {};
    });
}

void Socket::set_unanswered_limit(Millis limit) {
    uv_os_fd_t descriptor = -1;
    if (uv_fileno(reinterpret_cast<const uv_handle_t*>(&handle_), &descriptor) != 0) return;
    const auto milliseconds = static_cast<unsigned>(limit.count());
    setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}

std::string Socket::remote() const {
    SocketAddress address;
    int size = sizeof address.storage;
    auto* const storage = reinterpret_cast<sockaddr*>(&address.storage);
    return uv_tcp_getpeername(&handle_, storage, &size) == 0 ? to_string(address) : "?";
}

} // namespace mini_broker
