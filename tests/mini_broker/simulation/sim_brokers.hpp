#pragma once

#include "broker.hpp"
#include "kafka/codec.hpp"
#include "kafka/header.hpp"
#include "mini_broker/simulation/sim_disk.hpp"
#include "mini_broker/simulation/sim_loop.hpp"
#include "mini_broker/simulation/sim_network.hpp"
#include "mini_broker/simulation/sim_node.hpp"
#include "mini_broker/simulation/sim_oracle.hpp"
#include "mini_broker/simulation/sim_peers.hpp"

#include <cstddef>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mini_broker::simulation {

/// A client's end of one request.
class SimAsker : public Asker {
public:
    using Answered = std::function<void(Response)>;

    explicit SimAsker(Answered answered) : answered_(std::move(answered)) {}
    void answer(std::uint64_t /*request*/, Response response) override {
        gone_ = nullptr;
        if (const auto answered = std::exchange(answered_, nullptr)) answered(std::move(response));
    }
    [[nodiscard]] bool waits_for(std::uint64_t /*request*/) const noexcept override {
        return answered_ != nullptr;
    }
    /// Nobody leaves early here; what is kept ends with this.
    void when_gone(std::uint64_t /*request*/, std::function<void()> gone) override {
        gone_ = std::move(gone);
    }

private:
    Answered answered_;
    std::function<void()> gone_;
};

/// Whole brokers on simulated disks and links, over any number of runs, and their clients.
class BrokerCluster {
public:
    static constexpr Millis kTick{20};

    BrokerCluster(World& world, Options options, bool verbose)
        : world_(world),
          options_(std::move(options)),
          verbose_(verbose),
          network_(world, [this](NodeId to, NodeId from, const std::string& frames) {
              arrive(to, from, frames);
          }) {
        for (const auto& [id, address] : options_.peers) {
            auto node = std::make_unique<Node>(world);
            node->id = id;
            nodes_.emplace(id, std::move(node));
        }
    }
    ~BrokerCluster() {
        for (const auto& [id, node] : nodes_) end(id, End::kill);
    }
    BrokerCluster(const BrokerCluster&) = delete;
    BrokerCluster& operator=(const BrokerCluster&) = delete;

    void start(NodeId id) {
        Node& node = *nodes_.at(id);
        if (node.up) return;
        ++node.run;
        network_.disconnect(id); // what was sent to nobody has not arrived
        node.disk.start();
        node.peers = std::make_unique<SimPeers>(network_, id);
        node.loop = std::make_shared<SimLoop>(
            world_, [this, &node, run = node.run](const std::function<void()>& task) {
                if (node.run == run) turn(node, task);
            });
        node.logger = std::make_unique<Logger>(
            LogFormat::text, id, LogLevel::info,
            [this](std::string_view line) {
                if (verbose_)
                    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
            },
            [loop = node.loop.get()] { return loop->wall_ms(); });
        node.up = true;
        turn(node, [&] {
            Options options = options_;
            options.node_id = id;
            options.advertised = {"node" + std::to_string(id), 9092};
            node.broker = std::make_unique<Broker>(
                options, node.disk, *node.loop, *node.peers, *node.logger,
                BrokerSources{{node.loop.get()}, [this] {
                                  return static_cast<std::uint32_t>(world_.between(0, ~0U));
                              }});
            tick(node);
        });
        for (const auto& [other, peer] : nodes_) connected(id, other);
    }

