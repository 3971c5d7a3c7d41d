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
#include <vector>

namespace hosts {

/// A real library's group as the conformance kit wants it.
class ConformanceCluster {
public:
    using View = HostedView;

    ConformanceCluster(const raft_host& library, const ClusterOptions& options, Mistake mistake)
        : library_(library), options_(options), mistake_(mistake) {
        begin();
    }

    [[nodiscard]] std::span<const NodeId> nodes() const { return raft_->ids(); }
    [[nodiscard]] View& view(NodeId id) { return *views_.at(id); }
    [[nodiscard]] const insync::testing::ManualClock& clock() const { return raft_->clock(); }

    bool elect(NodeId id);
    Index append(NodeId id);
    void cut(NodeId id) { raft_->isolate(id); }
    void heal() { raft_->heal_links(); }
    void keep_leaders() {
        options_.check_quorum = false;
        begin();
    }
    void stop(NodeId id) {
        raft_->crash(id);
        views_.erase(id);
    }
    void start(NodeId id) {
        raft_->restart(id);
        make_view(id);
    }
    void advance(Millis span) { raft_->run_until(raft_->now() + span); }
    void set_kind(NodeId id, insync::ReplicaKind kind);
    void hold_disk(NodeId id) { raft_->hold_disk(id); }
    void release_disk(NodeId id) { raft_->release_disk(id); }
    void lose_appends(NodeId id) { raft_->lose_appends(id); }
    void hold_answers(NodeId id) { raft_->hold_mail(id); }
    void deliver_answers(NodeId id) { raft_->deliver_mail(id); }
    void remove(NodeId id);
    void add(NodeId id);
    /// The node is cut off, but for what it sends.
    void campaign_in_vain(NodeId id) {
        for (const NodeId other : nodes()) raft_->cut(id, other, false);
        (void)raft_->campaign(id);
    }
    [[nodiscard]] Millis round_trip() const { return 2 * options_.most_delay; }

    /// Heartbeats come with ticks, and their answers a round trip later.
    [[nodiscard]] Millis heartbeat_limit() const {
        const ClusterOptions& options = raft_->options();
        return options.tick * (options.heartbeat_ticks + 1) + round_trip();
    }
    /// Elections begin after one to two timeouts, and may be in vain once or twice.
    [[nodiscard]] Millis election_limit() const {
        return 6 * raft_->options().tick * raft_->options().election_ticks;
    }
    [[nodiscard]] std::string_view cannot(insync::testing::ClusterAbility ability) const {
        using insync::testing::ClusterAbility;
        if (ability == ClusterAbility::interrupted_reads) return "one call under one lock";
        if (ability == ClusterAbility::held_disks && !options_.async_persistence)
            return "what is appended is on the disk at once";
        return "";
    }

private:
    void begin() {
        views_.clear();
        raft_.emplace(library_, options_);
        for (const NodeId id : raft_->ids()) make_view(id);
    }
    void make_view(NodeId id) {
        views_[id] = std::make_unique<View>(*raft_, id, round_trip(), mistake_);
    }
    [[nodiscard]] NodeId leader() const;
    /// The leader's word for what a member is; nothing if it is none.
    [[nodiscard]] std::optional<unsigned> member_kind(NodeId id) const;
    Index change(const std::vector<raft_host_change>& steps, std::uint32_t how);
    static std::vector<raft_host_change> step(NodeId id, std::uint32_t what) {
        return {raft_host_change{static_cast<std::uint64_t>(id), what, 0}};
    }
    template <class Holds>
    bool wait_until(const Holds& holds);

