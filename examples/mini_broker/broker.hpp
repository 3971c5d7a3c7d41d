#pragma once

#include "broker_metrics.hpp"
#include "cluster/controller.hpp"
#include "cluster/nodes.hpp"
#include "cluster/producer_ids.hpp"
#include "cluster/replicas.hpp"
#include "io/disk.hpp"
#include "io/loop.hpp"
#include "io/peers.hpp"
#include "kafka/handlers/call.hpp"
#include "kafka/handlers/group_service.hpp"
#include "logger.hpp"
#include "net/connection.hpp"
#include "options.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>

namespace mini_broker {

/// What a simulation puts in place of the machine's.
struct BrokerSources {
    BrokerClock clock;
    std::function<std::uint32_t()> random = [] { return std::random_device{}(); };
};

/// One node of the cluster, but for its sockets and files: the place where its parts meet.
///
///     client frame -> handle -> kafka/handlers -> replicas / controller -> Raft groups
///     peer frame   -> receive -> Raft groups -> events -> ISR manager -> answers
class Broker {
public:
    Broker(const Options& options,
           Disk& disk,
           Loop& loop,
           Peers& peers,
           Logger& logger,
           BrokerSources sources = {});
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    /// One request of a client.
    void handle(ConnectionInfo& client, std::string frame, Reply reply);
    /// One frame of another node.
    void receive(NodeId from, GroupId group, std::uint8_t type, std::string_view payload);
    void peer_connected(NodeId node);
    /// To be called every few milliseconds.
    void tick();

    /// Leaves in order: hands leadership over and leaves every ISR, as far as a quorum allows, and
    /// then calls `done`.
    void leave(std::function<void()> done);

    [[nodiscard]] Isr& isr() noexcept { return replicas_.isr(); }
    [[nodiscard]] BrokerMetrics& metrics() noexcept { return metrics_; }
    /// Whether clients may be served: this node knows all that the cluster's metadata held when it
    /// started, and the cluster where to find it. Before that it would call topics unknown that
    /// there are, and clients give up records of such a topic. Stays true. On any thread.
    [[nodiscard]] bool ready() const noexcept { return ready_.load(std::memory_order_relaxed); }

private:
    [[nodiscard]] bool registered() const;
    void register_self();
    void tell_who_is_dead();
    void keep_leaving(TimePoint until);

    Options options_;
    Loop& loop_;
    Logger& logger_;
    BrokerMetrics metrics_;
    Nodes nodes_;
    Controller controller_;
    Replicas replicas_;
    ProducerIds producer_ids_;
    kafka::GroupService groups_;
    kafka::Context context_;
    bool registering_ = false;
    bool telling_ = false; // who is dead
    std::atomic<bool> ready_{false};
    TimePoint next_chores_{};
    std::function<void()> left_;
};

} // namespace mini_broker
