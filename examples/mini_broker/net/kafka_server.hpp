#pragma once

#include "logger.hpp"
#include "net/address.hpp"
#include "net/connection.hpp"
#include "net/listener.hpp"
#include "net/uv_loop.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace mini_broker {

struct KafkaServerOptions {
    Address listen;
    ConnectionLimits limits;
    Millis check_interval{1000}; ///< how often deadlines are looked at
};

/// Takes requests from Kafka clients: frames of a four-byte length and as many bytes. What they
/// mean is the handler's business.
class KafkaServer {
public:
    /// Takes the port, but refuses who connects until `serve`. Throws `NetError` if it cannot.
    KafkaServer(UvLoop& loop, Logger& logger, KafkaServerOptions options, Handler handler);
    /// Closes every connection; answers that come later are ignored.
    ~KafkaServer();
    KafkaServer(const KafkaServer&) = delete;
    KafkaServer& operator=(const KafkaServer&) = delete;

    /// Accepts clients from now on. Throws `NetError` if it cannot.
    void serve();
    /// The port that it has taken, also where 0 was asked for.
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::size_t connections() const noexcept;
    /// Bytes of memory that all of them hold.
    [[nodiscard]] std::size_t held() const noexcept;
    /// Tells of every connection that has ended. One that was refused never had an id: it is 0.
    void on_closed(std::function<void(const ConnectionInfo&, Ending)> closed);

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace mini_broker
