// S4: shrink and expand, and how a change is told.

#include "support/one_partition.hpp"

#include <insync/events.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

using namespace std::chrono_literals;
using insync::ChangeCause;
using insync::Index;
using insync::IsrChange;
using insync::Result;
using insync::WaitResult;
using support::Ended;
using support::Lines;
using support::Nodes;
using support::OnePartition;

TEST_CASE("S4* progress comes before the ISR change: a match that arrives saves its replica",
          "[s4][star]") {
    OnePartition p;
    p.start_healthy(100);
    p.clock.advance(11s); // by what was known before, both are out
    p.hear({2, 3}, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.lines.empty());
}

TEST_CASE(
    "S4* the ISR change comes before the watermark and the waits: a laggard that goes "
    "holds nobody up",
    "[s4][star]") {
    OnePartition p;
    p.start_healthy(100);
    const Ended& ended = p.await(4, 200);
    p.clock.advance(11s);
    p.lead(4, 200);
    p.hear(2, 200); // replica 3 is silent since 0, at 100
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.high_watermark() == 200); // in the same observation, not in the next
    CHECK(ended == Ended{WaitResult::committed});
}

TEST_CASE("S4* the ISR change comes before the waits: who has just joined is asked as well",
          "[s4][star]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear(2, 100);
    REQUIRE(p.inherit({1, 3, 7, {1, 2}}) == Result::ok);
    p.sweep();
    const Ended& ended = p.await(4, 200);
    p.lead(4, 200);
    p.hear(2, 200);
    p.hear(3, 150); // one observation brings all: it is in sync, and lacks 200
    p.sweep();
    REQUIRE(p.members() == Nodes{1, 2, 3});
    CHECK(ended.empty());
    CHECK(p.high_watermark() == 150);
}

TEST_CASE("S4* the ISR change comes before the waits: below min ISR nothing is acknowledged",
          "[s4][star]") {
    OnePartition p;
    p.start_healthy(100);
    const Ended& ended = p.await(4, 150);
    p.clock.advance(11s);
    p.lead(4, 200);
    p.group().quorum(insync::Quorum::held);
    p.group().follower(2, 200, insync::TimePoint{0s}).follower(3, 200, insync::TimePoint{0s});
    REQUIRE(p.observe() == Result::ok); // they hold it all, and have been silent for too long
    CHECK(p.members() == Nodes{1});
    CHECK(ended == Ended{WaitResult::not_enough_replicas});
    CHECK(p.high_watermark() == 100);
}

TEST_CASE("S4* a wait's callback sees the set and the watermark that ended it", "[s4][star]") {
    OnePartition p;
    p.start_healthy(100);
    Nodes members;
    std::optional<Index> watermark;
    std::size_t told = 0;
    REQUIRE(p.isr.await_replication("my-topic", 0, 4, 200, p.in(60s), [&](WaitResult) {
        members = p.members();
        watermark = p.high_watermark();
        told = p.changes.size();
    }) == Result::ok);
    p.clock.advance(11s);
    p.lead(4, 200);
    p.hear(2, 200);
    REQUIRE(p.observe() == Result::ok);
    CHECK(members == Nodes{1, 2});
    CHECK(watermark == 200);
    CHECK(told == p.changes.size()); // and the listeners have been told before
}

TEST_CASE("S4* versions rise by one with every change", "[s4][star]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear({2, 3}, 100);
    REQUIRE(p.inherit({1, 3, 41, {1, 2, 3}}) == Result::ok);
    CHECK(p.set().version() == 42);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.set().version() == 43);
    REQUIRE(p.isr.add_to_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.set().version() == 44);
    p.clock.advance(11s); // two leave in one observation: one change
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.set().version() == 45);
    for (int i = 0; i < 3; ++i) REQUIRE(p.observe() == Result::ok);
    CHECK(p.set().version() == 45); // nothing changed
    REQUIRE(p.isr.set_assignment("my-topic", 0, {1, 2, 3, 4}) == Result::ok);
    CHECK(p.set().version() == 46);
}

TEST_CASE("S4* becoming leader is a change, also when the set stays equal", "[s4][star]") {
    OnePartition p;
    p.start_healthy(100);
    const auto before = p.set();
    p.lead(5, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.set().to_vec() == before.to_vec());
    CHECK(p.set().version() == before.version() + 1);
    CHECK(p.set().epoch() == 5);
    REQUIRE(p.changes.size() == 2);
    CHECK(p.changes.back().cause == ChangeCause::became_leader);
    CHECK(p.changes.back().moved.empty());
    CHECK(p.lines.empty()); // nobody moved
}

TEST_CASE("S4* sets are ordered by epoch first, so a newer epoch beats a higher version",
          "[s4][star]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 90, {1, 2, 3}}) == Result::ok);
    CHECK(p.isr.apply_published_isr("my-topic", 0, {3, 5, 2, {1, 3}}) == Result::ok);
    CHECK(p.members() == Nodes{1, 3});
    CHECK(p.isr.apply_published_isr("my-topic", 0, {2, 4, 91, {1, 2}}) == Result::stale);
    CHECK(p.members() == Nodes{1, 3});
    CHECK(p.isr.apply_published_isr("my-topic", 0, {3, 5, 1, {3}}) == Result::stale);
    CHECK(p.isr.apply_published_isr("my-topic", 0, {3, 5, 3, {3}}) == Result::ok);
    CHECK(p.members() == Nodes{3});
}

