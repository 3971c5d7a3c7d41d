#pragma once

#include "mini_broker/simulation/sim_brokers.hpp"

namespace mini_broker::simulation {

/// What goes wrong with nodes, disks and links, until it is over.
class Trouble {
public:
    Trouble(World& world, BrokerCluster& cluster, Marks& marks)
        : world_(world), cluster_(cluster), marks_(marks) {}

    void begin() { act(); }
    /// Everything works again, and every node is up.
    void end() {
        over_ = true;
        cluster_.heal();
        cluster_.network().set_quality(0, Millis{5});
        for (const NodeId id : cluster_.ids()) cluster_.end_within(id, SimDisk::kNever);
        for (const NodeId id : cluster_.ids()) cluster_.start(id);
    }

private:
    NodeId any_node() { return static_cast<NodeId>(world_.between(1, cluster_.ids().size())); }

    void act() {
        if (over_) return;
        happen();
        world_.after(world_.between(Millis{20}, Millis{900}), [this] { act(); });
    }
    void happen() {
        const NodeId node = any_node();
        const NodeId other = any_node();
        switch (world_.between(0, 11)) {
        case 0: stop(node, End::orderly); break;
        case 1: stop(node, End::kill); break;
        case 2: stop(node, End::power_cut); break;
        case 3: cluster_.end_within(node, world_.between(0, 60)); break;
        case 4:
            if (node != other) cluster_.cut(node, other);
            break;
        case 5:
            for (const NodeId peer : cluster_.ids()) {
                if (peer == node) continue;
                cluster_.cut(node, peer);
                cluster_.cut(peer, node);
            }
            break;
        case 6:
            if (!world_.chance(30)) break;
            for (const NodeId id : cluster_.ids()) stop(id, End::power_cut);
            marks_.reach("lost power everywhere");
            break;
        case 7: {
            const auto slowest = Millis(static_cast<Millis::rep>(world_.between(0, 80)));
            cluster_.network().set_quality(static_cast<unsigned>(world_.between(0, 10)), slowest);
            break;
        }
        case 8: leave(node); break;
        case 9: cluster_.heal(); break;
        default:
            cluster_.heal();
            cluster_.network().set_quality(0, Millis{5});
            for (const NodeId id : cluster_.ids()) cluster_.start(id);
        }
    }
    void stop(NodeId node, End how) {
        cluster_.end(node, how);
        start_later(node);
    }
    void leave(NodeId node) {
        cluster_.leave(node, [this, node] {
            marks_.reach("left in order");
            start_later(node);
        });
    }
    void start_later(NodeId node) {
        const Millis away = world_.chance(30) ? Millis{4000} : Millis{500};
        world_.after(world_.between(Millis{0}, away), [this, node] { cluster_.start(node); });
    }

    World& world_;
    BrokerCluster& cluster_;
    Marks& marks_;
    bool over_ = false;
};

} // namespace mini_broker::simulation
