#include "broker_metrics.hpp"

#include <string>

namespace mini_broker {

namespace {

const prometheus::Histogram::BucketBoundaries& seconds() {
    static const prometheus::Histogram::BucketBoundaries bounds{
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};
    return bounds;
}

} // namespace

BrokerMetrics::BrokerMetrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      requests_(prometheus::BuildHistogram()
                    .Name("mini_broker_request_seconds")
                    .Help("From the arrival of a request to its answer, by API.")
                    .Register(*registry_)),
      syncs_(prometheus::BuildHistogram()
                 .Name("mini_broker_log_sync_seconds")
                 .Help("Making a partition's log durable.")
                 .Register(*registry_)
                 .Add({}, seconds())),
      terms_(prometheus::BuildGauge()
                 .Name("mini_broker_raft_term")
                 .Help("Raft term of a partition, which is its leader epoch.")
                 .Register(*registry_)),
      commits_(prometheus::BuildGauge()
                   .Name("mini_broker_raft_commit_index")
                   .Help("Raft commit index of a partition on this node.")
                   .Register(*registry_)),
      endings_(prometheus::BuildCounter()
                   .Name("mini_broker_connections_ended_total")
                   .Help("Connections of clients that have ended or were refused, by reason.")
                   .Register(*registry_)) {
    // All there are, from the start: a rate of what is not there yet is none.
    for (int i = 0; i <= static_cast<int>(Ending::idle); ++i) {
        const auto ending = static_cast<Ending>(i);
        by_ending_[ending] = &endings_.Add({{"reason", std::string{to_string(ending)}}});
    }
}

void BrokerMetrics::answered(const kafka::Api* api, std::chrono::steady_clock::time_point began) {
    if (api == nullptr) return;
    prometheus::Histogram*& histogram = by_api_[static_cast<std::int16_t>(api->key)];
    if (histogram == nullptr)
        histogram = &requests_.Add({{"api", std::string{api->name}}}, seconds());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    histogram->Observe(took.count());
}

void BrokerMetrics::connection_ended(Ending ending) {
    by_ending_.at(ending)->Increment();
}

void BrokerMetrics::synced(std::chrono::nanoseconds took) {
    syncs_.Observe(std::chrono::duration<double>(took).count());
}

void BrokerMetrics::show_partition(const std::string& topic,
                                   std::int32_t partition,
                                   std::uint64_t term,
                                   std::uint64_t commit_index) {
    Raft& raft = rafts_[{topic, partition}];
    if (raft.term == nullptr) {
        const prometheus::Labels labels{{"topic", topic}, {"partition", std::to_string(partition)}};
        raft = {&terms_.Add(labels), &commits_.Add(labels)};
    }
    raft.term->Set(static_cast<double>(term));
    raft.commit->Set(static_cast<double>(commit_index));
}

void BrokerMetrics::forget_partition(const std::string& topic, std::int32_t partition) {
    const auto found = rafts_.find({topic, partition});
    if (found == rafts_.end()) return;
    terms_.Remove(found->second.term);
    commits_.Remove(found->second.commit);
    rafts_.erase(found);
}

} // namespace mini_broker
