#pragma once

#include <insync/config.hpp>
#include <insync/detail/leader_state.hpp>
#include <insync/detail/name.hpp>
#include <insync/detail/partitions.hpp>
#include <insync/detail/replica_sets.hpp>
#include <insync/detail/stamp.hpp>
#include <insync/detail/state_word.hpp>
#include <insync/detail/topic_table.hpp>
#include <insync/high_watermark.hpp>
#include <insync/isr_rules.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>

namespace insync::detail {

/// The nodes' positions in a replica set; nodes that are not assigned are left out.
[[nodiscard]] inline Mask mask_of(const ReplicaSet& replicas, std::span<const NodeId> nodes) {
    Mask mask = 0;
    for (const NodeId node : nodes)
        if (const auto position = replicas.position(node); position != ReplicaSet::kNone)
            mask = static_cast<Mask>(mask | bit(position));
    return mask;
}

[[nodiscard]] inline std::uint32_t leader_position(const ReplicaSet& replicas, NodeId leader) {
    const std::uint32_t position = replicas.position(leader);
    return position == ReplicaSet::kNone ? StateWord::kNoLeader : position;
}

/// One registered partition, locked for as long as this object lives: its packed state, unpacked.
///
/// Replicas are named by position in the partition's replica set; the functions about a follower
/// take any position but this node's own.
class Partition {
public:
    /// What of the partition is wanted: `line` leaves the published words, another cache line,
    /// alone, and of `decision` only the state word is set.
    enum class Want : std::uint8_t { all, line };

    /// Locks the partition behind `word`; not `found()` if it is no longer the one that `identity`
    /// names, and then nothing is locked.
    Partition(Partitions& store, Cell& word, std::uint64_t identity, Want want = Want::all) noexcept
        : store_(store), word_(&word), slot_(StateWord{identity}.slot()), line_(store.line(slot_)) {
        lock(identity, want);
    }
    /// Locks the partition that has the slot, if any; for the sweep, which wants the line alone.
    Partition(Partitions& store, std::uint32_t slot) noexcept
        : store_(store), slot_(slot), line_(store.line(slot)) {
        line_.lock(); // a partition leaves its slot, and its topic goes, only under this lock
        const std::uint64_t present = store.block_of(slot).present.load(std::memory_order_relaxed);
        locked_ = (present >> (slot % Block::kSlots) & 1) != 0;
        if (!locked_) [[unlikely]] {
            line_.unlock();
            return;
        }
        word_ = TopicTable::word_of(store.topics.topic(line_.topic), line_.partition);
        decision.word = StateWord{word_->load(std::memory_order_relaxed)};
        use_replicas(store.replica_sets[line_.replica_set]);
    }
    Partition(const Partition&) = delete;
    Partition& operator=(const Partition&) = delete;
    ~Partition() { unlock(); }

    /// Locks it again after `unlock`; not `found()` if it is another partition now.
    void lock_again() noexcept { lock(decision.word.identity(), Want::all); }

    void unlock() noexcept {
        if (locked_) line_.unlock();
        locked_ = false;
    }

    /// Fetches what `Want::line` left out.
    void load_decision() noexcept { decision = store_.published.current(decision.word); }

    [[nodiscard]] bool found() const noexcept { return locked_; }
    [[nodiscard]] LeaderLine& line() const noexcept { return line_; }
    [[nodiscard]] Cell& word() const noexcept { return *word_; }
    [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }
    [[nodiscard]] const ReplicaSet& replicas() const noexcept { return *set_; }
    [[nodiscard]] std::uint32_t self() const noexcept { return line_.self; }
    [[nodiscard]] bool assigned_here() const noexcept { return line_.self < kMaxReplicas; }
    [[nodiscard]] Mask members() const noexcept { return decision.word.members(); }