    void end(NodeId id, End end) {
        Node& node = *nodes_.at(id);
        if (!node.up) return;
        node.up = false;
        node.disk.cut_power_after(SimDisk::kNever);
        if (end == End::kill) node.disk.kill();
        if (end == End::power_cut) node.disk.lose_power();
        node.broker.reset();
        // Kept for the turn that may be going on; what it was to do is never done.
        ++node.run;
        world_.after(Millis{0}, [loop = std::exchange(node.loop, nullptr)] {});
        node.peers.reset();
        node.disk.kill();
        network_.disconnect(id);
    }
    /// The node ends, and the next time it starts on an empty disk.
    void lose_disk(NodeId id) {
        end(id, End::kill);
        nodes_.at(id)->disk.replace_by_empty();
    }
    void end_within(NodeId id, std::uint64_t writes) {
        nodes_.at(id)->disk.cut_power_after(writes);
    }
    /// Stops in order, and `ended` is called once it has.
    void leave(NodeId id, std::function<void()> ended) {
        Node& node = *nodes_.at(id);
        if (!node.up) return;
        turn(node, [this, id, ended = std::move(ended), run = node.run, &node] {
            node.broker->leave([this, id, ended, run, &node] {
                world_.after(Millis{0}, [this, id, ended, run, &node] {
                    if (node.run != run) return;
                    end(id, End::orderly);
                    ended();
                });
            });
        });
    }

    void cut(NodeId from, NodeId to) { network_.cut(from, to); }
    void heal() {
        network_.heal();
        for (const auto& [id, node] : nodes_)
            for (const auto& [other, peer] : nodes_)
                if (id < other) connected(id, other);
    }

    [[nodiscard]] Network& network() noexcept { return network_; }
    [[nodiscard]] bool is_up(NodeId id) const { return nodes_.at(id)->up; }
    /// A number for each time that the node was up, or was not.
    [[nodiscard]] std::uint64_t run(NodeId id) const { return nodes_.at(id)->run; }
    /// Null while the node is not up.
    [[nodiscard]] Broker* broker(NodeId id) { return nodes_.at(id)->broker.get(); }
    [[nodiscard]] SimDisk& disk(NodeId id) { return nodes_.at(id)->disk; }
    [[nodiscard]] std::vector<NodeId> ids() const {
        std::vector<NodeId> ids;
        for (const auto& [id, node] : nodes_) ids.push_back(id);
        return ids;
    }

    /// Answers after which a node closed the connection of the one who asked.
    [[nodiscard]] std::size_t hung_up() const noexcept { return hung_up_; }

    /// Sends a request to a node; `answered` is called once, with nothing where there is no answer
    /// within `limit`. `on_node` runs there, before the request is handled and when it is answered.
    template <class Response, class Request>
    void ask(NodeId to,
             int version,
             const Request& request,
             Millis limit,
             std::function<void(std::optional<Response>)> answered,
             std::function<void(bool is_answer)> on_node = nullptr) {
        std::string frame = frame_of(version, request);
        const auto once =
            std::make_shared<std::function<void(std::optional<Response>)>>(std::move(answered));
        const auto finish = [once](std::optional<Response> response) {
            if (const auto call = std::exchange(*once, nullptr)) call(std::move(response));
        };
        const auto asker = std::make_shared<SimAsker>(
            [this, to, finish, version, on_node](mini_broker::Response response) {
                if (!nodes_.at(to)->up) return; // what a process says that ends is not sent
                if (on_node && !response.bytes.empty()) on_node(true);
                hung_up_ += response.close_after ? 1u : 0u;
                world_.after(travel(), [finish, version, bytes = std::move(response.bytes)] {
                    finish(read_response<Response>(bytes, version));
                });
            });
        world_.after(travel(), [this, to, frame = std::move(frame), asker, on_node, finish] {
            Node& node = *nodes_.at(to);
            if (!node.up || !node.broker->ready()) return finish(std::nullopt); // refused
            turn(node, [&] {
                ConnectionInfo info{1, "client", {}, {}};
                if (on_node) on_node(false);
                node.broker->handle(info, frame, Reply{asker, 1});
            });
        });
        world_.after(limit, [finish, asker] { finish(std::nullopt); });
    }

