#pragma once

#include "net/address.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace mini_broker {

struct HttpAnswer {
    std::string body;
    std::string type = "application/json";
    int status = 200;
};

/// Pages over HTTP, from threads of its own: `/metrics`, `/api/isr`, `/health`, and whatever else
/// it is given. GET and HEAD only; other paths are 404.
///
/// \par Thread safety
///     The pages are called on the server's threads, several at a time. What they throw is
///     answered with 500.
class HttpServer {
public:
    /// By path.
    using Pages = std::map<std::string, std::function<HttpAnswer()>>;

    /// Serves from now on. Throws `NetError` if it cannot listen.
    HttpServer(const Address& listen, Pages pages);
    /// Returns when no page is being served any more.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// The real one where 0 was asked for.
    [[nodiscard]] std::uint16_t port() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace mini_broker
