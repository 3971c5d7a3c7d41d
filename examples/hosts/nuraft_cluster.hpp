#pragma once

// Three NuRaft servers of one group in virtual time, as the conformance kit drives them.

#include "nuraft_disk.hpp"
#include "nuraft_host.hpp"
#include "nuraft_world.hpp"

#include <insync/adapters/nuraft.hpp>
#include <insync/consensus_view.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace hosts {

/// A `ConformanceCluster` of `raft_server`s, each with a host and the view that is judged, which is
/// made from (node, host, slack). NuRaft reads the time by itself besides: give it
/// `virtual_nanoseconds` for a clock, as nuraft_kit.cpp does.
template <class HostType, insync::ConsensusView ViewType>
class NuraftClusterOf {
    using NodeId = insync::NodeId;

public:
    using View = ViewType;

    explicit NuraftClusterOf(NodeId servers = 3) {
        for (NodeId id = 1; id <= servers; ++id) nodes_.push_back(id);
        for (const NodeId id : nodes_) disks_[id] = make_disk(id, nodes_);
        for (const NodeId id : nodes_) start(id);
        elect(nodes_.front());
    }
    ~NuraftClusterOf() {
        for (const NodeId id : nodes_) stop(id);
    }
    NuraftClusterOf(const NuraftClusterOf&) = delete;
    NuraftClusterOf& operator=(const NuraftClusterOf&) = delete;

    [[nodiscard]] std::span<const NodeId> nodes() const noexcept { return nodes_; }
    [[nodiscard]] View& view(NodeId id) { return running_.at(id).view; }
    [[nodiscard]] const insync::testing::ManualClock& clock() const noexcept {
        return time_.clock();
    }
    [[nodiscard]] insync::Millis heartbeat_limit() const noexcept { return kHeartbeat + 4 * kTrip; }
    [[nodiscard]] insync::Millis election_limit() const noexcept { return 4 * kElection; }
    [[nodiscard]] static std::string_view cannot(insync::testing::ClusterAbility ability) {
        using enum insync::testing::ClusterAbility;
        switch (ability) {
        case joining_replicas: return "a voter of NuRaft does not become a joiner";
        case leaving_replicas: return "NuRaft does not show which server leaves";
        case lost_appends: return "NuRaft's heartbeats are appends without entries";
        default: return "";
        }
    }

    /// By a transfer where there is a leader to ask, else by the election timer.
    bool elect(NodeId id) {
        if (!is_running(id)) return false;
        links_.only_candidate(endpoint(id));
        for (auto& [other, node] : running_)
            if (other != id && leads(other) && links_.both_ways(endpoint(other), endpoint(id)))
                node.server->yield_leadership(false, static_cast<int>(id));
        const bool elected = run_until(20 * kElection, [&] { return leads(id); });
        links_.only_candidate({});
        return elected;
    }
    insync::Index append(NodeId id) {
        auto& server = *running_.at(id).server;
        const auto entry = nuraft::buffer::alloc(sizeof(nuraft::ulong));
        entry->put(static_cast<nuraft::ulong>(id));
        entry->pos(0);
        server.append_entries({entry});
        const insync::Index index = server.get_last_log_idx();
        settle();
        return index;
    }
    void cut(NodeId id) { links_.cut(endpoint(id)); }
    void heal() { links_.heal(); }
    void stop(NodeId id) {
        const auto found = running_.find(id);
        if (found == running_.end()) return;
        found->second.host.stopping(insync::testing::kConformancePartition);
        links_.down(endpoint(id));
        found->second.server->shutdown();
        running_.erase(found);
        disks_.at(id)->log().lose_power();
    }
    void start(NodeId id) {
        auto& node = running_.try_emplace(id, id, clock()).first->second;
        const auto side = nuraft::cs_new<NuraftLinks::Side>(links_, endpoint(id));
        nuraft::ptr<nuraft::state_mgr> disk = disks_.at(id);
        nuraft::ptr<nuraft::state_machine> machine = nuraft::cs_new<NuraftMachine>();
        nuraft::ptr<nuraft::rpc_listener> listener = side;
        nuraft::ptr<nuraft::logger> no_log;
        nuraft::ptr<nuraft::rpc_client_factory> clients = side;
        nuraft::ptr<nuraft::delayed_task_scheduler> timers = nuraft::cs_new<NuraftTimers>(time_);
        auto* const context = new nuraft::context(disk, machine, listener, no_log, clients, timers,
                                                  params()); // the server owns it
        const auto& [topic, partition] = insync::testing::kConformancePartition;
        auto options = node.host.options(std::string{topic}, partition);
        options.skip_initial_election_timeout_ = waits_to_join_;
        node.server = nuraft::cs_new<nuraft::raft_server>(context, options);
        side->listen(node.server);
        node.host.started(insync::testing::kConformancePartition, node.server);
        settle();
    }
    void advance(insync::Millis span) {
        const insync::TimePoint end = clock().now() + span;
        while (step(end)) {}
    }

