#include "net/peer_links.hpp"

#include "net/frame_buffer.hpp"
#include "net/hello.hpp"
#include "net/listener.hpp"
#include "net/socket.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace mini_broker {
namespace {

constexpr std::uint32_t kFrameHead = 5; // group and type

std::uint32_t read_u32(std::string_view bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

/// Our connection to another node.
struct Outgoing {
    NodeId node = insync::kNoNode;
    Address address;
    std::string outbox;
    std::shared_ptr<Socket> socket; // null between attempts
    std::string hello;              // what has come of the other side's
    std::size_t attempts = 0;       // since it was last up
    std::set<std::string> said;     // to the log since then: why it cannot be reached
    bool up = false;
};

/// Another node's connection to us.
struct Incoming {
    explicit Incoming(std::uint32_t max_frame) : frames(kFrameHead, max_frame) {}

    std::shared_ptr<Socket> socket;
    std::string hello;
    NodeId node = insync::kNoNode; // until its hello has come
    FrameBuffer frames;
};

} // namespace

struct PeerLinks::State : std::enable_shared_from_this<State> {
    State(UvLoop& its_loop, Logger& its_logger, PeerLinkOptions its_options, PeerEvents its_events)
        : loop(its_loop),
          logger(its_logger),
          options(std::move(its_options)),
          events(std::move(its_events)),
          cluster(cluster_hash(options.cluster)) {}

    void begin();
    void end();
    void flush();

    void connect(Outgoing& link);
    void connect_to(Outgoing& link, const std::vector<SocketAddress>& found);
    void greeted(Outgoing& link, std::string_view bytes);
    [[nodiscard]] static LogFields about(const Outgoing& link, std::string_view why = {});
    void lost(Outgoing& link, std::string_view why);

    void accepted(std::shared_ptr<Socket> socket);
    void received(const std::shared_ptr<Incoming>& link, std::string_view bytes);
    bool identify(const std::shared_ptr<Incoming>& link, std::string_view& bytes);
    void drop(const std::shared_ptr<Incoming>& link, std::string_view why);