    [[nodiscard]] Extra* extra() const noexcept {
        return line_.extra == 0 ? nullptr : &known_extra();
    }
    /// The extra where other fields say that there is one: nothing here is null, to a compiler too.
    [[nodiscard]] Extra& known_extra() const noexcept { return store_.extra(line_.extra); }
    /// The extra with room for all followers; null without memory.
    [[nodiscard]] Extra* obtain_extra(Stamp now) noexcept {
        const bool fresh = line_.extra == 0;
        Extra* const extra = store_.obtain_extra(line_, now);
        if (extra == nullptr) return nullptr;
        if (is_large() && !extra->large) {
            extra->large.reset(new (std::nothrow) Extra::LargeGroup);
            if (!extra->large) {
                if (fresh) store_.drop_extra(line_);
                return nullptr;
            }
        }
        // Without an extra, caught up meant in contact; from here on it is kept apart.
        if (fresh) extra->caught_up = line_.contact;
        find_followers();
        return extra;
    }

    [[nodiscard]] std::size_t min_isr(const IsrConfig& config) const noexcept {
        const int configured =
            line_.min_isr != 0 ? static_cast<int>(line_.min_isr) : config.min_insync_replicas;
        return effective_min_isr(configured, set_->count());
    }

    [[nodiscard]] Index& match(std::uint32_t position) const noexcept {
        return match_[line_.follower(position)];
    }
    [[nodiscard]] Stamp& contact(std::uint32_t position) const noexcept {
        return contact_[line_.follower(position)];
    }
    [[nodiscard]] bool confirmed(std::uint32_t position) const noexcept {
        return match(position) != kUnconfirmed;
    }
    [[nodiscard]] bool holds_end(std::uint32_t position) const noexcept {
        return confirmed(position) && match(position) >= line_.end;
    }
    [[nodiscard]] Stamp caught_up(std::uint32_t position) const noexcept {
        if (line_.extra == 0) return contact(position);
        const Stamp kept = kept_caught_up(position);
        return holds_end(position) ? later(kept, contact(position)) : kept;
    }
    /// What `caught_up` falls back on while the follower lacks the end; there must be an extra.
    [[nodiscard]] Stamp& kept_caught_up(std::uint32_t position) const noexcept {
        Extra& more = known_extra();
        Stamp* const kept = is_large() ? more.large->caught_up.data() : more.caught_up.data();
        return kept[line_.follower(position)];
    }
    [[nodiscard]] bool eligible(std::uint32_t position) const noexcept {
        const Extra* const more = extra();
        return more == nullptr || (more->ineligible & bit(position)) == 0;
    }

    /// Whether the view had a row for it when it was last read.
    [[nodiscard]] bool present(std::uint32_t position) const noexcept {
        const Extra* const more = extra();
        return more == nullptr || (more->absent & bit(position)) == 0;
    }

    [[nodiscard]] ReplicaLag lag(std::uint32_t position, Stamp now) const noexcept {
        ReplicaLag lag;
        if (confirmed(position)) {
            const Index held = match(position);
            lag.entries = line_.end > held ? line_.end - held : 0;
        } else if (const Extra* const more = extra(); more != nullptr && more->epoch_start > 0) {
            const Index before = more->epoch_start - 1;
            lag.entries_at_least = line_.end > before ? line_.end - before : 0;
        }
        lag.time = Millis{age(now, caught_up(position))};
        return lag;
    }

    [[nodiscard]] Index durable() const noexcept {
        return line_.durable_behind == 0 ? line_.end : known_extra().durable;
    }
    [[nodiscard]] Index commit() const noexcept {
        return line_.extra == 0 ? line_.end : known_extra().commit;
    }

    /// What every present member is confirmed to hold, this node included (S6).
    [[nodiscard]] Index held_by_all() const noexcept {
        HeldByAll held{durable()};
        for_each_follower(members(), [&](std::uint32_t position) {
            held.member(match(position), confirmed(position));
        });
        return held.bound();
    }

