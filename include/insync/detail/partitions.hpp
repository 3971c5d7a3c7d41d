#pragma once

#include <insync/detail/geometric_slab.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/published_state.hpp>
#include <insync/detail/replica_sets.hpp>
#include <insync/detail/reuse_guard.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/detail/topic_table.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace insync::detail {

/// What the sweep looks at first: sixty-four neighbouring slots in little more than two words.
struct Block {
    static constexpr std::uint32_t kSlots = 64;

    std::atomic<std::uint64_t> present{0}; ///< slots in use
    std::atomic<std::uint64_t> flagged{0}; ///< slots that the next sweep must read and judge
    Stamp due;                             ///< nothing expires before; the sweep's own
};

/// "All members were caught up at or after the start of period n", a byte for each slot, eight to a
/// word. It lets a sweep renew a whole block without looking at the partitions' lines.
struct Freshness {
    static constexpr std::uint8_t kNever = 0;     ///< not led, or no follower: must be looked at
    static constexpr std::uint8_t kExempt = 255;  ///< slot not in use
    static constexpr std::uint8_t kPeriods = 254; ///< periods are numbered from 1 to this

    std::atomic<std::uint64_t> bytes{~0ull};

    [[nodiscard]] static constexpr std::uint64_t repeat(std::uint8_t value) noexcept {
        return value * 0x0101'0101'0101'0101ull;
    }
    /// Replaces one byte. Its writer has the slot's lock, so no other changes the same byte.
    void set(std::uint32_t slot, std::uint8_t value) noexcept {
        const unsigned shift = slot % 8 * 8;
        const std::uint64_t old = bytes.load(std::memory_order_relaxed) >> shift & 0xff;
        bytes.fetch_add((std::uint64_t{value} << shift) - (old << shift),
                        std::memory_order_relaxed);
    }
    /// Whether the slots of all these words are fresh in `period` or not in use.
    [[nodiscard]] static bool all(const Freshness* words,
                                  std::uint32_t count,
                                  std::uint8_t period) noexcept {
        // Nearly always every byte is the same: one comparison for all of them, without a branch.
        std::uint64_t differs = 0;
        for (std::uint32_t i = 0; i < count; ++i)
            differs |= words[i].bytes.load(std::memory_order_relaxed) ^ repeat(period);
        if (differs == 0) [[likely]]
            return true;
        for (std::uint32_t i = 0; i < count; ++i)
            if (!words[i].all(period)) return false;
        return true;
    }

private:
    [[nodiscard]] bool all(std::uint8_t period) const noexcept {
        std::uint64_t word = bytes.load(std::memory_order_relaxed);
        for (int i = 0; i < 8; ++i, word >>= 8) {
            const auto byte = static_cast<std::uint8_t>(word);
            if (byte != period && byte != kExempt) return false;
        }
        return true;
    }
};

/// Where everything about the partitions is kept, and how a slot is had and given back.
///
/// A registered partition has a *slot*: its place in each of the arrays below. Readers come by name
/// or handle to the state word, and from there to the published state; writers lock the slot's
/// line. Nothing is freed before this object is destroyed, but all of it is used again.
class Partitions {
public:
    Partitions(std::uint64_t hash_seed)
        : topics(guard, hash_seed), replica_sets(guard), published(guard) {}
    Partitions(const Partitions&) = delete;
    Partitions& operator=(const Partitions&) = delete;
    ~Partitions() {
        for (std::uint32_t i = 1; i < extra_count_; ++i) extras_[i].~Extra();
    }

    ReuseGuard guard;
    TopicTable topics;
    ReplicaSets replica_sets;
    PublishedState published;

    [[nodiscard]] LeaderLine& line(std::uint32_t slot) const noexcept { return lines_[slot]; }
    [[nodiscard]] Extra& extra(std::uint32_t number) const noexcept { return extras_[number]; }
    [[nodiscard]] Block& block_of(std::uint32_t slot) const noexcept {
        return blocks_[slot / Block::kSlots];
    }
    [[nodiscard]] Freshness& freshness_of(std::uint32_t slot) const noexcept {
        return freshness_[slot / 8];
    }
    /// Slots ever used; those beyond do not exist.
    [[nodiscard]] std::uint32_t slot_count() const noexcept {
        return slot_count_.load(std::memory_order_acquire);
    }
    [[nodiscard]] const GeometricSlab<Block, 4>& blocks() const noexcept { return blocks_; }
    [[nodiscard]] const GeometricSlab<Freshness, 32>& freshness() const noexcept {
        return freshness_;
    }

