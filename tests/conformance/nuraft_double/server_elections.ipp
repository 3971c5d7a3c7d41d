#pragma once

#include "server.hpp"

namespace nuraft {

inline void raft_server::restart_election_timer() {
    if (leads() || stopped_) return;
    const raft_params& params = context_->params_;
    std::uniform_int_distribution<int32> timeout{params.election_timeout_lower_bound_,
                                                 params.election_timeout_upper_bound_};
    context_->scheduler_->cancel(election_timer_);
    context_->scheduler_->schedule(election_timer_, timeout(random_));
}

/// Asks first whether it would be listened to, so that a server that was cut off raises no terms.
inline void raft_server::stand() {
    const auto self = config_->get_server(id_);
    if (catching_up_ || self == nullptr || !votes(*self)) return restart_election_timer();
    role_ = Role::candidate;
    leader_ = -1;
    hears_leader_ = false;
    ask_for_votes(pre_vote_request);
    restart_election_timer();
}

inline void raft_server::campaign() {
    role_ = Role::candidate;
    began_leading_at_ = 0;
    leader_ = -1;
    hears_leader_ = false;
    state_.set_term(get_term() + 1);
    state_.set_voted_for(id_);
    context_->state_mgr_->save_state(state_);
    ask_for_votes(request_vote_request);
}

inline void raft_server::ask_for_votes(msg_type type) {
    votes_ = 1;
    if (is_majority(votes_)) return type == pre_vote_request ? campaign() : become_leader();
    for (const auto& [id, peer] : peers_) {
        if (!votes(*peer->config)) continue;
        peer->client = nullptr; // a new connection: what the old one brings still arrives
        send(peer,
             cs_new<req_msg>(get_term(), type, id_, id, log_->last_entry()->get_term(),
                             get_last_log_idx(), committed_),
             &raft_server::take_vote);
    }
}

inline ptr<resp_msg> raft_server::take_vote_request(req_msg& request) {
    const bool real = request.get_type() == request_vote_request;
    auto answer =
        cs_new<resp_msg>(real ? get_term() : request.get_term(),
                         real ? request_vote_response : pre_vote_response, id_, request.get_src());
    if (!real) {
        if (!hears_leader_ && !leads()) answer->accept(1);
        return answer;
    }
    const bool as_new = std::pair{request.get_last_log_term(), request.get_last_log_idx()} >=
                        std::pair{log_->last_entry()->get_term(), get_last_log_idx()};
    const bool free = state_.get_voted_for() == -1 || state_.get_voted_for() == request.get_src();
    if (request.get_term() == get_term() && as_new && free && !leads()) {
        state_.set_voted_for(request.get_src());
        context_->state_mgr_->save_state(state_);
        answer->accept(1);
        restart_election_timer();
    }
    return answer;
}

inline void raft_server::take_vote(const ptr<Peer>&, resp_msg& answer) {
    if (role_ != Role::candidate || answer.get_term() != get_term() || !answer.get_accepted())
        return;
    const bool real = answer.get_type() == request_vote_response;
    if (real != (state_.get_voted_for() == id_)) return; // of an earlier round
    ++votes_;
    if (!is_majority(votes_)) return;
    if (real)
        become_leader();
    else
        campaign();
}

inline void raft_server::become_leader() {
    role_ = Role::leader;
    leader_ = id_;
    successor_ = -1;
    votes_ = 0;
    context_->scheduler_->cancel(election_timer_);
    for (const auto& [id, peer] : peers_) {
        peer->next = log_->next_slot(); // what it is known to hold stays as it was
        peer->busy = false;
        peer->silent = 0;
    }
    auto config = cluster_config::deserialize(*config_->serialize());
    config->set_log_idx(log_->next_slot());
    auto entry = cs_new<log_entry>(get_term(), config->serialize(), log_val_type::conf);
    began_leading_at_ = log_->append(entry);
    config_changing_ = true;
    ulong term = get_term();
    call(cb_func::BecomeLeader, -1, &term);
    for (const auto& [id, peer] : peers_)
        context_->scheduler_->schedule(peer->heartbeat, context_->params_.heart_beat_interval_);
    replicate();
}

inline void raft_server::become_follower() {
    role_ = Role::follower;
    began_leading_at_ = 0;
    successor_ = -1;
    ulong term = get_term();
    call(cb_func::BecomeFollower, -1, &term);
    restart_election_timer();
}

/// It is not known yet who leads in the new term, and `leader_` still says who led in the old one.
inline bool raft_server::update_term(ulong term) {
    if (term <= get_term()) return false;
    state_.set_term(term);
    state_.set_voted_for(-1);
    context_->state_mgr_->save_state(state_);
    become_follower();
    return true;
}

inline bool raft_server::is_majority(std::size_t servers) const {
    std::size_t voters = 0;
    for (const auto& server : config_->get_servers())
        if (votes(*server)) ++voters;
    return 2 * servers > voters;
}

inline void raft_server::yield_leadership(bool immediately, int32 successor) {
    if (!leads()) return;
    if (immediately) {
        leader_ = -1;
        hears_leader_ = false;
        return become_follower();
    }
    successor_ = successor;
    hand_over();
}

/// Once the successor holds everything, it is told to stand at once.
inline void raft_server::hand_over() {
    const auto found = peers_.find(successor_);
    if (found == peers_.end() || found->second->match < get_last_log_idx()) return;
    successor_ = -1;
    send(found->second,
         cs_new<req_msg>(get_term(), custom_notification_request, id_, found->first, 0, 0, 0),
         &raft_server::ignore_answer);
}

} // namespace nuraft
