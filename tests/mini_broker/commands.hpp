#pragma once

#include "cluster/command.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace cluster_test {

using namespace mini_broker;

/// A command of each kind, every field of it set.
inline std::vector<Command> one_of_each() {
    Uuid id{};
    for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::uint8_t>(200 + i);
    insync::PublishedIsr isr;
    isr.leader = 2;
    isr.epoch = 7;
    isr.version = 9;
    isr.members = {1, 2};
    return {
        RegisterBroker{3, "host", 9092, "rack"},
        CreateTopic{"topic", id, {{"min.insync.replicas", "2"}}, {{1, 2, 3}, {2, 3, 1}}},
        DeleteTopic{"topic", id},
        AddPartitions{"topic", id, 2, {{3, 1, 2}}},
        SetConfigs{
            "topic", id, id, {{"retention.ms", "5"}, {"retention.bytes", std::nullopt}}, true},
        PublishIsr{{{id, 1, isr}}},
        ReserveProducerIds{500},
        CommitOffsets{"group", {{"topic", 1, 77, 4, "so far"}}},
        SetDeadNodes{{2, 3}},
    };
}

} // namespace cluster_test
