#pragma once

#include <insync/types.hpp>

#include <cstdint>
#include <string_view>

namespace mini_broker {

using insync::Index;
using insync::Millis;
using insync::NodeId;
using insync::TimePoint;

/// Position of a record in a partition, as Kafka counts: from 0, and only clients' records count.
using Offset = std::int64_t;
/// A Raft term, which is the leader epoch that clients see.
using Term = std::uint64_t;
/// Which Raft group a message or a directory belongs to: 0 is the metadata's, others are had by
/// partitions, never twice.
using GroupId = std::uint32_t;
inline constexpr GroupId kMetadataGroup = 0;

/// What an entry of a group's log is for. Records are clients' batches, command is the metadata's
/// own; the other two are Raft's.
enum class EntryKind : std::uint8_t { records, barrier, change, command };

} // namespace mini_broker
