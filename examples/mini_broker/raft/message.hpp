#pragma once

#include "raft/raft_api.hpp"
#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

/// Terms are leader epochs in record batches, which have 31 bits for them.
inline constexpr Term kMostTerm = 0x7fffffff;

/// What an InstallSnapshot carries beside its numbers. No records are in it: a follower starts anew
/// at the leader's first entry, as Kafka's do below the leader's log start offset.
struct SnapshotContent {
    std::string_view configuration;
    Offset next_offset = 0;          ///< of the first record after it
    std::string_view producers = {}; ///< `Producers` of what was before it, encoded; empty for none
};

[[nodiscard]] std::string encode(const SnapshotContent& content);
/// Views of the bytes; nothing for bytes that are no such.
[[nodiscard]] std::optional<SnapshotContent> decode_snapshot_content(std::string_view bytes);

/// A message from another node, checked; its views are of the frame's bytes.
///
/// Nothing in it is libraft's to free. Before a step the host lends what libraft frees: `batch` of
/// the entries, `conf` and `data` of an InstallSnapshot.
struct InboundMessage {
    raft_message message{};
    std::vector<raft_entry> entries;       ///< of an AppendEntries, which points here
    std::vector<std::string_view> batches; ///< whole, one an entry
    SnapshotContent snapshot;

    InboundMessage() = default;
    InboundMessage(InboundMessage&&) = default;
    InboundMessage& operator=(InboundMessage&&) = default;
    InboundMessage(const InboundMessage&) = delete;
    InboundMessage& operator=(const InboundMessage&) = delete;
};

/// Begins a frame for a node's outbox and, when it ends, sets the frame's length.
class FrameWriter {
public:
    FrameWriter(std::string& out, GroupId group, std::uint8_t type);
    ~FrameWriter();
    FrameWriter(const FrameWriter&) = delete;
    FrameWriter& operator=(const FrameWriter&) = delete;

private:
    std::string& out_;
    std::size_t begin_;
};

/// Appends a message's payload. The batches of an AppendEntries are the caller's to append behind
/// it, exactly `n_entries` of them, as they are on disk. `snapshot` is an InstallSnapshot's.
void encode_message(const raft_message& message,
                    const SnapshotContent& snapshot,
                    std::string& into);

/// Nothing where the payload is malformed in any way: a length, a count, a CRC, a term that falls,
/// offsets that do not follow each other.
[[nodiscard]] std::optional<InboundMessage> decode_message(NodeId from,
                                                           std::uint8_t type,
                                                           std::string_view payload);

} // namespace mini_broker
