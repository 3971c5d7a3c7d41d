#pragma once

// Time and links that a test holds, on NuRaft's public interfaces.

#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <libnuraft/nuraft.hxx>
#include <libnuraft/raft_server_handler.hxx>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace hosts {

/// By how much the time of all worlds together has moved, for whoever gives NuRaft a clock.
inline std::atomic<std::int64_t> virtual_nanoseconds{0};

/// Virtual time, and what is to happen in it. Any thread may add to that; one lets time pass.
class NuraftTime {
public:
    [[nodiscard]] const insync::testing::ManualClock& clock() const noexcept { return clock_; }

    void after(insync::Millis delay, std::function<void()> action) {
        const std::lock_guard lock{mutex_};
        events_.emplace(clock_.now() + delay, std::move(action));
    }
    /// Goes to the next event, or to `end` if none comes before. \return false at `end`
    bool step(insync::TimePoint end) {
        std::function<void()> action;
        {
            const std::lock_guard lock{mutex_};
            const auto next = events_.begin();
            const bool found = next != events_.end() && next->first <= end;
            move_to(found ? next->first : end);
            if (!found) return false;
            action = std::move(next->second);
            events_.erase(next);
        }
        action();
        return true;
    }

private:
    void move_to(insync::TimePoint then) {
        if (then <= clock_.now()) return;
        virtual_nanoseconds += std::chrono::nanoseconds{then - clock_.now()}.count();
        clock_.set(then);
    }

    std::mutex mutex_;
    insync::testing::ManualClock clock_;
    std::multimap<insync::TimePoint, std::function<void()>> events_; // equal times: as they came
};

/// The timers of one server. What is left of them when it is gone does nothing.
class NuraftTimers : public nuraft::delayed_task_scheduler,
                     public std::enable_shared_from_this<NuraftTimers> {
public:
    explicit NuraftTimers(NuraftTime& time) : time_(time) {}

    void schedule(nuraft::ptr<nuraft::delayed_task>& task, nuraft::int32 milliseconds) override {
        task->reset();
        time_.after(insync::Millis{milliseconds},
                    [timers = weak_from_this(), task, round = new_round(task.get())] {
                        const auto self = timers.lock();
                        if (self != nullptr && self->round(task.get()) == round) task->execute();
                    });
    }

private:
    void cancel_impl(nuraft::ptr<nuraft::delayed_task>& task) override { new_round(task.get()); }

    std::uint64_t new_round(nuraft::delayed_task* task) {
        const std::lock_guard lock{mutex_};
        return rounds_[task] = ++last_round_;
    }
    std::uint64_t round(nuraft::delayed_task* task) {
        const std::lock_guard lock{mutex_};
        return rounds_[task];
    }

    NuraftTime& time_;
    std::mutex mutex_;
    std::uint64_t last_round_ = 0;
    std::map<nuraft::delayed_task*, std::uint64_t> rounds_;
};

/// Who reaches whom, and what is on the way. Endpoints are names. A message takes `kDelay`; one
/// that is lost is told to its sender as an error, as a connection that breaks does.
class NuraftLinks : nuraft::raft_server_handler {
public:
    static constexpr insync::Millis kDelay{5};

    explicit NuraftLinks(NuraftTime& time) : time_(time) {}

    /// A server's side of the links, of this start of it and no later one.
    class Side : public nuraft::rpc_client_factory, public nuraft::rpc_listener {
    public:
        Side(NuraftLinks& links, std::string endpoint)
            : links_(links), endpoint_(std::move(endpoint)) {}
        nuraft::ptr<nuraft::rpc_client> create_client(const std::string& to) override {
            return nuraft::cs_new<Client>(links_, endpoint_, to);
        }
        void listen(nuraft::ptr<nuraft::msg_handler>& server) override {
            links_.end_of(endpoint_).server = server;
        }
        void stop() override {}

    private:
        NuraftLinks& links_;
        std::string endpoint_;
    };

