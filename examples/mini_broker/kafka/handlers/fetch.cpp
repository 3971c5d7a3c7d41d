// Fetch: what is committed, to consumers; more of it, once there is more.
#include "kafka/messages/fetch.hpp"

#include "kafka/errors.hpp"
#include "kafka/handlers/call.hpp"
#include "kafka/handlers/reading.hpp"

#include <algorithm>

namespace mini_broker::kafka {

namespace {

using PartitionAnswer = FetchResponse::Partition;

constexpr std::size_t kMostBytes = 50u << 20; ///< of one answer, whatever the client asks for
constexpr std::int64_t kLongestWait = 60'000;

/// A fetch that is answered when there is enough, or when its time is over.
struct Fetch : std::enable_shared_from_this<Fetch> {
    CallPtr call;
    FetchRequest request;
    TimePoint deadline{};
    std::shared_ptr<Replica::Waiter> waiter;
    bool done = false;

    void attempt();

private:
    struct Tried {
        FetchResponse response;
        std::size_t bytes = 0;
        bool at_once = false; ///< an error, or a hint: nothing to wait for
        std::vector<Replica*> waited_for;
    };
    [[nodiscard]] Tried try_once();
    void fetch_from(const Image::Topic& topic,
                    const FetchRequest::Partition& asked,
                    PartitionAnswer& answer,
                    Tried& tried);
    [[nodiscard]] std::int32_t nearer_replica(const Replica& replica) const;
};

/// An in-sync replica in the client's rack, if this one is not (KIP-392).
std::int32_t Fetch::nearer_replica(const Replica& replica) const {
    const Context& context = call->context;
    if (request.rack_id.empty() || request.rack_id == context.options.rack) return -1;
    if (!replica.raft->leading()) return -1;
    const auto set = context.replicas.isr().get_isr(replica.handle);
    if (!set) return -1;
    for (const NodeId node : set->members()) {
        const auto broker = context.image().brokers().find(node);
        if (broker == context.image().brokers().end() || !context.nodes.alive(node)) continue;
        if (broker->second.rack == request.rack_id) return static_cast<std::int32_t>(node);
    }
    return -1;
}

void Fetch::fetch_from(const Image::Topic& topic,
                       const FetchRequest::Partition& asked,
                       PartitionAnswer& answer,
                       Tried& tried) {
    Context& context = call->context;
    const bool any_replica = call->header.api_version >= 11;
    const Reading reading = open_for_reading(context, topic.name, asked.partition,
                                             asked.current_leader_epoch, any_replica);
    answer.error_code = reading.error;
    if (reading.replica == nullptr) return;
    const PartitionLog& log = reading.replica->raft->log();
    answer.high_watermark = answer.last_stable_offset = reading.end;
    answer.log_start_offset = log.start_offset();
    if (asked.fetch_offset < log.start_offset() || asked.fetch_offset > reading.end) {
        answer.error_code = asked.fetch_offset > reading.end
                                ? error_beyond(reading, asked.fetch_offset)
                                : Error::offset_out_of_range;
        // Between the end of what is committed and the end of the log there is nothing to read yet.
        if (answer.error_code == Error::none) tried.waited_for.push_back(reading.replica);
        return;
    }
    answer.preferred_read_replica = nearer_replica(*reading.replica);
    if (answer.preferred_read_replica >= 0) {
        tried.at_once = true;
        return;
    }
    tried.waited_for.push_back(reading.replica);
    const std::size_t limit =
        std::min<std::size_t>(kMostBytes, static_cast<std::size_t>(std::max(request.max_bytes, 0)));
    const bool room = tried.bytes < limit;
    if (asked.fetch_offset == reading.end || !room) return;
    const std::size_t wanted = static_cast<std::size_t>(std::max(asked.partition_max_bytes, 0));
    const std::size_t most = std::min(wanted, limit - tried.bytes);
    // The first batch comes whole, however large, or a client could never get past it. Others come
    // only if they fit.
    std::string records;
    log.read_records(asked.fetch_offset, reading.last, most, records);
    if (tried.bytes > 0 && records.size() > most) return;
    tried.bytes += records.size();
    answer.records = std::move(records);
}

Fetch::Tried Fetch::try_once() {
    Tried tried;
    const Context& context = call->context;
    const bool by_id = call->header.api_version >= 13;
    for (const FetchRequest::Topic& asked : request.topics) {
        FetchResponse::Topic& topic = tried.response.responses.emplace_back();
        topic.topic = asked.topic;
        topic.topic_id = asked.topic_id;
        const Image::Topic* const known =
            by_id ? context.image().topic(asked.topic_id) : context.image().topic(asked.topic);
        for (const FetchRequest::Partition& partition : asked.partitions) {
            PartitionAnswer& answer = topic.partitions.emplace_back();
            answer.partition_index = partition.partition;
            answer.high_watermark = -1;
            if (known != nullptr)
                fetch_from(*known, partition, answer, tried);
            else
                answer.error_code =
                    by_id ? Error::unknown_topic_id : Error::unknown_topic_or_partition;
            tried.at_once = tried.at_once || answer.error_code != Error::none;
        }
    }
    return tried;
}

void Fetch::attempt() {
    if (done) return;
    Tried tried = try_once();
    const auto enough = static_cast<std::size_t>(
        std::clamp<std::int64_t>(request.min_bytes, 0, std::int64_t{kMostBytes}));
    const bool late = call->context.loop.now() >= deadline || !call->wanted();
    if (tried.at_once || tried.bytes >= enough || late || tried.waited_for.empty()) {
        done = true;
        waiter.reset();
        return call->answer(tried.response);
    }
    if (!waiter) {
        waiter = std::make_shared<Replica::Waiter>([weak = weak_from_this()] {
            // It is the timer below that keeps this alive; the waiter is our own.
            const auto self = weak.lock();
            if (!self) return;
            // After the turn: who wakes us may be in the middle of something.
            self->call->context.loop.after(Millis{0}, [self] { self->attempt(); });
        });
        const Millis wait = insync::saturating_age(deadline, call->context.loop.now());
        call->context.loop.after(wait, [self = shared_from_this()] { self->attempt(); });
    }
    for (Replica* const replica : tried.waited_for) replica->wait(waiter);
}

} // namespace

void handle_fetch(const CallPtr& call) {
    auto request = read<FetchRequest>(call);
    if (!request) return;
    FetchResponse refused;
    // Replicas have a channel of their own: what claims to be one here would move the ISR.
    if (request->replica_id >= 0 || request->replica_state.replica_id >= 0)
        refused.error_code = Error::invalid_request;
    else if (request->session_id != 0)
        refused.error_code = Error::fetch_session_id_not_found;
    if (refused.error_code != Error::none) return call->answer(refused);

    const auto fetch = std::make_shared<Fetch>();
    fetch->call = call;
    const Millis wait{std::clamp<std::int64_t>(request->max_wait_ms, 0, kLongestWait)};
    fetch->deadline = insync::saturating_add(call->context.loop.now(), wait);
    fetch->request = std::move(*request);
    fetch->attempt();
}

} // namespace mini_broker::kafka