    /// The same within a turn of the node, as a connection does with what was sent ahead:
    /// `answered` is called within the turn that answers.
    template <class Response, class Request>
    void ask_at_once(NodeId at,
                     int version,
                     const Request& request,
                     std::function<void(std::optional<Response>)> answered) {
        Node& node = *nodes_.at(at);
        if (node.broker == nullptr) return;
        const auto asker = std::make_shared<SimAsker>(
            [version, answered = std::move(answered)](const mini_broker::Response& response) {
                answered(read_response<Response>(response.bytes, version));
            });
        node.askers.push_back(asker);
        ConnectionInfo info{2, "client", {}, {}};
        node.broker->handle(info, frame_of(version, request), Reply{asker, 1});
    }

private:
    struct Node {
        explicit Node(World& world) : disk(world) {}
        NodeId id = 0;
        std::vector<std::shared_ptr<SimAsker>> askers; ///< that nobody else holds
        std::uint64_t run = 0;
        SimDisk disk;
        std::shared_ptr<SimLoop> loop;
        std::unique_ptr<SimPeers> peers;
        std::unique_ptr<Logger> logger;
        std::unique_ptr<Broker> broker;
        bool up = false;
    };

    template <class Request>
    static std::string frame_of(int version, const Request& request) {
        std::string frame;
        kafka::RequestHeader header;
        header.api_key = static_cast<std::int16_t>(Request::kApi);
        header.api_version = static_cast<std::int16_t>(version);
        header.correlation_id = 77;
        header.client_id = "simulated";
        header.api = &kafka::api(Request::kApi);
        kafka::append_header(header, frame);
        kafka::encode(request, version, frame);
        return frame;
    }

    template <class Response>
    static std::optional<Response> read_response(std::string_view bytes, int version) {
        if (bytes.empty()) return std::nullopt; // the connection was closed
        const bool flexible = kafka::api(Response::kApi).flexible(version) &&
                              Response::kApi != kafka::ApiKey::api_versions;
        std::optional<Response> response{std::in_place};
        const std::size_t head = flexible ? 5 : 4;
        if (bytes.size() < head || !kafka::decode(bytes.substr(head), version, *response))
            GroupOracle::fail("an answer to {} cannot be read", kafka::api(Response::kApi).name);
        return response;
    }

    [[nodiscard]] Millis travel() { return world_.between(Millis{0}, Millis{3}); }

    /// One turn of a node's loop.
    void turn(Node& node, const std::function<void()>& task) {
        try {
            task();
        } catch (const PowerCut&) {
            end(node.id, world_.chance(50) ? End::power_cut : End::kill);
            return;
        }
        node.peers->flush();
    }

    void tick(Node& node) {
        node.broker->tick();
        node.loop->after(kTick, [this, &node] { tick(node); });
    }

    void connected(NodeId id, NodeId other) {
        if (id == other || network_.is_cut(id, other) || network_.is_cut(other, id)) return;
        for (const auto& [to, from] : {std::pair{id, other}, std::pair{other, id}})
            world_.after(world_.between(Millis{0}, Millis{100}), [this, to, from] {
                if (!nodes_.at(from)->up || !nodes_.at(to)->up) return;
                Node& node = *nodes_.at(to);
                turn(node, [&node, from] { node.broker->peer_connected(from); });
            });
    }

    void arrive(NodeId to, NodeId from, const std::string& frames) {
        Node& node = *nodes_.at(to);
        if (!node.up) return;
        turn(node, [&] {
            const bool whole = for_each_frame(
                frames, [&](GroupId group, std::uint8_t type, std::string_view payload) {
                    node.broker->receive(from, group, type, payload);
                });
            if (!whole) GroupOracle::fail("node {} sent what is no frame", from);
        });
    }

    World& world_;
    Options options_;
    bool verbose_;
    Network network_;
    std::map<NodeId, std::unique_ptr<Node>> nodes_;
    std::size_t hung_up_ = 0;
};

} // namespace mini_broker::simulation
