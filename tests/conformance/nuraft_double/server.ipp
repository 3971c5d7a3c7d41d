#pragma once

#include "server.hpp"

#include <algorithm>

namespace nuraft {

inline raft_server::raft_server(context* owned, const init_options& options)
    : context_(owned),
      callback_(options.raft_callback_),
      id_(owned->state_mgr_->server_id()),
      log_(owned->state_mgr_->load_log_store()),
      config_(owned->state_mgr_->load_config()),
      random_(static_cast<std::minstd_rand::result_type>(id_)) {
    if (const auto state = context_->state_mgr_->read_state()) state_ = *state;
    for (const auto& server : config_->get_servers())
        if (server->get_id() != id_) peers_[server->get_id()] = make_peer(server);
    election_timer_ = cs_new<Timer>([this] { stand(); });
    ulong index = config_->get_log_idx();
    call(cb_func::NewConfig, -1, &index); // from a thread of its own, in NuRaft
    if (!options.skip_initial_election_timeout_) restart_election_timer();
}

inline void raft_server::shutdown() {
    if (std::exchange(stopped_, true)) return;
    context_->scheduler_->cancel(election_timer_);
    for (const auto& [id, peer] : peers_) abandon(peer);
    if (joining_ != nullptr) abandon(joining_);
}

inline void raft_server::call(cb_func::Type type, int32 peer, void* what) {
    cb_func::Param param{id_, leader_, peer, what};
    if (callback_) callback_(type, &param);
}

inline std::vector<raft_server::peer_info> raft_server::get_peer_info_all() const {
    std::vector<peer_info> infos;
    if (is_leader())
        for (const auto& [id, peer] : peers_) infos.push_back({id, peer->match, 0});
    return infos;
}

inline ptr<resp_msg> raft_server::process_req(req_msg& request) {
    if (stopped_) return nullptr;
    const msg_type type = request.get_type();
    if (type == append_entries_request || type == request_vote_request)
        update_term(request.get_term());
    switch (type) {
    case append_entries_request:
        call(cb_func::ReceivedAppendEntriesReq, request.get_src(), &request);
        return take_append(request);
    case request_vote_request:
    case pre_vote_request: return take_vote_request(request);
    case join_cluster_request: return take_join(request);
    case custom_notification_request: // a leader hands over
        campaign();
        return cs_new<resp_msg>(get_term(), custom_notification_response, id_, request.get_src());
    default: return nullptr;
    }
}

inline ptr<resp_msg> raft_server::take_append(req_msg& request) {
    if (request.get_term() == get_term() && role_ == Role::candidate) become_follower();
    auto answer = cs_new<resp_msg>(get_term(), append_entries_response, id_, request.get_src(),
                                   log_->next_slot());
    const ulong before = request.get_last_log_idx();
    const bool fits = before == 0 || (before < log_->next_slot() &&
                                      log_->term_at(before) == request.get_last_log_term());
    if (request.get_term() < get_term() || !fits) return answer;
    store(request);
    leader_ = request.get_src();
    hears_leader_ = true;
    const ulong held = before + request.log_entries().size();
    commit(std::min(request.get_commit_idx(), held));
    answer->accept(held + 1);
    if (!leads()) restart_election_timer();
    return answer;
}

inline void raft_server::store(req_msg& request) {
    ulong index = request.get_last_log_idx();
    for (auto& entry : request.log_entries()) {
        ++index;
        if (index == log_->next_slot())
            log_->append(entry);
        else if (log_->term_at(index) != entry->get_term())
            log_->write_at(index, entry);
    }
}

/// The leader's configuration does not have this server yet; it votes once one that has it is
/// committed. Its own term is given up.
inline ptr<resp_msg> raft_server::take_join(req_msg& request) {
    auto answer = cs_new<resp_msg>(get_term(), join_cluster_response, id_, request.get_src());
    if (config_->get_servers().size() > 1) return answer; // it is in a cluster
    catching_up_ = true;
    role_ = Role::follower;
    began_leading_at_ = 0;
    leader_ = request.get_src();
    committed_ = applied_ = 0;
    state_.set_term(request.get_term());
    state_.set_voted_for(-1);
    context_->state_mgr_->save_state(state_);
    ulong term = get_term();
    call(cb_func::BecomeFollower, -1, &term);
    reconfigure(cluster_config::deserialize(request.log_entries().front()->get_buf()));
    answer->accept(1);
    return answer;
}

inline void raft_server::send(const ptr<Peer>& to, ptr<req_msg> request, Handler handler) {
    if (to->client == nullptr)
        to->client = context_->rpc_cli_factory_->create_client(to->config->get_endpoint());
    to->busy = true;
    // The peer lives as long as an answer may come; the server, while the peer is not abandoned.
    rpc_handler done = [this, to, client = to->client, handler](ptr<resp_msg>& answer,
                                                                ptr<rpc_exception>& error) {
        if (to->abandoned) return;
        if (to->client == client) to->busy = false;
        if (error != nullptr) {
            if (to->client == client) to->client = nullptr;
            return;
        }
        if (answer->get_accepted()) to->silent = 0;
        const bool joins = answer->get_type() == join_cluster_response; // of a term that it gave up
        if (joins || !update_term(answer->get_term())) (this->*handler)(to, *answer);
    };
    to->client->send(request, done);
}

inline void raft_server::replicate() {
    advance_commit(); // a server alone has nobody to wait for
    for (const auto& [id, peer] : peers_) replicate_to(peer);
}
inline void raft_server::replicate_to(const ptr<Peer>& to) {
    if (!leads() || to->busy) return;
    if (to->next == 0) to->next = log_->next_slot();
    const ulong before = to->next - 1;
    auto request = cs_new<req_msg>(get_term(), append_entries_request, id_, to->config->get_id(),
                                   before == 0 ? 0 : log_->term_at(before), before, committed_);
    request->log_entries() = *log_->log_entries(to->next, log_->next_slot());
    send(to, std::move(request), &raft_server::take_append_answer);
}

inline void raft_server::beat(const ptr<Peer>& to) {
    constexpr int kMostSilent = 20;
    if (!leads()) return;
    ++to->silent;
    const auto heard = std::ranges::count_if(peers_, [&](const auto& entry) {
        return votes(*entry.second->config) && entry.second->silent <= kMostSilent;
    });
    const bool expires = context_->params_.leadership_expiry_ >= 0;
    if (expires && !is_majority(static_cast<std::size_t>(heard) + 1)) {
        leader_ = -1;
        hears_leader_ = false;
        become_follower();
        return;
    }
    if (config_->get_server(to->config->get_id()) == nullptr && to->silent > 2) {
        peers_.erase(to->config->get_id()); // it was removed, and does not answer
        abandon(to);
        return;
    }
    replicate_to(to);
    context_->scheduler_->schedule(to->heartbeat, context_->params_.heart_beat_interval_);
}

/// As NuRaft does: neither the answer's term is asked for, nor whether this server leads.
inline void raft_server::take_append_answer(const ptr<Peer>& sender, resp_msg& answer) {
    call(cb_func::ReceivedAppendEntriesResp, answer.get_src(), &answer);
    const auto found = peers_.find(answer.get_src());
    if (found == peers_.end()) return;
    const ptr<Peer> peer = found->second;
    if (answer.get_accepted()) {
        peer->next = answer.get_next_idx();
        peer->match = answer.get_next_idx() - 1;
        call(cb_func::GotAppendEntryRespFromPeer, answer.get_src(), &peer->match);
        if (config_->get_server(answer.get_src()) == nullptr &&
            peer->match >= config_->get_log_idx()) {
            peers_.erase(found); // it was removed, and knows
            abandon(sender);
            return;
        }
    } else if (answer.get_next_idx() < peer->next) {
        peer->next = std::max<ulong>(answer.get_next_idx(), 1);
    } else if (peer->next > 1) {
        --peer->next;
    }
    if (!leads()) return;
    advance_commit();
    hand_over();
    if (peer->next < log_->next_slot()) replicate_to(peer);
}

inline void raft_server::advance_commit() {
    if (!leads()) return;
    for (ulong index = get_last_log_idx(); index > committed_; --index) {
        if (log_->term_at(index) != get_term()) return;
        const auto holders = std::ranges::count_if(peers_, [&](const auto& entry) {
            return votes(*entry.second->config) && entry.second->match >= index;
        });
        if (!is_majority(static_cast<std::size_t>(holders) + 1)) continue;
        commit(index);
        for (const auto& [id, peer] : peers_) replicate_to(peer); // tells them
        return;
    }
}

inline raft_server::Result raft_server::append_entries(const std::vector<ptr<buffer>>& logs) {
    if (!leads() || successor_ >= 0) return result(NOT_LEADER);
    for (const auto& content : logs) {
        auto entry = cs_new<log_entry>(get_term(), content);
        log_->append(entry);
    }
    replicate();
    return result(OK);
}

} // namespace nuraft

#include "server_elections.ipp"
#include "server_members.ipp"
