#pragma once

#include <insync/detail/callback.hpp>
#include <insync/isr_set.hpp>
#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>
#include <fmt/format.h> // IWYU pragma: keep

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace insync {

/// Why an ISR changed.
enum class ChangeCause : std::uint8_t {
    became_leader, ///< this node began to lead; the set may have stayed equal
    lag,           ///< replicas passed the limits of S3, one way or the other
    membership,    ///< assignment or kind changed
    manual,        ///< `add_to_isr` or `remove_from_isr`
    quorum_lost,   ///< a former leader's members fell silent (S7)
    published,     ///< another node's leader published it (S8)
    renumbered,    ///< the metadata showed a newer set of this node's own epoch; the set stays (S8)
    registered_anew, ///< the host forgot it and began again, as with a new partition
};

[[nodiscard]] constexpr std::string_view to_string(ChangeCause cause) noexcept {
    switch (cause) {
    case ChangeCause::became_leader: return "became_leader";
    case ChangeCause::lag: return "lag";
    case ChangeCause::membership: return "membership";
    case ChangeCause::manual: return "manual";
    case ChangeCause::quorum_lost: return "quorum_lost";
    case ChangeCause::published: return "published";
    case ChangeCause::renumbered: return "renumbered";
    case ChangeCause::registered_anew: return "registered_anew";
    }
    return "unknown";
}

/// One replica that a change moved, with the lag that was measured then.
struct MovedReplica {
    NodeId node = kNoNode;
    bool added = false;
    /// Nothing where what the replica held was not confirmed, or this node was not the leader.
    std::optional<Index> lag_entries;
    Millis lag_ms{0};
    Index lag_entries_at_least = 0; ///< while the lag in entries is not known: those of this epoch
};

/// One change of one partition's ISR (S4). The set carries the epoch and the version.
struct IsrChange {
    std::string topic;
    PartitionId partition = 0;
    ChangeCause cause = ChangeCause::lag;
    IsrSet before;
    IsrSet after;
    boost::container::static_vector<MovedReplica, kMaxReplicas> moved;
};

/// Receives every change: each partition's in the order of its versions, exactly once, with no lock
/// held, one at a time. Any public call of the manager is legal inside it.
using IsrListener = detail::Callback<void(const IsrChange&)>;

/// Receives one finished line of text, without a line break, under the same terms.
using LogSink = detail::Callback<void(std::string_view)>;

/// The log line of S4, word for word, for one replica that `change` moved.
[[nodiscard]] inline std::string log_line(const IsrChange& change, const MovedReplica& moved) {
    const Index least = moved.lag_entries_at_least;
    const std::string entries = moved.lag_entries ? fmt::format("{}", *moved.lag_entries)
                                : least > 0       ? fmt::format("at least {}", least)
                                                  : std::string{"unknown"};
    return fmt::format("ISR {}: {}-{} {} replica {} (lag: {} entries, {} ms)",
                       moved.added ? "EXPAND" : "SHRINK", change.topic, change.partition,
                       moved.added ? "added" : "removed", moved.node, entries,
                       moved.lag_ms.count());
}

} // namespace insync
