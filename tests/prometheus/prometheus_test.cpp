#include <insync/config.hpp>
#include <insync/errors.hpp>
#include <insync/isr_manager.hpp>
#include <insync/metrics/prometheus.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <set>
#include <string>

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using insync::IsrConfig;
using insync::Result;
using insync::TimePoint;
using insync::metrics::PrometheusCollector;
using insync::testing::ManualClock;
using insync::testing::ScriptedView;

namespace {

using Manager = insync::IsrManager<ScriptedView, ManualClock>;

/// Node 1 leads "test" 0 and follows node 2 in "other" 0.
struct Broker {
    ManualClock clock{TimePoint{0s}, 1'700'000'000'000};
    ScriptedView view;
    Manager manager{1, view, IsrConfig{}, clock};
    PrometheusCollector<Manager> collector{manager};

    Broker() {
        view.lead("test", 0, 1, 1, 5000);
        view.follower("test", 0, 2, 5000, clock.now()).follower(3, 5000, clock.now());
        view.follow("other", 0, 2, 1);
        REQUIRE(manager.initialize_isr("test", 0, {1, 2, 3}) == Result::ok);
        REQUIRE(manager.initialize_isr("other", 0, {1, 2}) == Result::ok);
    }

    [[nodiscard]] std::string scrape() const {
        return prometheus::TextSerializer{}.Serialize(collector.Collect());
    }
    /// Follower 2 keeps up and follower 3 is silent, with 1000 entries a second.
    void pass_seconds(int seconds) {
        for (int i = 0; i < seconds; ++i) {
            clock.advance(1s);
            const insync::Index end = view.group("test", 0).state().end + 1000;
            view.group("test", 0).positions({end, end, end});
            view.follower("test", 0, 2, end, clock.now());
            manager.tick();
        }
    }
};

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

} // namespace

TEST_CASE("the four metrics of the design documents have their names and labels", "[prometheus]") {
    Broker broker;
    broker.pass_seconds(2);
    const std::string text = broker.scrape();
    CHECK(has_line(text, R"(chronik_raft_isr_size{topic="test",partition="0"} 3)"));
    CHECK(has_line(text,
                   "chronik_raft_follower_lag_entries"
                   R"({topic="test",partition="0",follower_id="3"} 2000)"));
    CHECK(has_line(text,
                   "chronik_raft_follower_lag_entries"
                   R"({topic="test",partition="0",follower_id="2"} 0)"));
    CHECK(has_line(text,
                   "chronik_raft_follower_lag_ms"
                   R"({topic="test",partition="0",follower_id="3"} 2000)"));
    CHECK(has_line(text,
                   "chronik_raft_last_heartbeat_timestamp_ms"
                   R"({topic="test",partition="0",follower_id="3"} 1700000000000)"));
    CHECK(has_line(text,
                   "chronik_raft_last_heartbeat_timestamp_ms"
                   R"({topic="test",partition="0",follower_id="2"} 1700000002000)"));
    CHECK(has_line(text, "# TYPE chronik_raft_isr_size gauge"));
}

TEST_CASE("when a follower leaves the ISR, size, lag and counters show it", "[prometheus]") {
    Broker broker;
    broker.pass_seconds(11);
    const std::string text = broker.scrape();
    CHECK(has_line(text, R"(chronik_raft_isr_size{topic="test",partition="0"} 2)"));
    CHECK(has_line(text,
                   "chronik_raft_follower_lag_entries"
                   R"({topic="test",partition="0",follower_id="3"} 11000)"));
    CHECK(has_line(text, "chronik_raft_isr_shrinks_total 1"));
    CHECK(has_line(text, "chronik_raft_isr_expands_total 0"));
    CHECK(has_line(text, "chronik_raft_under_replicated_partitions 1"));
    CHECK(has_line(text, "chronik_raft_at_min_isr_partitions 1"));
    CHECK(has_line(text, "chronik_raft_under_min_isr_partitions 0"));
    CHECK(has_line(text, R"(chronik_raft_high_watermark{topic="test",partition="0"} 16000)"));
    CHECK(has_line(text, R"(chronik_raft_min_isr{topic="test",partition="0"} 2)"));
}

TEST_CASE("a node that follows shows the ISR's size and nobody's lag", "[prometheus]") {
    Broker broker;
    REQUIRE(broker.manager.apply_published_isr("other", 0, {2, 1, 5, {2}}) == Result::ok);
    const std::string text = broker.scrape();
    CHECK(has_line(text, R"(chronik_raft_isr_size{topic="other",partition="0"} 1)"));
    CHECK_THAT(text, !ContainsSubstring(R"(lag_entries{topic="other")"));
    CHECK_THAT(text, !ContainsSubstring(R"(lag_ms{topic="other")"));
    CHECK_THAT(text, !ContainsSubstring(R"(timestamp_ms{topic="other")"));
    CHECK_THAT(text, !ContainsSubstring(R"(high_watermark{topic="other")"));
    CHECK(has_line(text, "chronik_raft_partitions 2"));
    CHECK(has_line(text, "chronik_raft_leader_partitions 1"));
}

