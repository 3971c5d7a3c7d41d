#pragma once

#include <insync/types.hpp>

#include <algorithm>

namespace insync {

/// The highest index that every present ISR member, the leader included, is confirmed to hold (S6).
///
/// This is what an acknowledgement may rest on at this instant; the high watermark is its running
/// maximum. A member that is not confirmed in this epoch holds nothing for certain, so it counts as
/// 0: in grace it keeps its seat, but nothing is promised on its behalf.
class HeldByAll {
public:
    /// \param durable  the leader's last index on stable storage
    explicit constexpr HeldByAll(Index durable) noexcept : bound_(durable) {}

    constexpr void member(Index match, bool confirmed) noexcept {
        bound_ = std::min(bound_, confirmed ? match : 0);
    }

    [[nodiscard]] constexpr Index bound() const noexcept { return bound_; }

private:
    Index bound_;
};

/// The high watermark after an observation: never falls, and stands still while the ISR is smaller
/// than min ISR (S6; KIP-966). A member that joined below it holds it until it has caught up.
[[nodiscard]] constexpr Index advance_high_watermark(Index high_watermark,
                                                     Index held_by_all,
                                                     bool enough_members) noexcept {
    return enough_members ? std::max(high_watermark, held_by_all) : high_watermark;
}

/// The index up to which acks=all waits of the current epoch may end as committed (S6). Unlike the
/// high watermark it falls when a member joins that lacks what was held before.
[[nodiscard]] constexpr Index acknowledgeable(Index commit,
                                              Index held_by_all,
                                              bool enough_members) noexcept {
    return enough_members ? std::min(commit, held_by_all) : 0;
}

} // namespace insync
