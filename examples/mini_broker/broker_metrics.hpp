#pragma once

#include "kafka/api.hpp"
#include "net/ending.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace mini_broker {

/// What the broker tells Prometheus beside what insync tells of the in-sync replicas.
class BrokerMetrics {
public:
    BrokerMetrics();

    /// One request was answered; `api` is null for one that is not served.
    void answered(const kafka::Api* api, std::chrono::steady_clock::time_point began);
    /// A client's connection has ended, or was refused.
    void connection_ended(Ending ending);
    /// One sync of a log has taken so long.
    void synced(std::chrono::nanoseconds took);
    void show_partition(const std::string& topic,
                        std::int32_t partition,
                        std::uint64_t term,
                        std::uint64_t commit_index);
    void forget_partition(const std::string& topic, std::int32_t partition);

    /// To be collected on any thread.
    [[nodiscard]] const std::shared_ptr<prometheus::Registry>& registry() const noexcept {
        return registry_;
    }

private:
    struct Raft {
        prometheus::Gauge* term = nullptr;
        prometheus::Gauge* commit = nullptr;
    };

    std::shared_ptr<prometheus::Registry> registry_;
    prometheus::Family<prometheus::Histogram>& requests_;
    prometheus::Histogram& syncs_;
    prometheus::Family<prometheus::Gauge>& terms_;
    prometheus::Family<prometheus::Gauge>& commits_;
    prometheus::Family<prometheus::Counter>& endings_;
    std::map<std::int16_t, prometheus::Histogram*> by_api_;
    std::map<Ending, prometheus::Counter*> by_ending_;
    std::map<std::pair<std::string, std::int32_t>, Raft> rafts_;
};

} // namespace mini_broker