    /// What is on the way to and from it is lost.
    void cut(const std::string& endpoint) {
        end_of(endpoint).cut = true;
        ++end_of(endpoint).connection;
    }
    /// What it sends arrives, and what is sent to it is lost, answers included, until `heal`.
    void hear_only(const std::string& endpoint) { end_of(endpoint).deaf = true; }
    void heal() {
        for (auto& [name, end] : ends_) end.cut = end.deaf = false;
    }
    void heal(const std::string& endpoint) { end_of(endpoint).cut = false; }
    [[nodiscard]] bool is_cut(const std::string& endpoint) { return end_of(endpoint).cut; }
    void down(const std::string& endpoint) {
        End& end = end_of(endpoint);
        end.server = nullptr;
        ++end.life;
        ++end.connection;
    }
    [[nodiscard]] bool reaches(const std::string& from, const std::string& to) {
        const End& x = end_of(from);
        const End& y = end_of(to);
        const bool speaks = !x.cut || x.deaf;
        return x.server != nullptr && y.server != nullptr && speaks && !y.cut;
    }
    [[nodiscard]] bool both_ways(const std::string& x, const std::string& y) {
        return reaches(x, y) && reaches(y, x);
    }
    /// How many requests for votes it has sent, pre-votes included.
    [[nodiscard]] int campaigns(const std::string& endpoint) { return end_of(endpoint).campaigns; }
    /// Nobody else's requests for votes arrive; empty: everybody's do.
    void only_candidate(std::string endpoint) { candidate_ = std::move(endpoint); }
    /// By how much longer each message takes, asked anew for each. An answer that takes longer
    /// outlives a cut, as one does that is sent again.
    void delay_by(std::function<insync::Millis()> more) { more_ = std::move(more); }
    /// What one server answers another stays on the way, though both are cut off or the former
    /// stops, until `deliver_answers`.
    void hold_answers(const std::string& from, const std::string& to) { held_[from].to.insert(to); }
    void deliver_answers(const std::string& from) {
        const Held held = std::exchange(held_[from], {});
        for (const auto& arrival : held.arrivals) time_.after(kDelay, arrival);
    }

private:
    struct End {
        nuraft::ptr<nuraft::raft_server> server; // null while it is down
        bool cut = false;
        bool deaf = false; // cut off, and what it sends arrives
        int campaigns = 0;
        std::uint64_t life = 0;       // one more with each start
        std::uint64_t connection = 0; // messages of an earlier one are lost
    };
    struct Held {
        std::set<std::string> to;
        std::vector<std::function<void()>> arrivals;
    };
    class Client : public nuraft::rpc_client {
    public:
        Client(NuraftLinks& links, std::string from, std::string to)
            : links_(links),
              from_(std::move(from)),
              to_(std::move(to)),
              id_(++links.last_client_) {}
        void send(nuraft::ptr<nuraft::req_msg>& request,
                  nuraft::rpc_handler& when_done,
                  std::uint64_t) override {
            links_.send(from_, to_, request, when_done);
        }
        std::uint64_t get_id() const override { return id_; }
        bool is_abandoned() const override { return false; }

    private:
        NuraftLinks& links_;
        std::string from_, to_;
        std::uint64_t id_;
    };

    End& end_of(const std::string& endpoint) { return ends_[endpoint]; }

    void send(const std::string& from,
              const std::string& to,
              nuraft::ptr<nuraft::req_msg> request,
              const nuraft::rpc_handler& when_done) {
        const auto life = end_of(from).life;
        const auto sent = connections(from, to);
        time_.after(delay(), [=, this] {
            nuraft::ptr<nuraft::resp_msg> answer;
            if (is_vote(*request)) ++end_of(from).campaigns;
            if (reaches(from, to) && connections(from, to) == sent && may_stand(from, *request))
                answer = process_req(end_of(to).server.get(), *request);
            const auto arrival = [=, this](bool held) {
                if (end_of(from).life != life) return; // nobody is there to hear it
                const bool arrives = held || (reaches(to, from) && connections(from, to) == sent);
                finish(request, arrives ? answer : nullptr, when_done);
            };
            const auto held = held_.find(to);
            if (answer != nullptr && held != held_.end() && held->second.to.contains(from))
                held->second.arrivals.push_back([=] { arrival(true); });
            else if (const auto takes = delay(); true)
                time_.after(takes, [=] { arrival(takes > kDelay); });
        });
    }
    [[nodiscard]] insync::Millis delay() const { return more_ ? kDelay + more_() : kDelay; }
    static void finish(nuraft::ptr<nuraft::req_msg> request,
                       nuraft::ptr<nuraft::resp_msg> answer,
                       nuraft::rpc_handler when_done) {
        nuraft::ptr<nuraft::rpc_exception> error;
        if (answer == nullptr) error = nuraft::cs_new<nuraft::rpc_exception>("lost", request);
        when_done(answer, error);
    }
    std::pair<std::uint64_t, std::uint64_t> connections(const std::string& x,
                                                        const std::string& y) {
        return {end_of(x).connection, end_of(y).connection};
    }
    [[nodiscard]] bool may_stand(const std::string& from, const nuraft::req_msg& request) const {
        return !is_vote(request) || candidate_.empty() || candidate_ == from;
    }
    [[nodiscard]] static bool is_vote(const nuraft::req_msg& request) {
        return request.get_type() == nuraft::msg_type::request_vote_request ||
               request.get_type() == nuraft::msg_type::pre_vote_request;
    }

    NuraftTime& time_;
    std::map<std::string, End> ends_;
    std::string candidate_;
    std::function<insync::Millis()> more_;
    std::map<std::string, Held> held_;
    std::atomic<std::uint64_t> last_client_{0};
};

} // namespace hosts
