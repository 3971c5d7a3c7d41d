// The tests that the design documents name, each asserting what its name says. Three of them stand
// with the types that they are about: isr_set_creation and isr_set_add_remove in
// unit/isr_set_test.cpp, replica_progress_lag_calculation in unit/replica_progress_test.cpp. The
// two scenarios are in design_document_scenarios_test.cpp.

#include "support/one_partition.hpp"

#include <insync/config.hpp>
#include <insync/isr_manager.hpp>
#include <insync/isr_store.hpp>
#include <insync/isr_update_loop.hpp>
#include <insync/kafka/produce.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using insync::IsrConfig;
using insync::IsrSet;
using insync::PublishedIsr;
using insync::Result;
using insync::TimePoint;
using insync::TopicPartition;
using insync::kafka::ErrorCode;
using support::Nodes;
using support::OnePartition;

namespace {

/// The host's replicated metadata, as far as this library needs one.
struct MetadataStore {
    std::map<std::pair<std::string, insync::PartitionId>, PublishedIsr> stored;

    void publish(TopicPartition partition, const PublishedIsr& isr) {
        stored[{std::string{partition.topic}, partition.partition}] = isr;
    }
};

/// A host's partition response to a produce.
struct ProduceResponse {
    std::int16_t error_code = 0;
    std::int64_t base_offset = 17;
    std::int64_t log_append_time = 17;
    std::int64_t log_start_offset = 17;
};

} // namespace

