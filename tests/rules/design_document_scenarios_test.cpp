// The four scenarios of the design documents, on a manual clock: timeline, log line, metrics.

#include "support/one_partition.hpp"

#include <insync/config.hpp>
#include <insync/kafka/produce.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::kNever;
using insync::PublishedIsr;
using insync::Result;
using insync::TimePoint;
using insync::kafka::admit_produce;
using insync::kafka::ErrorCode;
using insync::kafka::kAcksAll;
using support::Lines;
using support::Nodes;
using support::OnePartition;

TEST_CASE("isr_shrink_scenario", "[design]") {
    // Exactly 10 000 ms is within the default limit, so the limit is one less (acceptance.md).
    OnePartition p{{.max_lag_ms = 9'999ms}};
    p.start_healthy(10'000); // t=0: the last time that replica 3 had everything
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.report().isr.size() == 3);

    p.sweep_until(5s, [&] { // in contact until t=5, but without the appends
        p.lead(4, 15'000);
        p.hear(2, 15'000);
        p.hear(3, 10'000);
    });
    p.sweep_until(9s, [&] { p.hear(2, 15'000); }); // cut off: no heartbeats
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.lines.empty());

    p.sweep_until(10s, [&] { p.hear(2, 15'000); });
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.lines ==
          Lines{"ISR SHRINK: my-topic-0 removed replica 3 (lag: 5000 entries, 10000 ms)"});
    CHECK(p.report().isr.size() == 2);
    CHECK(p.report(3).lag.entries == 5'000);
    CHECK(p.report(3).lag.time == 10'000ms);
    CHECK(p.report(3).last_contact == TimePoint{5s});
    CHECK(p.has_min());
    CHECK(p.isr.counters().shrinks == 1);
}

TEST_CASE("isr_expand_scenario", "[design]") {
    // The documents look at t=0, 8 and 10; swept at every second replica 3 would join at 8.
    OnePartition p{{.check_interval_ms = 5s}};
    p.lead(4, 20'000);
    p.hear(2, 20'000);
    p.hear(3, 10'000); // t=0: behind by 10 000
    REQUIRE(p.inherit({1, 3, 6, {1, 2}}) == Result::ok);
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.explain(3).lag.entries == 10'000);
    CHECK(p.report().isr.size() == 2);

    p.sweep_until(5s, [&] {
        p.hear(2, 20'000);
        p.hear(3, 15'000);
    });
    CHECK(p.members() == Nodes{1, 2});
    p.clock.advance(3s); // t=8: behind by 100
    REQUIRE(p.isr.record_progress(p.handle(), 4, 3, 19'900, p.clock.now()) == Result::ok);
    CHECK(p.explain(3).lag.entries == 100);
    p.clock.advance(1'500ms); // t=9.5: an append, of which the leader tells
    REQUIRE(p.isr.record_leader(p.handle(), 4, {20'900, 20'900, 20'900}) == Result::ok);
    CHECK(p.lines.empty());

    p.clock.advance(500ms); // t=10: both followers have that append and lack the next 100
    p.lead(4, 21'000);
    p.hear({2, 3}, 20'900);
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.lines == Lines{"ISR EXPAND: my-topic-0 added replica 3 (lag: 100 entries, 500 ms)"});
    CHECK(p.report().isr.size() == 3);
    CHECK(p.report(3).lag.entries == 100);
    CHECK(p.report(3).lag.time == 500ms);
    CHECK(p.isr.counters().expands == 1);
}

TEST_CASE("below min scenario: with two of three nodes gone a produce is refused", "[design]") {
    // Nodes that fail at 0 and 5 are out at 5 and 10.
    OnePartition p{{.max_lag_ms = 4'999ms, .min_insync_replicas = 2}};
    p.group().quorum(insync::Quorum::held); // so that min ISR alone decides
    p.lead(4, 100);
    p.group().quorum(insync::Quorum::held);
    p.hear({2, 3}, 100);
    REQUIRE(p.initialize() == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(admit_produce(p.isr, "my-topic", 0, kAcksAll) == ErrorCode::none);

    p.sweep_until(5s, [&] { p.hear(3, 100); });
    CHECK(p.members() == Nodes{1, 3});
    CHECK(admit_produce(p.isr, "my-topic", 0, kAcksAll) == ErrorCode::none);

    p.sweep_until(10s);
    CHECK(p.members() == Nodes{1});
    CHECK(p.lines == Lines{"ISR SHRINK: my-topic-0 removed replica 2 (lag: 0 entries, 5000 ms)",
                           "ISR SHRINK: my-topic-0 removed replica 3 (lag: 0 entries, 5000 ms)"});

    p.sweep_until(11s);
    CHECK(admit_produce(p.isr, "my-topic", 0, kAcksAll) ==
          ErrorCode::not_enough_replicas_after_append);
    CHECK(p.report().isr.size() == 1);
    CHECK_FALSE(p.report().has_min_isr);
    CHECK(p.isr.get_isr_stats().under_min_isr == 1);
}

TEST_CASE("expand scenario: a replica that comes back allows produce again", "[design]") {
    OnePartition p;
    p.lead(4, 50'000);
    p.group().quorum(insync::Quorum::held);
    p.group().follower(2, 0, kNever, false).follower(3, 0, kNever, false);
    REQUIRE(p.inherit({1, 3, 9, {1}}) == Result::ok);
    p.sweep_until(4s);
    CHECK(p.members() == Nodes{1});
    CHECK(admit_produce(p.isr, "my-topic", 0, kAcksAll) ==
          ErrorCode::not_enough_replicas_after_append);

    insync::Index match = 0;
    p.sweep_until(14s, [&] { // node 2 restarts at 5, empty, and reads 5 000 a second
        p.hear(2, match);
        match += 5'000;
        CHECK_FALSE(p.has_min());
    });
    CHECK(p.members() == Nodes{1});
    p.sweep_until(15s, [&] { p.hear(2, 50'000); });
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.lines == Lines{"ISR EXPAND: my-topic-0 added replica 2 (lag: 0 entries, 0 ms)"});

    p.sweep_until(16s, [&] { p.hear(2, 50'000); });
    CHECK(admit_produce(p.isr, "my-topic", 0, kAcksAll) == ErrorCode::none);
    CHECK(p.report().isr.size() == 2);
    CHECK(p.report().has_min_isr);
}
