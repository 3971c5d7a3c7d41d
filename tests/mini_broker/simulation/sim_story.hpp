#pragma once

#include "kafka/messages/groups.hpp"
#include "kafka/messages/offsets.hpp"
#include "kafka/messages/producer_id.hpp"
#include "kafka/messages/topics.hpp"
#include "mini_broker/simulation/sim_brokers.hpp"
#include "mini_broker/simulation/sim_clients.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mini_broker::simulation {

/// Three nodes with times that make a world short.
inline Options quick_options(MinIsrError error = MinIsrError::documented) {
    Options options;
    for (NodeId id = 1; id <= 3; ++id)
        options.peers[id] = {"node" + std::to_string(id), static_cast<std::uint16_t>(9000 + id)};
    options.min_isr_error = error;
    options.heartbeat = Millis{100};
    options.election_timeout = Millis{400};
    options.isr.max_lag_ms = Millis{1500};
    options.isr.check_interval_ms = Millis{200};
    options.isr.quorum_contact_ms = Millis{1000};
    options.isr.min_insync_replicas = 2;
    return options;
}

inline kafka::CreateTopicsRequest create_request(const std::string& name,
                                                 std::int32_t partitions = 1,
                                                 std::int16_t replication_factor = 3) {
    kafka::CreateTopicsRequest request;
    request.topics.push_back({name, partitions, replication_factor, {}, {}});
    request.timeout_ms = 3000;
    return request;
}

inline kafka::DeleteTopicsRequest delete_request(const std::string& name) {
    kafka::DeleteTopicsRequest request;
    request.topic_names.push_back(name);
    request.timeout_ms = 3000;
    return request;
}

/// Asks one question of the cluster and waits for the answer, for tests that go step by step.
template <class Response, class Request>
std::optional<Response> wait_for(World& world,
                                 BrokerCluster& cluster,
                                 NodeId to,
                                 int version,
                                 const Request& request,
                                 Millis limit = Millis{6000}) {
    std::optional<Response> got;
    bool done = false;
    cluster.ask<Response>(to, version, request, limit,
                          [&got, &done](std::optional<Response> response) {
                              got = std::move(response);
                              done = true;
                          });
    while (!done) world.run_for(Millis{5});
    return got;
}

/// Every batch that a node shows of a partition, from its beginning.
inline std::optional<std::vector<Shown>> read_all(World& world,
                                                  BrokerCluster& cluster,
                                                  NodeId node,
                                                  const std::string& topic,
                                                  std::int32_t partition) {
    std::vector<Shown> all;
    Offset next = 0;
    while (true) {
        const auto answer = wait_for<kafka::FetchResponse>(world, cluster, node, 10,
                                                           fetch_request(topic, partition, next));
        if (!answer || answer->responses.empty()) return std::nullopt;
        const auto& one = answer->responses[0].partitions.at(0);
        if (one.error_code != kafka::Error::none) return std::nullopt;
        for (Shown& batch : batches_in(one.records)) {
            next = batch.base_offset + batch.records;
            all.push_back(std::move(batch));
        }
        if (next >= one.high_watermark) return all;
        if (one.records.empty())
            GroupOracle::fail("node {} shows nothing of {}-{} from {}, though {} are committed",
                              node, topic, partition, next, one.high_watermark);
    }
}

/// The epoch in which a node leads a partition; 0 if it does not.
inline std::uint64_t epoch_of(BrokerCluster& cluster,
                              NodeId node,
                              const ClientOracle::Partition& partition) {
    Broker* const broker = cluster.broker(node);
    if (broker == nullptr) return 0;
    const auto set = broker->isr().get_isr(partition.first, partition.second);
    return set && set->own() ? set->epoch() : 0;
}

/// What all nodes must say alike: who leads, in which epoch, who is in sync.
inline std::string summary(const kafka::MetadataResponse& response) {
    std::string text = fmt::format("controller {};", response.controller_id);
    for (const auto& broker : response.brokers)
        text += fmt::format(" {}={}:{}", broker.node_id, broker.host, broker.port);
    for (const auto& topic : response.topics) {
        text += fmt::format("; {}", topic.name.value_or("?"));
        for (const auto& partition : topic.partitions)
            text += fmt::format(
                " [{} leader {} epoch {} isr {} of {} error {} offline {}]",
                partition.partition_index, partition.leader_id, partition.leader_epoch,
                fmt::join(partition.isr_nodes, ","), fmt::join(partition.replica_nodes, ","),
                static_cast<int>(partition.error_code), fmt::join(partition.offline_replicas, ","));
    }
    return text;
}

inline kafka::MetadataRequest all_topics() {
    kafka::MetadataRequest request;
    request.allow_auto_topic_creation = false;
    return request;
}

/// Waits until all nodes say the same of all topics, with every replica in sync.
inline kafka::MetadataResponse expect_whole(World& world, BrokerCluster& cluster, Millis patience) {
    std::string states;
    for (const TimePoint end = world.now() + patience; world.now() < end;) {
        world.run_for(Millis{100});
        states.clear();
        std::set<std::string> summaries;
        std::optional<kafka::MetadataResponse> last;
        bool whole = true;
        for (const NodeId id : cluster.ids()) {
            last = wait_for<kafka::MetadataResponse>(world, cluster, id, 12, all_topics());
            if (!last) {
                whole = false;
                break;
            }
            states += fmt::format("\n  node {}: {}", id, summary(*last));
            summaries.insert(summary(*last));
            whole = whole && last->brokers.size() == cluster.ids().size();
            for (const auto& topic : last->topics)
                for (const auto& partition : topic.partitions)
                    whole = whole && partition.error_code == kafka::Error::none &&
                            partition.leader_id >= 0 &&
                            partition.isr_nodes.size() == partition.replica_nodes.size();
        }
        if (whole && summaries.size() == 1) return *last;
    }
    GroupOracle::fail("the cluster does not become whole:{}", states);
}

} // namespace mini_broker::simulation
