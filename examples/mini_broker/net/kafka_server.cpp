#include "net/kafka_server.hpp"

#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace mini_broker {

struct KafkaServer::State : std::enable_shared_from_this<State> {
    State(UvLoop& its_loop, Logger& its_logger, KafkaServerOptions its_options, Handler its_handler)
        : loop(its_loop),
          logger(its_logger),
          options(std::move(its_options)),
          handler(std::move(its_handler)) {}

    void begin();
    void end();
    void accepted(std::shared_ptr<Socket> socket);
    void check_deadlines();
    void check_later();

    UvLoop& loop;
    Logger& logger;
    const KafkaServerOptions options;
    const Handler handler;
    std::function<void(const ConnectionInfo&)> closed;
    std::optional<Listener> listener;
    std::map<std::uint64_t, std::shared_ptr<Connection>> connections;
    std::uint64_t last_id = 0;
    std::uint64_t refused = 0;
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

void KafkaServer::State::accepted(std::shared_ptr<Socket> socket) {
    if (connections.size() >= options.limits.max_connections) {
        ++refused;
        logger.warn("refused {}: there are {} connections already", socket->remote(),
                    connections.size());
        return socket->close();
    }
    const std::uint64_t id = ++last_id;
    const auto made =
        std::make_shared<Connection>(loop, std::move(socket), id, options.limits, handler);
    connections.emplace(id, made);
    made->begin([this, weak = weak_from_this(), id](std::string_view why) {
        const auto alive = weak.lock();
        if (!alive) return;
        const auto found = connections.find(id);
        if (found == connections.end()) return;
        const auto ended = std::move(found->second);
        connections.erase(found);
        logger.debug("connection from {} ended: {}", ended->info().remote, why);
        if (closed) closed(ended->info());
    });
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

std::uint16_t KafkaServer::port() const noexcept {
    return state_->listener->port();
}

std::size_t KafkaServer::connections() const noexcept {
    return state_->connections.size();
}

std::uint64_t KafkaServer::refused() const noexcept {
    return state_->refused;
}

void KafkaServer::on_closed(std::function<void(const ConnectionInfo&)> closed) {
    state_->closed = std::move(closed);
}

} // namespace mini_broker
