#include "broker.hpp"

#include "kafka/header.hpp"
#include "kafka/messages/api_versions.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace mini_broker {

namespace {

constexpr Millis kChores{500};
constexpr Millis kLeaveAgain{20};
constexpr Millis kRegisterLimit{3000};

std::vector<NodeId> nodes_of(const Options& options) {
    std::vector<NodeId> nodes;
    for (const auto& [node, address] : options.peers) nodes.push_back(node);
    return nodes;
}

RaftOptions raft_options(const Options& options) {
    RaftOptions raft;
    raft.heartbeat = options.heartbeat;
    raft.election_timeout = options.election_timeout;
    raft.seed = static_cast<std::uint32_t>(options.node_id) * 104729u;
    raft.log.segment_bytes = options.segment_bytes;
    return raft;
}

RaftOptions metadata_raft_options(const Options& options) {
    RaftOptions raft = raft_options(options);
    raft.may_have_been_here = true;
    return raft;
}

kafka::HandlerOptions handler_options(const Options& options) {
    kafka::HandlerOptions handlers;
    handlers.rack = options.rack;
    handlers.auto_create_topics = options.auto_create_topics;
    handlers.default_partitions = options.default_partitions;
    handlers.default_replication_factor =
        static_cast<std::int16_t>(options.default_replication_factor);
    handlers.min_isr_error = options.min_isr_error == MinIsrError::exact
                                 ? insync::kafka::MinIsrError::exact
                                 : insync::kafka::MinIsrError::as_documented;
    handlers.max_partitions = options.max_partitions;
    handlers.max_waits = options.max_waits;
    return handlers;
}

/// What is said to a client whose ApiVersions is of a version that this broker does not know: in
/// version 0, that it should try one that it does (KIP-511).
mini_broker::Response wrong_api_versions(const kafka::RequestHeader& header) {
    kafka::ApiVersionsResponse response;
    const kafka::Api& api = *header.api;
    response.error_code = kafka::Error::unsupported_version;
    response.api_keys.push_back({header.api_key, api.min, api.max});
    mini_broker::Response out;
    kafka::append_response_header(api.key, 0, header.correlation_id, out.bytes);
    kafka::encode(response, 0, out.bytes);
    return out;
}

} // namespace

Broker::Broker(const Options& options,
               Disk& disk,
               Loop& loop,
               Peers& peers,
               Logger& logger,
               BrokerSources sources)
    : options_(options),
      loop_(loop),
      logger_(logger),
      nodes_(options.node_id, nodes_of(options), loop, peers),
      controller_(options.node_id,
                  nodes_of(options),
                  "metadata",
                  metadata_raft_options(options),
                  disk,
                  loop,
                  peers,
                  [this](const Image::Change& change) { replicas_.apply(change); }),
      replicas_({options.node_id, "groups", raft_options(options), options.isr, sources.clock,
                 [this](std::chrono::nanoseconds took) { metrics_.synced(took); }},
                disk,
                loop,
                peers,
                logger,
                controller_),
      producer_ids_(disk, "producer-ids", controller_),
      groups_(controller_, loop, sources.random),
      context_{handler_options(options),
               std::move(sources.random),
               loop_,
               logger_,
               nodes_,
               controller_,
               replicas_,
               producer_ids_,
               groups_,
               metrics_} {}

Broker::~Broker() {
    // Ends what waits for replicas while all that an answer passes through is still there.
    replicas_.isr().shut_down();
}

void Broker::handle(ConnectionInfo& client, std::string frame, Reply reply) {
    const auto call = std::make_shared<kafka::Call>(context_, std::move(frame), reply);
    auto header = kafka::parse_header(call->frame);
    if (!header) {
        logger_.warn({{"client", client.remote}, {"cause", "no Kafka request"}},
                     "closing {}, which sent what is no Kafka request: see what runs there",
                     client.remote);
        return reply({{}, true});
    }
    if (!header->accepted()) {
        if (header->api != nullptr && header->api->key == kafka::ApiKey::api_versions)
            return reply(wrong_api_versions(*header));
        logger_.warn({{"client", client.remote}, {"cause", "version not served"}},
                     "closing {}, which asks for API {} version {}: that is not served, and "
                     "ApiVersions says what is",
                     client.remote, header->api_key, header->api_version);
        return reply({{}, true});
    }
    call->header = std::move(*header);
    call->client = client.remote;
    kafka::dispatch(call);
    std::string{}.swap(call->frame); // who waits now may do so for long
}

