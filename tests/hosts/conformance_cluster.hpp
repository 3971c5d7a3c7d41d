#pragma once

#include "hosts/hosted_view.hpp"
#include "hosts/raft_cluster.hpp"

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace hosts {

/// A real library's group as the conformance kit wants it.
class ConformanceCluster {
public:
    using View = HostedView;

    ConformanceCluster(const raft_host& library, const ClusterOptions& options, Mistake mistake)
        : raft_(library, options), mistake_(mistake) {
        for (const NodeId id : raft_.ids()) make_view(id);
    }

    [[nodiscard]] std::span<const NodeId> nodes() const { return raft_.ids(); }
    [[nodiscard]] View& view(NodeId id) { return *views_.at(id); }
    [[nodiscard]] const insync::testing::ManualClock& clock() const { return raft_.clock(); }

    bool elect(NodeId id);
    Index append(NodeId id);
    void cut(NodeId id) { raft_.isolate(id); }
    void heal() { raft_.heal_links(); }
    void stop(NodeId id) {
        raft_.crash(id);
        views_.erase(id);
    }
    void start(NodeId id) {
        raft_.restart(id);
        make_view(id);
    }
    void advance(Millis span) { raft_.run_until(raft_.now() + span); }
    void set_kind(NodeId id, insync::ReplicaKind kind);

    /// Heartbeats come with ticks, and their answers a round trip later.
    [[nodiscard]] Millis heartbeat_limit() const {
        const ClusterOptions& options = raft_.options();
        return options.tick * (options.heartbeat_ticks + 1) + round_trip();
    }
    /// Elections begin after one to two timeouts, and may be in vain once or twice.
    [[nodiscard]] Millis election_limit() const {
        return 6 * raft_.options().tick * raft_.options().election_ticks;
    }
    [[nodiscard]] static std::string_view cannot(insync::testing::ClusterAbility ability) {
        return ability == insync::testing::ClusterAbility::interrupted_reads
                   ? "one call under one lock"
                   : "";
    }

private:
    [[nodiscard]] Millis round_trip() const { return 2 * raft_.options().most_delay; }
    void make_view(NodeId id) {
        views_[id] = std::make_unique<View>(raft_, id, round_trip(), mistake_);
    }
    [[nodiscard]] NodeId leader() const;
    /// The leader's word for what a member is; nothing if it is none.
    [[nodiscard]] std::optional<unsigned> member_kind(NodeId id) const;
    void change(const std::vector<raft_host_change>& steps, std::uint32_t how);
    template <class Holds>
    bool wait_until(const Holds& holds);

    RaftCluster raft_;
    Mistake mistake_;
    std::map<NodeId, std::unique_ptr<View>> views_;
};

/// Who leads in the highest term.
inline NodeId ConformanceCluster::leader() const {
    NodeId found = kNoNode;
    Epoch term = 0;
    for (const NodeId id : raft_.ids()) {
        const Shown shown = raft_.show(id);
        if (!shown.leads() || shown.state.term < term) continue;
        found = id;
        term = shown.state.term;
    }
    return found;
}

template <class Holds>
bool ConformanceCluster::wait_until(const Holds& holds) {
    const TimePoint end = raft_.now() + 20 * election_limit();
    while (!holds()) {
        if (raft_.now() >= end) return false;
        advance(Millis{1});
    }
    return true;
}

/// By a transfer where somebody leads: a campaign beside a live leader is ignored, as it should be
/// with `check_quorum`. Once for each election timeout, for a second campaign drops the votes of
/// the first.
inline bool ConformanceCluster::elect(NodeId id) {
    const Millis timeout = raft_.options().tick * raft_.options().election_ticks;
    for (int attempt = 0; attempt < 40; ++attempt) {
        if (raft_.show(id).leads() && leader() == id) return true;
        const NodeId from = leader();
        if (from == kNoNode || raft_.transfer(from, id) != RAFT_HOST_OK || attempt % 4 == 3)
            (void)raft_.campaign(id);
        const TimePoint end = raft_.now() + timeout;
        while (raft_.now() < end && !raft_.show(id).leads()) advance(Millis{1});
    }
    return raft_.show(id).leads();
}

/// Refused while a transfer is under way, which ends within an election timeout.
inline Index ConformanceCluster::append(NodeId id) {
    Index index = 0;
    (void)wait_until([&] {
        index = raft_.propose(id, "x");
        return index != 0;
    });
    return index;
}

inline std::optional<unsigned> ConformanceCluster::member_kind(NodeId id) const {
    const NodeId at = leader();
    if (at == kNoNode) return std::nullopt;
    for (const insync_raft_peer& peer : raft_.show(at).peers)
        if (static_cast<NodeId>(peer.id) == id) return peer.member;
    return std::nullopt;
}

inline void ConformanceCluster::change(const std::vector<raft_host_change>& steps,
                                       std::uint32_t how) {
    const auto before = raft_.show(leader()).state.membership;
    (void)wait_until(
        [&] { return leader() != kNoNode && raft_.change(leader(), steps, how) != 0; });
    (void)wait_until([&] { return raft_.show(leader()).state.membership != before; });
}

/// A replica joins or leaves while both configurations of a joint change count.
inline void ConformanceCluster::set_kind(NodeId id, insync::ReplicaKind kind) {
    const auto step = [&](std::uint32_t what) {
        return std::vector{raft_host_change{static_cast<std::uint64_t>(id), what, 0}};
    };
    const auto now = member_kind(id);
    if (now == INSYNC_RAFT_JOINING || now == INSYNC_RAFT_LEAVING) change({}, RAFT_HOST_LEAVE_JOINT);
    switch (kind) {
    case insync::ReplicaKind::voter: change(step(RAFT_HOST_ADD_VOTER), RAFT_HOST_SIMPLE); break;
    case insync::ReplicaKind::learner: change(step(RAFT_HOST_ADD_LEARNER), RAFT_HOST_SIMPLE); break;
    case insync::ReplicaKind::joining:
        change(step(RAFT_HOST_ADD_LEARNER), RAFT_HOST_SIMPLE);
        change(step(RAFT_HOST_ADD_VOTER), RAFT_HOST_ENTER_JOINT);
        break;
    case insync::ReplicaKind::leaving: change(step(RAFT_HOST_REMOVE), RAFT_HOST_ENTER_JOINT); break;
    }
}

static_assert(insync::testing::HasReplicaKinds<ConformanceCluster>);

} // namespace hosts
