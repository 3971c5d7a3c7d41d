// OffsetCommit and OffsetFetch: how far a group has read. Kept in the metadata log, so that every
// coordinator knows.
#include "kafka/messages/offsets.hpp"

#include "kafka/handlers/call.hpp"
#include "kafka/handlers/group_service.hpp"

#include <set>
#include <utility>

namespace mini_broker::kafka {

namespace {

constexpr std::size_t kMostMetadata = 4096;
constexpr Millis kLimit{5000};

/// Gives every partition the same answer, but for those that were refused before.
void answer_all(OffsetCommitResponse& response, Error error) {
    for (OffsetCommitResponse::Topic& topic : response.topics)
        for (OffsetCommitResponse::Partition& partition : topic.partitions)
            if (partition.error_code == Error::none) partition.error_code = error;
}

OffsetFetchResponse::Partition describe(const Image::Offsets* known,
                                        const std::string& topic,
                                        std::int32_t partition) {
    OffsetFetchResponse::Partition answer;
    answer.partition_index = partition;
    answer.metadata = "";
    if (known == nullptr) return answer;
    const auto found = known->find({topic, partition});
    if (found == known->end()) return answer;
    answer.committed_offset = found->second.offset;
    answer.committed_leader_epoch = found->second.epoch;
    answer.metadata = found->second.metadata;
    return answer;
}

std::vector<OffsetFetchResponse::Topic> describe(
    const Image::Offsets* known,
    const std::optional<std::vector<OffsetFetchRequest::Topic>>& asked) {
    std::vector<OffsetFetchResponse::Topic> topics;
    std::set<std::pair<std::string, std::int32_t>> seen; // each once, as its metadata may be long
    if (asked) {
        for (const OffsetFetchRequest::Topic& topic : *asked) {
            OffsetFetchResponse::Topic& answer = topics.emplace_back();
            answer.name = topic.name;
            for (const std::int32_t partition : topic.partition_indexes)
                if (seen.emplace(topic.name, partition).second)
                    answer.partitions.push_back(describe(known, topic.name, partition));
        }
        return topics;
    }
    if (known == nullptr) return topics;
    for (const auto& [key, offset] : *known) { // by topic, as the keys are in order
        if (topics.empty() || topics.back().name != key.first)
            topics.emplace_back().name = key.first;
        topics.back().partitions.push_back(describe(known, key.first, key.second));
    }
    return topics;
}

} // namespace

void handle_offset_commit(const CallPtr& call) {
    const auto request = read<OffsetCommitRequest>(call);
    if (!request) return;
    Context& context = call->context;
    const auto response = std::make_shared<OffsetCommitResponse>();
    CommitOffsets command;
    command.group = request->group_id;
    for (const OffsetCommitRequest::Topic& asked : request->topics) {
        OffsetCommitResponse::Topic& topic = response->topics.emplace_back();
        topic.name = asked.name;
        for (const OffsetCommitRequest::Partition& partition : asked.partitions) {
            OffsetCommitResponse::Partition& answer = topic.partitions.emplace_back();
            answer.partition_index = partition.partition_index;
            const std::string metadata = partition.committed_metadata.value_or("");
            if (metadata.size() > kMostMetadata)
                answer.error_code = Error::offset_metadata_too_large;
            else if (context.image().partition(asked.name, partition.partition_index) == nullptr)
                answer.error_code = Error::unknown_topic_or_partition;
            else
                command.offsets.push_back({asked.name, partition.partition_index,
                                           partition.committed_offset,
                                           partition.committed_leader_epoch, metadata});
        }
    }
    const Error refused = context.groups.active() ? context.groups.coordinator().may_commit(
                                                        context.loop.now(), *request)
                                                  : Error::not_coordinator;
    if (refused != Error::none || command.offsets.empty()) {
        answer_all(*response, refused);
        return call->answer(*response);
    }
    context.controller.submit_in_order(std::move(command), kLimit,
                                       [call, response](const CommandResult& result) {
                                           answer_all(*response, result.error);
                                           call->answer(*response);
                                       });
}

void handle_offset_fetch(const CallPtr& call) {
    const auto request = read<OffsetFetchRequest>(call);
    if (!request) return;
    const Context& context = call->context;
    const Error error = context.groups.active() ? Error::none : Error::not_coordinator;
    OffsetFetchResponse response;
    response.error_code = error;
    std::set<std::string> seen;
    for (const OffsetFetchRequest::Group& asked : request->groups) {
        if (!seen.insert(asked.group_id).second) continue;
        OffsetFetchResponse::Group& group = response.groups.emplace_back();
        group.group_id = asked.group_id;
        group.error_code = error;
        if (error == Error::none)
            group.topics = describe(context.image().offsets(asked.group_id), asked.topics);
    }
    if (call->header.api_version < 8) {
        response.topics =
            describe(error == Error::none ? context.image().offsets(request->group_id) : nullptr,
                     request->topics);
        for (OffsetFetchResponse::Topic& topic : response.topics)
            for (OffsetFetchResponse::Partition& partition : topic.partitions)
                partition.error_code = error;
    }
    call->answer(response);
}

} // namespace mini_broker::kafka
