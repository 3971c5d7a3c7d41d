#pragma once

#include "cluster/node_messages.hpp"
#include "io/loop.hpp"
#include "io/peers.hpp"
#include "types.hpp"

#include <map>
#include <set>
#include <vector>

namespace mini_broker {

/// Which of the cluster's nodes are alive: those that were heard of a moment ago. At first all are:
/// who has just started does not know yet, and clients find no way to a leader that is not among
/// the brokers.
class Nodes {
public:
    static constexpr Millis kPingInterval{250};
    static constexpr Millis kSession{2000};

    Nodes(NodeId self, std::vector<NodeId> all, Loop& loop, Peers& peers)
        : self_(self), all_(std::move(all)), loop_(loop), peers_(peers) {
        for (const NodeId node : all_) heard(node);
    }

    /// In ascending order, this one included.
    [[nodiscard]] const std::vector<NodeId>& all() const noexcept { return all_; }
    [[nodiscard]] NodeId self() const noexcept { return self_; }

    void heard(NodeId node) { heard_[node] = loop_.now(); }
    /// It said that it stops, and goes on talking until it has.
    void left(NodeId node) { left_.insert(node); }
    void returned(NodeId node) { left_.erase(node); }
    [[nodiscard]] bool alive(NodeId node) const {
        if (node == self_) return true;
        if (left_.contains(node)) return false;
        const auto found = heard_.find(node);
        return found != heard_.end() &&
               insync::saturating_age(loop_.now(), found->second) <= kSession;
    }
    [[nodiscard]] std::size_t alive_count() const {
        std::size_t count = 0;
        for (const NodeId node : all_) count += alive(node) ? 1 : 0;
        return count;
    }

    void tick() {
        if (loop_.now() < next_ping_) return;
        next_ping_ = insync::saturating_add(loop_.now(), kPingInterval);
        tell(NodeMessage::ping);
    }
    void tell(NodeMessage message) {
        for (const NodeId node : all_)
            if (node != self_) send(peers_, node, message, {});
    }

private:
    NodeId self_;
    std::vector<NodeId> all_;
    Loop& loop_;
    Peers& peers_;
    std::map<NodeId, TimePoint> heard_;
    std::set<NodeId> left_;
    TimePoint next_ping_{};
};

} // namespace mini_broker
