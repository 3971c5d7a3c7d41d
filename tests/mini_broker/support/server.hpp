#pragma once

#include "mini_broker/support/sockets.hpp"
#include "net/kafka_server.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mini_broker::testing {

/// A server whose requests wait for the test to answer them, or are echoed.
struct Server {
    explicit Server(UvLoop& loop, ConnectionLimits limits = {}, bool echoing = false) {
        KafkaServerOptions options;
        options.listen = loopback(0);
        options.limits = limits;
        options.check_interval = Millis{10};
        server.emplace(loop, log.logger, std::move(options),
                       [this, echoing](ConnectionInfo& info, std::string frame, Reply reply) {
                           requests.push_back(frame);
                           ids.push_back(info.id);
                           if (echoing)
                               reply({.bytes = std::move(frame), .close_after = false});
                           else
                               replies.push_back(std::move(reply));
                       });
        server->on_closed([this](const ConnectionInfo& info, Ending ending) {
            closed.push_back(info.id);
            endings.push_back(ending);
        });
        server->serve();
    }
    [[nodiscard]] std::uint16_t port() const { return server->port(); }

    KeptLog log;
    std::vector<std::string> requests;
    std::vector<std::uint64_t> ids;
    std::deque<Reply> replies;
    std::vector<std::uint64_t> closed;
    std::vector<Ending> endings; ///< why, of each of `closed`
    std::optional<KafkaServer> server;
};

} // namespace mini_broker::testing