    void set_kind(NodeId id, insync::ReplicaKind kind) {
        const bool learner = kind == insync::ReplicaKind::learner;
        on_leader(
            [&](nuraft::raft_server& leader) {
                leader.flip_learner_flag(static_cast<int>(id), learner);
            },
            [&](nuraft::raft_server& leader) {
                const auto member = leader.get_srv_config(static_cast<int>(id));
                return member != nullptr && member->is_learner() == learner;
            });
    }
    void during_read(NodeId id, std::function<void()> action) {
        disks_.at(id)->log().during_read(std::move(action));
    }

    /// Takes a node out of the group; it stops, and the leader has given up sending to it.
    void remove(NodeId id) {
        on_leader([&](nuraft::raft_server& leader) { leader.remove_srv(static_cast<int>(id)); },
                  [&](nuraft::raft_server& leader) { return !has(leader, id); });
        stop(id);
        advance(8 * kHeartbeat); // it tries for five
    }
    /// A node that was removed comes back with an empty disk. NuRaft asks it to join, so that one
    /// that is cut off is reached until the leader has it as a member.
    void add(NodeId id) {
        disks_[id] = make_disk(id, std::span{&id, 1});
        waits_to_join_ = true;
        start(id);
        waits_to_join_ = false;
        const bool cut_off = links_.is_cut(endpoint(id));
        links_.heal(endpoint(id));
        join(id);
        if (cut_off) cut(id);
    }
    /// A node that was removed starts as a cluster of its own, on an empty disk.
    void lead_alone(NodeId id) {
        disks_[id] = make_disk(id, std::span{&id, 1});
        start(id);
        run_until(10 * kElection, [&] { return leads(id); });
    }
    void join(NodeId id) {
        on_leader(
            [&](nuraft::raft_server& leader) {
                leader.add_srv(nuraft::srv_config{static_cast<int>(id), endpoint(id)});
            },
            [&](nuraft::raft_server& leader) { return has(leader, id); }, id);
    }
    void hold_disk(NodeId id) { log(id).hold(); }
    void release_disk(NodeId id) { log(id).release(); }
    void hold_answers(NodeId from) {
        for (const NodeId to : nodes_) hold_answers(from, to);
    }
    void hold_answers(NodeId from, NodeId to) { links_.hold_answers(endpoint(from), endpoint(to)); }
    void deliver_answers(NodeId from) { links_.deliver_answers(endpoint(from)); }
    void campaign_in_vain(NodeId id) {
        links_.hear_only(endpoint(id));
        const int before = links_.campaigns(endpoint(id));
        run_until(2 * kElection, [&] { return links_.campaigns(endpoint(id)) > before; });
    }
    void keep_leaders() {
        leaders_last_ = true;
        for (auto& [id, node] : running_) node.server->update_params(params());
    }
    /// By how much longer each message takes than `round_trip` says.
    void delay_by(std::function<insync::Millis()> more) { links_.delay_by(std::move(more)); }

    /// Called after everything that happens, until it is replaced.
    void after_each_event(std::function<void()> action) { after_each_event_ = std::move(action); }

    [[nodiscard]] bool is_running(NodeId id) const { return running_.contains(id); }
    [[nodiscard]] bool leads(NodeId id) { return running_.at(id).server->is_leader(); }
    [[nodiscard]] NuraftLog& log(NodeId id) { return disks_.at(id)->log(); }
    [[nodiscard]] nuraft::raft_server& server(NodeId id) { return *running_.at(id).server; }
    [[nodiscard]] static constexpr insync::Millis round_trip() noexcept { return 2 * kTrip; }

private:
    static constexpr insync::Millis kTrip = NuraftLinks::kDelay;
    static constexpr insync::Millis kHeartbeat{50};
    static constexpr insync::Millis kElection{400};

