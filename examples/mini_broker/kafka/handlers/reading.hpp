#pragma once

#include "cluster/replica.hpp"
#include "kafka/errors.hpp"
#include "kafka/handlers/context.hpp"
#include "types.hpp"

#include <cstdint>
#include <string_view>

namespace mini_broker::kafka {

/// A partition that a client may read here, and how far.
struct Reading {
    Error error = Error::none;
    Replica* replica = nullptr; ///< null with an error
    Index last = 0;             ///< the last entry that is shown
    Offset end = 0;             ///< the end of what is shown: the high watermark on the wire
    bool leading = false;
};

/// Who may read: from the leader once it knows what earlier leaders have committed, from a node
/// that stands in for a lost leader (S7), and with `any_replica` from an in-sync follower too
/// (KIP-392).
/// \param leader_epoch  what the client takes for the epoch; -1 if it does not say
[[nodiscard]] Reading open_for_reading(const Context& context,
                                       std::string_view topic,
                                       std::int32_t partition,
                                       std::int32_t leader_epoch,
                                       bool any_replica);

/// The answer to an offset beyond the end of what is shown. On a leader it may be in the log and
/// not committed yet, which is no error; elsewhere it may be committed without this node knowing,
/// so the client must ask again and not start over.
[[nodiscard]] Error error_beyond(const Reading& reading, Offset offset);

} // namespace mini_broker::kafka
