#pragma once

#include <insync/types.hpp>

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

namespace bench {

inline constexpr std::uint32_t kPartitionsPerTopic = 50;

/// So many partitions, 50 a topic, with names like those of a real cluster (19 to 24 characters:
/// too long for a string's own buffer). Partition number i of the whole is (i / 50, i % 50).
class Topology {
public:
    explicit Topology(std::uint32_t partitions) : partitions_(partitions) {
        constexpr std::array kSubjects{"orders", "payments", "clicks", "audit", "inventory"};
        constexpr std::array kRegions{"eu-west", "us-east", "ap-south", "eu-north"};
        const std::size_t topics = (partitions + kPartitionsPerTopic - 1) / kPartitionsPerTopic;
        names_.resize(topics);
        for (std::size_t i = 0; i < topics; ++i) {
            Name& name = names_[i];
            const auto end = fmt::format_to_n(name.text.data(), name.text.size(), "{}.{}.{:05}",
                                              kSubjects[i % kSubjects.size()],
                                              kRegions[i / kSubjects.size() % kRegions.size()], i);
            name.length = static_cast<std::uint8_t>(end.size);
        }
    }

    [[nodiscard]] std::uint32_t partitions() const { return partitions_; }
    [[nodiscard]] std::uint32_t topics() const { return static_cast<std::uint32_t>(names_.size()); }
    [[nodiscard]] std::string_view topic(std::uint32_t number) const {
        return {names_[number].text.data(), names_[number].length};
    }
    [[nodiscard]] insync::TopicPartition operator[](std::uint32_t i) const {
        return {topic(i / kPartitionsPerTopic),
                static_cast<insync::PartitionId>(i % kPartitionsPerTopic)};
    }

private:
    struct Name {
        std::array<char, 31> text{};
        std::uint8_t length = 0;
    };
    std::uint32_t partitions_;
    std::vector<Name> names_;
};

/// Which partition each operation asks for: uniform, drawn beforehand, so that drawing is not
/// measured. As long as there are partitions, and at least 2^17: a pass does not fit into L2.
class Queries {
public:
    explicit Queries(std::uint32_t partitions) {
        std::mt19937 random{7};
        std::uniform_int_distribution<std::uint32_t> any{0, partitions - 1};
        const std::uint32_t length = std::bit_ceil(partitions);
        partition_.resize(length < kLeast ? kLeast : length);
        for (std::uint32_t& partition : partition_) partition = any(random);
    }

    /// The stream repeats: every position is legal.
    [[nodiscard]] std::uint32_t at(std::uint64_t position) const {
        return partition_[position & (partition_.size() - 1)];
    }

private:
    static constexpr std::uint32_t kLeast = 1u << 17;
    std::vector<std::uint32_t> partition_;
};

} // namespace bench
