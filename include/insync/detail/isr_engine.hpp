#pragma once

#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/counters.hpp>
#include <insync/detail/dead_nodes.hpp>
#include <insync/detail/event_queue.hpp>
#include <insync/detail/first_set.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/name.hpp>
#include <insync/detail/outcome.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/partitions.hpp>
#include <insync/detail/published_state.hpp>
#include <insync/detail/replica_sets.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/explain.hpp>
#include <insync/handle.hpp>
#include <insync/isr_set.hpp>
#include <insync/isr_store.hpp>
#include <insync/replication_waits.hpp>
#include <insync/reports.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace insync::detail {

/// The manager without its view and its clock: the rules of S3 to S8 applied to the partitions'
/// state. Every function takes `now`, locks one partition, and leaves in an `Outcome` what is to be
/// told afterwards.
///
/// Locks, in the order in which they may be taken: the registry's mutex, one partition's line, and
/// then one of the leaves (extras, replica sets, waits, events).
class IsrEngine {
public:
    IsrEngine(NodeId node, const IsrConfig& limits, TimePoint origin, std::uint64_t hash_seed)
        : self(node), config(limits), timeline(origin), partitions(hash_seed), events(counters) {
        const auto clip = [](Millis ms) {
            const auto most = static_cast<Millis::rep>(kMaxAge);
            return static_cast<std::uint32_t>(std::clamp<Millis::rep>(ms.count(), 1, most));
        };
        max_lag = clip(config.max_lag_ms);
        quorum_contact = clip(config.quorum_contact_ms);
    }

    const NodeId self;
    const IsrConfig config;
    Timeline timeline;
    std::uint32_t max_lag = 0;        ///< milliseconds, at most `kMaxAge`
    std::uint32_t quorum_contact = 0; ///< milliseconds, at most `kMaxAge`
    AtomicCounters counters;
    mutable Partitions partitions; ///< questions lock as well
    ReplicationWaits waits;
    EventQueue events;
    DeadNodes dead;
    std::atomic<bool> stopped{false};
    std::atomic<bool> publishing{false}; ///< a store is attached (S8)
    bool pushes = false; ///< the view tells of every change: nobody out of sync need be asked
    std::atomic<bool> derives_quorum{false}; ///< some view leaves the quorum to the contacts (S5)
    std::atomic<std::uint64_t> period{1};    ///< freshness: start stamp << 8 | number

    /// The moment of an observation, in both forms.
    struct Now {
        TimePoint time;
        Stamp stamp;
    };
    [[nodiscard]] Now at(TimePoint time) const noexcept { return {time, timeline.stamp(time)}; }

    /// How an observation is to be judged, and when the partition must be looked at again.
    struct Judging {
        bool saw_all = true;    ///< whether the last sweep looked at every partition
        bool may_evict = true;  ///< false in a stalled sweep: our own pause (S3)
        bool pushed = false;    ///< something was pushed while the view was read
        Stamp last_sweep;       ///< when reads were last known to be good
        Stamp expiry;           ///< out: nothing expires before this
        bool attention = false; ///< out: to be looked at in every sweep
        Mask disavowed = 0;     ///< of whom the view no longer says what it said before
    };

    // engine_observe.hpp
    Result take_in(Partition& p,
                   ReadResult read,
                   const GroupState& state,
                   Now now,
                   Judging& judging,
                   Outcome& outcome);
    /// Whether, by what is known now, something expires at `now`; else `judging` says when.
    bool expires(Partition& p, Now now, Judging& judging);

    // engine_commit.hpp
    struct Draft {
        Decision before;
        ChangeCause cause = ChangeCause::lag;
    };
    [[nodiscard]] Draft draft(const Partition& p, ChangeCause cause) const {
        return {p.decision, cause};
    }
    Result commit(Partition& p,
                  const Draft& draft,
                  Now now,
                  Outcome& outcome,
                  EventQueue::Prepared* ready = nullptr);
    static void set_members(Partition& p, Mask members, std::uint32_t leader) noexcept {
        p.decision.word = p.decision.word.decided(members, leader, p.decision.word.has_min());
    }
    void settle(Partition& p, Outcome& outcome);
    void end_waits(Partition& p, WaitResult result, Outcome& outcome);

