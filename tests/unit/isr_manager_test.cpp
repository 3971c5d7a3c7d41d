#include "support/one_partition.hpp"

#include <insync/clock.hpp>
#include <insync/config.hpp>
#include <insync/isr_manager.hpp>
#include <insync/isr_store.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using insync::IsrConfig;
using insync::IsrManager;
using insync::NodeId;
using insync::PublishedIsr;
using insync::Result;
using insync::TimePoint;
using insync::testing::ManualClock;
using insync::testing::ScriptedView;
using support::Nodes;
using support::OnePartition;

TEST_CASE("a manager is made of a node, a view, and perhaps limits and a clock", "[isr_manager]") {
    ScriptedView view;
    const IsrManager plain{1, view};
    STATIC_REQUIRE(std::is_same_v<decltype(plain), const IsrManager<ScriptedView>>);
    STATIC_REQUIRE(
        std::is_same_v<IsrManager<ScriptedView>, IsrManager<ScriptedView, insync::SteadyClock>>);
    CHECK(plain.self() == 1);
    CHECK(plain.config().max_lag_ms == 10s);

    const ManualClock clock{TimePoint{7s}};
    const IsrManager other{0, view, IsrConfig{.min_insync_replicas = 3}, clock};
    CHECK(other.self() == 0);
    CHECK(other.config().min_insync_replicas == 3);
    CHECK(other.clock().now() == TimePoint{7s});
}

TEST_CASE("a manager is neither copied nor moved", "[isr_manager]") {
    using Manager = IsrManager<ScriptedView, ManualClock>;
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Manager>);
    STATIC_REQUIRE_FALSE(std::is_move_constructible_v<Manager>);
    STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<Manager>);
}

TEST_CASE("a refused configuration throws in the words of validate", "[isr_manager]") {
    ScriptedView view;
    const auto words = [&](NodeId self, const IsrConfig& config) -> std::string {
        try {
            const IsrManager manager{self, view, config};
            return "accepted";
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
    };
    CHECK(words(1, {}) == "accepted");
    CHECK(words(1, {.max_lag_ms = 1500ms}) ==
          "insync::IsrConfig: max_lag_ms is 1500; it must be at least twice check_interval_ms, "
          "which is 1000");
    CHECK(words(-1, {}) == "insync::IsrManager: self must not be negative");
    view.set_contact_slack(10s);
    CHECK(words(1, {}) ==
          "insync::IsrConfig: max_lag_ms is 10000; it must be above the consensus view's contact "
          "slack, which is 10000");
}

TEST_CASE("a partition lives from initialisation to removal", "[isr_manager]") {
    OnePartition p;
    CHECK_FALSE(p.handle());
    CHECK(p.observe() == Result::unknown_partition);
    p.start_healthy();
    CHECK(p.handle());
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.observe() == Result::ok);
    CHECK(p.isr.remove_partition("my-topic", 0) == Result::ok);
    CHECK_FALSE(p.handle());
    CHECK_FALSE(p.isr.get_isr("my-topic", 0).has_value());
    CHECK(p.isr.remove_partition("my-topic", 0) == Result::unknown_partition);
    CHECK(p.observe() == Result::unknown_partition);
}

TEST_CASE("a partition that comes again starts from nothing", "[isr_manager]") {
    OnePartition p;
    p.start_healthy();
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    REQUIRE(p.isr.set_min_insync_replicas("my-topic", 0, 3) == Result::ok);
    REQUIRE(p.isr.remove_partition("my-topic", 0) == Result::ok);
    REQUIRE(p.initialize({1, 2, 3}) == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.report().min_isr == 2);
    CHECK(p.set().version() == 1);
}

TEST_CASE("the same registration twice is ok, another one is refused", "[isr_manager]") {
    OnePartition p;
    p.start_healthy();
    const auto version = p.set().version();
    CHECK(p.initialize({1, 2, 3}) == Result::ok);
    CHECK(p.initialize({3, 2, 1}) == Result::ok); // the order is nothing
    CHECK(p.initialize({1, 2}) == Result::already_exists);
    CHECK(p.initialize({1, 2, 4}) == Result::already_exists);
    CHECK(p.isr.initialize_isr("my-topic", 0, {1, 2, 3}, 1) == Result::already_exists);
    CHECK(p.set().version() == version);
    CHECK(p.set().replica_count() == 3);
}

