#include "cluster/image.hpp"

#include "cluster/topic_rules.hpp"

#include <insync/kafka/metadata.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mini_broker {

using kafka::Error;
using Kind = Image::Change::Kind;

namespace {

Image::Applied refused(Error error, std::string message) {
    return {{error, std::move(message), 0}, {}};
}

Image::Applied unknown_topic(const std::string& name) {
    return refused(Error::unknown_topic_or_partition, fmt::format("There is no topic '{}'.", name));
}

/// Whether partitions can be: replicas each, none of them twice. A command may come from a node
/// that is not as it should be, and everything relies on this.
bool are_placed(const std::vector<std::vector<NodeId>>& partitions) {
    const auto placed = [](const std::vector<NodeId>& replicas) {
        const std::set<NodeId> different(replicas.begin(), replicas.end());
        return !replicas.empty() && replicas.size() <= insync::kMaxReplicas &&
               different.size() == replicas.size();
    };
    return !partitions.empty() && std::all_of(partitions.begin(), partitions.end(), placed);
}

Image::Applied misplaced() {
    return refused(Error::invalid_replica_assignment,
                   "Each partition needs at least one replica, and none of them twice.");
}

Image::Applied no_room() {
    return refused(Error::policy_violation,
                   fmt::format("The cluster has at most {} partitions.", kMostPartitions));
}

/// What one committed offset takes, about; without metadata, a group.
std::size_t memory_of(const std::string& name, const std::string& metadata = {}) noexcept {
    constexpr std::size_t kNode = 160;
    return kNode + name.size() + metadata.size();
}

Image::Change change(Kind kind, const Image::Topic& topic) {
    Image::Change result;
    result.kind = kind;
    result.topic = topic;
    return result;
}

bool is_newer(const insync::PublishedIsr& isr, const std::optional<insync::PublishedIsr>& known) {
    return !known || std::pair{isr.epoch, isr.version} > std::pair{known->epoch, known->version};
}

} // namespace

Image::Applied Image::apply(const Command& command) {
    return std::visit([this](const auto& one) { return apply(one); }, command);
}

Image::Applied Image::apply(const RegisterBroker& command) {
    if (command.node < 1 || !insync::kafka::broker_id(command.node))
        return refused(Error::invalid_request, "This is no broker's number.");
    brokers_[command.node] = {command.host, command.port, command.rack};
    return {{}, {change(Kind::broker, {})}};
}

Image::Applied Image::apply(const CreateTopic& command) {
    if (const Topic* const known = topic(command.name); known != nullptr) {
        if (known->id == command.id) return {}; // sent again, as its result was lost on the way
        return refused(Error::topic_already_exists,
                       fmt::format("Topic '{}' already exists.", command.name));
    }
    if (deleted_.contains(command.id)) return {}; // and again, as late as that
    if (!is_legal_topic(command.name))
        return refused(Error::invalid_topic, "This is no topic's name.");
    if (names_.contains(command.id))
        return refused(Error::invalid_request, "The topic's id is another topic's.");
    if (!are_placed(command.replicas)) return misplaced();
    if (command.replicas.size() > kMostPartitions - partition_count_) return no_room();
    partition_count_ += command.replicas.size();
    Topic& made = topics_[command.name];
    made = {command.name, command.id, command.configs, {}};
    for (const auto& replicas : command.replicas)
        made.partitions.push_back(make_partition(replicas));
    ++topics_created_;
    names_[made.id] = made.name;
    return {{}, {change(Kind::topic_created, made)}};
}

Image::Applied Image::apply(const DeleteTopic& command) {
    // Sent again, it must not reach a topic that got the name since.
    if (deleted_.contains(command.id)) return {};
    const auto found = topics_.find(command.name);
    if (found == topics_.end()) return unknown_topic(command.name);
    if (command.id != Uuid{} && command.id != found->second.id) return unknown_topic(command.name);
    const Topic gone = std::move(found->second);
    names_.erase(gone.id);
    deleted_.insert(gone.id);
    topics_.erase(found);
    partition_count_ -= gone.partitions.size();
    forget_offsets(gone.name);
    return {{}, {change(Kind::topic_deleted, gone)}};
}

/// Its first ISR is decided here, where all nodes decide alike: a dead replica in it would make the
/// first writes wait for its lag to pass the limit.
Image::Partition Image::make_partition(const std::vector<NodeId>& replicas) {
    Partition made{next_group_++, replicas, {}, std::nullopt};
    for (const NodeId node : replicas)
        if (!dead_nodes_.contains(node)) made.alive.push_back(node);
    if (made.alive.empty()) made.alive = replicas; // none of them is better than another
    return made;
}

Image::Topic* Image::find(const std::string& name, const Uuid& id) {
    const auto found = topics_.find(name);
    return found == topics_.end() || found->second.id != id ? nullptr : &found->second;
}

Image::Applied Image::apply(const AddPartitions& command) {
    Topic* const asked = find(command.name, command.topic);
    if (asked == nullptr) return unknown_topic(command.name);
    Topic& topic = *asked;
    const auto& known = topic.partitions;
    const auto same = [](const std::vector<NodeId>& replicas, const Partition& partition) {
        return replicas == partition.replicas;
    };
    if (known.size() == command.first + command.replicas.size() && !command.replicas.empty() &&
        std::equal(command.replicas.begin(), command.replicas.end(),
                   known.end() - static_cast<std::ptrdiff_t>(command.replicas.size()), same))
        return {}; // sent again
    if (topic.partitions.size() != command.first)
        return refused(Error::invalid_partitions,
                       fmt::format("Topic '{}' has {} partitions by now.", command.name,
                                   topic.partitions.size()));
    if (!are_placed(command.replicas)) return misplaced();
    if (command.replicas.size() > kMostPartitions - partition_count_) return no_room();
    partition_count_ += command.replicas.size();
    for (const auto& replicas : command.replicas)
        topic.partitions.push_back(make_partition(replicas));
    Change added = change(Kind::partitions_added, topic);
    added.first = command.first;
    return {{}, {std::move(added)}};
}

