#pragma once

#include "cluster/controller.hpp"
#include "cluster/nodes.hpp"
#include "cluster/producer_ids.hpp"
#include "cluster/replicas.hpp"
#include "io/loop.hpp"
#include "logger.hpp"

#include <insync/kafka/produce.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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
    std::size_t max_partitions = 4'000; ///< of the cluster, for clients
    std::size_t max_waits = 10'000;     ///< for replicas, or for more to read
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
    std::shared_ptr<std::size_t> waits = std::make_shared<std::size_t>(0);

    [[nodiscard]] const Image& image() const noexcept { return controller.image(); }
};

/// One request that waits for replicas or for more to read; counted as long as this lives. It may
/// outlive the context.
class Wait {
public:
    /// Nothing when too many wait already.
    [[nodiscard]] static std::optional<Wait> begin(const Context& context) {
        if (*context.waits >= context.options.max_waits) return std::nullopt;
        return Wait{context.waits};
    }
    Wait(Wait&& other) noexcept = default;
    Wait& operator=(Wait&& other) noexcept {
        std::swap(count_, other.count_);
        return *this;
    }
    ~Wait() {
        if (count_) --*count_;
    }

private:
    explicit Wait(std::shared_ptr<std::size_t> count) : count_(std::move(count)) { ++*count_; }

    std::shared_ptr<std::size_t> count_;
};

} // namespace mini_broker::kafka