    // engine_progress.hpp
    struct Acknowledgement {
        Epoch epoch;
        NodeId node;
        Index match;
        Stamp contact;
    };
    bool record_ordinary(LeaderLine& line,
                         StateWord word,
                         const Acknowledgement& ack,
                         Result& result) const;
    Result record_progress(Partition& p, const Acknowledgement& ack, Outcome& outcome);
    Result record_leader(
        Partition& p, Epoch epoch, const LeaderPositions& positions, Now now, Outcome& outcome);
    Result record_contact(Partition& p, NodeId node, Stamp contact);
    Result move_by_hand(Partition& p, NodeId node, bool add, Now now, Outcome& outcome);
    Result await(Partition& p,
                 Epoch epoch,
                 Index index,
                 TimePoint deadline,
                 Now now,
                 WaitCallback& callback,
                 std::optional<WaitResult>& at_once);

    // engine_registry.hpp
    void enter(Cell& word,
               StateWord identity,
               std::uint32_t topic,
               std::uint32_t partition,
               std::uint32_t replica_set,
               int min_isr,
               const FirstSet& set,
               Now now);
    Result begin_anew(
        Partition& p, const FirstSet& set, std::optional<int> min_isr, Now now, Outcome& outcome);
    void leave(Partition& p, Outcome& outcome);
    Result apply_published(Partition& p, const PublishedIsr& isr, Now now, Outcome& outcome);
    Result reassign(Partition& p, std::span<const NodeId> sorted, Now now, Outcome& outcome);
    Result set_min_isr(Partition& p, int min_isr, Now now, Outcome& outcome);

    // engine_reports.hpp
    [[nodiscard]] IsrSet isr_set(const Decision& decision) const noexcept {
        IsrSet set;
        fill(decision, set);
        return set;
    }
    void fill(const Decision& decision, IsrSet& set) const noexcept;
    static void fill_parted(const ReplicaSet& replicas, Mask members, IsrSet& set) noexcept;
    static void fill_large(const ReplicaSet& replicas, IsrSet& set) noexcept;
    [[nodiscard]] NodeId leader_of(const Decision& decision,
                                   const ReplicaSet& replicas,
                                   std::uint32_t count) const noexcept;
    [[nodiscard]] Explanation explain(const Partition& p, std::uint32_t position, Now now) const;
    void report(const Partition& p, Now now, PartitionReport& report) const;
    [[nodiscard]] bool is_under_replicated(const Partition& p) const;
    [[nodiscard]] TimePoint heard_at(const Partition& p, std::uint32_t position, Now now) const;

private:
    [[nodiscard]] Decision first_decision(const FirstSet& set,
                                          std::uint32_t replica_set,
                                          StateWord identity,
                                          Now now) const;
    Result hear_of_epoch(Partition& p, Epoch epoch, Outcome& outcome);
    Result lead(Partition& p, const GroupState& state, Now now, Judging& judging, Outcome& outcome);
    Result follow(
        Partition& p, const GroupState& state, Now now, Judging& judging, Outcome& outcome);
    void note_fallen_epoch(Partition& p, Epoch epoch, Now now);
    Result failed_read(Partition& p, Result why, Now now, Judging& judging, Outcome& outcome);
    bool begin_epoch(Partition& p, const GroupState& state, Now now, Outcome& outcome);
    bool take_in_rows(Partition& p, const GroupState& state, Now now, Judging& judging);
    [[nodiscard]] static bool contradicts(const Partition& p,
                                          std::uint32_t position,
                                          const FollowerRow& row) noexcept;
    void disavow(Partition& p, std::uint32_t position, Stamp now, Judging& judging) const;
    void revoke_claim(Partition& p) const;
    ChangeCause judge_members(Partition& p, Now now, Judging& judging);
    bool may_join(Partition& p, std::uint32_t position, Stamp now);
    void note_departures(Partition& p, Mask left, Stamp now);
    bool set_positions(Partition& p, const LeaderPositions& positions, Stamp until, Now now) const;
    void judge_quorum(Partition& p, const GroupState& state, Now now, Judging& judging) const;
    void age_former_leader(Partition& p, Now now, Judging& judging) const;
    void step_down(Partition& p, Outcome& outcome);
    void name_leader(Partition& p, NodeId leader);
    void resign(Partition& p, Now now, Outcome& outcome);
    void tidy(Partition& p, Stamp now, Judging& judging);
    [[nodiscard]] bool is_settled(const Partition& p, Stamp now) const;
    void prepare(const Partition& p, EventQueue::Prepared& prepared) const;
    void describe(const Partition& p,
                  const Decision& next,
                  const Draft& draft,
                  Now now,
                  IsrChange& change) const;
    void claim_fresh(LeaderLine& line, StateWord word, std::size_t replicas) const;
};

} // namespace insync::detail
