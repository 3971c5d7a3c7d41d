#pragma once

#include "io/peers.hpp"
#include "mini_broker/simulation/sim_network.hpp"

#include <boost/endian/conversion.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace mini_broker::simulation {

/// A node's end of its links.
class SimPeers : public Peers {
public:
    SimPeers(Network& network, NodeId self) : network_(network), self_(self) {}

    [[nodiscard]] std::string* outbox(NodeId node) override {
        // A sender notices that a link is gone, if that is gone both ways.
        if (network_.is_cut(self_, node) && network_.is_cut(node, self_)) return nullptr;
        return &outboxes_[node];
    }
    /// At the end of a turn.
    void flush() {
        for (auto& [node, frames] : outboxes_)
            if (!frames.empty()) network_.send(self_, node, std::exchange(frames, {}));
    }

private:
    Network& network_;
    NodeId self_;
    std::map<NodeId, std::string> outboxes_;
};

/// `take(group, type, payload)` for every frame. \return whether the bytes were whole frames
template <class Take>
bool for_each_frame(std::string_view bytes, const Take& take) {
    constexpr std::size_t kLength = 4;
    constexpr std::size_t kHead = 5; // of what the length counts
    while (!bytes.empty()) {
        if (bytes.size() < kLength + kHead) return false;
        const auto* const at = reinterpret_cast<const unsigned char*>(bytes.data());
        const std::size_t length = boost::endian::load_big_u32(at);
        if (length < kHead || length > bytes.size() - kLength) return false;
        const GroupId group = boost::endian::load_big_u32(at + kLength);
        take(group, at[kLength + 4], bytes.substr(kLength + kHead, length - kHead));
        bytes.remove_prefix(kLength + length);
    }
    return true;
}

} // namespace mini_broker::simulation
