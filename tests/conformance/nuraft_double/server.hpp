#pragma once

// The double's server: Raft as far as the conformance kit drives it, on one thread, without
// snapshots.

#include "interfaces.hpp"
#include "messages.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace nuraft {

/// What it has in common with NuRaft beyond names, and what a view must know of:
/// - an answer to an append is taken in whatever its term and whether this server leads; only one
///   of a newer term is not. `GotAppendEntryRespFromPeer` says no term, and
///   `ReceivedAppendEntriesResp` comes before that is done;
/// - a new term does not change `get_leader`, and a peer's last index outlives a leadership;
/// - a server that joins a cluster takes its term, which may be lower than its own;
/// - the callback is called before the constructor has returned;
/// - peers are shown on a leader only, without itself; what is removed answers until it is gone.
class raft_server {
public:
    struct init_options {
        bool skip_initial_election_timeout_ = false;
        cb_func::func_type raft_callback_;
    };
    struct peer_info {
        int32 id_;
        ulong last_log_idx_;
        ulong last_succ_resp_us_;
    };

    explicit raft_server(context* owned, const init_options& options);
    ~raft_server() { shutdown(); }
    raft_server(const raft_server&) = delete;
    raft_server& operator=(const raft_server&) = delete;

    /// It has won, and its state machine is not as far as its log yet.
    bool waiting_for_sm_catchup = false;

    [[nodiscard]] bool is_leader() const { return leads() && !waiting_for_sm_catchup; }
    [[nodiscard]] int32 get_id() const { return id_; }
    [[nodiscard]] int32 get_leader() const { return leader_ == id_ && !leads() ? -1 : leader_; }
    [[nodiscard]] ulong get_term() const { return state_.get_term(); }
    [[nodiscard]] ulong get_log_idx_at_becoming_leader() const { return began_leading_at_; }
    [[nodiscard]] ulong get_last_log_idx() const { return log_->next_slot() - 1; }
    [[nodiscard]] ulong get_target_committed_log_idx() const { return committed_; }
    [[nodiscard]] ulong get_committed_log_idx() const { return applied_; }
    [[nodiscard]] ptr<log_store> get_log_store() const { return log_; }
    [[nodiscard]] ptr<cluster_config> get_config() const { return config_; }
    [[nodiscard]] ptr<srv_config> get_srv_config(int32 id) const { return config_->get_server(id); }
    [[nodiscard]] std::vector<peer_info> get_peer_info_all() const;

    ptr<cmd_result<ptr<buffer>>> append_entries(const std::vector<ptr<buffer>>& logs);
    ptr<cmd_result<ptr<buffer>>> add_srv(const srv_config& server);
    ptr<cmd_result<ptr<buffer>>> remove_srv(int32 id);
    ptr<cmd_result<ptr<buffer>>> flip_learner_flag(int32 id, bool to);
    void yield_leadership(bool immediately = false, int32 successor = -1);
    void update_params(const raft_params& params) { context_->params_ = params; }
    void shutdown();

private:
    friend class raft_server_handler;
    enum class Role { follower, candidate, leader };
    struct Peer {
        ptr<srv_config> config;
        ptr<rpc_client> client;
        ptr<delayed_task> heartbeat;
        ulong next = 0;
        ulong match = 0;
        int silent = 0; ///< heartbeats since it accepted anything
        bool busy = false;
        bool abandoned = false;
    };
    class Timer : public delayed_task {
    public:
        explicit Timer(std::function<void()> action) : action_(std::move(action)) {}

    private:
        void exec() override { action_(); }
        std::function<void()> action_;
    };
    using Result = ptr<cmd_result<ptr<buffer>>>;
    using Handler = void (raft_server::*)(const ptr<Peer>&, resp_msg&);

    [[nodiscard]] bool leads() const { return role_ == Role::leader; }
    void call(cb_func::Type type, int32 peer, void* what);
    static Result result(cmd_result_code code) { return cs_new<Result::element_type>(code); }

    // Elections.
    void restart_election_timer();
    void stand();
    void campaign();
    void ask_for_votes(msg_type type);
    void take_vote(const ptr<Peer>& from, resp_msg& answer);
    void become_leader();
    void become_follower();
    bool update_term(ulong term);
    [[nodiscard]] bool is_majority(std::size_t servers) const;
    [[nodiscard]] bool votes(const srv_config& server) const { return !server.is_learner(); }

    // Requests.
    ptr<resp_msg> process_req(req_msg& request);
    ptr<resp_msg> take_append(req_msg& request);
    ptr<resp_msg> take_vote_request(req_msg& request);
    ptr<resp_msg> take_join(req_msg& request);
    void store(req_msg& request);

    // Leading.
    void send(const ptr<Peer>& to, ptr<req_msg> request, Handler handler);
    void replicate();
    void replicate_to(const ptr<Peer>& to);
    void beat(const ptr<Peer>& to);
    void take_append_answer(const ptr<Peer>& from, resp_msg& answer);
    void take_join_answer(const ptr<Peer>& from, resp_msg& answer);
    void ignore_answer(const ptr<Peer>&, resp_msg&) {}
    void hand_over();
    void advance_commit();

    // Members.
    Result change_config(const std::function<bool(cluster_config&)>& change);
    void commit(ulong index);
    void reconfigure(ptr<cluster_config> config);
    ptr<Peer> make_peer(const ptr<srv_config>& server);
    void abandon(const ptr<Peer>& peer);

    std::unique_ptr<context> context_;
    cb_func::func_type callback_;
    int32 id_;
    srv_state state_;
    ptr<log_store> log_;
    ptr<cluster_config> config_;
    bool config_changing_ = false;
    Role role_ = Role::follower;
    int32 leader_ = -1;
    ulong began_leading_at_ = 0;
    ulong committed_ = 0;
    ulong applied_ = 0;
    std::map<int32, ptr<Peer>> peers_;
    ptr<Peer> joining_;
    int32 successor_ = -1;
    std::size_t votes_ = 0;
    bool hears_leader_ = false;
    bool catching_up_ = false;
    bool stopped_ = false;
    ptr<delayed_task> election_timer_;
    std::minstd_rand random_;
};

class raft_server_handler {
protected:
    static ptr<resp_msg> process_req(raft_server* server, req_msg& request) {
        return server->process_req(request);
    }
};

} // namespace nuraft

#include "server.ipp"
