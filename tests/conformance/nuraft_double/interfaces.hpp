#pragma once

// What a host implements for NuRaft, and what it configures, in the double.

#include "messages.hpp"

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nuraft {

class raft_server;
using msg_handler = raft_server;

enum cmd_result_code { OK = 0, NOT_LEADER = -3, CONFIG_CHANGING = -6, SERVER_NOT_FOUND = -8 };

template <class T, class Error = ptr<std::exception>>
class cmd_result {
public:
    using handler_type = std::function<void(T&, Error&)>;
    explicit cmd_result(cmd_result_code code) : code_(code) {}
    [[nodiscard]] bool get_accepted() const { return code_ == OK; }
    [[nodiscard]] cmd_result_code get_result_code() const { return code_; }

private:
    cmd_result_code code_;
};
template <class T, class Error = ptr<std::exception>>
using async_result = cmd_result<T, Error>;

class rpc_exception : public std::exception {
public:
    rpc_exception(std::string what, ptr<req_msg> request)
        : what_(std::move(what)), request_(std::move(request)) {}
    [[nodiscard]] ptr<req_msg> req() const { return request_; }
    [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

private:
    std::string what_;
    ptr<req_msg> request_;
};
using rpc_handler = async_result<ptr<resp_msg>, ptr<rpc_exception>>::handler_type;

class rpc_client {
public:
    virtual ~rpc_client() = default;
    virtual void send(ptr<req_msg>& request, rpc_handler& when_done, std::uint64_t timeout = 0) = 0;
    [[nodiscard]] virtual std::uint64_t get_id() const = 0;
    [[nodiscard]] virtual bool is_abandoned() const = 0;
};
class rpc_client_factory {
public:
    virtual ~rpc_client_factory() = default;
    virtual ptr<rpc_client> create_client(const std::string& endpoint) = 0;
};
class rpc_listener {
public:
    virtual ~rpc_listener() = default;
    virtual void listen(ptr<msg_handler>& handler) = 0;
    virtual void stop() = 0;
    virtual void shutdown() {}
};

class delayed_task {
public:
    virtual ~delayed_task() = default;
    void execute() {
        if (!cancelled_) exec();
    }
    void cancel() { cancelled_ = true; }
    void reset() { cancelled_ = false; }

private:
    virtual void exec() = 0;
    std::atomic<bool> cancelled_{false};
};
class delayed_task_scheduler {
public:
    virtual ~delayed_task_scheduler() = default;
    virtual void schedule(ptr<delayed_task>& task, int32 milliseconds) = 0;
    void cancel(ptr<delayed_task>& task) {
        cancel_impl(task);
        task->cancel();
    }

private:
    virtual void cancel_impl(ptr<delayed_task>& task) = 0;
};

class log_store {
public:
    virtual ~log_store() = default;
    virtual ulong next_slot() const = 0;
    virtual ulong start_index() const = 0;
    virtual ptr<log_entry> last_entry() const = 0;
    virtual ulong append(ptr<log_entry>& entry) = 0;
    virtual void write_at(ulong index, ptr<log_entry>& entry) = 0;
    virtual ptr<std::vector<ptr<log_entry>>> log_entries(ulong start, ulong end) = 0;
    virtual ptr<log_entry> entry_at(ulong index) = 0;
    virtual ulong term_at(ulong index) = 0;
    virtual ptr<buffer> pack(ulong index, int32 count) = 0;
    virtual void apply_pack(ulong index, buffer& pack) = 0;
    virtual bool compact(ulong last) = 0;
    virtual bool flush() = 0;
    virtual ulong last_durable_index() { return next_slot() - 1; }
};

class snapshot {};

class state_machine {
public:
    virtual ~state_machine() = default;
    virtual ptr<buffer> commit(const ulong, buffer&) { return nullptr; }
    virtual bool apply_snapshot(snapshot& from) = 0;
    virtual ptr<snapshot> last_snapshot() = 0;
    virtual ulong last_commit_index() = 0;
    virtual void create_snapshot(snapshot& to, async_result<bool>::handler_type& when_done) = 0;
};

class state_mgr {
public:
    virtual ~state_mgr() = default;
    virtual ptr<cluster_config> load_config() = 0;
    virtual void save_config(const cluster_config& config) = 0;
    virtual void save_state(const srv_state& state) = 0;
    virtual ptr<srv_state> read_state() = 0;
    virtual ptr<log_store> load_log_store() = 0;
    virtual int32 server_id() = 0;
    virtual void system_exit(const int code) = 0;
};

class logger {
public:
    virtual ~logger() = default;
};

struct raft_params {
    enum return_method_type { blocking, async_handler };

    int32 election_timeout_upper_bound_ = 500;
    int32 election_timeout_lower_bound_ = 250;
    int32 heart_beat_interval_ = 125;
    int32 rpc_failure_backoff_ = 50;
    int32 leadership_expiry_ = 0; ///< 0 is twenty heartbeats, and below it is never
    bool use_bg_thread_for_urgent_commit_ = true;
    return_method_type return_method_ = blocking;
};

struct cb_func {
    enum Type {
        GotAppendEntryRespFromPeer = 2,
        JoinedCluster = 5,
        BecomeLeader = 6,
        NewConfig = 9,
        BecomeFollower = 11,
        ReceivedAppendEntriesReq = 21,
        ReceivedAppendEntriesResp = 23,
    };
    enum ReturnCode { Ok = 0, ReturnNull = -1 };
    struct Param {
        int32 myId = -1;
        int32 leaderId = -1;
        int32 peerId = -1;
        void* ctx = nullptr;
    };
    using func_type = std::function<ReturnCode(Type, Param*)>;
};

struct context {
    context(ptr<state_mgr>& manager,
            ptr<state_machine>& machine,
            ptr<rpc_listener>& listener,
            ptr<logger>& log,
            ptr<rpc_client_factory>& clients,
            ptr<delayed_task_scheduler>& scheduler,
            const raft_params& params)
        : state_mgr_(manager),
          state_machine_(machine),
          rpc_listener_(listener),
          logger_(log),
          rpc_cli_factory_(clients),
          scheduler_(scheduler),
          params_(params) {}

    ptr<state_mgr> state_mgr_;
    ptr<state_machine> state_machine_;
    ptr<rpc_listener> rpc_listener_;
    ptr<logger> logger_;
    ptr<rpc_client_factory> rpc_cli_factory_;
    ptr<delayed_task_scheduler> scheduler_;
    raft_params params_;
};

} // namespace nuraft