TEST_CASE("a registration takes its replicas as whatever holds node ids", "[isr_manager]") {
    OnePartition p;
    const std::vector<NodeId> vector{1, 2, 3};
    const std::array<NodeId, 2> array{1, 2};
    CHECK(p.isr.initialize_isr("t", 0, {1, 2}) == Result::ok);
    CHECK(p.isr.initialize_isr("t", 1, vector) == Result::ok);
    CHECK(p.isr.initialize_isr("t", 2, array) == Result::ok);
    CHECK(p.isr.initialize_isr("t", 3, std::span{vector}.first(1)) == Result::ok);
    CHECK(p.isr.initialize_isr("t", 4, vector, 3) == Result::ok);
    CHECK(p.isr.initialize_isr("t", 5, vector, PublishedIsr{1, 2, 3, {1}}) == Result::ok);
    CHECK(p.isr.initialize_isr("t", 6, vector, PublishedIsr{1, 2, 3, {1}}, 3) == Result::ok);
    CHECK(p.isr.get_isr("t", 3)->replica_count() == 1);
    CHECK(p.isr.get_isr("t", 6)->to_vec() == Nodes{1});
}

TEST_CASE("a partition's own min ISR overrides the configured one", "[isr_manager]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear({2, 3}, 100);
    REQUIRE(p.isr.initialize_isr("my-topic", 0, {1, 2, 3}, 3) == Result::ok);
    CHECK(p.report().min_isr == 3);
    CHECK(p.has_min());
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK_FALSE(p.has_min());
    REQUIRE(p.isr.set_min_insync_replicas("my-topic", 0, 2) == Result::ok);
    CHECK(p.has_min());
}

TEST_CASE("min ISR is set for a whole topic, and for no other", "[isr_manager]") {
    OnePartition p;
    for (const char* const topic : {"orders", "orders2"})
        for (insync::PartitionId partition = 0; partition < 3; ++partition)
            REQUIRE(p.isr.initialize_isr(topic, partition, {1, 2, 3}) == Result::ok);
    REQUIRE(p.isr.set_min_insync_replicas("orders", 3) == Result::ok);
    p.isr.for_each_partition([](const insync::PartitionReport& report) {
        CHECK(report.min_isr == (report.topic == "orders" ? 3u : 2u));
    });
    CHECK(p.isr.set_min_insync_replicas("order", 3) == Result::unknown_partition);
    CHECK(p.isr.set_min_insync_replicas("orders", 0) == Result::invalid_min_isr);
}

TEST_CASE("partitions of one topic may be far apart", "[isr_manager]") {
    OnePartition p;
    const insync::PartitionId partitions[] = {0, 7, 8, 9, 63, 64, 1000, insync::kMaxPartition};
    for (const auto partition : partitions)
        REQUIRE(p.isr.initialize_isr("t", partition, {1, partition + 2}) == Result::ok);
    for (const auto partition : partitions)
        CHECK(p.isr.get_isr("t", partition)->to_vec() == Nodes{1, partition + 2});
    CHECK_FALSE(p.isr.get_isr("t", 10).has_value());
    CHECK_FALSE(p.isr.get_isr("t", insync::kMaxPartition - 1).has_value());
}

TEST_CASE("room that was reserved changes nothing but the room", "[isr_manager]") {
    OnePartition p;
    CHECK(p.isr.reserve("my-topic", 50) == Result::ok);
    CHECK_FALSE(p.handle());
    CHECK(p.has_min()); // still not tracked
    p.start_healthy();
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.isr.reserve("my-topic", 500) == Result::ok); // too late, and harmless
    CHECK(p.isr.reserve("my-topic", 0) == Result::invalid_partition);
    CHECK(p.isr.reserve("no/topic", 1) == Result::invalid_topic);
}

