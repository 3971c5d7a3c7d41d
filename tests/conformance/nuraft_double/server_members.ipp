#pragma once

#include "server.hpp"

namespace nuraft {

inline ptr<raft_server::Peer> raft_server::make_peer(const ptr<srv_config>& server) {
    auto peer = cs_new<Peer>();
    peer->config = server;
    peer->heartbeat = cs_new<Timer>([this, weak = std::weak_ptr{peer}] {
        if (const auto alive = weak.lock()) beat(alive);
    });
    return peer;
}

/// What it still answers is not taken in.
inline void raft_server::abandon(const ptr<Peer>& peer) {
    peer->abandoned = true;
    context_->scheduler_->cancel(peer->heartbeat);
}

inline raft_server::Result raft_server::change_config(
    const std::function<bool(cluster_config&)>& change) {
    if (!leads()) return result(NOT_LEADER);
    if (config_changing_) return result(CONFIG_CHANGING);
    auto config = cluster_config::deserialize(*config_->serialize());
    config->set_log_idx(log_->next_slot());
    if (!change(*config)) return result(SERVER_NOT_FOUND);
    auto entry = cs_new<log_entry>(get_term(), config->serialize(), log_val_type::conf);
    config_changing_ = true;
    log_->append(entry);
    replicate();
    return result(OK);
}

inline raft_server::Result raft_server::flip_learner_flag(int32 id, bool to) {
    return change_config([&](cluster_config& config) {
        const auto server = config.get_server(id);
        if (server != nullptr) server->set_learner(to);
        return server != nullptr;
    });
}

inline raft_server::Result raft_server::remove_srv(int32 id) {
    return change_config([&](cluster_config& config) {
        return std::erase_if(config.get_servers(),
                             [&](const auto& server) { return server->get_id() == id; }) == 1;
    });
}

inline raft_server::Result raft_server::add_srv(const srv_config& server) {
    if (!leads()) return result(NOT_LEADER);
    if (config_changing_ || peers_.contains(server.get_id())) return result(CONFIG_CHANGING);
    joining_ = make_peer(cs_new<srv_config>(server));
    auto request = cs_new<req_msg>(get_term(), join_cluster_request, id_, server.get_id(), 0,
                                   get_last_log_idx(), committed_);
    request->log_entries().push_back(
        cs_new<log_entry>(get_term(), config_->serialize(), log_val_type::conf));
    send(joining_, std::move(request), &raft_server::take_join_answer);
    return result(OK);
}

inline void raft_server::take_join_answer(const ptr<Peer>& from, resp_msg& answer) {
    if (from != joining_ || !answer.get_accepted()) return;
    change_config([&](cluster_config& config) {
        config.get_servers().push_back(joining_->config);
        return true;
    });
}

inline void raft_server::commit(ulong index) {
    committed_ = std::max(committed_, index);
    while (applied_ < std::min(committed_, get_last_log_idx())) {
        ++applied_;
        const auto entry = log_->entry_at(applied_);
        if (entry->get_val_type() != log_val_type::conf) continue;
        auto config = cluster_config::deserialize(entry->get_buf());
        config_changing_ = false;
        if (config_->get_log_idx() < config->get_log_idx()) {
            context_->state_mgr_->save_config(*config);
            reconfigure(std::move(config));
        }
        ulong log_idx = applied_;
        call(cb_func::NewConfig, -1, &log_idx);
    }
}

inline void raft_server::reconfigure(ptr<cluster_config> config) {
    const bool joined = config_->get_server(id_) == nullptr && config->get_server(id_) != nullptr;
    for (const auto& server : config->get_servers()) {
        const int32 id = server->get_id();
        const auto found = peers_.find(id);
        if (found != peers_.end()) found->second->config = server;
        if (found != peers_.end() || id == id_) continue;
        auto peer = make_peer(server);
        peer->next = joining_ != nullptr && joining_->config->get_id() == id ? 1 : 0;
        peers_[id] = peer;
        if (leads())
            context_->scheduler_->schedule(peer->heartbeat, context_->params_.heart_beat_interval_);
    }
    if (!leads()) // a leader goes on until the removed server knows
        std::erase_if(peers_, [&](const auto& entry) {
            if (config->get_server(entry.first) != nullptr) return false;
            abandon(entry.second);
            return true;
        });
    config_ = std::move(config);
    if (!joined) return;
    catching_up_ = false;
    restart_election_timer();
    call(cb_func::JoinedCluster, -1, config_.get());
}

} // namespace nuraft
