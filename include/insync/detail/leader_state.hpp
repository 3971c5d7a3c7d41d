#pragma once

#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

namespace insync::detail {

/// The match of a follower that has not confirmed anything in this epoch.
inline constexpr Index kUnconfirmed = ~Index{0};

/// Everything that a progress report touches, in one cache line: the weakest place of a tracker
/// with a million partitions is the number of lines it waits for.
///
/// Followers are numbered by position without the leader's own. Two fit in here; where there are
/// more, all are in `Extra`. All fields are guarded by the lock bit, the top bit of
/// `locked_watermark`, but for what is said at the field.
///
/// Invariant: where there is no `Extra` (extra == 0), durable == commit == end, every follower is
/// an eligible voter, and each member's caught-up time is its contact.
struct alignas(64) LeaderLine {
    static constexpr std::size_t kNear = 2;
    static constexpr std::uint64_t kLock = 1ull << 63;

    std::atomic<std::uint64_t> locked_watermark{0};
    Index end = 0;
    std::array<Index, kNear> match{kUnconfirmed, kUnconfirmed};
    std::array<Stamp, kNear> contact{};
    std::uint32_t epoch = 0;     ///< the newest epoch that was heard of
    std::uint32_t extra = 0;     ///< number of the `Extra`, 0 for none
    std::uint32_t topic = 0;     ///< number of the topic, unchanging
    std::uint32_t partition = 0; ///< unchanging
    std::uint64_t self : 4 = 15; ///< own position; 15 when not assigned
    std::uint64_t replica_set : 20 = 0;
    std::uint64_t observation : 8 = 0; ///< rises with every observation that was taken in
    std::uint64_t min_isr : 4 = 0;     ///< configured, at most 15; 0 means the default
    std::uint64_t leading : 1 = 0;
    std::uint64_t has_waits : 1 = 0;
    std::uint64_t quorum : 1 = 0;         ///< the leader reaches a majority, as last judged
    std::uint64_t durable_behind : 1 = 0; ///< durable < end, so that what it is stands in the extra
    std::uint64_t quorum_derived : 1 = 0; ///< the view does not say: contacts decide (S5)
    std::uint64_t deposed : 1 = 0;        ///< led, lost it, and knows no newer leader yet (S7)
    std::uint64_t no_leader : 1 = 0;      ///< knows of no leader
    std::uint64_t read_failed : 1 = 0;    ///< the last read was torn, unavailable or inconsistent
    std::uint64_t masked : 1 = 0; ///< a published set lost members here: an assignment, the dead
    std::uint64_t unpublished : 1 = 0;  ///< the metadata has not shown the own decision yet (S8)
    std::uint64_t fresh_period : 8 = 0; ///< newest period that `Freshness` was told of
    std::uint64_t pushes : 7 = 0;       ///< rises with every match that a push raised, modulo 128
    std::uint64_t decided_here : 1 = 0; ///< this node decided the set, and leads no more
    std::uint64_t epoch_viewed : 1 = 0; ///< the view itself has shown `epoch`

    void lock() noexcept {
        for (int spins = 0;; ++spins) {
            if ((locked_watermark.fetch_or(kLock, std::memory_order_acquire) & kLock) == 0) return;
            while ((locked_watermark.load(std::memory_order_relaxed) & kLock) != 0)
                if (++spins > 64) std::this_thread::yield();
        }
    }
    void unlock() noexcept {
        const auto value = locked_watermark.load(std::memory_order_relaxed);
        locked_watermark.store(value & ~kLock, std::memory_order_release);
    }
    /// Readable without the lock.
    [[nodiscard]] Index high_watermark() const noexcept {
        return locked_watermark.load(std::memory_order_acquire) & ~kLock;
    }
    /// With the lock held, which stays.
    void set_high_watermark(Index index) noexcept {
        locked_watermark.store(index | kLock, std::memory_order_relaxed);
    }

    /// Makes it as new, for another partition, with the lock held.
    void reset(std::uint32_t topic_number, std::uint32_t partition_number) noexcept {
        set_high_watermark(0);
        end = 0;
        match.fill(kUnconfirmed);
        contact.fill(Stamp{});
        epoch = 0;
        extra = 0;
        topic = topic_number;
        partition = partition_number;
        self = 15;
        replica_set = 0;
        observation = fresh_period = pushes = 0;
        min_isr = 0;
        leading = has_waits = quorum = quorum_derived = durable_behind = 0;
        deposed = no_leader = read_failed = masked = unpublished = 0;
        decided_here = epoch_viewed = 0;
    }

    /// The follower's number of a position other than `self`.
    [[nodiscard]] std::uint32_t follower(std::uint32_t position) const noexcept {
        return position - (position > self ? 1u : 0u);
    }
};
static_assert(sizeof(LeaderLine) == 64);

/// What a partition needs beside its line while anything about it is out of the ordinary: entries
/// not yet held by all, a replica out of sync, more than three replicas, a failed read.
struct Extra {
    /// The followers of a group of more than three, who do not fit into the line.
    struct LargeGroup {
        std::array<Index, kMaxReplicas> match;
        std::array<Stamp, kMaxReplicas> contact;
        std::array<Stamp, kMaxReplicas> caught_up;
        LargeGroup() noexcept { match.fill(kUnconfirmed); }
    };
    /// Who is held out of the ISR, by hand or by flap damping: by position, until when, and for
    /// damping when it left last and how often in a row.
    struct Holds {
        std::array<Stamp, kMaxReplicas> until;
        std::array<Stamp, kMaxReplicas> left_at;
        std::array<std::uint8_t, kMaxReplicas> departures{};
        explicit Holds(Stamp now) noexcept {
            until.fill(now);
            left_at.fill(long_before(now));
        }
    };

    explicit Extra(Stamp now) noexcept
        : began(long_before(now)), last_read(began), leaderless(began) {}

    Index durable = 0;
    Index commit = 0; ///< or, while it is free, the number of the next free one
    CatchUpSamples samples;
    std::array<Stamp, LeaderLine::kNear> caught_up{};
    std::unique_ptr<LargeGroup> large;
    std::unique_ptr<Holds> holds;
    Mask ineligible = 0;   ///< positions that are no voters now
    Index epoch_start = 0; ///< first index of the epoch, or what lies behind it; 0 where not known
    bool epoch_fell = false; ///< the view shows an older epoch than it showed before
    Mask absent = 0;         ///< of these, who is no member of the group at all
    Mask held_out = 0;       ///< positions kept out by hand, for as long as `holds` says
    Stamp began;             ///< when this node began to lead; a majority was alive then
    Stamp last_read;         ///< last good read, while reads fail
    Stamp leaderless;        ///< last time a leader was known, while none is
};

} // namespace insync::detail