TEST_CASE("is_in_sync says of a node what get_isr says", "[isr_manager]") {
    OnePartition p;
    p.start_healthy();
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.isr.is_in_sync("my-topic", 0, 2));
    CHECK_FALSE(p.isr.is_in_sync("my-topic", 0, 3));
    CHECK_FALSE(p.isr.is_in_sync("my-topic", 0, 4));
    CHECK_FALSE(p.isr.is_in_sync("other", 0, 2));
}

TEST_CASE("a listener hears every later change until it is unsubscribed", "[isr_manager]") {
    OnePartition p;
    p.start_healthy();
    int heard = 0;
    const auto subscription = p.isr.subscribe([&](const insync::IsrChange&) { ++heard; });
    CHECK(heard == 0); // not what was before
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(heard == 1);
    p.isr.unsubscribe(subscription);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
    CHECK(heard == 1);
    CHECK(p.changes.size() == 3); // the other listener goes on: leading, two removals
}

TEST_CASE("an empty sink stops the log lines", "[isr_manager]") {
    OnePartition p;
    p.start_healthy();
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.lines.size() == 1);
    p.isr.set_log_sink({});
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
    CHECK(p.lines.size() == 1);
}

TEST_CASE("exceptions of callbacks are swallowed and counted", "[isr_manager]") {
    OnePartition p;
    p.start_healthy();
    p.isr.subscribe([](const insync::IsrChange&) { throw std::runtime_error{"listener"}; });
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.isr.counters().callbacks_thrown == 1);
    CHECK(p.isr.await_replication("my-topic", 0, 4, 100, p.in(1s), [](insync::WaitResult) {
        throw std::runtime_error{"wait"};
    }) == Result::ok);
    CHECK(p.isr.counters().callbacks_thrown == 2);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("after shutting down nothing changes any more and reads stay as they are",
          "[isr_manager]") {
    OnePartition p;
    p.start_healthy();
    const auto handle = p.handle();
    p.isr.shut_down();
    p.isr.shut_down(); // twice is once
    CHECK(p.observe() == Result::shut_down);
    CHECK(p.isr.initialize_isr("other", 0, {1}) == Result::shut_down);
    CHECK(p.isr.reserve("other", 5) == Result::shut_down);
    CHECK(p.isr.remove_partition("my-topic", 0) == Result::shut_down);
    CHECK(p.isr.remove_from_isr("my-topic", 0, 3) == Result::shut_down);
    CHECK(p.isr.set_assignment("my-topic", 0, {1}) == Result::shut_down);
    CHECK(p.isr.set_min_insync_replicas("my-topic", 0, 3) == Result::shut_down);
    CHECK(p.isr.record_progress(handle, 4, 2, 100, p.clock.now()) == Result::shut_down);
    CHECK(p.isr.record_leader(handle, 4, {200, 200, 200}) == Result::shut_down);
    CHECK(p.isr.update_heartbeat("my-topic", 0, 2) == Result::shut_down);
    CHECK(p.isr.apply_published_isr("my-topic", 0, {2, 9, 9, {2}}) == Result::shut_down);
    p.sweep_until(30s);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.has_min());
    CHECK(p.isr.has_min_isr(handle));
    CHECK(p.changes.size() == 1);
}

TEST_CASE("the next deadline is the next sweep or the earliest wait", "[isr_manager]") {
    OnePartition p;
    p.start_healthy();
    p.isr.tick();
    CHECK(p.isr.next_deadline() == TimePoint{1s});
    (void)p.await(4, 200, 300ms);
    CHECK(p.isr.next_deadline() == TimePoint{300ms});
    p.clock.advance(300ms);
    p.isr.tick();
    CHECK(p.isr.counters().sweeps == 1); // that was only for the wait
    CHECK(p.isr.next_deadline() == TimePoint{1s});
    p.clock.advance(700ms);
    p.isr.tick();
    CHECK(p.isr.counters().sweeps == 2);
    CHECK(p.isr.next_deadline() == TimePoint{2s});
}
