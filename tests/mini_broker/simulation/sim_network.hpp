#pragma once

#include "mini_broker/simulation/sim_world.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mini_broker::simulation {

/// Links between nodes, one a direction: what goes into one comes out in order, late or never.
class Network {
public:
    /// Takes in all that arrives at a node at once.
    using Arrival = std::function<void(NodeId to, NodeId from, const std::string& frames)>;

    Network(World& world, Arrival arrival) : world_(world), arrival_(std::move(arrival)) {}

    void send(NodeId from, NodeId to, std::string frames) {
        largest_ = std::max(largest_, frames.size());
        Link& link = links_[{from, to}];
        if (link.cut || world_.chance(loss_)) return;
        if (const auto held = held_.find(from); held != held_.end()) {
            held->second.emplace_back(to, std::move(frames));
            return;
        }
        link.last_arrival =
            std::max(link.last_arrival, world_.now() + world_.between(Millis{0}, slowest_));
        const Millis delay = link.last_arrival - world_.now();
        world_.after(delay,
                     [this, from, to, connection = link.connection, frames = std::move(frames)] {
                         const Link& arriving = links_[{from, to}];
                         if (arriving.connection == connection) arrival_(to, from, frames);
                     });
    }
    /// What is on the way is lost too.
    void cut(NodeId from, NodeId to) {
        Link& link = links_[{from, to}];
        link.cut = true;
        reset(link);
    }
    /// Every connection of a node breaks; new ones are made at once.
    void disconnect(NodeId node) {
        for (auto& [ends, link] : links_)
            if (ends.first == node || ends.second == node) reset(link);
    }
    /// What the node sends stays on its way until it is released, whatever becomes of the node.
    void hold(NodeId from) { held_.try_emplace(from); }
    void release(NodeId from) {
        const auto held = held_.extract(from);
        if (held.empty()) return;
        for (auto& [to, frames] : held.mapped())
            world_.after(Millis{0}, [this, from, receiver = to, sent = std::move(frames)] {
                arrival_(receiver, from, sent);
            });
    }
    [[nodiscard]] bool is_cut(NodeId from, NodeId to) { return links_[{from, to}].cut; }
    void heal() {
        for (auto& [ends, link] : links_) link.cut = false;
    }
    /// Bytes that a node sent at once to another.
    [[nodiscard]] std::size_t largest() const noexcept { return largest_; }
    void set_quality(unsigned loss_percent, Millis slowest) {
        loss_ = loss_percent;
        slowest_ = slowest;
    }

private:
    struct Link {
        bool cut = false;
        std::uint64_t connection = 0;
        TimePoint last_arrival{Millis{0}};
    };

    void reset(Link& link) {
        ++link.connection;
        link.last_arrival = world_.now();
    }

    World& world_;
    Arrival arrival_;
    std::map<std::pair<NodeId, NodeId>, Link> links_;
    std::map<NodeId, std::vector<std::pair<NodeId, std::string>>> held_; // by who sent it
    std::size_t largest_ = 0;
    unsigned loss_ = 0;
    Millis slowest_{3};
};

} // namespace mini_broker::simulation