    UvLoop& loop;
    Logger& logger;
    PeerLinkOptions options;
    PeerEvents events;
    std::uint64_t cluster;
    std::optional<Listener> listener;
    UvLoop::HookId hook = 0;
    bool ended = false;
    std::map<NodeId, Outgoing> outgoing; // entries stay where they are
    std::set<std::shared_ptr<Incoming>> incoming;
    std::map<NodeId, TimePoint> heard;
};

void PeerLinks::State::begin() {
    listener.emplace(loop, logger, options.listen,
                     [this](std::shared_ptr<Socket> socket) { accepted(std::move(socket)); });
    listener->listen();
    hook = loop.at_end_of_turn([this] { flush(); });
    for (const auto& [node, address] : options.peers) {
        if (node == options.self) continue;
        Outgoing& link = outgoing[node];
        link.node = node;
        link.address = address;
        connect(link);
    }
}

void PeerLinks::State::end() {
    ended = true;
    loop.remove_hook(hook);
    listener.reset();
    for (auto& [node, link] : outgoing)
        if (link.socket) link.socket->close();
    for (const auto& link : incoming) link->socket->close();
}

void PeerLinks::State::flush() {
    for (auto& [node, link] : outgoing)
        if (link.up && !link.outbox.empty()) link.socket->write(std::exchange(link.outbox, {}));
}

void PeerLinks::State::connect(Outgoing& link) {
    if (const auto number = numeric(link.address)) return connect_to(link, {*number});
    // A name may take its time, and mean another address tomorrow.
    auto found = std::make_shared<std::vector<SocketAddress>>();
    loop.in_background([found, address = link.address] { *found = resolve(address); },
                       [this, keep = weak_from_this(), found, &link] {
                           const auto alive = keep.lock();
                           if (alive && !ended) connect_to(link, *found);
                       });
}

void PeerLinks::State::connect_to(Outgoing& link, const std::vector<SocketAddress>& found) {
    if (found.empty()) return lost(link, "nobody knows that host");
    link.hello.clear();
    link.socket = Socket::make(loop);
    link.socket->on({.data = [this, &link](std::string_view bytes) { greeted(link, bytes); },
                     .ended = [this, &link](std::string_view why) { lost(link, why); },
                     .written = nullptr});
    loop.after(options.hello_limit,
               [this, keep = weak_from_this(), &link, waiting = std::weak_ptr{link.socket}] {
                   const auto alive = keep.lock();
                   if (!alive || ended || link.up) return;
                   if (link.socket == nullptr || waiting.lock() != link.socket) return;
                   link.socket->close();
                   lost(link, "no answer in time");
               });
    const SocketAddress& address = found[link.attempts % found.size()];
    link.socket->connect(address, [this, &link] {
        link.socket->set_unanswered_limit(options.unanswered_limit);
        link.socket->write(encode(Hello{options.self, cluster}));
        if (link.socket) link.socket->read(true);
    });
}

void PeerLinks::State::greeted(Outgoing& link, std::string_view bytes) {
    const auto refuse = [&](std::string_view why) {
        link.socket->close();
        if (link.said.insert(std::string{why}).second)
            logger.warn(about(link, why),
                        "what answers for node {} at {} is refused: see --peers of both nodes",
                        link.node, to_string(link.address));
        lost(link, why);
    };
    if (link.up || bytes.size() > Hello::kSize - link.hello.size())
        return refuse("it sent more than a hello");
    link.hello.append(bytes);
    if (link.hello.size() < Hello::kSize) return;
    const auto hello = decode_hello(link.hello);
    if (!hello) return refuse("what answers there is no node of this version");
    if (hello->cluster != cluster) return refuse("it is of another cluster");
    if (hello->node != link.node) return refuse("it is another node");
    link.up = true;
    link.attempts = 0;
    link.said.clear();
    logger.info(about(link), "connected to node {} at {}", link.node, to_string(link.address));
    if (events.up) events.up(link.node);
}

LogFields PeerLinks::State::about(const Outgoing& link, std::string_view why) {
    LogFields fields{{"peer", std::int64_t{link.node}}};
    if (!why.empty()) fields.emplace_back("cause", std::string{why});
    return fields;
}

void PeerLinks::State::lost(Outgoing& link, std::string_view why) {
    const bool was_up = std::exchange(link.up, false);
    link.socket = nullptr;
    link.outbox = {}; // a message for a connection that is gone is of no use to the next
    // Each reason once, however long it lasts.
    if (was_up)
        logger.warn(about(link, why), "lost node {} at {}, and tries again: see whether it runs",
                    link.node, to_string(link.address));
    else if (link.said.insert(std::string{why}).second)
        logger.info(about(link, why), "cannot reach node {} at {} yet, and goes on trying",
                    link.node, to_string(link.address));
    const auto doublings = std::min<std::size_t>(link.attempts++, 10);
    const Millis delay = std::min(options.retry_least * (1 << doublings), options.retry_most);
    loop.after(delay, [this, keep = weak_from_this(), &link] {
        const auto alive = keep.lock();
        if (alive && !ended && link.socket == nullptr) connect(link);
    });
    if (was_up && events.down) events.down(link.node);
}

void PeerLinks::State::accepted(std::shared_ptr<Socket> socket) {
    const auto unidentified = std::count_if(incoming.begin(), incoming.end(), [](const auto& each) {
        return each->node == insync::kNoNode;
    });
    if (static_cast<std::size_t>(unidentified) >= options.max_unidentified) {
        logger.warn({{"remote", socket->remote()}, {"cause", "too many without a hello"}},
                    "refused {}: there are {} connections already that have not said which node "
                    "they are; only nodes should reach the --raft port",
                    socket->remote(), unidentified);
        return socket->close();
    }
    auto link = std::make_shared<Incoming>(options.max_frame);
    link->socket = std::move(socket);
    incoming.insert(link);
    const std::weak_ptr weak{link};
    link->socket->on({.data =
                          [this, weak](std::string_view bytes) {
                              if (const auto its = weak.lock()) received(its, bytes);
                          },
                      .ended =
                          [this, weak](std::string_view) {
                              if (const auto its = weak.lock()) incoming.erase(its);
                          },
                      .written = nullptr});
    loop.after(options.hello_limit, [this, keep = weak_from_this(), weak] {
        const auto alive = keep.lock();
        const auto its = weak.lock();
        if (alive && !ended && its && its->node == insync::kNoNode) drop(its, "no hello in time");
    });
    link->socket->read(true);
}

void PeerLinks::State::received(const std::shared_ptr<Incoming>& link, std::string_view bytes) {
    const auto alive = shared_from_this(); // whoever gets a frame may destroy the links
    if (link->node == insync::kNoNode && !identify(link, bytes)) return;
    heard[link->node] = loop.now();
    link->frames.append(bytes);
    std::string_view frame;
    while (link->socket->open()) {
        const auto status = link->frames.next(frame);
        if (status == FrameBuffer::Status::incomplete) return;
        if (status == FrameBuffer::Status::bad_length)
            return drop(link, "no frame has that length");
        events.frame(link->node, read_u32(frame), static_cast<std::uint8_t>(frame[4]),
                     frame.substr(kFrameHead));
    }
}

/// Takes the hello from the front of `bytes`. False if it is not whole yet, or wrong.
bool PeerLinks::State::identify(const std::shared_ptr<Incoming>& link, std::string_view& bytes) {
    const std::size_t missing = std::min(Hello::kSize - link->hello.size(), bytes.size());
    link->hello.append(bytes.substr(0, missing));
    bytes.remove_prefix(missing);
    if (link->hello.size() < Hello::kSize) return false;
    const auto hello = decode_hello(link->hello);
    if (!hello || hello->cluster != cluster || !outgoing.contains(hello->node)) {
        drop(link, !hello                      ? "it does not speak as a node of this version does"
                   : hello->cluster != cluster ? "it is of another cluster"
                                               : "this cluster has no such node");
        return false;
    }
    // A node that connects again has lost the connection before, though nobody told us.
    const auto before = std::find_if(incoming.begin(), incoming.end(),
                                     [&](const auto& each) { return each->node == hello->node; });
    if (before != incoming.end()) drop(std::shared_ptr{*before}, "it has connected again");
    link->node = hello->node;
    link->socket->write(encode(Hello{options.self, cluster}));
    return link->socket->open();
}

void PeerLinks::State::drop(const std::shared_ptr<Incoming>& link, std::string_view why) {
    LogFields fields{{"remote", link->socket->remote()}, {"cause", std::string{why}}};
    if (link->node != insync::kNoNode) fields.emplace_back("peer", link->node);
    logger.warn(fields, "closed the connection from {} to the --raft port", link->socket->remote());
    link->socket->close();
    incoming.erase(link);
}

PeerLinks::PeerLinks(UvLoop& loop, Logger& logger, PeerLinkOptions options, PeerEvents events)
    : state_(std::make_shared<State>(loop, logger, std::move(options), std::move(events))) {
    state_->begin();
}

PeerLinks::~PeerLinks() {
    state_->end();
}

std::string* PeerLinks::outbox(NodeId node) {
    const auto found = state_->outgoing.find(node);
    if (found == state_->outgoing.end() || !found->second.up) return nullptr;
    return pending(node) < state_->options.max_pending ? &found->second.outbox : nullptr;
}

void PeerLinks::set_address(NodeId node, const Address& address) {
    if (node == state_->options.self) return;
    const auto [place, added] = state_->outgoing.try_emplace(node);
    Outgoing& link = place->second;
    link.node = node;
    link.address = address;
    if (added) state_->connect(link);
}

std::uint16_t PeerLinks::port() const noexcept {
    return state_->listener->port();
}

bool PeerLinks::connected(NodeId node) const noexcept {
    const auto found = state_->outgoing.find(node);
    return found != state_->outgoing.end() && found->second.up;
}

TimePoint PeerLinks::last_heard(NodeId node) const noexcept {
    const auto found = state_->heard.find(node);
    return found == state_->heard.end() ? insync::kNever : found->second;
}

std::size_t PeerLinks::pending(NodeId node) const noexcept {
    const auto found = state_->outgoing.find(node);
    if (found == state_->outgoing.end() || !found->second.socket) return 0;
    return found->second.outbox.size() + found->second.socket->pending();
}

} // namespace mini_broker
