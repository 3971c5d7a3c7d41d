#include "net/listener.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace mini_broker {
namespace {

constexpr int kBacklog = 512;

} // namespace

struct Listener::State : std::enable_shared_from_this<State> {
    // Outlives its listener until its last callback.
    struct Handle {
        uv_tcp_t tcp{};
        std::weak_ptr<State> state;
    };

    State(UvLoop& its_loop, Logger& its_logger) : loop(its_loop), logger(its_logger) {}

    void bind();
    void listen();
    void close();
    [[noreturn]] void fail(int result);
    void incoming(int status);
    void reopen_later();

    UvLoop& loop;
    Logger& logger;
    SocketAddress address;
    std::function<void(std::shared_ptr<Socket>)> accepted;
    Handle* handle = nullptr;
    std::uint16_t port = 0;
};

void Listener::State::bind() {
    handle = new Handle; // deleted by its close callback
    handle->state = weak_from_this();
    handle->tcp.data = handle;
    uv_tcp_init(loop.native(), &handle->tcp);
    int result = uv_tcp_bind(&handle->tcp, address.get(), 0);
    SocketAddress bound;
    int size = sizeof bound.storage;
    // Which also tells of a port that is taken: libuv keeps that to itself until then.
    if (result == 0)
        result =
            uv_tcp_getsockname(&handle->tcp, reinterpret_cast<sockaddr*>(&bound.storage), &size);
    if (result < 0) fail(result);
    address = bound;
    port = port_of(address);
}

void Listener::State::listen() {
    const int result = uv_listen(reinterpret_cast<uv_stream_t*>(&handle->tcp), kBacklog,
                                 [](uv_stream_t* stream, int status) {
                                     const auto state =
                                         static_cast<Handle*>(stream->data)->state.lock();
                                     if (state) state->loop.guard([&] { state->incoming(status); });
                                 });
    if (result < 0) fail(result);
}

void Listener::State::fail(int result) {
    close();
    throw NetError{fmt::format("cannot listen on {}: {}", to_string(address), uv_strerror(result))};
}

void Listener::State::close() {
    if (handle == nullptr) return;
    uv_close(reinterpret_cast<uv_handle_t*>(&std::exchange(handle, nullptr)->tcp),
             [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
}

void Listener::State::incoming(int status) {
    if (handle == nullptr) return;
    auto socket = Socket::make(loop);
    if (status == 0) status = socket->accept_from(handle->tcp);
    if (status == 0) return accepted(std::move(socket));
    socket->close();
    logger.warn({{"port", std::int64_t{port}}, {"cause", uv_strerror(status)}},
                "cannot accept connections on port {}, and tries again: raise the limit of open "
                "files (ulimit -n) if it is reached",
                port);
    close();
    reopen_later();
}

void Listener::State::reopen_later() {
    loop.after(kPause, [weak = weak_from_this()] {
        const auto state = weak.lock();
        if (!state) return;
        try {
            state->bind();
            state->listen();
        } catch (const NetError& error) {
            state->logger.warn({{"port", std::int64_t{state->port}}, {"cause", error.what()}},
                               "port {} is not served, and will be tried again: end what else "
                               "listens there",
                               state->port);
            state->reopen_later();
        }
    });
}

Listener::Listener(UvLoop& loop,
                   Logger& logger,
                   const Address& address,
                   std::function<void(std::shared_ptr<Socket>)> accepted)
    : state_(std::make_shared<State>(loop, logger)) {
    const auto all = resolve(address);
    if (all.empty()) throw NetError{fmt::format("nobody knows the host of {}", to_string(address))};
    state_->address = all.front();
    state_->accepted = std::move(accepted);
    state_->bind();
}

Listener::~Listener() {
    state_->close();
}

void Listener::listen() {
    state_->listen();
}

std::uint16_t Listener::port() const noexcept {
    return state_->port;
}

} // namespace mini_broker