    /// Asks the next sweep to read and judge a slot. Wait-free.
    void flag(std::uint32_t slot) const noexcept {
        const std::uint64_t asked = 1ull << (slot % Block::kSlots);
        auto& flagged = block_of(slot).flagged;
        // Release, and always by read-modify-write unless it is set already: a sweep that clears
        // the flag acquires what was written before, or finds the flag set again.
        if ((flagged.load(std::memory_order_relaxed) & asked) == 0)
            flagged.fetch_or(asked, std::memory_order_release);
    }

    /// A slot for a new partition, by the registry's thread. Returns its identity, absent when
    /// memory is exhausted.
    [[nodiscard]] StateWord take_slot() noexcept {
        if (free_first_ != kNone) {
            const std::uint32_t slot = free_first_;
            const LeaderLine& free = lines_[slot];
            free_first_ = free.extra;
            if (free_first_ == kNone) free_last_ = kNone;
            const auto generation = static_cast<std::uint32_t>(free.end) + 1;
            return StateWord::identity(slot, generation);
        }
        const std::uint32_t slot = slot_count_.load(std::memory_order_relaxed);
        if (slot > StateWord::kMaxSlot || !reserve(slot)) return StateWord{};
        new (&lines_[slot]) LeaderLine{};
        published.construct(slot);
        if (slot % Block::kSlots == 0) new (&blocks_[slot / Block::kSlots]) Block{};
        if (slot % 8 == 0) new (&freshness_[slot / 8]) Freshness{};
        slot_count_.store(slot + 1, std::memory_order_release);
        return StateWord::identity(slot, 0);
    }

    /// Gives back a slot that no word names any more. One whose generations are used up is retired:
    /// a handle must never come to stand for another partition.
    void give_slot(StateWord identity) noexcept {
        if (identity.generation() >= StateWord::kMaxGeneration) return;
        const std::uint32_t slot = identity.slot();
        LeaderLine& line = lines_[slot];
        line.lock(); // a late holder of an old handle may be looking
        line.end = identity.generation();
        line.extra = kNone;
        line.unlock();
        if (free_last_ == kNone)
            free_first_ = slot;
        else
            lines_[free_last_].extra = slot;
        free_last_ = slot;
    }

    /// The `Extra` of a line that is locked, made if there is none; null without memory.
    [[nodiscard]] Extra* obtain_extra(LeaderLine& line, Stamp now) noexcept {
        if (line.extra != 0) return &extras_[line.extra];
        const std::lock_guard lock{extra_mutex_};
        std::uint32_t number = extra_free_;
        if (number != 0) {
            extra_free_ = static_cast<std::uint32_t>(extras_[number].commit);
        } else {
            number = extra_count_;
            if (!extras_.reserve(number)) return nullptr;
            ++extra_count_;
        }
        Extra& extra = *new (&extras_[number]) Extra{now};
        extra.durable = extra.commit = line.end;
        line.extra = number;
        return &extra;
    }

    void drop_extra(LeaderLine& line) noexcept {
        if (line.extra == 0) return;
        line.durable_behind = 0;
        extras_[line.extra].large.reset();
        extras_[line.extra].holds.reset();
        const std::lock_guard lock{extra_mutex_};
        extras_[line.extra].commit = extra_free_;
        extra_free_ = line.extra;
        line.extra = 0;
    }

private:
    static constexpr std::uint32_t kNone = ~0u;

    [[nodiscard]] bool reserve(std::uint32_t slot) noexcept {
        return lines_.reserve(slot) && published.reserve(slot) &&
               blocks_.reserve(slot / Block::kSlots) && freshness_.reserve(slot / 8) &&
               extras_.reserve(0);
    }

    GeometricSlab<LeaderLine, 256> lines_;
    GeometricSlab<Block, 4> blocks_;
    GeometricSlab<Freshness, 32> freshness_;
    std::atomic<std::uint32_t> slot_count_{0};
    std::uint32_t free_first_ = kNone; // first in, first out: generations last longest
    std::uint32_t free_last_ = kNone;

    std::mutex extra_mutex_; // a leaf, taken with a line's lock held
    GeometricSlab<Extra, 64> extras_;
    std::uint32_t extra_count_ = 1; // 0 stands for none
    std::uint32_t extra_free_ = 0;
};

} // namespace insync::detail
