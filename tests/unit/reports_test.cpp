#include "support/one_partition.hpp"

#include <insync/reports.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <map>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using insync::FollowerReport;
using insync::kNever;
using insync::PartitionReport;
using insync::Result;
using insync::TimePoint;
using support::Nodes;
using support::OnePartition;

TEST_CASE("a leader reports its set, its positions and every follower", "[reports]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(2s, [&] {
        p.lead(4, 150);
        p.hear(2, 150);
        p.hear(3, 120);
    });
    const PartitionReport report = p.report();
    CHECK(report.topic == "my-topic");
    CHECK(report.partition == 0);
    CHECK(report.isr.to_vec() == Nodes{1, 2, 3});
    CHECK(report.leading);
    CHECK(report.has_min_isr);
    CHECK(report.min_isr == 2);
    CHECK(report.end == 150);
    CHECK(report.high_watermark == 120);
    REQUIRE(report.followers.size() == 2); // the leader is no follower of its own
    CHECK(report.followers[0].node == 2);
    CHECK(report.followers[0].match == 150);
    CHECK(report.followers[0].lag.entries == 0);
    CHECK(report.followers[1].node == 3);
    CHECK(report.followers[1].member);
    CHECK(report.followers[1].match == 120);
    CHECK(report.followers[1].lag.entries == 30);
}

TEST_CASE("a follower's last contact is told on both time lines", "[reports]") {
    OnePartition p;
    p.clock.advance(5s);
    p.start_healthy();
    const auto then = p.clock.wall_ms();
    p.clock.advance(1500ms);
    const FollowerReport report = p.report(2);
    CHECK(report.last_contact == TimePoint{5s});
    CHECK(report.last_contact_wall_ms == then);
}

TEST_CASE("a wall clock that was set does not change how long ago a contact was", "[reports]") {
    OnePartition p;
    p.start_healthy();
    p.clock.advance(2s);
    p.clock.set_wall_ms(1'700'000'000'000);
    CHECK(p.report(2).last_contact_wall_ms == 1'700'000'000'000 - 2'000);
    CHECK(p.report(2).lag.time == 2s);
}

TEST_CASE("a follower that was never heard of has no time of contact", "[reports]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear(2, 100);
    p.group().follower(3, 0, kNever, false);
    REQUIRE(p.initialize() == Result::ok);
    CHECK(p.report(3).last_contact == kNever);
    CHECK(p.report(3).last_contact_wall_ms == 0);
    CHECK_FALSE(p.report(3).match.has_value());
}

TEST_CASE("a node that does not lead reports the published set and nothing of followers",
          "[reports]") {
    OnePartition p;
    p.group().follow(2, 4);
    p.group().positions({90, 90, 80}); // its own log is nobody's high watermark
    REQUIRE(p.inherit({2, 4, 7, {1, 2}}) == Result::ok);
    const PartitionReport report = p.report();
    CHECK(report.isr.to_vec() == Nodes{1, 2});
    CHECK_FALSE(report.leading);
    CHECK_FALSE(report.has_min_isr);
    CHECK(report.min_isr == 2);
    CHECK(report.end == 0);
    CHECK(report.high_watermark == 0);
    CHECK(report.followers.empty());
}

TEST_CASE("every partition is visited once, whichever topic it is of", "[reports]") {
    OnePartition p;
    for (const char* const topic : {"a", "b"})
        for (insync::PartitionId partition = 0; partition < 100; ++partition)
            REQUIRE(p.isr.initialize_isr(topic, partition, {1}) == Result::ok);
    REQUIRE(p.isr.remove_partition("a", 50) == Result::ok);
    std::map<std::pair<std::string, insync::PartitionId>, int> seen;
    p.isr.for_each_partition(
        [&](const PartitionReport& report) { ++seen[{report.topic, report.partition}]; });
    CHECK(seen.size() == 199);
    CHECK_FALSE(seen.contains({"a", 50}));
    for (const auto& [name, times] : seen) CHECK(times == 1);
}

TEST_CASE("a visitor may call the manager", "[reports]") {
    OnePartition p;
    p.start_healthy();
    bool asked = false;
    p.isr.for_each_partition([&](const PartitionReport& report) {
        // With the partition locked this would not return.
        CHECK(p.isr.remove_from_isr(report.topic, report.partition, 3) == Result::ok);
        asked = true;
    });
    CHECK(asked);
    CHECK(p.members() == Nodes{1, 2});
}
