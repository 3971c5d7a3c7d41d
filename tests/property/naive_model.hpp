#pragma once

#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/handle.hpp>
#include <insync/isr_rules.hpp>
#include <insync/isr_set.hpp>
#include <insync/isr_store.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace property {

using insync::ChangeCause;
using insync::Epoch;
using insync::Index;
using insync::Millis;
using insync::NodeId;
using insync::Result;
using insync::TimePoint;
using insync::WaitResult;

/// A set as the rules want it reported: all of `IsrSet` that does not depend on the clock.
struct Reported {
    NodeId leader = insync::kNoNode;
    std::set<NodeId> members;
    std::set<NodeId> replicas;
    Epoch epoch = 0;
    insync::Version version = 0;
    bool own = false;
    bool stale = false;

    Reported() = default;
    explicit Reported(const insync::IsrSet& set)
        : leader(set.leader()),
          members(set.members().begin(), set.members().end()),
          replicas(members),
          epoch(set.epoch()),
          version(set.version()),
          own(set.own()),
          stale(set.stale()) {
        replicas.insert(set.catching_up().begin(), set.catching_up().end());
    }
    /// Who leads is no part of the set where this node does not lead.
    [[nodiscard]] bool same_set(const Reported& other) const {
        return members == other.members && replicas == other.replicas && epoch == other.epoch &&
               version == other.version;
    }
    friend bool operator==(const Reported&, const Reported&) = default;
};

struct NaiveEvent {
    ChangeCause cause = ChangeCause::lag;
    Reported after;
};

struct NaiveWait {
    int id = 0;
    Index index = 0;
    TimePoint deadline;
};

/// A moment between two bounds. S3 leaves the choice of the samples free within limits, and S2 the
/// moment from which failing reads count; what follows must be right for every choice.
struct Span {
    TimePoint least = insync::kNever;
    TimePoint most = insync::kNever;

    void exactly(TimePoint t) {
        least = std::max(least, t);
        most = std::max(most, t);
    }
};

/// One partition of the tracker, written from the rules (S1 to S11, observed mode) and from nothing
/// else, with maps and vectors, in milliseconds, and with no thought of speed. Cited as there.
class NaivePartition {
public:
    NaivePartition(NodeId self,
                   const insync::IsrConfig& config,
                   std::set<NodeId> replicas,
                   std::optional<int> min_isr,
                   const insync::PublishedIsr* inherited,
                   const std::set<NodeId>& dead)
        : self_(self), config_(config), min_isr_(min_isr) {
        shown.replicas = shown.members = std::move(replicas);
        std::erase_if(shown.members,
                      [&](NodeId node) { return node != self_ && dead.contains(node); });
        if (shown.members.empty()) shown.members = shown.replicas;
        for (const NodeId node : shown.replicas)
            if (node != self_) followers_[node];
        if (inherited != nullptr) take(*inherited);
        heard_ = shown.epoch;
        show_leader();
    }

    /// How one observation is to be judged.
    struct Moment {
        TimePoint now;
        bool may_evict = true;
        TimePoint last_sweep; ///< reads that were left out were known to be good then
        bool paused = false;  ///< sweeps are overdue, or there are none
        bool blind = false;   ///< contacts may have been missed: no version tells of them
        /// What the tracker decided: followed where the rules leave the choice.
        Reported actual;
        bool actual_has_min = false;
        std::set<NodeId> dead = {}; ///< as the host knows
    };

    // What the tracker must answer ----------------------------------------------------------------

    Reported shown;
    std::vector<NaiveEvent> events;                ///< since the caller last cleared it
    std::vector<std::pair<int, WaitResult>> ended; ///< the same
    std::size_t choices = 0;                       ///< verdicts that the rules left open

    /// Nothing where the rules leave the choice.
    [[nodiscard]] std::optional<bool> has_min_isr() const {
        if (!leading_ || !enough()) return false;
        return quorum_;
    }
    [[nodiscard]] std::optional<Index> high_watermark() const {
        return leading_ ? std::optional<Index>{high_watermark_} : std::nullopt;
    }
    [[nodiscard]] bool leading() const { return leading_; }
    [[nodiscard]] Epoch heard() const { return heard_; }
    [[nodiscard]] Index end() const { return end_; }
    [[nodiscard]] std::size_t waits() const { return waits_.size(); }
    /// Whether the metadata has not shown the own decision yet (S8).
    [[nodiscard]] bool unpublished() const { return leading_ && unpublished_; }
    /// What a replica is confirmed to hold.
    [[nodiscard]] std::optional<Index> match(NodeId node) const {
        const auto known = followers_.find(node);
        return leading_ && known != followers_.end() ? known->second.match : std::nullopt;
    }

    // What happens to it: model_observe.hpp and model_progress.hpp --------------------------------

