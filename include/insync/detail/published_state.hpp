#pragma once

#include <insync/detail/geometric_slab.hpp>
#include <insync/detail/name.hpp>
#include <insync/detail/reuse_guard.hpp>
#include <insync/detail/state_word.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

namespace insync::detail {

/// One decision about one partition, as readers get to see it: unpacked.
struct Decision {
    StateWord word;
    std::uint32_t epoch = 0;
    std::uint32_t version = 0;
    std::uint32_t replica_set = 0;
    std::uint64_t changed_at = 0; ///< milliseconds from the manager's origin, at most `kMostTime`
    bool own = false;
    bool stale = false;
    bool named = false; ///< the leader is the view's, of a newer epoch than the set

    static constexpr std::uint64_t kMostTime = (std::uint64_t{1} << 41) - 1; ///< 69 years
};

/// The part of a decision that does not fit into the state word: two words for each slot, and the
/// way to write all three so that readers see one decision whole.
///
/// A writer, who has the partition to itself, (1) writes the new decision to a transit record and
/// stores a *far* state word that names it: now the decision is in force, at once and whole. Then
/// (2) it rewrites the slot's own two words and stores the *near* state word. A reader that finds a
/// near word reads the slot, one that finds a far word reads the transit record; wherever the
/// writer is stopped, one of the two stands still and is complete.
///
/// A reader trusts what it read if the words that bracket it agree: see `try_read`. After
/// `ReuseGuard::kTries` failures it registers with the guard; writers then wait before they rewrite
/// a slot or a transit record, and the reader's next look succeeds.
class PublishedState {
public:
    explicit PublishedState(const ReuseGuard& guard) noexcept : guard_(guard) {}

    /// Makes room for a slot. \return false without memory.
    [[nodiscard]] bool reserve(std::uint32_t slot) noexcept { return slots_.reserve(slot); }
    /// Once for each slot, before its first use; never again, as readers may still look.
    void construct(std::uint32_t slot) noexcept { new (&slots_[slot]) Slot{}; }

    /// A transit record for one writer, for as many decisions as it likes, one after the other.
    class Lease {
    public:
        explicit Lease(PublishedState& state) noexcept : state_(state) {
            // There are more records than cores in any machine; the loop is for the day when more
            // threads than that were preempted in the middle of a change.
            for (record_ = 0;; record_ = (record_ + 1) % kRecords) {
                std::atomic<bool>& taken = state_.transit_[record_].taken;
                if (!taken.load(std::memory_order_relaxed) &&
                    !taken.exchange(true, std::memory_order_acquire))
                    return;
                if (record_ + 1 == kRecords) std::this_thread::yield();
            }
        }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease() { state_.transit_[record_].taken.store(false, std::memory_order_release); }

    private:
        friend class PublishedState;
        PublishedState& state_;
        std::uint32_t record_ = 0;
    };

    /// Puts `next` in force. The caller holds the partition's lock, so it is the only writer.
    void publish(const Lease& lease, Cell& word, const Decision& next) noexcept {
        Slot& slot = slots_[next.word.slot()];
        Transit& transit = transit_[lease.record_];
        const Packed packed = pack(next);
        const std::uint64_t use = transit.begun.load(std::memory_order_relaxed) + 1;
        transit.begun.store(use, std::memory_order_release);
        transit.word.store(next.word.bits(), std::memory_order_release);
        transit.order.store(packed.order, std::memory_order_release);
        transit.rest.store(packed.rest, std::memory_order_release);
        transit.ended.store(use, std::memory_order_release);
        // Sequentially consistent with the holders' counter, as ReuseGuard argues: a holder that
        // comes after the check below has not missed this store.
        word.store(next.word.in_transit(lease.record_).bits(), std::memory_order_seq_cst);
        guard_.wait_for_holders();
        slot.order.store(packed.order, std::memory_order_release);
        slot.rest.store(packed.rest, std::memory_order_release);
        word.store(next.word.bits(), std::memory_order_seq_cst);
        guard_.wait_for_holders(); // only then may the record be written again
    }

    /// Calls `extract(decision)` with what is in force for the registration `identity` behind
    /// `word`, at least once; the last call is the one to believe. Where the registration is gone,
    /// the decision's word is not `present`.
    /// \param extract  may read the replica set that the decision names; must tolerate nonsense
    template <class Extract>
    [[gnu::always_inline]] void read(const Cell& word,
                                     std::uint64_t identity,
                                     const Extract& extract) const noexcept {
        if (!try_read(word, identity, extract)) [[unlikely]]
            read_again(word, identity, extract);
    }

    /// For the writer itself, which holds the partition's lock: no race to guard against.
    [[nodiscard]] Decision current(StateWord word) const noexcept {
        const Slot& slot = slots_[word.slot()];
        return unpack(word, {slot.order.load(std::memory_order_relaxed),
                             slot.rest.load(std::memory_order_relaxed)});
    }

private:
    static constexpr std::uint32_t kRecords = 64;

