#pragma once

#include <insync/detail/stamp.hpp>
#include <insync/types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace insync {

/// How far one replica is behind its leader, as S3 measures it.
struct ReplicaLag {
    /// Entries that the leader has and the replica lacks; nothing while what the replica holds is
    /// not confirmed in this epoch.
    std::optional<Index> entries;
    /// Age of the oldest entry that it lacks, or of its silence, whichever is longer.
    Millis time{0};
    /// While `entries` is nothing, what it lacks at least, as far as anybody knows: the entries of
    /// this epoch, of which it has confirmed none. Else 0.
    Index entries_at_least = 0;
};

/// One follower as its leader sees it: the pure transitions of S3, over values.
///
/// Invariant: within an epoch `match`, `contact` and `caught_up` never fall.
struct ReplicaProgress {
    Index match = 0;        ///< last index it holds durably; meaningless unless `confirmed`
    bool confirmed = false; ///< whether `match` was confirmed in this epoch
    TimePoint contact = kNever;
    TimePoint caught_up = kNever; ///< latest time it is known to have held all the leader then had

    /// How a follower starts in a new epoch: nothing is known of it. A member of the inherited ISR
    /// has one `max_lag_ms` of grace, as if it had been caught up just now.
    [[nodiscard]] static constexpr ReplicaProgress at_epoch_start(bool member,
                                                                  TimePoint now) noexcept {
        return {0, false, kNever, member ? now : kNever};
    }

    /// Takes in that the replica holds `index`, and that it was alive at `when`. Both may be older
    /// than what is known, and then change nothing.
    constexpr void observe(Index index, TimePoint when) noexcept {
        match = confirmed && match > index ? match : index;
        confirmed = true;
        contact = contact > when ? contact : when;
    }

    /// Takes in what `match` proves about the time: at `sampled`, the leader's end was an index
    /// that the replica holds by now. `sampled` is nothing when no sample is old enough.
    constexpr void catch_up(Index end, std::optional<TimePoint> sampled) noexcept {
        if (!confirmed) return;
        std::optional<TimePoint> proven;
        if (match >= end)
            proven = contact;
        else if (sampled)
            proven = *sampled < contact ? *sampled : contact;
        if (proven && *proven > caught_up) caught_up = *proven;
    }

    [[nodiscard]] constexpr ReplicaLag lag(Index end, TimePoint now) const noexcept {
        ReplicaLag lag;
        if (confirmed) lag.entries = end > match ? end - match : 0;
        lag.time = saturating_age(now, caught_up);
        return lag;
    }
};

/// What the leader's end was when: the samples by which an active partition tells how old the
/// oldest entry is that a follower lacks (S3).
///
/// Keeps at most nine, at least `max_lag_ms / 8` apart, so that they cover `max_lag_ms`. Ends are
/// kept modulo 2^32: a sample that the end has left behind by more proves nothing and is dropped.
class CatchUpSamples {
public:
    static constexpr std::size_t kCapacity = 9;

    /// Notes that the end was `end` at `now`, unless the newest sample is younger than `spacing`.
    void add(Index end, detail::Stamp now, std::uint32_t spacing) noexcept {
        if (size_ > 0 && detail::age(now, samples_[newest_].time) < spacing) return;
        newest_ = static_cast<std::uint8_t>((newest_ + 1) % kCapacity);
        if (size_ < kCapacity) ++size_;
        samples_[newest_] = {static_cast<std::uint32_t>(end), now};
        newest_end_ = end;
    }

    /// The time of the newest sample whose end is at most `match`; nothing when there is none.
    [[nodiscard]] std::optional<detail::Stamp> newest_within(Index match) const noexcept {
        for (std::size_t i = 0; i < size_; ++i) {
            const Sample& sample = samples_[(newest_ + kCapacity - i) % kCapacity];
            const auto behind = static_cast<std::uint32_t>(newest_end_) - sample.end;
            const Index end = newest_end_ - behind;
            if (end <= match) return sample.time;
        }
        return std::nullopt;
    }

    /// Drops what has become older than `limit`, or too far behind `end` to be told apart.
    void forget(Index end, detail::Stamp now, std::uint32_t limit) noexcept {
        if (end - newest_end_ > kFar) size_ = 0;
        while (size_ > 0) {
            const Sample& oldest = samples_[(newest_ + kCapacity - (size_ - 1u)) % kCapacity];
            const auto behind = static_cast<std::uint32_t>(newest_end_) - oldest.end;
            if (detail::age(now, oldest.time) <= limit && behind <= kFar) return;
            --size_;
        }
    }

    void clear() noexcept { size_ = 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    static constexpr Index kFar = 1u << 31;
    struct Sample {
        std::uint32_t end = 0;
        detail::Stamp time;
    };

    Index newest_end_ = 0;
    std::array<Sample, kCapacity> samples_{};
    std::uint8_t newest_ = 0;
    std::uint8_t size_ = 0;
};

} // namespace insync