    struct Node {
        Node(NodeId id, const insync::testing::ManualClock& clock)
            : host(clock, nullptr), view(id, host, round_trip()) {}
        HostType host;
        View view;
        nuraft::ptr<nuraft::raft_server> server;
    };

    static std::string endpoint(NodeId id) { return "node" + std::to_string(id); }
    [[nodiscard]] nuraft::raft_params params() const {
        nuraft::raft_params params;
        params.heart_beat_interval_ = static_cast<int>(kHeartbeat.count());
        params.election_timeout_lower_bound_ = static_cast<int>(kElection.count() / 2);
        params.election_timeout_upper_bound_ = static_cast<int>(kElection.count());
        params.leadership_expiry_ = leaders_last_ ? -1 : 0; // for ever, or twenty heartbeats
        params.rpc_failure_backoff_ = 0;                    // a start would sleep for it
        params.use_bg_thread_for_urgent_commit_ = false;
        params.return_method_ = nuraft::raft_params::async_handler;
        return params;
    }
    static nuraft::ptr<NuraftDisk> make_disk(NodeId id, std::span<const NodeId> members) {
        const auto config = nuraft::cs_new<nuraft::cluster_config>();
        for (const NodeId member : members)
            config->get_servers().push_back(
                nuraft::cs_new<nuraft::srv_config>(static_cast<int>(member), endpoint(member)));
        return nuraft::cs_new<NuraftDisk>(static_cast<int>(id), config);
    }

    [[nodiscard]] static bool has(const nuraft::raft_server& server, NodeId id) {
        return server.get_srv_config(static_cast<int>(id)) != nullptr;
    }

    /// Asks the leader for something until it is so: NuRaft refuses while another change is on.
    /// \param alone  a node that leads itself only
    void on_leader(const std::function<void(nuraft::raft_server&)>& ask,
                   const std::function<bool(nuraft::raft_server&)>& is_so,
                   NodeId alone = insync::kNoNode) {
        for (int attempt = 0; attempt < 40; ++attempt) {
            for (auto& [id, node] : running_) {
                if (!leads(id) || id == alone || links_.is_cut(endpoint(id))) continue;
                if (is_so(*node.server)) return;
                ask(*node.server);
                settle();
                if (run_until(kHeartbeat, [&] { return is_so(*node.server); })) return;
            }
            advance(kHeartbeat);
        }
        throw std::runtime_error{"NuRaft did not change its members within two seconds"};
    }
    bool run_until(insync::Millis limit, const std::function<bool()>& holds) {
        const insync::TimePoint end = clock().now() + limit;
        while (!holds() && step(end)) {}
        return holds();
    }
    bool step(insync::TimePoint end) {
        const bool happened = time_.step(end);
        settle();
        if (happened && after_each_event_) after_each_event_();
        return happened;
    }
    /// NuRaft applies on threads of its own, and in so doing changes members: waits for that.
    void settle() {
        const auto busy = [](const Node& node) {
            if (node.server == nullptr) return false;
            const auto target = std::min(node.server->get_target_committed_log_idx(),
                                         node.server->get_last_log_idx());
            return node.server->get_committed_log_idx() < target;
        };
        for (const auto& [id, node] : running_)
            for (int look = 0; busy(node); ++look) {
                if (look == kMostLooks) throw std::runtime_error{"NuRaft does not apply its log"};
                std::this_thread::yield();
            }
    }
    static constexpr int kMostLooks = 100'000'000;

    std::vector<NodeId> nodes_;
    NuraftTime time_;
    NuraftLinks links_{time_};
    std::map<NodeId, nuraft::ptr<NuraftDisk>> disks_;
    std::map<NodeId, Node> running_;
    std::function<void()> after_each_event_;
    bool leaders_last_ = false;
    bool waits_to_join_ = false; // it does not lead alone before it is found
};

using NuraftCluster = NuraftClusterOf<NuraftHost<insync::testing::ManualClock>,
                                      insync::NuraftView<NuraftHost<insync::testing::ManualClock>>>;

} // namespace hosts
