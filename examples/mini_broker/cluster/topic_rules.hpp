#pragma once

#include "cluster/image.hpp"
#include "types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

// What is legal for a topic, and what it is by default. Pure.

/// Whether Kafka allows the name: `[a-zA-Z0-9._-]`, at most 249 characters, not "." or "..".
[[nodiscard]] bool is_legal_topic(std::string_view name) noexcept;

/// Partitions that all topics may have together. What is applied must come to the same on every
/// node, so no flag changes this; a node may allow its clients fewer.
inline constexpr std::size_t kMostPartitions = 10'000;

/// The configurations that this broker knows.
enum class ConfigKey : std::uint8_t {
    cleanup_policy,
    compression_type,
    max_message_bytes,
    min_insync_replicas,
    retention_bytes,
    retention_ms,
    segment_bytes,
};
struct ConfigRule {
    ConfigKey key;
    std::string_view name;
    std::string_view default_value; ///< of `min.insync.replicas` the node's own stands instead
    std::int8_t type;               ///< as DescribeConfigs says it: 2 string, 3 int, 5 long, 7 list
    std::int64_t least;             ///< numbers only
    std::int64_t most;
};
[[nodiscard]] std::span<const ConfigRule> config_rules() noexcept;
/// Null for a name that is not known.
[[nodiscard]] const ConfigRule* find_config(std::string_view name) noexcept;
/// Why a value is not legal, for a person; nothing if it is.
[[nodiscard]] std::optional<std::string> config_fault(std::string_view name,
                                                      std::string_view value);

/// A topic's own value of a number, or the default.
[[nodiscard]] std::int64_t config_number(const Image::Topic& topic, ConfigKey key);
[[nodiscard]] int min_insync_replicas(const Image::Topic& topic, int node_default);

/// Replicas for so many partitions: partition p of the n-th topic begins at node n + p (counted
/// from 0, in ascending order of `nodes`), so that leaders are spread.
/// \pre 1 <= replication_factor <= nodes.size()
[[nodiscard]] std::vector<std::vector<NodeId>> place_replicas(std::span<const NodeId> nodes,
                                                              std::uint64_t topic_number,
                                                              std::size_t first_partition,
                                                              std::size_t partitions,
                                                              std::size_t replication_factor);

} // namespace mini_broker
