#pragma once

#include "kafka/uuid.hpp"
#include "types.hpp"

#include <insync/isr_store.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mini_broker {

using kafka::Uuid;

// What the metadata group agrees on: each is one entry of its log. A command is checked twice: by
// the leader before it is proposed, and again, with the same result on every node, when it is
// applied.

/// A node says where clients find it.
struct RegisterBroker {
    NodeId node = insync::kNoNode;
    std::string host;
    std::uint16_t port = 0;
    std::string rack;
};
struct CreateTopic {
    std::string name;
    Uuid id{};
    std::map<std::string, std::string> configs;
    std::vector<std::vector<NodeId>> replicas; ///< of each partition, the preferred leader first
};
struct DeleteTopic {
    std::string name;
    Uuid id{}; ///< which of those that had the name in turn; all zeros: whichever has it
};
struct AddPartitions {
    std::string name;
    Uuid topic{};          ///< which of those that had the name in turn
    std::size_t first = 0; ///< how many there are already
    std::vector<std::vector<NodeId>> replicas;
};
struct SetConfigs {
    std::string name;
    Uuid topic{};   ///< which of those that had the name in turn
    Uuid request{}; ///< different for each change: one that comes again must not undo a newer one
    std::map<std::string, std::optional<std::string>> changes; ///< nothing: back to the default
    bool replace = false;                                      ///< of what is not named: the same
};
/// What leaders decided (S8).
struct PublishIsr {
    struct One {
        Uuid topic{};
        std::int32_t partition = 0;
        insync::PublishedIsr isr;
    };
    std::vector<One> sets;
};
/// A node wants producer ids to give out.
struct ReserveProducerIds {
    std::int32_t count = 1000;
};
struct CommitOffsets {
    struct One {
        std::string topic;
        std::int32_t partition = 0;
        Offset offset = 0;
        std::int32_t epoch = -1;
        std::string metadata;
    };
    std::string group;
    std::vector<One> offsets;
};

/// The leader of the metadata says of which brokers it has heard nothing for a while: of all, each
/// time.
struct SetDeadNodes {
    std::vector<NodeId> nodes;
};

using Command = std::variant<RegisterBroker,
                             CreateTopic,
                             DeleteTopic,
                             AddPartitions,
                             SetConfigs,
                             PublishIsr,
                             ReserveProducerIds,
                             CommitOffsets,
                             SetDeadNodes>;

/// As bytes: CBOR (RFC 8949).
[[nodiscard]] std::string encode(const Command& command);
/// Nothing for bytes that are no command.
[[nodiscard]] std::optional<Command> decode_command(std::string_view bytes);

} // namespace mini_broker
