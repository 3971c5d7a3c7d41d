#pragma once

#include "baselines/isr_value.hpp"
#include "baselines/key.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace bench {

/// ISR and progress of a partition in one hash map node, with room for eight replicas; nothing is
/// allocated beside it but the name.
class InlineMap {
public:
    static constexpr const char* kName = "unordered_map, all inline";

    void reserve(std::size_t partitions) { partitions_.reserve(partitions); }
    void add(std::string_view topic, std::int32_t partition) {
        partitions_.try_emplace(Key{std::string{topic}, partition});
    }

private:
    /// Of the node at the same place in the ISR.
    struct Progress {
        Index match = 0;
        std::int64_t contact_ms = 0;
    };
    struct Partition {
        InlineIsr isr = InlineIsr::of(kAllInSync);
        std::array<Progress, std::tuple_size_v<decltype(InlineIsr::nodes)>> progress{};
        Index end = 0;
        Index high_watermark = 0;
    };
    std::unordered_map<Key, Partition, StdKeyHash> partitions_;
};

} // namespace bench