    /// Raises the end, which until `until` was what it is (long before: not known). What followers
    /// held by then is kept as the time they were caught up, as having the end no longer shows it.
    /// \return false without memory, and then nothing changed
    [[nodiscard]] bool raise_end(Index end,
                                 Stamp until,
                                 Stamp now,
                                 std::uint32_t spacing) noexcept {
        if (end <= line_.end) return true;
        Extra* const more = obtain_extra(now);
        if (more == nullptr) return false;
        for_each_follower(all_of(set_->count()), [&](std::uint32_t position) {
            if (holds_end(position)) kept_caught_up(position) = caught_up(position);
        });
        if (line_.end > 0 && age(now, until) < kMaxAge)
            more->samples.add(line_.end, until, spacing);
        line_.end = end;
        more->samples.add(end, now, spacing);
        return true;
    }

    /// Keeps what is long ago from being taken for the future (`Stamp`).
    void clamp_stamps(Stamp now) noexcept {
        Extra* const more = extra();
        if (more == nullptr) return;
        more->began = clamp(more->began, now);
        more->last_read = clamp(more->last_read, now);
        more->leaderless = clamp(more->leaderless, now);
        if (more->holds)
            for (std::size_t i = 0; i < kMaxReplicas; ++i) {
                more->holds->left_at[i] = clamp(more->holds->left_at[i], now);
                more->holds->until[i] = later(more->holds->until[i], now);
            }
        if (line_.leading == 0 && line_.deposed == 0) return;
        for_each_follower(all_of(set_->count()), [&](std::uint32_t position) {
            contact(position) = clamp(contact(position), now);
            kept_caught_up(position) = clamp(kept_caught_up(position), now);
        });
    }

    /// Takes in what the samples prove of followers that lack the end (S3).
    void catch_up_by_samples() noexcept {
        Extra* const more = extra();
        if (more == nullptr || more->samples.size() == 0) return;
        for_each_follower(all_of(set_->count()), [&](std::uint32_t position) {
            if (!confirmed(position) || holds_end(position)) return;
            const auto sampled = more->samples.newest_within(match(position));
            if (!sampled) return;
            Stamp& kept = kept_caught_up(position);
            kept = later(kept, earlier(*sampled, contact(position)));
        });
    }

    /// Calls `visit(position)` for each position of `mask` but this node's own.
    template <class Visit>
    void for_each_follower(Mask mask, const Visit& visit) const {
        if (assigned_here()) mask = static_cast<Mask>(mask & ~bit(line_.self));
        for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1)
            visit(static_cast<std::uint32_t>(std::countr_zero(rest)));
    }

    /// The decision in force; what is changed in it takes effect by `IsrEngine::commit`.
    Decision decision;

    /// At the beginning, and when the replica set is exchanged.
    void use_replicas(const ReplicaSet& set) noexcept {
        set_ = &set;
        find_followers();
    }

private:
    void lock(std::uint64_t identity, Want want) noexcept {
        line_.lock();
        decision.word = StateWord{word_->load(std::memory_order_relaxed)};
        locked_ = decision.word.identity() == identity;
        if (!locked_) [[unlikely]]
            return line_.unlock();
        if (want == Want::all) load_decision();
        use_replicas(store_.replica_sets[line_.replica_set]);
    }

    [[nodiscard]] bool is_large() const noexcept { return set_->count() > LeaderLine::kNear + 1; }

    /// Where the followers are kept: in the line, or all of them in the extra of a large group.
    void find_followers() noexcept {
        match_ = line_.match.data();
        contact_ = line_.contact.data();
        if (!is_large()) [[likely]]
            return;
        Extra::LargeGroup* const large = line_.extra == 0 ? nullptr : known_extra().large.get();
        match_ = large == nullptr ? nullptr : large->match.data();
        contact_ = large == nullptr ? nullptr : large->contact.data();
    }

    Partitions& store_;
    Cell* word_ = nullptr;
    bool locked_ = false;
    std::uint32_t slot_;
    LeaderLine& line_;
    const ReplicaSet* set_ = nullptr;
    Index* match_ = nullptr; // by follower number; null while a large group has no extra
    Stamp* contact_ = nullptr;
};

} // namespace insync::detail
