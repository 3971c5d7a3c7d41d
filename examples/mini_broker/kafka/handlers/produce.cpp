// Produce: the way of a record batch from the client into the partition's log, and of the answer
// back. Integration point 2 of the design documents is `admit` below and the wait after the append.
#include "kafka/messages/produce.hpp"

#include "kafka/errors.hpp"
#include "kafka/handlers/batch_rules.hpp"
#include "kafka/handlers/call.hpp"
#include "kafka/handlers/status.hpp"

#include <insync/kafka/produce.hpp>

#include <algorithm>

namespace mini_broker::kafka {

namespace {

using PartitionAnswer = ProduceResponse::Partition;

/// A request of which some partitions may still wait for their replicas.
struct Produce {
    CallPtr call;
    std::int16_t acks = 0;
    TimePoint deadline{};
    ProduceResponse response;
    std::size_t waiting = 0;
    bool close_after = false; ///< so that the client looks for a real leader

    void finish_if_done() {
        if (waiting > 0) return;
        if (acks != insync::kafka::kAcksNone) return call->answer(response, close_after);
        // Nobody reads an answer: an error shows in the connection's end.
        for (const ProduceResponse::Topic& topic : response.responses)
            for (const PartitionAnswer& partition : topic.partition_responses)
                if (partition.error_code != Error::none) return call->close();
        call->answer_nothing();
    }
};
using ProducePtr = std::shared_ptr<Produce>;

void refuse(PartitionAnswer& answer, Error error, std::string why = {}) {
    insync::kafka::refuse(answer, static_cast<insync::kafka::ErrorCode>(error));
    if (why.empty()) why = to_string(error);
    answer.error_message = std::move(why);
}

/// Tells the client where the leader is, as far as that is known here.
void refuse_as_follower(Produce& produce, const PartitionStatus& status, PartitionAnswer& answer) {
    refuse(answer, Error::not_leader_or_follower);
    const Context& context = produce.call->context;
    const auto& brokers = context.image().brokers();
    const auto leader = brokers.find(status.leader);
    if (status.leader == context.nodes.self() || leader == brokers.end()) return;
    answer.current_leader = {status.leader, status.leader_epoch};
    produce.response.node_endpoints.push_back(
        {status.leader, leader->second.host, leader->second.port, leader->second.rack});
}

/// A node that does not lead. One that stands in for a lost leader says that there are not enough
/// replicas, and hangs up (S7).
void refuse_without_leadership(Produce& produce,
                               const PartitionStatus& status,
                               PartitionAnswer& answer) {
    if (!status.acting || produce.acks != insync::kafka::kAcksAll)
        return refuse_as_follower(produce, status, answer);
    Context& context = produce.call->context;
    context.replicas.isr().count_refused_produce();
    refuse(answer, error_of(insync::kafka::error_before_append(context.options.min_isr_error)),
           "The partition has lost its quorum.");
    produce.close_after = true;
}

/// Answers when all in-sync replicas have the record, or when that cannot be any more.
void await_replicas(const ProducePtr& produce,
                    PartitionAnswer& answer,
                    const Replica& replica,
                    Index index,
                    Offset base_offset) {
    auto wait = Wait::begin(produce->call->context);
    // It is appended, and nobody will tell what becomes of it.
    if (!wait) return refuse(answer, Error::request_timed_out, "Too many requests wait.");
    ++produce->waiting;
    const insync::kafka::Appended appended{replica.raft->term(), index, produce->deadline};
    auto respond = [produce, &answer, base_offset,
                    wait = std::move(wait)](insync::kafka::ErrorCode code) {
        if (code == insync::kafka::ErrorCode::none)
            answer.base_offset = base_offset;
        else
            refuse(answer, error_of(code));
        --produce->waiting;
        produce->finish_if_done();
    };
    insync::kafka::respond_when_replicated(produce->call->context.replicas.isr(), replica.handle,
                                           appended, std::move(respond));
}

/// What was appended, or was found to be appended already, is answered by the request's acks.
void acknowledge(const ProducePtr& produce,
                 PartitionAnswer& answer,
                 const Replica& replica,
                 Index index,
                 Offset base_offset) {
    answer.log_start_offset = replica.raft->log().start_offset();
    if (produce->acks == insync::kafka::kAcksAll)
        await_replicas(produce, answer, replica, index, base_offset);
    else
        answer.base_offset = base_offset;
}

/// Whether a batch is out of order for now only: the one before it was refused here, or is late.
bool is_early(Replica& replica,
              const ProducerBatch& batch,
              const Producers::Answer& known,
              TimePoint now) {
    const bool in_log = known.known.index != 0; // an older batch of the same epoch
    if (known.verdict == Producers::Verdict::append)
        return !in_log && replica.refused.is_behind(batch, now);
    if (known.verdict != Producers::Verdict::out_of_order) return false;
    return in_log ? replica.refused.is_behind(batch, next_sequence(known.known.batch.last_sequence),
                                              now)
                  : replica.refused.is_behind(batch, now);
}

/// Appends a batch that is legal, unless its producer has sent it before.
void append(const ProducePtr& produce,
            PartitionAnswer& answer,
            Replica& replica,
            const ProducerBatch& batch,
            std::string_view records) {
    if (batch.producer >= 0) {
        const Context& context = produce->call->context;
        const Producers::Answer known = replica.raft->log().producers().check(batch);
        if (is_early(replica, batch, known, context.loop.now()))
            return refuse(
                answer, error_of(insync::kafka::error_before_append(context.options.min_isr_error)),
                "The batch before it is missing.");
        switch (known.verdict) {
        case Producers::Verdict::append: break;
        case Producers::Verdict::duplicate:
            // Answered once the first copy is committed, with its offset.
            return acknowledge(produce, answer, replica, known.known.index,
                               known.known.base_offset);
        case Producers::Verdict::out_of_order:
            return refuse(answer, Error::out_of_order_sequence_number);
        case Producers::Verdict::old_epoch: return refuse(answer, Error::invalid_producer_epoch);
        }
    }
    const auto proposed = replica.raft->propose_records(std::string{records});
    if (!proposed) return refuse(answer, Error::not_leader_or_follower);
    replica.refused.taken(batch);
    acknowledge(produce, answer, replica, proposed->index, proposed->base_offset);
}

void produce_to(const ProducePtr& produce,
                const std::string& topic,
                const ProduceRequest::Partition& data,
                PartitionAnswer& answer) {
    Context& context = produce->call->context;
    answer.index = data.index;
    const Image::Partition* const partition = context.image().partition(topic, data.index);
    if (partition == nullptr) return refuse(answer, Error::unknown_topic_or_partition);
    const BatchShape shape = check_shape(data.records);
    if (shape.error != Error::none) return refuse(answer, shape.error, shape.message);

    Replica* const replica = context.replicas.find(topic, data.index);
    if (replica == nullptr || !replica->raft->leading()) {
        if (replica != nullptr) replica->refused.note(shape.header.producer, context.loop.now());
        return refuse_without_leadership(*produce,
                                         status_of(context, topic, data.index, *partition), answer);
    }

    const auto admitted = insync::kafka::admit_produce(
        context.replicas.isr(), replica->handle, produce->acks, context.options.min_isr_error);
    if (admitted != insync::kafka::ErrorCode::none) {
        replica->refused.note(shape.header.producer, context.loop.now());
        return refuse(answer, error_of(admitted));
    }

    if (data.records->size() > static_cast<std::uint64_t>(replica->max_message_bytes))
        return refuse(answer, Error::message_too_large);
    if (!crc_matches(*data.records)) return refuse(answer, Error::corrupt_message);
    append(produce, answer, *replica, shape.header.producer, *data.records);
}

} // namespace

void handle_produce(const CallPtr& call) {
    constexpr Millis kLongest{300'000};
    const auto request = read<ProduceRequest>(call);
    if (!request) return;
    const auto produce = std::make_shared<Produce>();
    produce->call = call;
    produce->acks = request->acks;
    const Millis limit{std::clamp<std::int64_t>(request->timeout_ms, 0, kLongest.count())};
    produce->deadline = insync::saturating_add(call->context.loop.now(), limit);

    // Made whole before anything is answered: waits refer to their places in it.
    for (const ProduceRequest::Topic& topic : request->topic_data) {
        ProduceResponse::Topic& answer = produce->response.responses.emplace_back();
        answer.name = topic.name;
        answer.partition_responses.resize(topic.partition_data.size());
    }
    ++produce->waiting; // for this loop, so that nothing is answered in the middle of it
    for (std::size_t t = 0; t < request->topic_data.size(); ++t) {
        const ProduceRequest::Topic& topic = request->topic_data[t];
        for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
            PartitionAnswer& answer = produce->response.responses[t].partition_responses[p];
            const ProduceRequest::Partition& data = topic.partition_data[p];
            answer.index = data.index;
            if (request->transactional_id)
                refuse(answer, Error::transactional_id_authorization_failed);
            else if (request->acks < -1 || request->acks > 1)
                refuse(answer, Error::invalid_required_acks);
            else
                produce_to(produce, topic.name, data, answer);
        }
    }
    --produce->waiting;
    produce->finish_if_done();
}

} // namespace mini_broker::kafka
