// The conformance kit on a library that has threads of its own: time passes by itself, and the kit
// waits for it. The library is toy_raft.hpp on a thread that ticks it, behind one lock; with real
// servers on real sockets the cluster looks the same, with insync::SteadyClock for a clock.
#include "toy_raft.hpp"
#include "toy_view.hpp"

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using insync::NodeId;

/// The toy's view, read while another thread drives the group.
class LockedView {
public:
    using Group = ToyView::Group;
    static constexpr auto contact_source = ToyView::contact_source;

    LockedView(toy::Node& node, std::mutex& mutex) : view_(node), mutex_(mutex) {}

    Group find_group(insync::TopicPartition partition, std::span<const NodeId> replicas) {
        return view_.find_group(partition, replicas);
    }
    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        const std::lock_guard lock{mutex_};
        return view_.read(group, state);
    }
    [[nodiscard]] insync::Millis contact_slack() const noexcept { return view_.contact_slack(); }
    [[nodiscard]] std::uint64_t version(const Group& group) const noexcept {
        const std::lock_guard lock{mutex_};
        return view_.version(group);
    }

private:
    ToyView view_;
    std::mutex& mutex_;
};

/// Each call takes the group's lock, and `advance` is the only one that takes time.
class ThreadedCluster {
public:
    using View = LockedView;
    using Kind = insync::ReplicaKind;

    ThreadedCluster() : nodes_(rig_.nodes().begin(), rig_.nodes().end()) {
        for (const NodeId id : nodes_) make_view(id);
        library_ = std::thread{[this] { run(); }};
    }
    ~ThreadedCluster() {
        {
            const std::lock_guard lock{mutex_};
            ending_ = true;
        }
        changed_.notify_all();
        library_.join();
    }
    ThreadedCluster(const ThreadedCluster&) = delete;
    ThreadedCluster& operator=(const ThreadedCluster&) = delete;

    [[nodiscard]] std::span<const NodeId> nodes() const noexcept { return nodes_; }
    [[nodiscard]] View& view(NodeId id) { return *views_.at(id); }
    [[nodiscard]] insync::testing::ManualClock clock() const { return clock_; }

    /// Until the library's own clock has come so far, however long that takes.
    void advance(insync::Millis span) {
        std::unique_lock lock{mutex_};
        const insync::TimePoint end = clock_.now() + span;
        changed_.wait(lock, [&] { return clock_.now() >= end; });
    }

    bool elect(NodeId id) { return rig()->elect(id); }
    insync::Index append(NodeId id) { return rig()->append(id); }
    void cut(NodeId id) { rig()->cut(id); }
    void heal() { rig()->heal(); }
    void stop(NodeId id) { rig()->stop(id); }
    void start(NodeId id) {
        rig()->start(id);
        make_view(id);
    }
    void set_kind(NodeId id, Kind kind) { rig()->set_kind(id, kind); }
    void hold_disk(NodeId id) { rig()->hold_disk(id); }
    void release_disk(NodeId id) { rig()->release_disk(id); }
    void remove(NodeId id) { rig()->remove(id); }
    void add(NodeId id) {
        rig()->add(id);
        make_view(id);
    }
    void campaign_in_vain(NodeId id) { rig()->campaign_in_vain(id); }

    /// Limits are of what is seen under load, with room: a thread may be late.
    [[nodiscard]] insync::Millis heartbeat_limit() const { return rig_.heartbeat_limit(); }
    [[nodiscard]] insync::Millis election_limit() const { return rig_.election_limit(); }
    [[nodiscard]] insync::Millis round_trip() const { return toy::Rig::round_trip(); }
    [[nodiscard]] std::string_view cannot(insync::testing::ClusterAbility ability) const {
        using enum insync::testing::ClusterAbility;
        switch (ability) {
        case interrupted_reads: return "the view reads under the group's lock";
        case lost_appends: return "what a link carries is not told apart here";
        case held_answers: return "the links keep nothing back here";
        case lasting_leaders: return "leaders always step down here";
        default: return "";
        }
    }

private:
    /// The group, for one call under its lock.
    class Locked {
    public:
        Locked(std::mutex& mutex, toy::Rig& rig) : lock_(mutex), rig_(rig) {}
        toy::Rig* operator->() noexcept { return &rig_; }

    private:
        std::lock_guard<std::mutex> lock_;
        toy::Rig& rig_;
    };
    Locked rig() { return {mutex_, rig_}; }
    void make_view(NodeId id) { views_[id] = std::make_unique<View>(rig_.node(id), mutex_); }

    /// The library's thread: a tick of 5 ms of its time, here in half a real millisecond, so that
    /// the example is over soon.
    void run() {
        std::unique_lock lock{mutex_};
        while (!changed_.wait_for(lock, 500us, [this] { return ending_; })) {
            rig_.advance(5ms);
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool ending_ = false;
    toy::Rig rig_;
    insync::testing::ManualClock clock_{rig_.clock()}; // shares the time of the group's
    std::vector<NodeId> nodes_;
    std::map<NodeId, std::unique_ptr<View>> views_;
    std::thread library_;
};

int main() {
    const auto begin = std::chrono::steady_clock::now();
    const auto results = insync::testing::check_conformance([] { return ThreadedCluster{}; });
    for (const auto& result : results) fmt::print("{}\n", result);
    const auto took = std::chrono::steady_clock::now() - begin;
    fmt::print("{} checks in {} ms\n", results.size(), took / 1ms);
    return insync::testing::conforms(results) ? 0 : 1;
}
