// S11: all time comes from the clock, which may start anywhere, jump, and be wrong.

#include "support/one_partition.hpp"

#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::Millis;
using insync::Result;
using insync::TimePoint;
using insync::WaitResult;
using support::Ended;
using support::Nodes;
using support::OnePartition;

TEST_CASE("a clock that goes back stands still, and is counted", "[s11]") {
    OnePartition p;
    p.clock.set(TimePoint{100s});
    p.start_healthy(100);
    p.isr.tick();
    p.clock.set(TimePoint{104s});
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.explain(3).lag.time == 4s);
    CHECK(p.isr.counters().clock_steps_back == 0);

    p.clock.set(TimePoint{50s});
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.isr.counters().clock_steps_back == 1);
    CHECK(p.explain(3).lag.time == 4s); // no time has passed, nor has it gone back
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.set().age(TimePoint{104s}) == 4s);

    p.clock.set(TimePoint{105s});
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.explain(3).lag.time == 5s);
}

TEST_CASE("contacts from the future count as now", "[s11]") {
    OnePartition p;
    p.lead(4, 100);
    p.group().follower(2, 100, p.in(1h)).follower(3, 100, p.clock.now());
    REQUIRE(p.initialize() == Result::ok);
    CHECK(p.explain(2).lag.time == 0ms);
    CHECK(p.isr.record_progress(p.handle(), 4, 3, 100, TimePoint::max()) == Result::stale);
    p.group().follower(2, 100, p.clock.now());
    p.sweep_until(11s);
    CHECK(p.members() == Nodes{1}); // neither keeps a replica in for longer
}

TEST_CASE("contacts from before all time count as never", "[s11]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(p.isr.record_progress(p.handle(), 4, 3, 100, insync::kNever) == Result::stale);
    CHECK(p.isr.record_progress(p.handle(), 4, 3, 100, TimePoint{-30 * 24h}) == Result::stale);
    CHECK(p.explain(3).last_contact == TimePoint{0s});
}

TEST_CASE("the clock may start anywhere", "[s11]") {
    const TimePoint starts[] = {
        TimePoint{-1ms},        TimePoint{0ms},         TimePoint{1ms},
        TimePoint{4'294'960s},  TimePoint{-4'294'970s}, TimePoint{Millis::max() / 2},
        TimePoint::max() - 60s, TimePoint::min() + 60s,
    };
    for (const TimePoint start : starts) {
        INFO(start.time_since_epoch().count());
        const insync::testing::ManualClock clock{start};
        insync::testing::ScriptedView view;
        insync::IsrManager isr{1, view, {}, clock};
        view.lead("t", 0, 1, 4, 100).follower(2, 100, start).follower(3, 100, start);
        REQUIRE(isr.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
        for (int second = 0; second < 10; ++second) {
            clock.advance(1s);
            view.follower("t", 0, 2, 100, clock.now());
            isr.tick();
        }
        CHECK(isr.get_isr("t", 0)->size() == 3);
        CHECK(isr.explain("t", 0, 3)->last_contact == start);
        CHECK(isr.get_isr("t", 0)->changed_at() == start);
        clock.advance(1s);
        view.follower("t", 0, 2, 100, clock.now());
        isr.tick();
        CHECK(isr.get_isr("t", 0)->to_vec() == Nodes{1, 2});
        CHECK(isr.counters().clock_steps_back == 0);
    }
}

TEST_CASE("a jump ahead makes the silent older, and what is heard is young again", "[s11]") {
    for (const auto jump : {11s, 3'600s, 86'400s * 5, 86'400s * 400}) {
        INFO(jump.count());
        OnePartition p;
        p.start_healthy(100);
        p.isr.tick();
        p.clock.advance(jump);
        p.isr.tick(); // stalled: our own pause
        CHECK(p.members() == Nodes{1, 2, 3});
        p.clock.advance(1s);
        p.hear(2, 100);
        p.isr.tick();
        CHECK(p.members() == Nodes{1, 2});
        CHECK(p.explain(2).lag.time == 0ms);
        CHECK(p.explain(3).lag.time > 10s);
    }
}

TEST_CASE("after months of silence a replica is still out, and back at once when it is well",
          "[s11]") {
    OnePartition p;
    p.start_healthy(100);
    int strangers = 0;
    for (int day = 0; day < 120; ++day) { // far beyond what 32 bits of milliseconds tell apart
        for (int hour = 0; hour < 24; ++hour) {
            p.clock.advance(1h);
            p.hear(2, 100);
            p.isr.tick();
        }
        if (p.isr.is_in_sync("my-topic", 0, 3)) ++strangers;
    }
    CHECK(strangers == 0);
    CHECK(p.explain(3).verdict == insync::Verdict::lag_ms);
    p.clock.advance(1s);
    p.hear({2, 3}, 100);
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("deadlines at the ends of time are kept", "[s11]") {
    OnePartition p;
    p.start_healthy(100);
    p.isr.tick();
    Ended never;
    Ended past;
    REQUIRE(p.isr.await_replication("my-topic", 0, 4, 200, TimePoint::max(),
                                    [&](WaitResult r) { never.push_back(r); }) == Result::ok);
    REQUIRE(p.isr.await_replication("my-topic", 0, 4, 200, TimePoint::min(),
                                    [&](WaitResult r) { past.push_back(r); }) == Result::ok);
    CHECK(past == Ended{WaitResult::timed_out});
    p.sweep_until(1h, [&] { p.hear({2, 3}, 100); });
    CHECK(never.empty());
    CHECK(p.isr.next_deadline() == TimePoint{3'601s});
    p.isr.shut_down();
    CHECK(never == Ended{WaitResult::shut_down});
}

TEST_CASE("a limit longer than ages are told apart means never out by time", "[s11]") {
    OnePartition p{{.max_lag_ms = Millis::max()}};
    p.start_healthy(100);
    for (int day = 0; day < 60; ++day) {
        p.clock.advance(24h);
        p.isr.tick();
    }
    CHECK(p.members() == Nodes{1, 2, 3});
}
