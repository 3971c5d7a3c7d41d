#pragma once

#include "cluster/controller.hpp"
#include "cluster/nodes.hpp"
#include "cluster/producer_ids.hpp"
#include "cluster/replicas.hpp"
#include "io/loop.hpp"
#include "logger.hpp"

#include <insync/kafka/produce.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace mini_broker {
class BrokerMetrics;
}

namespace mini_broker::kafka {

class GroupService;

/// What handlers are told once.
struct HandlerOptions {
    std::string cluster_id = "insync-mini-broker";
    std::string rack;
    bool auto_create_topics = true;
    std::int32_t default_partitions = 1;
    std::int16_t default_replication_factor = 3;
    insync::kafka::MinIsrError min_isr_error = insync::kafka::MinIsrError::as_documented;
};

/// What handlers work on. Everything outlives every call.
struct Context {
    HandlerOptions options;
    std::function<std::uint32_t()> random; ///< for ids that nobody else has
    Loop& loop;
    Logger& logger;
    Nodes& nodes;
    Controller& controller;
    Replicas& replicas;
    ProducerIds& producer_ids;
    GroupService& groups;
    BrokerMetrics& metrics;

    [[nodiscard]] const Image& image() const noexcept { return controller.image(); }
};

} // namespace mini_broker::kafka
