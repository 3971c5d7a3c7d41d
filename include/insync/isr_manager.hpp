#pragma once

#include <insync/clock.hpp>
#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/counters.hpp>
#include <insync/detail/callback.hpp>
#include <insync/detail/event_queue.hpp>
#include <insync/detail/first_set.hpp>
#include <insync/detail/geometric_slab.hpp>
#include <insync/detail/isr_engine.hpp>
#include <insync/detail/name.hpp>
#include <insync/detail/outcome.hpp>
#include <insync/detail/partition.hpp>
#include <insync/detail/partitions.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/explain.hpp>
#include <insync/handle.hpp>
#include <insync/isr_set.hpp>
#include <insync/isr_store.hpp>
#include <insync/node_list.hpp>
#include <insync/partition_options.hpp>
#include <insync/replication_waits.hpp>
#include <insync/types.hpp>
// IWYU pragma: begin_keep
// The members are defined in the .ipp files below, for which the rest is included.
#include <insync/detail/engine_commit.hpp>
#include <insync/detail/engine_follow.hpp>
#include <insync/detail/engine_observe.hpp>
#include <insync/detail/engine_progress.hpp>
#include <insync/detail/engine_registry.hpp>
#include <insync/detail/engine_reports.hpp>
#include <insync/detail/engine_rows.hpp>
#include <insync/reports.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <stdexcept>
#include <string>
// IWYU pragma: end_keep

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace insync {

/// Knows, for every partition a broker hosts, which replicas are in sync, and answers the two
/// questions of a broker at once: `has_min_isr` when a produce arrives, `get_isr` for metadata.
///
///     produce path  -- has_min_isr -------->  decisions  <-- commit --  sweep  <-- read --  View
///     metadata path -- get_isr ------------>  (wait-free)               pushes <---------- host
///     acks=all      -- await_replication -->  waits      <-- settle --  matches move
///
/// The host drives it: `tick()` from its own loop, or `IsrUpdateLoop`. The rules are those of
/// docs/rules.md, cited as S1 to S11.
///
/// \par Thread safety
/// Every member may be called from any thread at any time, also from inside any callback; only
/// construction and destruction are exclusive, and neither may happen inside a callback. No user
/// code (view, clock excepted) is called with a lock held. The members under "Reads" are wait-free:
/// a bounded number of steps, no lock, no allocation, no call to the view or the clock.
///
/// \par Errors
/// Inputs are refused by result, never by exception or assertion; what is refused changed nothing
/// and is counted (`counters()`). A failed allocation is `Result::no_memory`.
template <class View, class C = SteadyClock>
class IsrManager {
    static_assert(ConsensusView<View>, "View must satisfy insync::ConsensusView");
    static_assert(Clock<C>, "C must satisfy insync::Clock");

public:
    /// \param self    this node
    /// \param view    the host's consensus; must outlive the manager
    /// Throws `std::invalid_argument` with the words of `validate` if the config is refused.
    IsrManager(NodeId self, View& view, const IsrConfig& config = {}, C clock = C{});
    IsrManager(const IsrManager&) = delete;
    IsrManager& operator=(const IsrManager&) = delete;
    /// Shuts down.
    ~IsrManager();

    // Reads --------------------------------------------------------------------------------------

    /// Whether an acks=all write may be accepted now: this node leads in the current epoch, has its
    /// quorum, and the ISR, this node included, has at least the effective min ISR (S5).
    ///
    /// A `true` is of the past at once: the ISR may shrink before the append, and
    /// `await_replication` tells. Kafka: `Partition.isUnderMinIsr` negated, false where not led.
    /// \return for a partition that is not tracked `IsrConfig::unknown_partition`
    /// \par Complexity
    ///     O(1): one hash, two or three cache lines.
    [[nodiscard]] bool has_min_isr(std::string_view topic, PartitionId partition) const noexcept;
    /// The same by handle: one load. False for ever once the partition was removed.
    [[nodiscard]] bool has_min_isr(const PartitionHandle& handle) const noexcept {
        return handle.has_min();
    }

    /// The in-sync replicas and all that belongs to them: on the leader its own decision, on any
    /// other node what the leader last published (S5). Nothing where the partition is not tracked.
    [[nodiscard]] std::optional<IsrSet> get_isr(std::string_view topic,
                                                PartitionId partition) const noexcept;
    [[nodiscard]] std::optional<IsrSet> get_isr(const PartitionHandle& handle) const noexcept;

    /// Whether `get_isr` names the node; false where the partition is not tracked.
    [[nodiscard]] bool is_in_sync(std::string_view topic,
                                  PartitionId partition,
                                  NodeId node) const noexcept;

    /// The high watermark (S6); nothing where the partition is not tracked or not led here.
    [[nodiscard]] std::optional<Index> high_watermark(std::string_view topic,
                                                      PartitionId partition) const noexcept;
    [[nodiscard]] std::optional<Index> high_watermark(const PartitionHandle& handle) const noexcept;

    /// Resolves a partition once, so that later calls hash nothing. Null where it is not tracked.
    [[nodiscard]] PartitionHandle find(std::string_view topic,
                                       PartitionId partition) const noexcept;

    // Registration -------------------------------------------------------------------------------

    /// Begins to track a partition, reads the view, and judges by what that says. A new one starts
    /// with all replicas in sync that are not known to be dead: tell who is, by `mark_dead` or in
    /// the options, or the first acks=all writes wait for a dead node for one `max_lag_ms`.
    /// \return `ok`; `ok` again for the same content; `already_exists` for another; `invalid_isr`
    ///     where the options leave nobody in sync
    Result initialize_isr(std::string_view topic, PartitionId partition, NodeList replicas);
    Result initialize_isr(std::string_view topic,
                          PartitionId partition,
                          NodeList replicas,
                          const PartitionOptions& options);
    /// With its own min ISR, at least 1.
    Result initialize_isr(std::string_view topic,
                          PartitionId partition,
                          NodeList replicas,
                          int min_isr);
    /// With the ISR that the metadata last knew (S8); members no longer assigned are left out, and
    /// it is refused (`invalid_isr`) where none would be left.
    Result initialize_isr(std::string_view topic,
                          PartitionId partition,
                          NodeList replicas,
                          const PublishedIsr& inherited,
                          std::optional<int> min_isr = {});

    /// Forgets all that is known of a partition but its replicas and min ISR, its epochs included,
    /// and begins as if it were new; handles stay. For a group whose term has fallen
    /// (`IsrCounters::epochs_fallen`): until then whatever its view says is older than what is
    /// known. Waits end as `not_leader`.
    /// \param options  as for `initialize_isr`, but without min ISR the present one stays
    /// \return `ok`; `superseded` if the assignment changed meanwhile
    Result register_anew(std::string_view topic,
                         PartitionId partition,
                         const PartitionOptions& options = {});

    /// Tells that the cluster knows a node to be dead, or alive again; all are alive at first. A
    /// dead node is given nothing on credit: it is not in the first set of a new partition, and has
    /// no grace when this node begins to lead (S3). Who is in sync already is judged by its lag
    /// alone, and one that was marked by mistake joins as soon as it has confirmed what it holds.
    /// Kafka: a fenced broker is in no ISR (KIP-631).
    Result mark_dead(NodeId node);
    Result mark_alive(NodeId node);

    /// Makes room for a topic of so many partitions side by side: less memory, faster look-ups.
    /// Too late once it has some.
    Result reserve(std::string_view topic, std::size_t partitions);

    /// Forgets a partition. Its waits end as `not_leader` within the call; handles answer false.
    Result remove_partition(std::string_view topic, PartitionId partition);

    /// Changes the assigned replicas. Those no longer assigned leave the ISR at once, new ones
    /// start outside.
    Result set_assignment(std::string_view topic, PartitionId partition, NodeList replicas);

    /// Changes min ISR, for one partition or for all of a topic that are tracked now. Waits that it
    /// leaves short end as `not_enough_replicas`.
    Result set_min_insync_replicas(std::string_view topic, PartitionId partition, int min_isr);
    Result set_min_insync_replicas(std::string_view topic, int min_isr);

    // Observation --------------------------------------------------------------------------------

    /// Reads the view for one partition and applies the rules, now.
    /// \return what the read came to: `ok`, `torn`, `unavailable`, `inconsistent_view`, `stale`
    Result update_isr(std::string_view topic, PartitionId partition);
    Result update_isr(const PartitionHandle& handle);

    /// Ends waits that are overdue, sweeps when a sweep is due, and between sweeps repeats reads
    /// that failed, eight times an interval: see `next_deadline`. A second thread that comes while
    /// a sweep is running only ends waits.
    void tick();
    /// When `tick` has something to do next.
    [[nodiscard]] TimePoint next_deadline() const noexcept;

    /// Marks a partition to be read at the next sweep: what a pushing view calls when leadership,
    /// members or quorum changed. Wait-free; legal under the host's own locks.
    void notify(const PartitionHandle& handle) noexcept;

    /// Takes in one follower's progress, earlier than the next sweep would: it holds `match`
    /// durably and was alive at `contact`. Moves the high watermark and ends waits.
    /// \par Complexity
    ///     One cache line, no allocation, no call to view or clock.
    Result record_progress(
        const PartitionHandle& handle, Epoch epoch, NodeId node, Index match, TimePoint contact);
    Result record_progress(std::string_view topic,
                           PartitionId partition,
                           Epoch epoch,
                           NodeId node,
                           Index match,
                           TimePoint contact);
    /// For many partitions, as when one follower answers for all: waits for memory overlap.
    /// \return how many were `ok`
    std::size_t record_progress(std::span<const ProgressReport> reports);

    /// Takes in the leader's own positions in its current epoch, after an append, a flush or a
    /// commit. Positions never fall within an epoch; smaller ones change nothing.
    Result record_leader(const PartitionHandle& handle,
                         Epoch epoch,
                         const LeaderPositions& positions);

    /// Takes in that a follower was alive, with nothing said of its position.
    Result update_heartbeat(std::string_view topic, PartitionId partition, NodeId node);

    /// Puts a replica into the ISR, or takes it out, by hand (leader only). One taken out stays out
    /// for one `max_lag_ms`, or until it is added. The rules judge both at the next observation.
    Result add_to_isr(std::string_view topic, PartitionId partition, NodeId node);
    Result remove_from_isr(std::string_view topic, PartitionId partition, NodeId node);

    /// Takes in what the metadata shows (S8), on every node. On a leader, what shows its own newest
    /// decision ends the sending of that; what shows a newer epoch ends its leadership.
    Result apply_published_isr(std::string_view topic,
                               PartitionId partition,
                               const PublishedIsr& isr);

    // acks=all -----------------------------------------------------------------------------------

    /// Calls back once when `index`, appended in `epoch`, is committed and held by every present
    /// ISR member, or cannot be any more (S6). Whether the acknowledgement comes before or after
    /// this call makes no difference.
    /// \param deadline  when to give up; one that has passed asks once
    /// \param callback  called as `callback(WaitResult)`, as `WaitCallback` says
    /// \return with `ok` the callback was called or will be, once; with anything else it never is
    template <class F>
    Result await_replication(
        const PartitionHandle& handle, Epoch epoch, Index index, TimePoint deadline, F&& callback) {
        try {
            return await(handle, epoch, index, deadline, WaitCallback(std::forward<F>(callback)));
        } catch (const std::bad_alloc&) { // there is no room for the callback itself
            return engine_.counters.count(Result::no_memory);
        }
    }
    template <class F>
    Result await_replication(std::string_view topic,
                             PartitionId partition,
                             Epoch epoch,
                             Index index,
                             TimePoint deadline,
                             F&& callback) {
        return await_replication(find(topic, partition), epoch, index, deadline,
                                 std::forward<F>(callback));
    }

    // Questions of a person ----------------------------------------------------------------------

    /// Why a replica is in the ISR or out of it; nothing where partition or replica is not tracked.
    [[nodiscard]] std::optional<Explanation> explain(std::string_view topic,
                                                     PartitionId partition,
                                                     NodeId node) const;
    /// Which partitions would fall below min ISR without the node. O(partitions).
    [[nodiscard]] SafeToStop safe_to_stop(NodeId node) const;
    /// Counts over all partitions. O(partitions).
    [[nodiscard]] IsrStats get_isr_stats() const;
    [[nodiscard]] IsrCounters counters() const noexcept { return engine_.counters.read(); }
    [[nodiscard]] Millis last_sweep_duration() const noexcept;
    /// Shows every partition to `visit(const PartitionReport&)`, for metrics. The report is valid
    /// during the call; no lock is held.
    template <class Visit>
    void for_each_partition(const Visit& visit) const;

    // Outputs ------------------------------------------------------------------------------------

    /// Calls `listener` for every later change. Throws only `std::bad_alloc`.
    Subscription subscribe(IsrListener listener) {
        return engine_.events.subscribe(std::move(listener));
    }
    /// After it returns, the listener is not running and never called again (from inside a
    /// callback: not called again).
    void unsubscribe(Subscription subscription) { engine_.events.unsubscribe(subscription); }
    /// Receives the log lines of S4; an empty sink stops them.
    void set_log_sink(LogSink sink) { engine_.events.set_log_sink(std::move(sink)); }
    /// Where this node's decisions are published (S8). The store must outlive the manager.
    template <IsrStore Store>
    void publish_to(Store& store);

    /// The host refused a produce because of `has_min_isr`; only counts.
    void count_refused_produce() noexcept {
        detail::AtomicCounters::add(engine_.counters.refused_produces);
    }
    /// Ends every wait as `shut_down`; from then on nothing changes any more and reads stay as they
    /// are. Idempotent.
    void shut_down() noexcept;

    [[nodiscard]] NodeId self() const noexcept { return engine_.self; }
    [[nodiscard]] const IsrConfig& config() const noexcept { return engine_.config; }
    [[nodiscard]] const C& clock() const noexcept { return clock_; }

private:
    using Group = typename View::Group;
    using Engine = detail::IsrEngine;
    using Now = Engine::Now;
    using Publish = detail::Callback<void(TopicPartition, const PublishedIsr&)>;

    struct Registration {
        TopicPartition partition;
        detail::Nodes replicas; // in order
        std::optional<int> min_isr;
        detail::FirstSet first;
    };

    Result await(const PartitionHandle& handle,
                 Epoch epoch,
                 Index index,
                 TimePoint deadline,
                 WaitCallback callback);
    Now now() noexcept;
    [[nodiscard]] detail::Stamp contact_stamp(TimePoint contact) noexcept;
    bool record_ordinary(const PartitionHandle& handle,
                         const Engine::Acknowledgement& ack,
                         Result& result) noexcept;
    [[nodiscard]] Now last_seen() const noexcept;
    [[nodiscard]] detail::Cell* find_word(std::string_view topic,
                                          PartitionId partition) const noexcept;
    Result initialize(TopicPartition partition, NodeList replicas, const PartitionOptions& options);
    Result enter(const Registration& registration, const Group& group, PartitionHandle& entered);
    void first_look(const PartitionHandle& handle);
    bool make_group(std::uint32_t slot, const Group& group);
    template <class Visit>
    void for_each_slot(const Visit& visit) const;
    Result observe(const PartitionHandle& handle, Now now, Engine::Judging& judging);
    Result observe_locked(detail::Partition& p, Now now, Engine::Judging& judging);
    void sweep(Now now);
    void sweep_block(detail::Block& block,
                     std::uint32_t number,
                     Now now,
                     const Engine::Judging& terms);
    void sweep_slot(std::uint32_t slot, bool must_read, Now now, Engine::Judging& judging);
    void renew_blocks(Now now);
    void retry(Now now);
    void schedule_retry(Now now) noexcept;
    static bool is_failed_read(Result result) noexcept {
        return result == Result::torn || result == Result::unavailable;
    }
    [[nodiscard]] PartitionHandle handle_of(std::uint32_t slot) const noexcept;
    void deliver(detail::Outcome& outcome) noexcept;
    void publish_decision(detail::Cell& word, std::uint64_t identity) noexcept;
    template <class Work>
    Result with(const PartitionHandle& handle,
                const Work& work,
                detail::Partition::Want want = detail::Partition::Want::all);

    Engine engine_;
    View& view_;
    C clock_;
    detail::GeometricSlab<Group, 256> groups_;
    detail::GeometricSlab<std::uint64_t, 256> seen_versions_; // only with a versioned view
    std::uint32_t groups_constructed_ = 0;
    std::mutex registry_;      // registrations, removals; taken before any partition's lock
    std::mutex publish_mutex_; // a leaf
    std::shared_ptr<Publish> publish_;
    std::atomic<std::int64_t> latest_{std::numeric_limits<std::int64_t>::min()};
    std::atomic<bool> sweeping_{false};
    std::atomic<std::int64_t> next_sweep_;
    std::atomic<std::int64_t> last_sweep_; // begin of the last, or construction
    std::atomic<bool> swept_{false};       // the host sweeps, rather than only `update_isr`
    std::atomic<bool> stalled_{false};     // the last sweep came too late to judge
    std::atomic<std::int64_t> sweep_duration_{0};
    std::atomic<std::int64_t> next_retry_{std::numeric_limits<std::int64_t>::max()};
    // The sweep's own.
    detail::Stamp period_start_;
    std::vector<std::uint64_t> failed_reads_; // identities of whom the last sweep could not read
    std::size_t retry_from_ = 0;              // where the next retry begins
};

} // namespace insync

// What the members do, in files of one idea each.
#include <insync/detail/manager_observe.ipp>  // IWYU pragma: keep
#include <insync/detail/manager_progress.ipp> // IWYU pragma: keep
#include <insync/detail/manager_reads.ipp>    // IWYU pragma: keep
#include <insync/detail/manager_registry.ipp> // IWYU pragma: keep
#include <insync/detail/manager_reports.ipp>  // IWYU pragma: keep
#include <insync/detail/manager_sweep.ipp>    // IWYU pragma: keep