TEST_CASE("only the leader changes the ISR", "[s4]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2, 3}}) == Result::ok);
    p.sweep_until(5min);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.isr.remove_from_isr("my-topic", 0, 3) == Result::not_leader);
    CHECK(p.isr.add_to_isr("my-topic", 0, 3) == Result::not_leader);
    CHECK(p.isr.update_heartbeat("my-topic", 0, 3) == Result::not_leader);
    CHECK(p.isr.record_progress(p.handle(), 4, 3, 5, p.clock.now()) == Result::not_leader);
    CHECK(p.isr.record_leader(p.handle(), 4, {9, 9, 9}) == Result::not_leader);
    CHECK(p.set().version() == 7);
    CHECK(p.changes.empty());
}

TEST_CASE("all that one sweep finds of a partition is one change, and one line a replica", "[s4]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear({2, 3, 4, 5}, 100);
    REQUIRE(p.inherit({1, 3, 7, {1, 2, 3, 4}}, {1, 2, 3, 4, 5}) == Result::ok);
    // Node 5 joined at once; from now on 2 and 3 are silent.
    REQUIRE(p.changes.size() == 1);
    p.changes.clear();
    p.lines.clear();
    p.sweep_until(11s, [&] { p.hear({4, 5}, 100); });
    REQUIRE(p.changes.size() == 1);
    const IsrChange& change = p.changes.front();
    CHECK(change.topic == "my-topic");
    CHECK(change.partition == 0);
    CHECK(change.cause == ChangeCause::lag);
    CHECK(change.before.to_vec() == Nodes{1, 2, 3, 4, 5});
    CHECK(change.after.to_vec() == Nodes{1, 4, 5});
    CHECK(change.after.epoch() == 4);
    CHECK(change.after.version() == change.before.version() + 1);
    REQUIRE(change.moved.size() == 2);
    CHECK(change.moved[0].node == 2);
    CHECK_FALSE(change.moved[0].added);
    CHECK(change.moved[0].lag_entries == 0);
    CHECK(change.moved[0].lag_ms == 11s);
    CHECK(change.moved[1].node == 3);
    CHECK(p.lines == Lines{"ISR SHRINK: my-topic-0 removed replica 2 (lag: 0 entries, 11000 ms)",
                           "ISR SHRINK: my-topic-0 removed replica 3 (lag: 0 entries, 11000 ms)"});
}

TEST_CASE("a change may shrink and expand at once", "[s4]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear(2, 100);
    REQUIRE(p.inherit({1, 3, 7, {1, 2}}) == Result::ok);
    p.clock.advance(11s);
    p.hear(3, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 3});
    CHECK(p.set().version() == 9);
    CHECK(p.lines == Lines{"ISR SHRINK: my-topic-0 removed replica 2 (lag: 0 entries, 11000 ms)",
                           "ISR EXPAND: my-topic-0 added replica 3 (lag: 0 entries, 0 ms)"});
}

TEST_CASE("listeners hear each change once and in order, also of changes made inside one", "[s4]") {
    OnePartition p;
    std::vector<insync::Version> heard;
    int depth = 0;
    p.isr.subscribe([&](const IsrChange& change) {
        CHECK(++depth == 1); // one at a time
        heard.push_back(change.after.version());
        // With a lock held, or delivered from within, these would not come out in order.
        if (heard.size() == 1) CHECK(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
        if (heard.size() == 2) CHECK(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
        --depth;
    });
    p.start_healthy(100);
    CHECK(heard == std::vector<insync::Version>{1, 2, 3});
    CHECK(p.members() == Nodes{1});
}

TEST_CASE("without a listener and a sink a change is counted all the same", "[s4]") {
    insync::testing::ScriptedView view;
    const insync::testing::ManualClock clock;
    insync::IsrManager isr{1, view, {}, clock};
    view.lead("t", 0, 1, 4, 10);
    REQUIRE(isr.initialize_isr("t", 0, {1, 2}) == Result::ok);
    CHECK(isr.get_isr("t", 0)->to_vec() == Nodes{1}); // 2 is no member of the group
    CHECK(isr.counters().shrinks == 1);
}

TEST_CASE("a published change is told to listeners and not to the log", "[s4]") {
    // The line says what this node measured; the leader's own log has it.
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2, 3}}) == Result::ok);
    REQUIRE(p.isr.apply_published_isr("my-topic", 0, {2, 4, 8, {1, 2}}) == Result::ok);
    REQUIRE(p.changes.size() == 1);
    CHECK(p.changes.front().cause == ChangeCause::published);
    REQUIRE(p.changes.front().moved.size() == 1);
    CHECK(p.changes.front().moved[0].node == 3);
    CHECK_FALSE(p.changes.front().moved[0].lag_entries.has_value());
    CHECK(p.lines.empty());
    CHECK(p.isr.counters().shrinks == 0);
}

TEST_CASE("a tick before the sweep is due ends waits and reads nothing", "[s4]") {
    OnePartition p;
    p.start_healthy(100);
    p.isr.tick();
    const auto reads = p.view.reads();
    const Ended& ended = p.await(4, 200, 500ms);
    p.clock.advance(500ms);
    p.isr.tick();
    CHECK(ended == Ended{WaitResult::timed_out});
    CHECK(p.view.reads() == reads);
    p.clock.advance(500ms);
    p.isr.tick();
    CHECK(p.view.reads() == reads + 1);
}
