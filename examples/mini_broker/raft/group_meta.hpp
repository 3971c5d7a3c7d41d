#pragma once

#include "types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mini_broker {

/// What a group must know besides its log, in one small file that is replaced as a whole.
struct GroupMeta {
    Term term = 0;
    NodeId vote = 0; ///< 0 for none, as libraft has it
    /// The last entry that is no longer in the log, 0 for none, and the offset that follows it.
    Index snapshot_index = 0;
    Term snapshot_term = 0;
    Offset snapshot_offset = 0;
    /// The newest committed configuration.
    Index configuration_index = 0;
    std::string configuration;
    /// The log is being emptied to begin after `snapshot_index`; what it holds is not to be
    /// believed until that is done.
    bool restarting = false;
    /// This node may have voted here and acknowledged entries, and have lost its disk since. Until
    /// it holds again what a leader knows to be committed, it helps nobody to be elected.
    bool joining = false;

    [[nodiscard]] std::string encode() const;
    /// Nothing for bytes that are damaged.
    [[nodiscard]] static std::optional<GroupMeta> decode(std::string_view bytes);

    bool operator==(const GroupMeta&) const = default;
};

} // namespace mini_broker