Image::Applied Image::apply(const SetConfigs& command) {
    Topic* const topic = find(command.name, command.topic);
    if (topic == nullptr) return unknown_topic(command.name);
    if (configured_.contains(command.request)) return {};
    configured_.insert(command.request);
    auto& configs = topic->configs;
    if (command.replace) configs.clear();
    for (const auto& [name, value] : command.changes) {
        if (value)
            configs[name] = *value;
        else
            configs.erase(name);
    }
    return {{}, {change(Kind::configs, *topic)}};
}

Image::Applied Image::apply(const PublishIsr& command) {
    Applied applied;
    for (const PublishIsr::One& one : command.sets) {
        const auto name = names_.find(one.topic);
        if (name == names_.end()) continue; // deleted meanwhile
        Topic& topic = topics_.find(name->second)->second;
        const auto number = static_cast<std::size_t>(one.partition);
        if (one.partition < 0 || number >= topic.partitions.size()) continue;
        Partition& partition = topic.partitions[number];
        if (!is_newer(one.isr, partition.isr)) continue;
        partition.isr = one.isr;
        Change changed = change(Kind::isr, {topic.name, topic.id, {}, {}});
        changed.partitions.push_back(one.partition);
        applied.changes.push_back(std::move(changed));
    }
    return applied;
}

Image::Applied Image::apply(const ReserveProducerIds& command) {
    const std::int64_t first = next_producer_;
    next_producer_ += std::clamp(command.count, 1, 1'000'000);
    return {{Error::none, {}, first}, {}};
}

Image::Applied Image::apply(const CommitOffsets& command) {
    std::size_t more = memory_of(command.group);
    for (const CommitOffsets::One& one : command.offsets)
        more += memory_of(one.topic, one.metadata);
    if (more > kMostOffsetMemory - std::min(offset_memory_, kMostOffsetMemory))
        return refused(Error::invalid_commit_offset_size, "There is no room for more offsets.");
    for (const CommitOffsets::One& one : command.offsets) {
        // Not for a topic that was deleted meanwhile: the next of its name must begin anew.
        if (partition(one.topic, one.partition) == nullptr) continue;
        const auto [group, is_new] = offsets_.try_emplace(command.group);
        if (is_new) offset_memory_ += memory_of(command.group);
        const auto [at, added] = group->second.try_emplace({one.topic, one.partition});
        if (!added) offset_memory_ -= memory_of(one.topic, at->second.metadata);
        offset_memory_ += memory_of(one.topic, one.metadata);
        at->second = {one.offset, one.epoch, one.metadata};
    }
    return {};
}

Image::Applied Image::apply(const SetDeadNodes& command) {
    std::set<NodeId> dead;
    for (const NodeId node : command.nodes)
        if (brokers_.contains(node)) dead.insert(node);
    if (dead == dead_nodes_) return {};
    dead_nodes_ = std::move(dead);
    return {{}, {change(Kind::dead_nodes, {})}};
}

void Image::forget_offsets(const std::string& topic) {
    for (auto& [group, offsets] : offsets_)
        std::erase_if(offsets, [&](const auto& entry) {
            if (entry.first.first != topic) return false;
            offset_memory_ -= memory_of(topic, entry.second.metadata);
            return true;
        });
    std::erase_if(offsets_, [this](const auto& group) {
        if (!group.second.empty()) return false;
        offset_memory_ -= memory_of(group.first);
        return true;
    });
}

void Image::Lately::insert(const Uuid& id) {
    if (!ids_.insert(id).second) return;
    order_.push_back(id);
    if (order_.size() <= kKept) return;
    ids_.erase(order_.front());
    order_.pop_front();
}

const Image::Topic* Image::topic(std::string_view name) const {
    const auto found = topics_.find(name);
    return found == topics_.end() ? nullptr : &found->second;
}

const Image::Topic* Image::topic(const Uuid& id) const {
    const auto name = names_.find(id);
    return name == names_.end() ? nullptr : topic(name->second);
}

const Image::Partition* Image::partition(std::string_view topic_name, std::int32_t number) const {
    const Topic* const found = topic(topic_name);
    if (found == nullptr || number < 0) return nullptr;
    const auto at = static_cast<std::size_t>(number);
    return at < found->partitions.size() ? &found->partitions[at] : nullptr;
}

const Image::Offsets* Image::offsets(const std::string& group) const {
    const auto found = offsets_.find(group);
    return found == offsets_.end() ? nullptr : &found->second;
}

bool Image::was_deleted(GroupId group) const {
    if (group == kMetadataGroup || group >= next_group_) return false;
    for (const auto& [name, topic] : topics_)
        for (const Partition& partition : topic.partitions)
            if (partition.group == group) return false;
    return true;
}

std::vector<std::string> Image::groups() const {
    std::vector<std::string> names;
    for (const auto& [name, offsets] : offsets_) names.push_back(name);
    return names;
}

} // namespace mini_broker
