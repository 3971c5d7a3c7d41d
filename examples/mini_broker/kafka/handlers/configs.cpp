// DescribeConfigs, AlterConfigs, IncrementalAlterConfigs: those of topics, and what a broker says
// of itself.
#include "kafka/messages/configs.hpp"

#include "kafka/handlers/call.hpp"
#include "kafka/handlers/gather.hpp"
#include "kafka/handlers/topic_defaults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace mini_broker::kafka {

namespace {

constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;
constexpr std::int8_t kSourceTopic = 1;
constexpr std::int8_t kSourceStatic = 4;
constexpr std::int8_t kSourceDefault = 5;

using Described = DescribeConfigsResponse::Config;

bool is_asked(const std::optional<std::vector<std::string>>& keys, std::string_view name) {
    return !keys || std::find(keys->begin(), keys->end(), name) != keys->end();
}

Described describe(const Context& context,
                   const Image::Topic& topic,
                   const ConfigRule& rule,
                   const DescribeConfigsRequest& request) {
    Described config;
    const std::string by_default = default_config(context, rule);
    const auto own = topic.configs.find(std::string{rule.name});
    const bool is_own = own != topic.configs.end();
    config.name = rule.name;
    config.value = is_own ? own->second : by_default;
    config.config_source = is_own ? kSourceTopic : kSourceDefault;
    config.config_type = rule.type;
    if (request.include_synonyms) {
        if (is_own) config.synonyms.push_back({config.name, own->second, kSourceTopic});
        config.synonyms.push_back({config.name, by_default, kSourceDefault});
    }
    return config;
}

Described describe_static(std::string name, std::string value, std::int8_t type) {
    Described config;
    config.name = std::move(name);
    config.value = std::move(value);
    config.read_only = true;
    config.config_source = kSourceStatic;
    config.config_type = type;
    return config;
}

/// What this node runs with; of other nodes it does not know.
void describe_broker(const Context& context,
                     const std::optional<std::vector<std::string>>& keys,
                     DescribeConfigsResponse::Result& result) {
    const HandlerOptions& options = context.options;
    const auto& isr = context.replicas.isr().config();
    const std::vector<Described> all = {
        describe_static("auto.create.topics.enable", options.auto_create_topics ? "true" : "false",
                        1),
        describe_static("default.replication.factor",
                        std::to_string(options.default_replication_factor), 3),
        describe_static("min.insync.replicas", std::to_string(isr.min_insync_replicas), 3),
        describe_static("num.partitions", std::to_string(options.default_partitions), 3),
        describe_static("replica.lag.time.max.ms", std::to_string(isr.max_lag_ms.count()), 5),
    };
    for (const Described& config : all)
        if (is_asked(keys, config.name)) result.configs.push_back(config);
}

template <class Answer>
void refuse(Answer& answer, Error error, std::string why) {
    answer.error_code = error;
    answer.error_message = std::move(why);
}

/// Resources that a request has named already.
using Seen = std::set<std::pair<std::int8_t, std::string>>;

/// Whether a resource is a topic that is there, and was not named before; the answer says why not.
template <class Answer>
bool is_known_topic(const Context& context, Seen& seen, Answer& answer) {
    // Each costs a command, or an answer that is far larger than its name.
    if (!seen.emplace(answer.resource_type, answer.resource_name).second) {
        refuse(answer, Error::invalid_request, "The request names this resource twice.");
        return false;
    }
    if (answer.resource_type != kTopic) {
        refuse(answer, Error::invalid_request, "Only topics have configurations that change.");
        return false;
    }
    if (context.image().topic(answer.resource_name) != nullptr) return true;
    refuse(answer, Error::unknown_topic_or_partition, "There is no such topic.");
    return false;
}

/// A change of a topic that is there, with nothing in it yet.
SetConfigs set_configs(const Context& context, const std::string& topic, bool replace) {
    return {topic, context.image().topic(topic)->id, make_uuid(context), {}, replace};
}

} // namespace

void handle_describe_configs(const CallPtr& call) {
    const auto request = read<DescribeConfigsRequest>(call);
    if (!request) return;
    const Context& context = call->context;
    DescribeConfigsResponse response;
    Seen seen;
    for (const DescribeConfigsRequest::Resource& asked : request->resources) {
        DescribeConfigsResponse::Result& result = response.results.emplace_back();
        result.resource_type = asked.resource_type;
        result.resource_name = asked.resource_name;
        if (asked.resource_type == kBroker && seen.emplace(kBroker, asked.resource_name).second) {
            describe_broker(context, asked.configuration_keys, result);
            continue;
        }
        if (!is_known_topic(context, seen, result)) continue;
        const Image::Topic& topic = *context.image().topic(asked.resource_name);
        for (const ConfigRule& rule : config_rules())
            if (is_asked(asked.configuration_keys, rule.name))
                result.configs.push_back(describe(context, topic, rule, *request));
    }
    call->answer(response);
}

void handle_alter_configs(const CallPtr& call) {
    const auto request = read<AlterConfigsRequest>(call);
    if (!request) return;
    const auto gather = std::make_shared<Gather<AlterConfigsResponse>>(call);
    auto& answers = gather->response.responses;
    answers.resize(request->resources.size());
    Seen seen;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const AlterConfigsRequest::Resource& asked = request->resources[i];
        auto& answer = answers[i];
        answer.resource_type = asked.resource_type;
        answer.resource_name = asked.resource_name;
        if (!is_known_topic(call->context, seen, answer)) continue;
        SetConfigs command = set_configs(call->context, asked.resource_name, true);
        for (const auto& config : asked.configs) {
            if (!config.value) continue;
            if (auto fault = config_fault(config.name, *config.value))
                refuse(answer, Error::invalid_config, std::move(*fault));
            command.changes[config.name] = config.value;
        }
        if (answer.error_code == Error::none && !request->validate_only)
            gather->submit(std::move(command), 0, answer);
    }
    gather->begun();
}

void handle_incremental_alter_configs(const CallPtr& call) {
    constexpr std::int8_t kSet = 0;
    constexpr std::int8_t kDelete = 1;
    const auto request = read<IncrementalAlterConfigsRequest>(call);
    if (!request) return;
    const auto gather = std::make_shared<Gather<IncrementalAlterConfigsResponse>>(call);
    auto& answers = gather->response.responses;
    answers.resize(request->resources.size());
    Seen seen;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const IncrementalAlterConfigsRequest::Resource& asked = request->resources[i];
        auto& answer = answers[i];
        answer.resource_type = asked.resource_type;
        answer.resource_name = asked.resource_name;
        if (!is_known_topic(call->context, seen, answer)) continue;
        SetConfigs command = set_configs(call->context, asked.resource_name, false);
        for (const auto& config : asked.configs) {
            if (config.config_operation == kDelete) {
                if (find_config(config.name) == nullptr)
                    refuse(answer, Error::invalid_config, *config_fault(config.name, {}));
                command.changes[config.name] = std::nullopt;
            } else if (config.config_operation != kSet || !config.value) {
                refuse(answer, Error::invalid_config,
                       fmt::format("{:.100} can only be set or deleted.", config.name));
            } else if (auto fault = config_fault(config.name, *config.value)) {
                refuse(answer, Error::invalid_config, std::move(*fault));
            } else {
                command.changes[config.name] = config.value;
            }
        }
        if (answer.error_code == Error::none && !request->validate_only)
            gather->submit(std::move(command), 0, answer);
    }
    gather->begun();
}

} // namespace mini_broker::kafka
