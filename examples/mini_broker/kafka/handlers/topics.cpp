// CreateTopics, DeleteTopics, CreatePartitions: any node takes them, and passes them on.
#include "kafka/messages/topics.hpp"

#include "kafka/handlers/call.hpp"
#include "kafka/handlers/gather.hpp"
#include "kafka/handlers/topic_defaults.hpp"

#include <fmt/format.h>

#include <set>

namespace mini_broker::kafka {

namespace {

template <class Answer>
void refuse(Answer& answer, Error error, std::string why) {
    answer.error_code = error;
    answer.error_message = std::move(why);
}

template <class Answer>
void refuse_full(const Context& context, Answer& answer) {
    refuse(answer, Error::policy_violation,
           fmt::format("The cluster may have {} partitions, and has {}.",
                       context.options.max_partitions, context.image().partition_count()));
}

template <class Answer>
void refuse_twice(Answer& answer) {
    refuse(answer, Error::invalid_request, "The request names this topic twice.");
}

/// The replicas that a request names itself, as they are; an empty list where they make no sense.
std::vector<std::vector<NodeId>> named_replicas(
    const Context& context, const std::vector<CreateTopicsRequest::Assignment>& assignments) {
    const auto& brokers = context.image().brokers();
    std::vector<std::vector<NodeId>> replicas(assignments.size());
    for (const auto& assignment : assignments) {
        const auto number = static_cast<std::size_t>(assignment.partition_index);
        if (assignment.partition_index < 0 || number >= replicas.size()) return {};
        std::set<NodeId> seen;
        for (const std::int32_t broker : assignment.broker_ids) {
            if (!brokers.contains(broker) || !seen.insert(broker).second) return {};
            replicas[number].push_back(broker);
        }
        if (replicas[number].empty() || replicas[number].size() > insync::kMaxReplicas ||
            replicas[number].size() != replicas.front().size())
            return {};
    }
    return replicas;
}

using CreateAnswer = CreateTopicsResponse::Topic;

/// The command for one topic; nothing, and the answer says why, for one that is not legal.
std::optional<CreateTopic> check_create(const Context& context,
                                        const CreateTopicsRequest::Topic& asked,
                                        CreateAnswer& answer) {
    const auto refused = [&answer](Error error, std::string why) {
        refuse(answer, error, std::move(why));
        return std::nullopt;
    };
    if (!is_legal_topic(asked.name))
        return refused(Error::invalid_topic, "A topic name is 1 to 249 of a-z A-Z 0-9 . _ -");
    if (context.image().topic(asked.name) != nullptr)
        return refused(Error::topic_already_exists,
                       fmt::format("Topic '{}' already exists.", asked.name));
    std::map<std::string, std::string> configs;
    for (const auto& config : asked.configs) {
        if (!config.value) continue;
        if (auto fault = config_fault(config.name, *config.value))
            return refused(Error::invalid_config, std::move(*fault));
        configs[config.name] = *config.value;
    }
    if (!asked.assignments.empty()) {
        auto replicas = named_replicas(context, asked.assignments);
        if (replicas.empty() || replicas.front().empty())
            return refused(Error::invalid_replica_assignment,
                           "Each partition needs the same number of different, known brokers.");
        return CreateTopic{asked.name, make_uuid(context), std::move(configs), std::move(replicas)};
    }
    const auto partitions =
        asked.num_partitions == -1 ? context.options.default_partitions : asked.num_partitions;
    if (partitions < 1 || static_cast<std::size_t>(partitions) > kMostPartitions)
        return refused(Error::invalid_partitions,
                       fmt::format("A topic has 1 to {} partitions.", kMostPartitions));
    const std::size_t nodes = registered_nodes(context).size();
    const int factor = asked.replication_factor == -1
                           ? std::min(static_cast<int>(context.options.default_replication_factor),
                                      static_cast<int>(nodes))
                           : asked.replication_factor;
    if (factor < 1 || static_cast<std::size_t>(factor) > nodes ||
        static_cast<std::size_t>(factor) > insync::kMaxReplicas)
        return refused(Error::invalid_replication_factor,
                       fmt::format("Replication factor: {} larger than available brokers: {}.",
                                   factor, nodes));
    return make_topic(context, asked.name, static_cast<std::size_t>(partitions),
                      static_cast<std::size_t>(factor), std::move(configs));
}

void describe_created(const Context& context, const CreateTopic& command, CreateAnswer& answer) {
    answer.topic_id = command.id;
    answer.num_partitions = static_cast<std::int32_t>(command.replicas.size());
    answer.replication_factor = static_cast<std::int16_t>(command.replicas.front().size());
    for (const ConfigRule& rule : config_rules()) {
        CreateTopicsResponse::Config& config = answer.configs.emplace_back();
        const auto own = command.configs.find(std::string{rule.name});
        config.name = rule.name;
        config.value = own == command.configs.end() ? default_config(context, rule) : own->second;
        config.config_source = own == command.configs.end() ? 5 : 1;
    }
}

/// The command for one topic's new partitions; nothing, and the answer says why, where there can
/// be none.
std::optional<AddPartitions> check_add(const Context& context,
                                       const CreatePartitionsRequest::Topic& asked,
                                       CreatePartitionsResponse::Topic& answer) {
    const auto refused = [&answer](Error error, std::string why) {
        refuse(answer, error, std::move(why));
        return std::nullopt;
    };
    const Image::Topic* const topic = context.image().topic(asked.name);
    if (topic == nullptr)
        return refused(Error::unknown_topic_or_partition, "There is no such topic.");
    const std::size_t now = topic->partitions.size();
    if (asked.count <= 0 || static_cast<std::size_t>(asked.count) <= now ||
        static_cast<std::size_t>(asked.count) > kMostPartitions)
        return refused(Error::invalid_partitions,
                       fmt::format("Topic '{}' has {} partitions; it can only get more, up to {}.",
                                   asked.name, now, kMostPartitions));
    if (asked.assignments)
        return refused(Error::invalid_replica_assignment,
                       "This broker places new partitions by itself.");
    const std::vector<NodeId> nodes = registered_nodes(context);
    const Image::Partition& front = topic->partitions.front();
    const std::size_t factor = std::min(front.replicas.size(), nodes.size());
    // Goes on where the topic's first partition began.
    const auto first = std::find(nodes.begin(), nodes.end(), front.replicas.front());
    return AddPartitions{asked.name, topic->id, now,
                         place_replicas(nodes, static_cast<std::uint64_t>(first - nodes.begin()),
                                        now, static_cast<std::size_t>(asked.count) - now, factor)};
}

} // namespace

void handle_create_topics(const CallPtr& call) {
    const auto request = read<CreateTopicsRequest>(call);
    if (!request) return;
    const auto gather = std::make_shared<Gather<CreateTopicsResponse>>(call);
    auto& answers = gather->response.topics;
    answers.resize(request->topics.size());
    std::set<std::string> names;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const CreateTopicsRequest::Topic& asked = request->topics[i];
        CreateAnswer& answer = answers[i];
        answer.name = asked.name;
        if (!names.insert(asked.name).second) {
            refuse_twice(answer);
            continue;
        }
        auto command = check_create(call->context, asked, answer);
        if (!command) continue;
        if (command->replicas.size() > room_for_partitions(call->context)) {
            refuse_full(call->context, answer);
            continue;
        }
        describe_created(call->context, *command, answer);
        if (!request->validate_only)
            gather->submit(std::move(*command), request->timeout_ms, answer);
    }
    gather->begun();
}