TEST_CASE("lag in entries is not made up for a follower that nothing is known of", "[prometheus]") {
    Broker broker;
    broker.view.lead("test", 0, 1, 2, 9000); // a new epoch: nobody has answered yet
    REQUIRE(broker.manager.update_isr("test", 0) == Result::ok);
    const std::string text = broker.scrape();
    CHECK_THAT(text, !ContainsSubstring("lag_entries{"));
    CHECK(has_line(text,
                   "chronik_raft_follower_unconfirmed"
                   R"({topic="test",partition="0",follower_id="3"} 1)"));
    CHECK(has_line(text,
                   "chronik_raft_last_heartbeat_timestamp_ms"
                   R"({topic="test",partition="0",follower_id="3"} 0)"));
    CHECK(has_line(text,
                   "chronik_raft_follower_lag_ms"
                   R"({topic="test",partition="0",follower_id="3"} 0)")); // in grace
}

TEST_CASE("a follower that has confirmed nothing lacks at least what this epoch wrote",
          "[prometheus]") {
    Broker broker;
    broker.view.lead("test", 0, 1, 2, 9000);
    REQUIRE(broker.manager.update_isr("test", 0) == Result::ok);
    broker.view.lead("test", 0, 1, 2, 20'500);
    REQUIRE(broker.manager.update_isr("test", 0) == Result::ok);
    CHECK(has_line(broker.scrape(),
                   "chronik_raft_follower_lag_entries"
                   R"({topic="test",partition="0",follower_id="3"} 11500)"));
}

TEST_CASE("rejected inputs are counted by reason, and every reason is there from the start",
          "[prometheus]") {
    Broker broker;
    CHECK(broker.manager.add_to_isr("test", 0, 99) == Result::not_a_replica);
    CHECK(broker.manager.add_to_isr("test", 0, 98) == Result::not_a_replica);
    broker.manager.count_refused_produce();
    const std::string text = broker.scrape();
    CHECK(has_line(text, R"(chronik_raft_rejected_inputs_total{reason="not_a_replica"} 2)"));
    CHECK(has_line(text, R"(chronik_raft_rejected_inputs_total{reason="epoch_conflict"} 0)"));
    CHECK(has_line(text, R"(chronik_raft_rejected_inputs_total{reason="shut_down"} 0)"));
    CHECK_THAT(text, !ContainsSubstring(R"(reason="ok")"));
    CHECK(has_line(text, "chronik_raft_refused_produces_total 1"));
    CHECK(has_line(text, "# TYPE chronik_raft_rejected_inputs_total counter"));
}

TEST_CASE("the prefix of every metric can be changed", "[prometheus]") {
    Broker broker;
    const PrometheusCollector<Manager> collector{broker.manager, "mine_"};
    for (const auto& family : collector.Collect()) {
        CAPTURE(family.name);
        CHECK(family.name.rfind("mine_", 0) == 0);
        CHECK_FALSE(family.help.empty());
    }
}

TEST_CASE("no two families of a scrape have one name", "[prometheus]") {
    const Broker broker;
    std::set<std::string> names;
    for (const auto& family : broker.collector.Collect()) {
        CAPTURE(family.name);
        CHECK(names.insert(family.name).second);
    }
    CHECK(names.size() == 27);
}

TEST_CASE("waits that are pending and the last sweep are shown", "[prometheus]") {
    Broker broker;
    REQUIRE(broker.manager.await_replication("test", 0, 1, 6000, broker.clock.now() + 10s,
                                             [](insync::WaitResult) {}) == Result::ok);
    broker.manager.tick();
    const std::string text = broker.scrape();
    CHECK(has_line(text, "chronik_raft_pending_waits 1"));
    CHECK(has_line(text, "chronik_raft_sweeps_total 1"));
    CHECK(has_line(text, "chronik_raft_sweep_duration_ms 0"));
}

TEST_CASE("a topic's name is a label as it is", "[prometheus]") {
    Broker broker;
    broker.view.lead("a.b_c-d", 7, 1, 1, 0);
    REQUIRE(broker.manager.initialize_isr("a.b_c-d", 7, {1}) == Result::ok);
    CHECK(has_line(broker.scrape(), R"(chronik_raft_isr_size{topic="a.b_c-d",partition="7"} 1)"));
}
