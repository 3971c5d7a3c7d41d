// The mini-broker: options, signals, sockets and files; what a broker is, is in `Broker`.
#include "broker.hpp"
#include "http/isr_page.hpp"
#include "http/metrics.hpp"
#include "http/server.hpp"
#include "io/real_disk.hpp"
#include "logger.hpp"
#include "net/kafka_server.hpp"
#include "net/peer_links.hpp"
#include "net/uv_loop.hpp"
#include "options.hpp"

#include <insync/metrics/prometheus.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace {

using namespace mini_broker;

constexpr Millis kTick{10};

PeerLinkOptions link_options(const Options& options) {
    PeerLinkOptions links;
    links.self = options.node_id;
    links.listen = options.raft;
    links.peers = options.peers;
    return links;
}

HttpServer::Pages pages(Broker& broker, const Options& options) {
    const auto isr = std::make_shared<insync::metrics::PrometheusCollector<Isr>>(broker.isr());
    const auto own = broker.metrics().registry();
    return {{"/metrics", [isr, own] { return metrics_page({isr, own}); }},
            {"/api/isr", [&broker] { return isr_page(broker.isr()); }},
            {"/health", [&broker, node = options.node_id] {
                 const bool ready = broker.ready();
                 return HttpAnswer{fmt::format("{{\"node\": {}, \"status\": \"{}\"}}\n", node,
                                               ready ? "ok" : "starting"),
                                   "application/json", ready ? 200 : 503};
             }}};
}

/// \param serve  called once, when the broker may be asked
void keep_ticking(UvLoop& loop, Broker& broker, std::function<void()> serve) {
    broker.tick();
    if (serve && broker.ready()) std::exchange(serve, nullptr)();
    loop.after(kTick,
               [&loop, &broker, serve = std::move(serve)] { keep_ticking(loop, broker, serve); });
}

/// A partition has files open and a client a socket: as many as the system allows.
void allow_many_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); // refused: then it stays as it is
}

void serve(const Options& options, Logger& logger) {
    UvLoop loop;
    RealDisk disk{options.data};
    std::optional<Broker>
        broker; // after the links, which it sends by, and which tell it what comes
    PeerLinks links{
        loop,
        logger,
        link_options(options),
        {.frame =
             [&](NodeId from, GroupId group, std::uint8_t type, std::string_view payload) {
                 if (broker) broker->receive(from, group, type, payload);
             },
         .up =
             [&](NodeId node) {
                 if (broker) broker->peer_connected(node);
             },
         .down = {}}};
    KafkaServerOptions kafka_options;
    kafka_options.listen = options.listen;
    kafka_options.limits = options.connections;
    KafkaServer kafka{loop, logger, kafka_options,
                      [&](ConnectionInfo& client, std::string frame, Reply reply) {
                          broker->handle(client, std::move(frame), std::move(reply));
                      }};
    kafka.on_closed([&](const ConnectionInfo&, Ending ending) {
        if (broker) broker->metrics().connection_ended(ending);
    });
    Options known = options;
    if (known.advertised.port == 0) known.advertised.port = kafka.port();
    broker.emplace(known, disk, loop, links, logger);
    std::optional<HttpServer> http;
    http.emplace(options.metrics, pages(*broker, options));

    const auto stop = [&] { broker->leave([&loop] { loop.stop(); }); };
    loop.on_signal(SIGTERM, stop);
    loop.on_signal(SIGINT, stop);
    logger.info("node {} waits for the cluster's metadata; metrics on port {}, data in {}",
                options.node_id, http->port(), options.data);
    keep_ticking(loop, *broker, [&] {
        kafka.serve();
        logger.info("node {} serves Kafka clients on port {}", options.node_id, kafka.port());
    });
    loop.run();
    http.reset();
    broker.reset();
    logger.info("stopped");
}

} // namespace

int main(int argc, char** argv) {
    const OptionsResult parsed = parse_options(
        argc, argv, [](const char* name) -> const char* { return std::getenv(name); });
    if (!parsed.options) {
        std::fputs(parsed.text.c_str(), parsed.status == 0 ? stdout : stderr);
        return parsed.status;
    }
    Logger logger{parsed.options->log_format, parsed.options->node_id, parsed.options->log_level};
    allow_many_files();
    try {
        serve(*parsed.options, logger);
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        // A disk or a Raft core that fails may have lost what was acknowledged: nothing is mended
        // here, the node stops.
        logger.error({{"cause", error.what()}},
                     "stopping at once: {}: mend that, then start the node again", error.what());
        return EXIT_FAILURE;
    }
}