    /// `order` is epoch 32 | version 32, `rest` is changed_at 41 | replica set 20 | named 1 |
    /// own 1 | stale 1. No pair comes twice in a registration, but for the three flags: a decision
    /// with the order of the one before it (a follower's assignment changed) has a later
    /// `changed_at`. Where only flags and the named leader differ, a pair fits the later word too.
    struct Packed {
        std::uint64_t order;
        std::uint64_t rest;
    };
    struct Slot {
        Cell order{0};
        Cell rest{0};
    };
    struct alignas(64) Transit {
        std::atomic<bool> taken{false};
        Cell begun{0};
        Cell word{0};
        Cell order{0};
        Cell rest{0};
        Cell ended{0};
    };

    [[nodiscard]] static Packed pack(const Decision& d) noexcept {
        return {static_cast<std::uint64_t>(d.epoch) << 32 | d.version,
                d.changed_at << 23 | static_cast<std::uint64_t>(d.replica_set) << 3 |
                    (d.named ? 4u : 0u) | (d.own ? 2u : 0u) | (d.stale ? 1u : 0u)};
    }
    [[nodiscard]] static Decision unpack(StateWord word, Packed p) noexcept {
        return {word,
                static_cast<std::uint32_t>(p.order >> 32),
                static_cast<std::uint32_t>(p.order),
                static_cast<std::uint32_t>(p.rest >> 3) & kReplicaSetBits,
                p.rest >> 23,
                (p.rest & 2) != 0,
                (p.rest & 1) != 0,
                (p.rest & 4) != 0};
    }
    static constexpr std::uint32_t kReplicaSetBits = (1u << 20) - 1;

    template <class Extract>
    [[gnu::noinline]] void read_again(const Cell& word,
                                      std::uint64_t identity,
                                      Extract extract) const noexcept {
        for (int i = 1; i < ReuseGuard::kTries; ++i)
            if (try_read(word, identity, extract)) return;
        // A writer that had passed its check before this reader registered may finish one change;
        // then it waits for the reader, as does every later one. So this ends after two looks.
        const ReuseGuard::Holder holder{guard_};
        while (!try_read(word, identity, extract)) {}
    }

    /// One look. \return whether all that `extract` was shown belonged to one decision.
    ///
    /// Why, for a near word: the registration was there when the caller learned its identity and
    /// is there when the word is read, so the slot was its own in between. Let (order, rest) read d
    /// the first time. The far word of d was stored before, so the near word w that is read next is
    /// d's or a later one's; a later one's would show itself at the second reading. So w is d's.
    /// Had a node of the replica set come from a later decision, the pair stored before it would
    /// show at the second reading too, as every load acquires and every store releases. That the
    /// registration was not ended meanwhile, and the set used for another, shows in the last
    /// reading of the word.
    /// For a far word: the record is complete between `ended` and `begun`, read in the opposite
    /// order of writing, and the word still names it, so it was not given to another decision.
    template <class Extract>
    [[nodiscard, gnu::always_inline]] bool try_read(const Cell& cell,
                                                    std::uint64_t identity,
                                                    const Extract& extract) const noexcept {
        const Slot& slot = slots_[StateWord{identity}.slot()];
        const Packed packed{slot.order.load(std::memory_order_acquire),
                            slot.rest.load(std::memory_order_acquire)};
        const StateWord word{cell.load(std::memory_order_acquire)};
        if (word.identity() != identity) [[unlikely]] {
            extract(Decision{});
            return true;
        }
        if (word.far()) [[unlikely]]
            return try_read_transit(cell, word, extract);
        extract(unpack(word, packed));
        return slot.order.load(std::memory_order_acquire) == packed.order &&
               slot.rest.load(std::memory_order_acquire) == packed.rest &&
               cell.load(std::memory_order_acquire) == word.bits();
    }

    template <class Extract>
    [[nodiscard, gnu::noinline]] bool try_read_transit(const Cell& cell,
                                                       StateWord word,
                                                       Extract extract) const noexcept {
        const Transit& transit = transit_[word.transit_record()];
        const std::uint64_t use = transit.ended.load(std::memory_order_acquire);
        const StateWord decided{transit.word.load(std::memory_order_acquire)};
        extract(unpack(decided, {transit.order.load(std::memory_order_acquire),
                                 transit.rest.load(std::memory_order_acquire)}));
        return transit.begun.load(std::memory_order_acquire) == use &&
               decided.identity() == word.identity() &&
               cell.load(std::memory_order_acquire) == word.bits();
    }

    const ReuseGuard& guard_;
    GeometricSlab<Slot, 256> slots_;
    std::array<Transit, kRecords> transit_{};
};

} // namespace insync::detail