void Broker::receive(NodeId from, GroupId group, std::uint8_t type, std::string_view payload) {
    nodes_.heard(from);
    if (group != kMetadataGroup) return replicas_.receive(from, group, type, payload);
    switch (static_cast<NodeMessage>(type)) {
    case NodeMessage::ping: break;
    case NodeMessage::leaving:
        logger_.info({{"peer", from}, {"cause", "controlled shutdown"}}, "node {} is stopping",
                     from);
        nodes_.left(from);
        replicas_.node_leaving(from);
        break;
    default: controller_.receive(from, type, payload);
    }
}

void Broker::peer_connected(NodeId node) {
    nodes_.returned(node);
    replicas_.node_returned(node);
}

void Broker::tick() {
    controller_.tick();
    replicas_.tick();
    nodes_.tick();
    groups_.tick();
    if (!ready() && controller_.group().caught_up_since_opened() && registered())
        ready_.store(true, std::memory_order_relaxed);
    if (loop_.now() < next_chores_) return;
    next_chores_ = insync::saturating_add(loop_.now(), kChores);
    register_self();
    tell_who_is_dead();
    if (controller_.group().leader() != insync::kNoNode) producer_ids_.tick();
    replicas_.show(metrics_);
}

/// Whether the cluster knows where clients find this node.
bool Broker::registered() const {
    const auto& brokers = context_.image().brokers();
    const auto known = brokers.find(options_.node_id);
    const auto& [host, port] = options_.advertised;
    return known != brokers.end() && known->second == Image::Broker{host, port, options_.rack};
}

void Broker::register_self() {
    if (registering_ || registered()) return;
    registering_ = true;
    const auto& [host, port] = options_.advertised;
    controller_.submit(RegisterBroker{options_.node_id, host, port, options_.rack}, kRegisterLimit,
                       [this](const CommandResult&) { registering_ = false; });
}

/// What the leader of the metadata hears is what the cluster goes by. In the order of its log, so
/// that what was true before does not come after.
void Broker::tell_who_is_dead() {
    const RaftGroup& group = controller_.group();
    if (telling_ || !group.leading() || !group.caught_up_with_its_term()) return;
    SetDeadNodes dead;
    for (const auto& [node, broker] : context_.image().brokers())
        if (!nodes_.alive(node)) dead.nodes.push_back(node);
    const std::set<NodeId>& known = context_.image().dead_nodes();
    if (std::equal(dead.nodes.begin(), dead.nodes.end(), known.begin(), known.end())) return;
    telling_ = true;
    controller_.submit_in_order(std::move(dead), kRegisterLimit,
                                [this](const CommandResult&) { telling_ = false; });
}

void Broker::leave(std::function<void()> done) {
    constexpr Millis kLongest{1200};
    if (left_) return;
    left_ = std::move(done);
    logger_.info("stopping: handing leadership over");
    nodes_.tell(NodeMessage::leaving);
    (void)replicas_.hand_over();
    // Not before what was told has left by the sockets, also where there is nothing to hand over.
    loop_.after(kLeaveAgain, [this, until = insync::saturating_add(loop_.now(), kLongest)] {
        keep_leaving(until);
    });
}

void Broker::keep_leaving(TimePoint until) {
    bool nothing_left = replicas_.hand_over();
    if (controller_.group().leading())
        for (const NodeId node : nodes_.all())
            if (node != options_.node_id && nodes_.alive(node)) {
                controller_.group().transfer_to(node);
                nothing_left = false;
                break;
            }
    if (nothing_left || loop_.now() >= until) return left_();
    loop_.after(kLeaveAgain, [this, until] { keep_leaving(until); });
}

} // namespace mini_broker