    const raft_host& library_;
    ClusterOptions options_;
    std::optional<RaftCluster> raft_;
    Mistake mistake_;
    std::map<NodeId, std::unique_ptr<View>> views_;
};

/// Who leads in the highest term.
inline NodeId ConformanceCluster::leader() const {
    NodeId found = kNoNode;
    Epoch term = 0;
    for (const NodeId id : raft_->ids()) {
        const Shown shown = raft_->show(id);
        if (!shown.leads() || shown.state.term < term) continue;
        found = id;
        term = shown.state.term;
    }
    return found;
}

template <class Holds>
bool ConformanceCluster::wait_until(const Holds& holds) {
    const TimePoint end = raft_->now() + 20 * election_limit();
    while (!holds()) {
        if (raft_->now() >= end) return false;
        advance(Millis{1});
    }
    return true;
}

/// By a transfer where somebody leads: a campaign beside a live leader is ignored, as it should be
/// with `check_quorum`. Once for each election timeout, for a second campaign drops the votes of
/// the first.
inline bool ConformanceCluster::elect(NodeId id) {
    const Millis timeout = raft_->options().tick * raft_->options().election_ticks;
    for (int attempt = 0; attempt < 40; ++attempt) {
        if (raft_->show(id).leads() && leader() == id) return true;
        const NodeId from = leader();
        if (from == kNoNode || raft_->transfer(from, id) != RAFT_HOST_OK || attempt % 4 == 3)
            (void)raft_->campaign(id);
        const TimePoint end = raft_->now() + timeout;
        while (raft_->now() < end && !raft_->show(id).leads()) advance(Millis{1});
    }
    return raft_->show(id).leads();
}

/// Refused while a transfer is under way, which ends within an election timeout.
inline Index ConformanceCluster::append(NodeId id) {
    Index index = 0;
    (void)wait_until([&] {
        index = raft_->propose(id, "x");
        return index != 0;
    });
    return index;
}

inline std::optional<unsigned> ConformanceCluster::member_kind(NodeId id) const {
    const NodeId at = leader();
    if (at == kNoNode) return std::nullopt;
    for (const insync_raft_peer& peer : raft_->show(at).peers)
        if (static_cast<NodeId>(peer.id) == id) return peer.member;
    return std::nullopt;
}

/// \return where the change stands in the log; it has been applied by the leader
inline Index ConformanceCluster::change(const std::vector<raft_host_change>& steps,
                                        std::uint32_t how) {
    Index index = 0;
    (void)wait_until([&] {
        index = leader() == kNoNode ? 0 : raft_->change(leader(), steps, how);
        return index != 0;
    });
    (void)wait_until(
        [&] { return leader() != kNoNode && raft_->show(leader()).state.membership >= index; });
    return index;
}

/// A replica joins or leaves while both configurations of a joint change count.
inline void ConformanceCluster::set_kind(NodeId id, insync::ReplicaKind kind) {
    const auto now = member_kind(id);
    if (now == INSYNC_RAFT_JOINING || now == INSYNC_RAFT_LEAVING) change({}, RAFT_HOST_LEAVE_JOINT);
    switch (kind) {
    case insync::ReplicaKind::voter: change(step(id, RAFT_HOST_ADD_VOTER), RAFT_HOST_SIMPLE); break;
    case insync::ReplicaKind::learner:
        change(step(id, RAFT_HOST_ADD_LEARNER), RAFT_HOST_SIMPLE);
        break;
    case insync::ReplicaKind::joining:
        change(step(id, RAFT_HOST_ADD_LEARNER), RAFT_HOST_SIMPLE);
        change(step(id, RAFT_HOST_ADD_VOTER), RAFT_HOST_ENTER_JOINT);
        break;
    case insync::ReplicaKind::leaving:
        change(step(id, RAFT_HOST_REMOVE), RAFT_HOST_ENTER_JOINT);
        break;
    }
}

inline void ConformanceCluster::remove(NodeId id) {
    change(step(id, RAFT_HOST_REMOVE), RAFT_HOST_SIMPLE);
    stop(id);
    raft_->wipe(id);
}

inline void ConformanceCluster::add(NodeId id) {
    const Index index = change(step(id, RAFT_HOST_ADD_VOTER), RAFT_HOST_SIMPLE);
    raft_->note_added(id, index);
    start(id);
}

static_assert(insync::testing::HasReplicaKinds<ConformanceCluster>);
static_assert(insync::testing::HasHeldDisks<ConformanceCluster>);
static_assert(insync::testing::HasLostAppends<ConformanceCluster>);
static_assert(insync::testing::HasHeldAnswers<ConformanceCluster>);
static_assert(insync::testing::HasRemovedMembers<ConformanceCluster>);
static_assert(insync::testing::HasVainCampaigns<ConformanceCluster>);
static_assert(insync::testing::HasLastingLeaders<ConformanceCluster>);
static_assert(insync::testing::HasRoundTrips<ConformanceCluster>);

} // namespace hosts
