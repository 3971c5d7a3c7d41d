// S6: the high watermark, for operators.

#include "support/one_partition.hpp"

#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <span>

using namespace std::chrono_literals;
using insync::kNever;
using insync::Result;
using support::OnePartition;

TEST_CASE("the high watermark is what the leader has durably and every member has confirmed",
          "[s6]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(4, 200);
    p.hear(2, 180);
    p.hear(3, 160);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.high_watermark() == 160);
    p.group().positions({.end = 200, .durable = 170, .commit = 150});
    p.hear(3, 190);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.high_watermark() == 180); // 200 was durable before; the consensus commit is no bound
}

TEST_CASE("the high watermark never falls within an epoch", "[s6]") {
    OnePartition p;
    p.start_healthy(100);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    p.lead(4, 200);
    p.hear(2, 200);
    REQUIRE(p.observe() == Result::ok);
    REQUIRE(p.high_watermark() == 200);
    REQUIRE(p.isr.add_to_isr("my-topic", 0, 3) == Result::ok); // it holds 100
    CHECK(p.high_watermark() == 200);
    p.lead(4, 150); // a view that goes back
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.high_watermark() == 200);
    CHECK(p.report().end == 200);
}

TEST_CASE("an acknowledgement of an older epoch proves nothing, whether somebody waits or not",
          "[s6]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(4, 200);
    REQUIRE(p.observe() == Result::ok);
    REQUIRE(p.high_watermark() == 100);
    for (const insync::NodeId node : {2, 3})
        CHECK(p.isr.record_progress(p.handle(), 3, node, 200, p.clock.now()) == Result::stale);
    CHECK(p.explain(2).match == 100);
    CHECK(p.high_watermark() == 100);
    const support::Ended& wait = p.await(4, 200);
    for (const insync::NodeId node : {2, 3})
        CHECK(p.isr.record_progress(p.handle(), 3, node, 200, p.clock.now()) == Result::stale);
    CHECK(p.high_watermark() == 100);
    CHECK(wait.empty());
}

TEST_CASE("a member that joined below the high watermark holds it still until it has caught up",
          "[s6]") {
    OnePartition p;
    p.start_healthy(100);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    p.lead(4, 200);
    p.hear(2, 200);
    REQUIRE(p.observe() == Result::ok);
    REQUIRE(p.isr.add_to_isr("my-topic", 0, 3) == Result::ok);
    p.lead(4, 300);
    p.hear(2, 300);
    p.hear(3, 199);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.high_watermark() == 200);
    p.hear(3, 250);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.high_watermark() == 250);
}

TEST_CASE("the high watermark stands while the ISR is under min ISR", "[s6]") {
    OnePartition p{{.min_insync_replicas = 3}};
    p.start_healthy(100);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    p.lead(4, 200);
    p.hear({2, 3}, 200);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.high_watermark() == 100);
    REQUIRE(p.isr.add_to_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.high_watermark() == 200);
}

TEST_CASE("a push moves the high watermark before the next sweep", "[s6]") {
    OnePartition p;
    p.start_healthy(100);
    const auto handle = p.handle();
    REQUIRE(p.isr.record_leader(handle, 4, {110, 110, 110}) == Result::ok);
    CHECK(p.high_watermark() == 100);
    REQUIRE(p.isr.record_progress(handle, 4, 2, 110, p.clock.now()) == Result::ok);
    CHECK(p.high_watermark() == 100);
    REQUIRE(p.isr.record_progress("my-topic", 0, 4, 3, 105, p.clock.now()) == Result::ok);
    CHECK(p.high_watermark() == 105);
}

TEST_CASE("a new epoch starts a new high watermark", "[s6]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(5, 100);
    p.group().follower(2, 100, kNever, false).follower(3, 100, kNever, false);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.high_watermark() == 0); // nothing is confirmed in this epoch
    p.hear({2, 3}, 90);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.high_watermark() == 90);
}

TEST_CASE("a node that does not lead has no high watermark", "[s6]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(p.high_watermark() == 100);
    CHECK_FALSE(p.isr.high_watermark("other", 0).has_value());
    p.group().lose_leader();
    REQUIRE(p.observe() == Result::ok);
    CHECK_FALSE(p.high_watermark().has_value()); // a former leader's would be believed
    p.group().follow(2, 5);
    REQUIRE(p.observe() == Result::ok);
    CHECK_FALSE(p.high_watermark().has_value());
}

TEST_CASE("acknowledgements in a batch count as they do one by one", "[s6]") {
    OnePartition p;
    p.start_healthy(100);
    REQUIRE(p.isr.record_leader(p.handle(), 4, {150, 150, 150}) == Result::ok);
    const insync::ProgressReport reports[] = {
        {p.handle(), 4, 2, 150, p.clock.now()},
        {p.handle(), 3, 3, 150, p.clock.now()}, // an older epoch
        {p.handle(), 4, 7, 150, p.clock.now()}, // nobody's replica
        {{}, 4, 3, 150, p.clock.now()},         // no partition
        {p.handle(), 4, 3, 140, p.clock.now()},
        {p.handle(), 4, 3, 130, p.clock.now()}, // older than the one before
    };
    CHECK(p.isr.record_progress(reports) == 2);
    CHECK(p.high_watermark() == 140);
    CHECK(p.isr.record_progress(std::span<const insync::ProgressReport>{}) == 0);
}
