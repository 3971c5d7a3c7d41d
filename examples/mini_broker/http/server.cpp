#include "http/server.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <exception>
#include <thread>
#include <utility>

namespace mini_broker {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kRequestMost = 64u << 10;
constexpr time_t kSeconds = 5; // for a client to send, or to take in, the next bytes

} // namespace

struct HttpServer::State {
    httplib::Server server;
    std::uint16_t port = 0;
    std::thread thread;
};

HttpServer::HttpServer(const Address& listen, Pages pages) : state_(std::make_unique<State>()) {
    auto& server = state_->server;
    server.new_task_queue = [] { return new httplib::ThreadPool{kThreads}; };
    server.set_payload_max_length(kRequestMost);
    server.set_read_timeout(kSeconds);
    server.set_write_timeout(kSeconds);
    // A connection that is kept holds one of the threads.
    server.set_keep_alive_timeout(1);
    // Its own choice, SO_REUSEPORT, lets a second broker take the same port.
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server.set_exception_handler([](const httplib::Request&, httplib::Response& response,
                                    std::exception_ptr) { response.status = 500; });
    for (auto& [path, page] : pages)
        server.Get(path,
                   [make = std::move(page)](const httplib::Request&, httplib::Response& response) {
                       HttpAnswer answer = make();
                       response.status = answer.status;
                       response.set_content(std::move(answer.body), answer.type);
                   });
    const int port = listen.port == 0 ? server.bind_to_any_port(listen.host)
                     : server.bind_to_port(listen.host, listen.port) ? listen.port
                                                                     : -1;
    if (port <= 0) throw NetError{fmt::format("cannot listen on {} for HTTP", to_string(listen))};
    state_->port = static_cast<std::uint16_t>(port);
    state_->thread = std::thread{[&server] { server.listen_after_bind(); }};
    // To stop a server that does not run yet changes nothing, and it would run for ever.
    while (!server.is_running()) std::this_thread::yield();
}

HttpServer::~HttpServer() {
    state_->server.stop();
    state_->thread.join();
}

std::uint16_t HttpServer::port() const noexcept {
    return state_->port;
}

} // namespace mini_broker
