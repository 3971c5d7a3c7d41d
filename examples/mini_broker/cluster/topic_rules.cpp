#include "cluster/topic_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace mini_broker {

namespace {

constexpr std::size_t kLongestNumber = 20;
constexpr std::int64_t kIntMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kLongMax = std::numeric_limits<std::int64_t>::max();

constexpr std::array<ConfigRule, 7> kRules{{
    {ConfigKey::cleanup_policy, "cleanup.policy", "delete", 7, 0, 0},
    {ConfigKey::compression_type, "compression.type", "producer", 2, 0, 0},
    {ConfigKey::max_message_bytes, "max.message.bytes", "1048588", 3, 0, kIntMax},
    {ConfigKey::min_insync_replicas, "min.insync.replicas", "1", 3, 1, kIntMax},
    {ConfigKey::retention_bytes, "retention.bytes", "-1", 5, -1, kLongMax},
    {ConfigKey::retention_ms, "retention.ms", "604800000", 5, -1, kLongMax},
    {ConfigKey::segment_bytes, "segment.bytes", "67108864", 3, 4096, kIntMax},
}};

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

const ConfigRule& rule(ConfigKey key) noexcept {
    return *std::find_if(kRules.begin(), kRules.end(),
                         [key](const ConfigRule& one) { return one.key == key; });
}

} // namespace

bool is_legal_topic(std::string_view name) noexcept {
    const auto legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= insync::kMaxTopicLength && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), legal);
}

std::span<const ConfigRule> config_rules() noexcept {
    return kRules;
}

const ConfigRule* find_config(std::string_view name) noexcept {
    const auto* const found = std::find_if(
        kRules.begin(), kRules.end(), [name](const ConfigRule& one) { return one.name == name; });
    return found == kRules.end() ? nullptr : found;
}

std::optional<std::string> config_fault(std::string_view name, std::string_view value) {
    const ConfigRule* const known = find_config(name);
    // What a client sent is repeated only so far.
    const std::string_view shown = value.substr(0, 40);
    if (known == nullptr) return fmt::format("Unknown topic config name: {}", name.substr(0, 100));
    if (known->type == 2 || known->type == 7) {
        // Batches pass through as they come, and old segments are deleted: no other choice.
        if (value == known->default_value) return std::nullopt;
        return fmt::format("Invalid value {} for configuration {}: only {} is supported", shown,
                           name, known->default_value);
    }
    // A long row of zeros would be a number, too, and would be kept.
    const auto parsed = value.size() <= kLongestNumber ? number(value) : std::nullopt;
    if (!parsed || *parsed < known->least || *parsed > known->most)
        return fmt::format(
            "Invalid value {} for configuration {}: a number from {} to {} is needed", shown, name,
            known->least, known->most);
    return std::nullopt;
}

std::int64_t config_number(const Image::Topic& topic, ConfigKey key) {
    const ConfigRule& known = rule(key);
    const auto own = topic.configs.find(std::string{known.name});
    if (own != topic.configs.end())
        if (const auto value = number(own->second)) return *value;
    return number(known.default_value).value_or(0);
}

int min_insync_replicas(const Image::Topic& topic, int node_default) {
    const std::string name{rule(ConfigKey::min_insync_replicas).name};
    if (!topic.configs.contains(name)) return node_default;
    return static_cast<int>(config_number(topic, ConfigKey::min_insync_replicas));
}

std::vector<std::vector<NodeId>> place_replicas(std::span<const NodeId> nodes,
                                                std::uint64_t topic_number,
                                                std::size_t first_partition,
                                                std::size_t partitions,
                                                std::size_t replication_factor) {
    std::vector<std::vector<NodeId>> placed;
    for (std::size_t p = first_partition; p < first_partition + partitions; ++p) {
        std::vector<NodeId> replicas;
        for (std::size_t r = 0; r < replication_factor; ++r)
            replicas.push_back(nodes[(topic_number + p + r) % nodes.size()]);
        placed.push_back(std::move(replicas));
    }
    return placed;
}

} // namespace mini_broker
