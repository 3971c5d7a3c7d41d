#include "net/kafka_server.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mini_broker {
namespace {

/// An address without its port.
std::string host_of(const std::string& remote) {
    return remote.substr(0, remote.rfind(':'));
}

} // namespace

struct KafkaServer::State : std::enable_shared_from_this<State> {
    State(UvLoop& its_loop, Logger& its_logger, KafkaServerOptions its_options, Handler its_handler)
        : loop(its_loop),
          logger(its_logger),
          options(std::move(its_options)),
          handler(std::move(its_handler)) {}

    void begin();
    void end();
    void accepted(std::shared_ptr<Socket> socket);
    [[nodiscard]] bool admits(const std::string& remote);
    void refuse(const std::string& remote, Ending ending, std::size_t connections_now);
    void ended(std::uint64_t id, Ending ending, std::string_view why);
    void hold(std::ptrdiff_t more);
    void check_deadlines();
    void check_later();

    UvLoop& loop;
    Logger& logger;
    const KafkaServerOptions options;
    const Handler handler;
    std::function<void(const ConnectionInfo&, Ending)> closed;
    std::optional<Listener> listener;
    std::map<std::uint64_t, std::shared_ptr<Connection>> connections;
    std::map<std::string, std::size_t> by_host; // how many connections each address has
    std::uint64_t last_id = 0;
    std::size_t held = 0;
};

void KafkaServer::State::begin() {
    listener.emplace(loop, logger, options.listen,
                     [this](std::shared_ptr<Socket> socket) { accepted(std::move(socket)); });
    check_later();
}

void KafkaServer::State::end() {
    listener.reset();
    for (const auto& [id, connection] : connections) connection->close();
}

void KafkaServer::State::refuse(const std::string& remote,
                                Ending ending,
                                std::size_t connections_now) {
    logger.warn({{"client", remote}, {"cause", std::string{to_string(ending)}}},
                "refused {}: there are {} connections already, and {} allows no more", remote,
                connections_now,
                ending == Ending::too_many ? "--max-connections" : "--max-connections-per-address");
    ConnectionInfo info;
    info.remote = remote;
    if (closed) closed(info, ending);
}

bool KafkaServer::State::admits(const std::string& remote) {
    if (connections.size() >= options.limits.max_connections) {
        refuse(remote, Ending::too_many, connections.size());
        return false;
    }
    const auto of_host = by_host.find(host_of(remote));
    if (of_host == by_host.end() || of_host->second < options.limits.max_per_host) return true;
    refuse(remote, Ending::too_many_of_host, of_host->second);
    return false;
}

void KafkaServer::State::accepted(std::shared_ptr<Socket> socket) {
    const std::string remote = socket->remote();
    if (!admits(remote)) return socket->close();
    const std::uint64_t id = ++last_id;
    const auto made =
        std::make_shared<Connection>(loop, std::move(socket), id, options.limits, handler);
    connections.emplace(id, made);
    ++by_host[host_of(remote)];
    made->begin({.ended =
                     [this, weak = weak_from_this(), id](Ending ending, std::string_view why) {
                         if (const auto alive = weak.lock()) ended(id, ending, why);
                     },
                 .held =
                     [this, weak = weak_from_this()](std::ptrdiff_t more) {
                         if (const auto alive = weak.lock()) hold(more);
                     }});
}

void KafkaServer::State::ended(std::uint64_t id, Ending ending, std::string_view why) {
    const auto found = connections.find(id);
    if (found == connections.end()) return;
    const auto connection = std::move(found->second);
    connections.erase(found);
    const auto of_host = by_host.find(host_of(connection->info().remote));
    if (of_host != by_host.end() && --of_host->second == 0) by_host.erase(of_host);
    logger.debug({{"client", connection->info().remote}, {"cause", std::string{why}}},
                 "connection from {} ended", connection->info().remote);
    if (closed) closed(connection->info(), ending);
}

/// Keeps what all hold within its limit. The one that holds most goes: a client that sends what
/// clients send holds little, however many others hold much.
void KafkaServer::State::hold(std::ptrdiff_t more) {
    held = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(held) + more);
    while (more > 0 && held > options.limits.max_held) {
        const auto most = std::max_element(
            connections.begin(), connections.end(),
            [](const auto& a, const auto& b) { return a.second->held() < b.second->held(); });
        if (most == connections.end()) return;
        const auto connection = most->second;
        logger.warn({{"client", connection->info().remote},
                     {"cause", std::string{to_string(Ending::too_much_memory)}}},
                    "closing {}: all connections hold {} bytes, and it most of them, {}; "
                    "--max-connection-memory allows no more",
                    connection->info().remote, held, connection->held());
        connection->end(Ending::too_much_memory, "it held too much memory");
    }
}

void KafkaServer::State::check_deadlines() {
    std::vector<std::shared_ptr<Connection>> all; // as checking takes some away
    for (const auto& [id, connection] : connections) all.push_back(connection);
    for (const auto& connection : all) connection->check_deadlines();
}

void KafkaServer::State::check_later() {
    loop.after(options.check_interval, [weak = weak_from_this()] {
        const auto state = weak.lock();
        if (!state) return;
        state->check_deadlines();
        state->check_later();
    });
}

KafkaServer::KafkaServer(UvLoop& loop, Logger& logger, KafkaServerOptions options, Handler handler)
    : state_(std::make_shared<State>(loop, logger, std::move(options), std::move(handler))) {
    state_->begin();
}

KafkaServer::~KafkaServer() {
    state_->end();
}

void KafkaServer::serve() {
    state_->listener->listen();
}

std::uint16_t KafkaServer::port() const noexcept {
    return state_->listener->port();
}

std::size_t KafkaServer::connections() const noexcept {
    return state_->connections.size();
}

std::size_t KafkaServer::held() const noexcept {
    return state_->held;
}

void KafkaServer::on_closed(std::function<void(const ConnectionInfo&, Ending)> closed) {
    state_->closed = std::move(closed);
}

} // namespace mini_broker
