#pragma once

#include "toy_raft.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <utility>
#include <vector>

/// The part of NuRaft that the view touches, with the same names and types, over the toy group.
///
/// What it has in common with NuRaft 3.0 beyond names: peers are not shown on a follower; the node
/// itself is no peer; a peer's index survives the end of a leadership and is shown in the next one,
/// until the peer has answered; the callback comes after the index was taken in, and only for
/// appends that were accepted.
namespace nuraft_double {

struct srv_config {
    toy::Peer peer;

    std::int32_t get_id() const { return static_cast<std::int32_t>(peer.id); }
    bool is_learner() const { return peer.kind == toy::ReplicaKind::learner; }
    bool is_new_joiner() const { return peer.kind == toy::ReplicaKind::joining; }
};

struct cluster_config {
    std::uint64_t log_idx = 0;
    std::list<std::shared_ptr<srv_config>> servers;

    std::uint64_t get_log_idx() const { return log_idx; }
    std::list<std::shared_ptr<srv_config>>& get_servers() { return servers; }
};

struct cb_func {
    enum Type { GotAppendEntryRespFromPeer = 2 };
    enum ReturnCode { Ok = 0 };
    struct Param {
        std::int32_t peerId;
        void* ctx;
    };
    using func_type = std::function<ReturnCode(Type, Param*)>;
};

class raft_server {
public:
    struct peer_info {
        std::int32_t id_;
        std::uint64_t last_log_idx_;
        std::uint64_t last_succ_resp_us_;
    };

    raft_server(toy::Node& node, cb_func::func_type callback) : node_(node) {
        node_.set_on_answer([callback = std::move(callback)](toy::NodeId peer) {
            cb_func::Param param{static_cast<std::int32_t>(peer), nullptr};
            callback(cb_func::GotAppendEntryRespFromPeer, &param);
        });
    }

    /// It has won, and its state machine is not as far as its log yet.
    bool waiting_for_sm_catchup = false;

    bool is_leader() const { return node_.leading() && !waiting_for_sm_catchup; }
    std::int32_t get_leader() const { return static_cast<std::int32_t>(node_.leader()); }
    std::uint64_t get_term() const { return node_.term(); }
    std::uint64_t get_log_idx_at_becoming_leader() const {
        return is_leader() ? node_.term_start() : 0;
    }
    std::uint64_t get_last_log_idx() const { return node_.last_index(); }
    std::uint64_t get_target_committed_log_idx() const { return node_.commit_index(); }
    std::uint64_t get_committed_log_idx() const { return node_.commit_index(); }

    std::vector<peer_info> get_peer_info_all() const {
        std::vector<peer_info> infos;
        for (const toy::Peer& peer : node_.peers())
            if (peer.id != node_.id())
                infos.push_back({static_cast<std::int32_t>(peer.id), peer.match, 0});
        return infos;
    }
    std::shared_ptr<cluster_config> get_config() const {
        auto config = std::make_shared<cluster_config>();
        config->log_idx = node_.membership();
        for (const toy::Peer& peer : node_.members())
            config->servers.push_back(std::make_shared<srv_config>(srv_config{peer}));
        return config;
    }

private:
    toy::Node& node_;
};

} // namespace nuraft_double
