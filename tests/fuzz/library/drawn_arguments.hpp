#pragma once

#include "fuzz/library/argument_faults.hpp"
#include "fuzz/library/manager_state.hpp"
#include "fuzz/support/input.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace fuzz {

inline constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

/// Arguments for a manager's calls: few different ones, so that calls meet, and the edges of what
/// is legal.
class DrawnArguments {
public:
    explicit DrawnArguments(Input& input) : input_(input) {}

    /// Most often one of two partitions, so that calls meet.
    Name name() {
        if (input_.below(8) != 7) return {"t", static_cast<insync::PartitionId>(input_.below(2))};
        static const std::string kTopics[] = {"t",
                                              "a_longer-name.of.a.topic",
                                              "",
                                              ".",
                                              "..",
                                              "a/b",
                                              std::string(249, 'x'),
                                              std::string(250, 'x')};
        static constexpr insync::PartitionId kNumbers[] = {
            0,
            2,
            40,
            -1,
            insync::kMaxPartition + 1,
            std::numeric_limits<insync::PartitionId>::min(),
            std::numeric_limits<insync::PartitionId>::max()};
        std::string topic = input_.one_of(kTopics);
        if (input_.below(16) == 15) topic = input_.bytes(input_.below(12));
        return {topic, input_.one_of(kNumbers)};
    }
    NodeId node() {
        static constexpr NodeId kNodes[] = {1,
                                            2,
                                            3,
                                            1,
                                            2,
                                            3,
                                            0,
                                            4,
                                            1LL << 62,
                                            insync::kNoNode,
                                            std::numeric_limits<NodeId>::min(),
                                            std::numeric_limits<NodeId>::max()};
        return input_.one_of(kNodes);
    }
    Nodes nodes(std::size_t most) {
        static const Nodes kUsual[] = {{1, 2, 3}, {3, 2, 1}, {1, 2}, {2, 3}, {1}};
        if (input_.below(8) != 7) return input_.one_of(kUsual);
        Nodes drawn(input_.below(most + 1));
        for (NodeId& each : drawn) each = node();
        return drawn;
    }
    /// A small number, or one of the ends of its range.
    std::uint64_t number(std::uint64_t most) {
        const std::uint64_t edges[] = {most - 1, most, most + 1, most + 2, kLargest};
        return input_.below(8) == 7 ? input_.one_of(edges) : input_.below(8);
    }
    insync::PublishedIsr published() {
        insync::PublishedIsr isr{
            node(), number(insync::kMaxEpoch), number(insync::kMaxVersion), {}};
        const Nodes members = nodes(insync::kMaxReplicas);
        isr.members.assign(members.begin(), members.end());
        if (input_.below(8) == 7)
            isr.leader = node();
        else if (!members.empty())
            isr.leader = members.front();
        return isr;
    }
    int min_isr() {
        return input_.flag() ? static_cast<int>(input_.below(5)) : input_.number<int>();
    }

private:
    Input& input_;
};

} // namespace fuzz
