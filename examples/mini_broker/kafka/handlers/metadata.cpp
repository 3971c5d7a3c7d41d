// Metadata and DescribeTopicPartitions: integration point 1 of the design documents. What they say
// of leaders and in-sync replicas is what `status_of` says.
#include "kafka/messages/metadata.hpp"

#include "kafka/handlers/call.hpp"
#include "kafka/handlers/status.hpp"
#include "kafka/handlers/topic_defaults.hpp"
#include "kafka/messages/cluster.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace mini_broker::kafka {

namespace {

/// What both answers call by the same names.
template <class Partition>
Partition describe(const Context& context, const Image::Topic& topic, std::size_t number) {
    PartitionStatus status =
        status_of(context, topic.name, static_cast<std::int32_t>(number), topic.partitions[number]);
    Partition partition;
    partition.partition_index = static_cast<std::int32_t>(number);
    partition.error_code = status.error;
    partition.leader_id = status.leader;
    partition.leader_epoch = status.leader_epoch;
    partition.replica_nodes = std::move(status.replicas);
    partition.isr_nodes = std::move(status.isr);
    partition.offline_replicas = std::move(status.offline);
    return partition;
}

MetadataResponse::Topic describe(const Context& context, const Image::Topic& topic) {
    MetadataResponse::Topic answer;
    answer.name = topic.name;
    answer.topic_id = topic.id;
    for (std::size_t p = 0; p < topic.partitions.size(); ++p)
        answer.partitions.push_back(describe<MetadataResponse::Partition>(context, topic, p));
    return answer;
}

/// The answer for one topic that was asked for. One that is missing and may be created is put into
/// `missing`; the client asks again.
MetadataResponse::Topic describe_asked(const Context& context,
                                       const MetadataRequest::Topic& asked,
                                       std::vector<std::string>& missing) {
    MetadataResponse::Topic answer;
    answer.name = asked.name;
    answer.topic_id = asked.topic_id;
    const Image& image = context.image();
    const Image::Topic* const known =
        asked.name ? image.topic(*asked.name) : image.topic(asked.topic_id);
    if (known != nullptr) return describe(context, *known);
    if (!asked.name) {
        answer.error_code = Error::unknown_topic_id;
    } else if (!is_legal_topic(*asked.name)) {
        answer.error_code = Error::invalid_topic;
    } else {
        answer.error_code = Error::unknown_topic_or_partition;
        missing.push_back(*asked.name);
    }
    return answer;
}

} // namespace

void handle_metadata(const CallPtr& call) {
    const auto request = read<MetadataRequest>(call);
    if (!request) return;
    Context& context = call->context;
    MetadataResponse response;
    response.cluster_id = context.options.cluster_id;
    response.controller_id = static_cast<std::int32_t>(controller_node(context));
    response.brokers = live_brokers<MetadataResponse::Broker>(context);

    const bool all =
        !request->topics || (call->header.api_version == 0 && request->topics->empty());
    std::vector<std::string> missing;
    if (all) {
        for (const auto& [name, topic] : context.image().topics())
            response.topics.push_back(describe(context, topic));
    } else {
        // Each once, as an answer may be far larger than a name.
        std::set<std::pair<std::optional<std::string>, Uuid>> seen;
        for (const MetadataRequest::Topic& asked : *request->topics)
            if (seen.emplace(asked.name, asked.name ? Uuid{} : asked.topic_id).second)
                response.topics.push_back(describe_asked(context, asked, missing));
    }
    const bool allowed = call->header.api_version < 4 || request->allow_auto_topic_creation;
    if (allowed && context.options.auto_create_topics)
        for (const std::string& name : missing) auto_create(context, name);
    call->answer(response);
}

void handle_describe_topic_partitions(const CallPtr& call) {
    constexpr std::int32_t kMostPartitions = 2000;
    const auto request = read<DescribeTopicPartitionsRequest>(call);
    if (!request) return;
    const Context& context = call->context;
    std::vector<std::string> names;
    for (const auto& asked : request->topics) names.push_back(asked.name);
    if (names.empty())
        for (const auto& [name, topic] : context.image().topics()) names.push_back(name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());

    DescribeTopicPartitionsResponse response;
    std::int32_t left = std::clamp(request->response_partition_limit, 1, kMostPartitions);
    for (const std::string& name : names) {
        const bool resumes = request->cursor && request->cursor->topic_name == name;
        if (request->cursor && !resumes && name < request->cursor->topic_name) continue;
        if (left == 0) {
            response.next_cursor = PartitionCursor{name, 0};
            break;
        }
        auto& answer = response.topics.emplace_back();
        answer.name = name;
        const Image::Topic* const topic = context.image().topic(name);
        if (topic == nullptr) {
            answer.error_code =
                is_legal_topic(name) ? Error::unknown_topic_or_partition : Error::invalid_topic;
            continue;
        }
        answer.topic_id = topic->id;
        const auto first =
            static_cast<std::size_t>(resumes ? std::max(request->cursor->partition_index, 0) : 0);
        for (std::size_t p = first; p < topic->partitions.size(); ++p, --left) {
            if (left == 0) {
                response.next_cursor = PartitionCursor{name, static_cast<std::int32_t>(p)};
                return call->answer(response);
            }
            answer.partitions.push_back(
                describe<DescribeTopicPartitionsResponse::Partition>(context, *topic, p));
        }
    }
    call->answer(response);
}

} // namespace mini_broker::kafka