void handle_delete_topics(const CallPtr& call) {
    const auto request = read<DeleteTopicsRequest>(call);
    if (!request) return;
    const auto gather = std::make_shared<Gather<DeleteTopicsResponse>>(call);
    auto& answers = gather->response.responses;
    for (const std::string& name : request->topic_names) answers.emplace_back().name = name;
    for (const DeleteTopicsRequest::Topic& asked : request->topics) {
        auto& answer = answers.emplace_back();
        answer.name = asked.name;
        answer.topic_id = asked.topic_id;
    }
    std::set<Uuid> seen;
    for (auto& answer : answers) {
        const Image& image = call->context.image();
        const Image::Topic* const topic =
            answer.name ? image.topic(*answer.name) : image.topic(answer.topic_id);
        if (topic == nullptr) {
            const bool by_name = answer.name.has_value();
            refuse(answer, by_name ? Error::unknown_topic_or_partition : Error::unknown_topic_id,
                   "There is no such topic.");
            continue;
        }
        answer.name = topic->name;
        answer.topic_id = topic->id;
        if (!seen.insert(topic->id).second) {
            refuse_twice(answer);
            continue;
        }
        gather->submit(DeleteTopic{topic->name, topic->id}, request->timeout_ms, answer);
    }
    gather->begun();
}

void handle_create_partitions(const CallPtr& call) {
    const auto request = read<CreatePartitionsRequest>(call);
    if (!request) return;
    const auto gather = std::make_shared<Gather<CreatePartitionsResponse>>(call);
    auto& answers = gather->response.results;
    answers.resize(request->topics.size());
    std::set<std::string> names;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const CreatePartitionsRequest::Topic& asked = request->topics[i];
        auto& answer = answers[i];
        answer.name = asked.name;
        if (!names.insert(asked.name).second) {
            refuse_twice(answer);
            continue;
        }
        auto command = check_add(call->context, asked, answer);
        if (!command) continue;
        if (command->replicas.size() > room_for_partitions(call->context)) {
            refuse_full(call->context, answer);
            continue;
        }
        if (!request->validate_only)
            gather->submit(std::move(*command), request->timeout_ms, answer);
    }
    gather->begun();
}

} // namespace mini_broker::kafka
