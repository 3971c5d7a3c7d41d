// ListOffsets and OffsetForLeaderEpoch: where in a partition something is.
#include "kafka/messages/list_offsets.hpp"

#include "kafka/handlers/call.hpp"
#include "kafka/handlers/reading.hpp"

#include <algorithm>

namespace mini_broker::kafka {

namespace {

constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kMaxTimestamp = -3;

void list(const Reading& reading, std::int64_t timestamp, ListOffsetsResponse::Partition& answer) {
    const PartitionLog& log = reading.replica->raft->log();
    answer.leader_epoch = static_cast<std::int32_t>(reading.replica->raft->term());
    switch (timestamp) {
    case kLatest: answer.offset = reading.end; return;
    case kEarliest: answer.offset = log.start_offset(); return;
    default: break;
    }
    const PartitionLog::Timestamped found = timestamp == kMaxTimestamp
                                                ? log.newest_timestamp(reading.last)
                                                : log.find_timestamp(timestamp, reading.last);
    answer.timestamp = found.timestamp;
    answer.offset = found.offset;
    answer.leader_epoch = found.offset < 0 ? -1 : static_cast<std::int32_t>(found.term);
}

} // namespace

void handle_list_offsets(const CallPtr& call) {
    const auto request = read<ListOffsetsRequest>(call);
    if (!request) return;
    ListOffsetsResponse response;
    for (const ListOffsetsRequest::Topic& asked : request->topics) {
        ListOffsetsResponse::Topic& topic = response.topics.emplace_back();
        topic.name = asked.name;
        for (const ListOffsetsRequest::Partition& partition : asked.partitions) {
            ListOffsetsResponse::Partition& answer = topic.partitions.emplace_back();
            answer.partition_index = partition.partition_index;
            const Reading reading =
                open_for_reading(call->context, asked.name, partition.partition_index,
                                 partition.current_leader_epoch, false);
            answer.error_code = request->replica_id >= 0 ? Error::invalid_request : reading.error;
            if (answer.error_code == Error::none) list(reading, partition.timestamp, answer);
        }
    }
    call->answer(response);
}

void handle_offset_for_leader_epoch(const CallPtr& call) {
    const auto request = read<OffsetForLeaderEpochRequest>(call);
    if (!request) return;
    OffsetForLeaderEpochResponse response;
    for (const OffsetForLeaderEpochRequest::Topic& asked : request->topics) {
        OffsetForLeaderEpochResponse::Topic& topic = response.topics.emplace_back();
        topic.topic = asked.topic;
        for (const OffsetForLeaderEpochRequest::Partition& partition : asked.partitions) {
            OffsetForLeaderEpochResponse::Partition& answer = topic.partitions.emplace_back();
            answer.partition = partition.partition;
            const Reading reading =
                open_for_reading(call->context, asked.topic, partition.partition,
                                 partition.current_leader_epoch, false);
            answer.error_code = request->replica_id >= 0 ? Error::invalid_request : reading.error;
            if (answer.error_code != Error::none || partition.leader_epoch < 0) continue;
            const auto end =
                reading.replica->raft->log().end_of_term(static_cast<Term>(partition.leader_epoch));
            // An epoch may have more committed records than a node knows that does not lead, and a
            // client that has read them would take a smaller end for a log that was cut.
            if (!reading.leading && (end.term < 0 || end.end >= reading.end)) {
                answer.error_code = Error::offset_not_available;
                continue;
            }
            answer.leader_epoch = static_cast<std::int32_t>(end.term);
            answer.end_offset = std::min(end.end, reading.end);
        }
    }
    call->answer(response);
}

} // namespace mini_broker::kafka
