#pragma once

#include "cluster/command.hpp"
#include "kafka/errors.hpp"
#include "types.hpp"

#include <insync/isr_store.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mini_broker {

/// What a command came to; the same on every node that applied it.
struct CommandResult {
    kafka::Error error = kafka::Error::none;
    std::string message;
    std::int64_t value = 0; ///< the first producer id of a block
};

/// The metadata of the cluster: what is left of all commands that were applied, in order. A pure
/// state machine, the same on every node; no time, no chance, no I/O.
class Image {
public:
    // What is applied must come to the same on every node, so no flag changes these.
    static constexpr std::size_t kMostOffsetMemory = 64u << 20; ///< bytes, about, of all groups

    struct Broker {
        std::string host;
        std::uint16_t port = 0;
        std::string rack;

        friend bool operator==(const Broker&, const Broker&) = default;
    };
    struct Partition {
        GroupId group = 0;
        std::vector<NodeId> replicas; ///< the preferred leader first
        std::vector<NodeId> alive;    ///< those not known to be dead when it was made; never none
        std::optional<insync::PublishedIsr> isr;
    };
    struct Topic {
        std::string name;
        Uuid id{};
        std::map<std::string, std::string> configs; ///< those that differ from the default
        std::vector<Partition> partitions;
    };
    struct CommittedOffset {
        Offset offset = -1;
        std::int32_t epoch = -1;
        std::string metadata;
    };
    using Offsets = std::map<std::pair<std::string, std::int32_t>, CommittedOffset>;

    /// What a command changed, for those who act on it.
    struct Change {
        enum class Kind : std::uint8_t {
            nothing,
            broker,
            topic_created,
            topic_deleted,
            partitions_added,
            configs,
            isr,
            dead_nodes,
        };
        Kind kind = Kind::nothing;
        Topic topic;                          ///< as it is now; as it was, when deleted
        std::size_t first = 0;                ///< of the partitions added
        std::vector<std::int32_t> partitions; ///< whose ISR changed
    };
    struct Applied {
        CommandResult result;
        std::vector<Change> changes;
    };

    [[nodiscard]] Applied apply(const Command& command);

    [[nodiscard]] const std::map<NodeId, Broker>& brokers() const noexcept { return brokers_; }
    /// Brokers that the cluster knows to be dead: the same on every node, as it is agreed upon.
    [[nodiscard]] const std::set<NodeId>& dead_nodes() const noexcept { return dead_nodes_; }
    [[nodiscard]] const std::map<std::string, Topic, std::less<>>& topics() const noexcept {
        return topics_;
    }
    /// Null when there is none.
    [[nodiscard]] const Topic* topic(std::string_view name) const;
    [[nodiscard]] const Topic* topic(const Uuid& id) const;
    [[nodiscard]] const Partition* partition(std::string_view topic, std::int32_t number) const;
    /// Null for a group that never committed anything.
    [[nodiscard]] const Offsets* offsets(const std::string& group) const;
    [[nodiscard]] std::vector<std::string> groups() const;
    /// Of all topics; never more than `kMostPartitions`.
    [[nodiscard]] std::size_t partition_count() const noexcept { return partition_count_; }

    /// Whether a group belonged to a partition that was deleted since.
    [[nodiscard]] bool was_deleted(GroupId group) const;
    /// How many topics were ever created: what new ones are spread over the nodes by.
    [[nodiscard]] std::uint64_t topics_created() const noexcept { return topics_created_; }

private:
    /// The newest ids of something that happened once. So many are kept that far fewer come while a
    /// command can still be sent again.
    class Lately {
    public:
        [[nodiscard]] bool contains(const Uuid& id) const { return ids_.contains(id); }
        void insert(const Uuid& id);

    private:
        static constexpr std::size_t kKept = 10'000;

        std::set<Uuid> ids_;
        std::deque<Uuid> order_; // oldest first
    };

    /// Null where there is none, or another of the same name.
    [[nodiscard]] Topic* find(const std::string& name, const Uuid& id);
    void forget_offsets(const std::string& topic);
    [[nodiscard]] Partition make_partition(const std::vector<NodeId>& replicas);
    [[nodiscard]] Applied apply(const RegisterBroker& command);
    [[nodiscard]] Applied apply(const CreateTopic& command);
    [[nodiscard]] Applied apply(const DeleteTopic& command);
    [[nodiscard]] Applied apply(const AddPartitions& command);
    [[nodiscard]] Applied apply(const SetConfigs& command);
    [[nodiscard]] Applied apply(const PublishIsr& command);
    [[nodiscard]] Applied apply(const ReserveProducerIds& command);
    [[nodiscard]] Applied apply(const CommitOffsets& command);
    [[nodiscard]] Applied apply(const SetDeadNodes& command);

    std::map<NodeId, Broker> brokers_;
    std::set<NodeId> dead_nodes_;
    std::map<std::string, Topic, std::less<>> topics_;
    std::map<Uuid, std::string> names_;
    Lately deleted_;    // topics
    Lately configured_; // requests of `SetConfigs`
    std::map<std::string, Offsets> offsets_;
    std::size_t offset_memory_ = 0; // of these
    std::size_t partition_count_ = 0;
    std::uint64_t topics_created_ = 0;
    GroupId next_group_ = kMetadataGroup + 1;
    std::int64_t next_producer_ = 1000;
};

} // namespace mini_broker
