#pragma once

#include "cluster/image.hpp"
#include "cluster/topic_rules.hpp"
#include "fuzz/support/require.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <set>
#include <string>

namespace fuzz {

using namespace mini_broker;

inline std::string in_words(const Image::Partition& partition) {
    std::string words = fmt::format("group {} on {}", partition.group, partition.replicas);
    if (const auto& isr = partition.isr)
        fmt::format_to(std::back_inserter(words), " isr {} of leader {} e{} v{}",
                       fmt::join(isr->members, ","), isr->leader, isr->epoch, isr->version);
    return words;
}

/// All that an image tells, in words, so that two can be compared.
inline std::string in_words(const Image& image) {
    std::string words =
        fmt::format("{} partitions, {} created\n", image.partition_count(), image.topics_created());
    const auto add = [&]<class... Args>(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(words), format, std::forward<Args>(args)...);
    };
    for (const auto& [node, broker] : image.brokers())
        add("node {} at {:?}:{} {:?}\n", node, broker.host, broker.port, broker.rack);
    for (const auto& [name, topic] : image.topics()) {
        add("topic {} {}\n", name, topic.id);
        for (const auto& [key, value] : topic.configs) add("  {} = {}\n", key, value);
        for (const Image::Partition& partition : topic.partitions)
            add("  {}\n", in_words(partition));
    }
    for (const std::string& group : image.groups()) {
        add("group {}\n", group);
        for (const auto& [at, offset] : *image.offsets(group))
            add("  {} {}: {} {} {}\n", at.first, at.second, offset.offset, offset.epoch,
                offset.metadata);
    }
    return words;
}

inline void check_partition(const Image::Partition& partition, std::set<GroupId>& groups) {
    const std::set<NodeId> different(partition.replicas.begin(), partition.replicas.end());
    require(!different.empty() && different.size() == partition.replicas.size() &&
                different.size() <= insync::kMaxReplicas,
            "a partition has replicas, and none of them twice");
    require(partition.group != kMetadataGroup && groups.insert(partition.group).second,
            "a group belongs to one partition");
}

/// What must hold of every image, whatever was applied.
inline void check_image(const Image& image) {
    std::size_t partitions = 0;
    std::set<GroupId> groups;
    for (const auto& [name, topic] : image.topics()) {
        require(name == topic.name && is_legal_topic(name), "a topic has a legal name");
        require(image.topic(topic.id) == &topic, "a topic is found by its id");
        require(!topic.partitions.empty(), "a topic has a partition");
        partitions += topic.partitions.size();
        for (const Image::Partition& partition : topic.partitions) {
            check_partition(partition, groups);
            require(!image.was_deleted(partition.group), "what is there was not deleted");
        }
    }
    require(partitions == image.partition_count() && partitions <= kMostPartitions,
            "partitions are counted, and bounded");
    for (const std::string& group : image.groups()) {
        require(!image.offsets(group)->empty(), "a group is there for its offsets");
        for (const auto& [at, offset] : *image.offsets(group))
            require(image.partition(at.first, at.second) != nullptr,
                    "an offset is of a partition that is there");
    }
}

} // namespace fuzz
