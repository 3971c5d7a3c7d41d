// Fetch: what is committed, to consumers; more of it, once there is more.
#include "kafka/messages/fetch.hpp"

#include "kafka/errors.hpp"
#include "kafka/handlers/call.hpp"
#include "kafka/handlers/reading.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace mini_broker::kafka {

namespace {

using PartitionAnswer = FetchResponse::Partition;

constexpr std::size_t kMostBytes = 8u << 20; // of one answer, whatever the client asks for
// Its timer stays for so long, also when the answer was sent long before.
constexpr std::int64_t kLongestWait = 5'000;

/// A fetch that is answered when there is enough, or when its time is over.
struct Fetch : std::enable_shared_from_this<Fetch> {
    CallPtr call;
    FetchRequest request;
    TimePoint deadline{};
    std::shared_ptr<Replica::Waiter> waiter;
    std::optional<Wait> wait;
    bool woken = false; ///< and about to try again
    bool done = false;

    void attempt();

private:
    /// Where there is something to read.
    struct Readable {
        Reading reading;
        Offset offset = 0;
        std::size_t wanted = 0;
        PartitionAnswer* answer = nullptr;
    };
    struct Tried {
        FetchResponse response;
        std::vector<Readable> readable;
        std::uint64_t there = 0; ///< bytes to read, about
        bool at_once = false;    ///< an error, or a hint: nothing to wait for
        std::vector<Replica*> waited_for;
    };
    [[nodiscard]] Tried look();
    void look_at(const Image::Topic& topic,
                 const FetchRequest::Partition& asked,
                 PartitionAnswer& answer,
                 Tried& tried);
    [[nodiscard]] std::size_t read(Tried& tried) const;
    void park(const Tried& tried);
    void answer(const FetchResponse& response);
    void leave();
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

void Fetch::look_at(const Image::Topic& topic,
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
    if (asked.fetch_offset == reading.end) return;
    const auto wanted = static_cast<std::size_t>(std::max(asked.partition_max_bytes, 0));
    tried.there += std::min<std::uint64_t>(std::max<std::size_t>(wanted, 1),
                                           log.bytes_from(asked.fetch_offset));
    tried.readable.push_back({reading, asked.fetch_offset, wanted, &answer});
}

/// What there is, without reading it: who waits for much must not read it all for every record
/// that is added.
Fetch::Tried Fetch::look() {
    Tried tried;
    const Context& context = call->context;
    const bool by_id = call->header.api_version >= 13;
    tried.response.responses.reserve(request.topics.size());
    for (const FetchRequest::Topic& asked : request.topics) {
        FetchResponse::Topic& topic = tried.response.responses.emplace_back();
        topic.topic = asked.topic;
        topic.topic_id = asked.topic_id;
        topic.partitions.reserve(asked.partitions.size()); // `readable` points into it
        const Image::Topic* const known =
            by_id ? context.image().topic(asked.topic_id) : context.image().topic(asked.topic);
        for (const FetchRequest::Partition& partition : asked.partitions) {
            PartitionAnswer& answer = topic.partitions.emplace_back();
            answer.partition_index = partition.partition;
            answer.high_watermark = -1;
            if (known != nullptr)
                look_at(*known, partition, answer, tried);
            else
                answer.error_code =
                    by_id ? Error::unknown_topic_id : Error::unknown_topic_or_partition;
            tried.at_once = tried.at_once || answer.error_code != Error::none;
        }
    }
    return tried;
}

/// Fills in the records. \return their bytes
std::size_t Fetch::read(Tried& tried) const {
    const std::size_t limit =
        std::min<std::size_t>(kMostBytes, static_cast<std::size_t>(std::max(request.max_bytes, 0)));
    std::size_t bytes = 0;
    std::size_t looked_at = 0; // what did not fit was read for nothing, and so much is enough
    for (const Readable& one : tried.readable) {
        if (looked_at >= limit) break;
        const std::size_t most = std::min(one.wanted, limit - bytes);
        // The first batch comes whole, however large, or a client could never get past it. Others
        // come only if they fit.
        std::string records;
        one.reading.replica->raft->log().read_records(one.offset, one.reading.last, most, records);
        looked_at += records.size();
        if (bytes > 0 && records.size() > most) continue;
        bytes += records.size();
        one.answer->records = std::move(records);
    }
    return bytes;
}

void Fetch::answer(const FetchResponse& response) {
    done = true;
    waiter.reset();
    wait.reset();
    call->answer(response);
}

void Fetch::attempt() {
    if (done) return;
    Tried tried = look();
    const auto enough = static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(request.min_bytes, 0, std::int64_t{kMostBytes}));
    const bool over = tried.at_once || enough == 0 || tried.waited_for.empty() ||
                      call->context.loop.now() >= deadline;
    if (!over && tried.there < enough) return park(tried);
    const std::size_t bytes = read(tried);
    if (!over && bytes == 0) return park(tried);
    answer(tried.response);
}

/// Tries again when something has changed, and when the time is over.
void Fetch::park(const Tried& tried) {
    if (!waiter) {
        wait = Wait::begin(call->context);
        if (!wait) return answer(tried.response);
        waiter = std::make_shared<Replica::Waiter>([weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self || self->woken) return;
            self->woken = true;
            // After the turn: who wakes us may be in the middle of something.
            self->call->context.loop.after(Millis{0}, [self] {
                self->woken = false;
                self->attempt();
            });
        });
        const Millis rest = insync::saturating_age(deadline, call->context.loop.now());
        call->context.loop.after(rest, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->attempt();
        });
        // The connection, until it is answered or ends, is what keeps this alive.
        call->when_gone([self = shared_from_this()] { self->leave(); });
    }
    for (Replica* const replica : tried.waited_for) replica->wait(waiter);
}

void Fetch::leave() {
    done = true;
    waiter.reset();
    wait.reset();
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

    const std::shared_ptr<Fetch> fetch{new Fetch}; // whose memory no weak pointer keeps
    fetch->call = call;
    const Millis wait{std::clamp<std::int64_t>(request->max_wait_ms, 0, kLongestWait)};
    fetch->deadline = insync::saturating_add(call->context.loop.now(), wait);
    fetch->request = std::move(*request);
    fetch->attempt();
}

} // namespace mini_broker::kafka