TEST_CASE("create_isr_manager", "[design]") {
    insync::testing::ScriptedView view;
    const insync::testing::ManualClock clock;
    const insync::IsrManager manager{1, view, IsrConfig{}, clock};
    CHECK(manager.self() == 1);
    CHECK(manager.config().max_lag_entries == 10'000);
    CHECK(manager.config().max_lag_ms == 10s);
    CHECK(manager.config().check_interval_ms == 1s);
    CHECK(manager.config().min_insync_replicas == 2);
    CHECK(manager.get_isr_stats().partitions == 0);
    CHECK_FALSE(manager.get_isr("my-topic", 0).has_value());
}

TEST_CASE("initialize_isr", "[design]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear({2, 3}, 100);
    CHECK(p.isr.initialize_isr("my-topic", 0, {1, 2, 3}) == Result::ok);
    CHECK(p.isr.get_isr("my-topic", 0)->to_vec() == Nodes{1, 2, 3});
    CHECK(p.isr.get_isr("my-topic", 0)->leader() == 1);
    CHECK(p.isr.has_min_isr("my-topic", 0));
    CHECK_FALSE(p.isr.get_isr("my-topic", 1).has_value());
}

TEST_CASE("replica_in_sync_when_lag_below_threshold", "[design]") {
    OnePartition p;
    p.start_healthy(10'000);
    p.sweep_until(5s, [&] {
        p.lead(4, 19'999);
        p.hear(2, 19'999);
        p.hear(3, 10'000);
    });
    CHECK(p.explain(3).lag.entries == 9'999);
    CHECK(p.explain(3).lag.time == 5s);
    CHECK(p.isr.is_in_sync("my-topic", 0, 3));
}

TEST_CASE("replica_out_of_sync_when_lag_above_threshold", "[design]") {
    OnePartition p;
    p.start_healthy(10'000);
    p.sweep_until(2s, [&] {
        p.lead(4, 20'001);
        p.hear(2, 20'001);
        p.hear(3, 10'000);
    });
    CHECK(p.explain(3).lag.entries == 10'001);
    CHECK_FALSE(p.isr.is_in_sync("my-topic", 0, 3));
    CHECK(p.isr.is_in_sync("my-topic", 0, 2));
}

TEST_CASE("add_replica_to_isr", "[design]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear(2, 100);
    REQUIRE(p.inherit({1, 3, 1, {1, 2}}) == Result::ok);
    // Within the limits but for its time; by hand it joins at once.
    p.group().follower(3, 40, p.clock.now());
    REQUIRE(p.observe() == Result::ok);
    REQUIRE(p.members() == Nodes{1, 2});
    CHECK(p.isr.add_to_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.isr.add_to_isr("my-topic", 0, 4) == Result::not_a_replica);
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("remove_replica_from_isr", "[design]") {
    OnePartition p;
    p.start_healthy();
    CHECK(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
    CHECK_FALSE(p.isr.is_in_sync("my-topic", 0, 3));
    CHECK(p.isr.remove_from_isr("my-topic", 0, 1) == Result::leader_cannot_leave);
    CHECK(p.isr.remove_from_isr("my-topic", 0, 4) == Result::not_a_replica);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("has_min_isr_returns_true_when_isr_sufficient", "[design]") {
    OnePartition p{{.min_insync_replicas = 2}};
    p.start_healthy();
    CHECK(p.isr.has_min_isr("my-topic", 0)); // three of two
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.isr.has_min_isr("my-topic", 0)); // exactly two
}

TEST_CASE("has_min_isr_returns_false_when_isr_insufficient", "[design]") {
    OnePartition p{{.min_insync_replicas = 2}};
    p.start_healthy();
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.members() == Nodes{1});
    CHECK_FALSE(p.isr.has_min_isr("my-topic", 0));
    CHECK_FALSE(p.isr.has_min_isr(p.handle()));
}

TEST_CASE("background_loop_updates_isr", "[design]") {
    OnePartition p;
    p.group().quorum(insync::Quorum::held);
    p.start_healthy();
    insync::IsrUpdateLoop loop{p.isr, 1ms};
    loop.start();
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    const auto sweeps_reach = [&](std::uint64_t count) {
        while (p.isr.counters().sweeps < count && std::chrono::steady_clock::now() < deadline)
            std::this_thread::yield();
    };
    // Replica 3 falls silent. Nobody but the loop calls tick.
    sweeps_reach(1);
    for (std::uint64_t second = 1; second <= 11; ++second) {
        p.hear(2, 100);
        p.clock.advance(1s);
        sweeps_reach(second + 1);
    }
    while (p.isr.is_in_sync("my-topic", 0, 3) && std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
    loop.stop();
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.isr.counters().sweeps >= 12);
    CHECK_FALSE(loop.running());
}

TEST_CASE("isr_persisted_via_metadata", "[design]") {
    MetadataStore metadata;
    IsrSet before;
    {
        OnePartition p;
        p.isr.publish_to(metadata);
        p.start_healthy();
        REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
        before = p.set();
    }
    const PublishedIsr stored = metadata.stored.at({"my-topic", 0});
    CHECK(stored == PublishedIsr{before});

    OnePartition restarted; // the same node, with nothing but the metadata
    restarted.group().follow(2, 5);
    REQUIRE(restarted.inherit(stored) == Result::ok);
    CHECK(restarted.set() == before);
    CHECK(restarted.members() == Nodes{1, 2});

    restarted.lead(6, 100); // and it leads again: replica 3 is still outside
    restarted.group().follower(2, 0, insync::kNever, false);
    restarted.group().follower(3, 0, insync::kNever, false);
    REQUIRE(restarted.observe() == Result::ok);
    CHECK(restarted.members() == Nodes{1, 2});
    CHECK(restarted.set().version() == before.version() + 1);
    CHECK(restarted.set().epoch() == 6);
}

TEST_CASE("produce_fails_when_isr_below_min", "[design]") {
    using insync::kafka::admit_produce;
    using insync::kafka::kAcksAll;
    OnePartition p;
    p.start_healthy();
    CHECK(admit_produce(p.isr, "my-topic", 0, kAcksAll) == ErrorCode::none);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);

    const ErrorCode code = admit_produce(p.isr, "my-topic", 0, kAcksAll);
    CHECK(code == ErrorCode::not_enough_replicas_after_append);
    ProduceResponse response;
    insync::kafka::refuse(response, code);
    CHECK(response.error_code == 20);
    CHECK(response.base_offset == -1);
    CHECK(response.log_append_time == -1);
    CHECK(response.log_start_offset == -1);
    CHECK(p.isr.counters().refused_produces == 1);
    CHECK(admit_produce(p.isr, "my-topic", 0, kAcksAll, insync::kafka::MinIsrError::exact) ==
          ErrorCode::not_enough_replicas);
}

TEST_CASE("update_heartbeat", "[design]") {
    OnePartition p;
    p.start_healthy();
    p.clock.advance(4s);
    CHECK(p.explain(3).last_contact == TimePoint{0s});
    CHECK(p.isr.update_heartbeat("my-topic", 0, 3) == Result::ok);
    CHECK(p.explain(3).last_contact == TimePoint{4s});
    CHECK(p.explain(3).lag.time == 0ms);
    CHECK(p.explain(2).last_contact == TimePoint{0s});

    // It keeps a replica in that holds everything, and no other.
    for (int second = 5; second <= 30; ++second) {
        p.clock.advance(1s);
        CHECK(p.isr.update_heartbeat("my-topic", 0, 3) == Result::ok);
        p.isr.tick();
    }
    CHECK(p.members() == Nodes{1, 3});
    CHECK(p.isr.update_heartbeat("my-topic", 0, 4) == Result::not_a_replica);
    CHECK(p.isr.update_heartbeat("other", 0, 3) == Result::unknown_partition);
}

TEST_CASE("get_isr_stats", "[design]") {
    OnePartition p;
    p.start_healthy();             // led, healthy
    p.view.lead("t", 0, 1, 1, 10); // led, at min ISR: replica 3 is missing
    p.view.follower("t", 0, 2, 10, p.clock.now());
    p.view.follower("t", 0, 3, 0, insync::kNever, false);
    p.view.lead("t", 1, 1, 1, 10); // led, below min ISR
    p.view.follower("t", 1, 2, 0, insync::kNever, false);
    p.view.follow("t", 2, 2, 1); // followed
    REQUIRE(p.isr.initialize_isr("t", 0, {1, 2, 3}, PublishedIsr{1, 0, 0, {1, 2}}) == Result::ok);
    REQUIRE(p.isr.initialize_isr("t", 1, {1, 2}, PublishedIsr{1, 0, 0, {1}}) == Result::ok);
    REQUIRE(p.isr.initialize_isr("t", 2, {1, 2}) == Result::ok);
    (void)p.await(4, 500);

    const insync::IsrStats stats = p.isr.get_isr_stats();
    CHECK(stats.partitions == 4);
    CHECK(stats.leading == 3);
    CHECK(stats.under_replicated == 2);
    CHECK(stats.under_min_isr == 1);
    CHECK(stats.at_min_isr == 1);
    CHECK(stats.refusing_produce == 1);
    CHECK(stats.stale == 0);
    CHECK(stats.isr_members == 3 + 2 + 1 + 2);
    CHECK(stats.waits == 1);
}

TEST_CASE("no_isr_tracking_allows_produce", "[design]") {
    OnePartition p;
    CHECK(p.isr.has_min_isr("my-topic", 0));
    CHECK(insync::kafka::admit_produce(p.isr, "my-topic", 0, insync::kafka::kAcksAll) ==
          ErrorCode::none);
    CHECK(p.isr.counters().refused_produces == 0);
    CHECK_FALSE(p.isr.get_isr("my-topic", 0).has_value()); // asking does not begin to track
}