    Result observe(insync::ReadResult read, const insync::GroupState& state, const Moment& moment);
    Result record_progress(Epoch epoch, NodeId node, Index match, TimePoint contact);
    Result record_leader(Epoch epoch, const insync::LeaderPositions& positions, TimePoint now);
    Result update_heartbeat(NodeId node, TimePoint now);
    Result move_by_hand(NodeId node, bool add, TimePoint now);
    Result set_min_isr(int min_isr);
    Result set_assignment(const std::set<NodeId>& replicas);
    Result apply_published(const insync::PublishedIsr& isr);
    void register_anew(const std::set<NodeId>& dead);
    Result await(const NaiveWait& wait, Epoch epoch, TimePoint now);
    void expire_waits(TimePoint now);
    void end_waits(WaitResult result);

private:
    struct Follower {
        bool voter = false;         ///< as the last good read said
        bool present = true;        ///< had a row in the last good read
        bool disavowed = false;     ///< denied by the last good read
        bool elected = false;       ///< was assigned when the epoch began
        std::optional<Index> match; ///< confirmed in this epoch
        TimePoint contact = insync::kNever;
        Span caught_up;
        TimePoint held_out_until = insync::kNever;
    };

    [[nodiscard]] static bool consistent(const insync::GroupState& state, NodeId self) {
        std::set<NodeId> seen;
        for (const insync::FollowerRow& row : state.followers)
            if (row.node == self || row.node < 0 || !seen.insert(row.node).second) return false;
        return (state.leader == self || state.leader == insync::kNoNode) &&
               state.end <= insync::kMaxIndex && state.commit <= state.end &&
               state.durable <= state.end;
    }
    [[nodiscard]] std::size_t min_isr() const {
        const int configured = min_isr_.value_or(config_.min_insync_replicas);
        return static_cast<std::size_t>(
            std::clamp(configured, 1, static_cast<int>(shown.replicas.size())));
    }
    [[nodiscard]] bool enough() const { return shown.members.size() >= min_isr(); }
    [[nodiscard]] Index held_by_all() const {
        Index held = durable_;
        for (const NodeId node : shown.members)
            if (node != self_) held = std::min(held, followers_.at(node).match.value_or(0));
        return held;
    }
    [[nodiscard]] bool decides() const { return leading_ || deposed_; }

    /// S5: a node that does not lead never names itself.
    void show_leader() {
        const NodeId leader = leading_ ? self_ : named_.value_or(decider_);
        const bool known = shown.replicas.contains(leader) && (leading_ || leader != self_);
        shown.leader = known ? leader : insync::kNoNode;
    }

    Result fail(Result why, const Moment& moment);
    void lead(const insync::GroupState& state, const Moment& moment);
    void begin_epoch(const insync::GroupState& state, const Moment& moment);
    void follow(const insync::GroupState& state, const Moment& moment);
    void take_rows(const insync::GroupState& state, const Moment& moment);
    static void disavow(Follower& follower) {
        follower.match.reset();
        follower.contact = insync::kNever;
        follower.caught_up = {};
        follower.disavowed = true;
    }
    [[nodiscard]] ChangeCause judge(const Moment& moment);
    void judge_quorum(const insync::GroupState& state, const Moment& moment);
    void age_members(const Moment& moment, bool must);
    void step_down();
    Result hear_of(Epoch epoch);
    void raise(const insync::LeaderPositions& positions, TimePoint last_seen, TimePoint now);
    void see(Follower& follower) const;
    void take(const insync::PublishedIsr& isr);
    void commit(const Reported& before, ChangeCause cause);
    void settle();
    bool choose(bool at_least, bool at_most, bool actual) {
        choices += at_least != at_most ? 1u : 0u;
        return at_least == at_most ? at_least : actual;
    }

    NodeId self_;
    insync::IsrConfig config_;
    std::optional<int> min_isr_;
    std::map<NodeId, Follower> followers_;
    std::vector<NaiveWait> waits_;

    Epoch heard_ = 0;                  ///< the newest epoch that was heard of
    NodeId decider_ = insync::kNoNode; ///< who led when the set was decided
    std::optional<NodeId> named_;      ///< the newer leader that the view knows
    bool leading_ = false;
    std::optional<bool> quorum_ = false; ///< nothing where the rules leave the choice
    bool deposed_ = false;               ///< led, lost it, and knows no newer leader yet (S7)
    bool masked_ = false;                ///< an assignment took members from a published set
    bool unpublished_ = false;
    bool no_leader_ = false;
    bool failing_ = false;
    Span leaderless_; ///< since when no leader was heard of
    Span last_good_;  ///< the last good read before reads failed
    TimePoint read_at_ = insync::kNever;

    Index end_ = 0;
    Index durable_ = 0;
    Index commit_ = 0;
    Index high_watermark_ = 0;
    TimePoint began_ = insync::kNever;
    /// Every end that there was in this epoch, and when it was first and last seen (S3).
    struct End {
        Index end;
        TimePoint first;
        TimePoint last;
    };
    std::vector<End> ends_;
    /// Of these, those before may have been forgotten: the partition was idle since.
    std::size_t remembered_ = 0;
};

} // namespace property

#include "property/model_observe.hpp"
#include "property/model_progress.hpp"
