// Clocks that stand, jump, go back, or run at the ends of their range, and limits of any size
// (S10, S11). The numbers are those of the table of bad inputs that the rules refer to.
#include "support/one_partition.hpp"

#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <vector>

namespace {

using namespace insync;
using namespace std::chrono_literals;
using support::Ended;
using support::Nodes;
using support::OnePartition;
using testing::ManualClock;
using testing::ScriptedView;

constexpr Millis kDay = 24h;

bool is_refused(const IsrConfig& config) {
    try {
        const OnePartition<> p{config};
        return false;
    } catch (const std::invalid_argument&) {
        return validate(config).has_value();
    }
}

/// A leader on a clock that starts at `start`, swept for `span`; node 2 answers and 3 does not.
void run_from(TimePoint start, Millis span) {
    ManualClock clock{start};
    ScriptedView view;
    auto& group = view.lead("t", 0, 1, 1, 100);
    group.follower(2, 100, clock.now()).follower(3, 100, clock.now());
    IsrManager isr{1, view, IsrConfig{}, clock};
    REQUIRE(isr.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    const PartitionHandle handle = isr.find("t", 0);
    int timed_out = 0;
    REQUIRE(
        isr.await_replication(handle, 1, 200, saturating_add(start, 5s), [&](WaitResult result) {
            timed_out += result == WaitResult::timed_out ? 1 : 0;
        }) == Result::ok);
    for (Millis passed{0}; passed < span; passed += Millis{1s}) {
        clock.advance(1s);
        group.follower(2, 100, clock.now());
        (void)isr.record_progress(handle, 1, 2, 100, clock.now());
        (void)isr.record_progress(handle, 1, 3, 100, TimePoint::min());
        isr.tick();
        REQUIRE(isr.get_isr("t", 0)->contains(3) == (passed < 10s));
    }
    CHECK(isr.get_isr("t", 0)->to_vec() == Nodes{1, 2});
    CHECK(isr.get_isr("t", 0)->age(clock.now()) < span);
    CHECK(timed_out == 1);
}

} // namespace

TEST_CASE("limits that cannot be are refused at construction", "[bad_input]") { // row 13
    CHECK(is_refused({.max_lag_ms = 0ms}));
    CHECK(is_refused({.max_lag_ms = -1ms}));
    CHECK(is_refused({.max_lag_ms = Millis::min()}));
    CHECK(is_refused({.max_lag_ms = 1999ms, .check_interval_ms = 1000ms}));
    CHECK(is_refused({.check_interval_ms = 0ms}));
    CHECK(is_refused({.check_interval_ms = Millis::max()}));
    CHECK(is_refused({.min_insync_replicas = 0}));
    CHECK(is_refused({.quorum_contact_ms = 0ms}));
    CHECK_FALSE(is_refused({.max_lag_ms = 2000ms, .check_interval_ms = 1000ms}));
    CHECK_FALSE(is_refused({.max_lag_ms = Millis::max(), .quorum_contact_ms = Millis::max()}));
}

TEST_CASE("a limit beyond 2^31 ms evicts nobody for its time", "[bad_input]") { // row 13
    OnePartition<> p{{.max_lag_ms = Millis::max(), .max_lag_entries = IsrConfig::kNoEntryLimit}};
    p.start_healthy(100);
    p.group().quorum(Quorum::held);
    for (int day = 0; day < 60; ++day) {
        p.clock.advance(kDay);
        p.isr.tick();
        p.clock.advance(1s);
        p.isr.tick();
    }
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.has_min());
}

TEST_CASE("a clock that goes back stands still, and is counted", "[bad_input]") { // row 36
    OnePartition<> p;
    p.start_healthy(100);
    p.sweep();
    const TimePoint before = p.clock.now();
    for (const TimePoint back : {before - 1ms, before - 20 * kDay, TimePoint::min()}) {
        p.clock.set(back);
        const auto counted = p.isr.counters().clock_steps_back;
        CHECK(p.observe() == Result::ok);
        p.isr.tick();
        CHECK(p.isr.counters().clock_steps_back > counted);
        CHECK(p.members() == Nodes{1, 2, 3});
        CHECK(p.explain(2).lag.time == 1s);
    }
    p.clock.set(before + 9001ms); // as if no time had passed in between
    p.isr.tick();
    p.clock.advance(1s);
    p.isr.tick();
    CHECK(p.members() == Nodes{1});
}

TEST_CASE("a clock that jumps ahead evicts nobody who then answers", "[bad_input]") { // row 37
    for (const Millis jump : {Millis{2001ms}, Millis{1h}, 30 * kDay, 300 * 365 * kDay}) {
        INFO(jump.count() << " ms");
        OnePartition<> p;
        p.start_healthy(100);
        p.sweep();
        p.clock.advance(jump);
        p.isr.tick();
        CHECK(p.members() == Nodes{1, 2, 3});
        CHECK(p.isr.counters().stalled_sweeps == 1);
        p.clock.advance(1s);
        p.hear(2, 100);
        p.isr.tick();
        CHECK(p.members() == (jump > 10s ? Nodes{1, 2} : Nodes{1, 2, 3}));
    }
}

TEST_CASE("a clock that stands evicts nobody and ends no wait by time", "[bad_input]") { // row 38
    OnePartition<> p;
    p.start_healthy(100);
    const Ended& wait = p.await(4, 101, 1ms);
    for (int i = 0; i < 1000; ++i) {
        p.isr.tick();
        CHECK(p.observe() == Result::ok);
    }
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.has_min());
    CHECK(wait.empty());
    p.clock.advance(1ms);
    p.isr.tick();
    CHECK(wait == Ended{WaitResult::timed_out});
}

TEST_CASE("the rules hold wherever the clock starts", "[bad_input]") { // row 39
    run_from(TimePoint{}, 40s);
    run_from(TimePoint{-20s}, 40s); // through 0, which means nothing
    run_from(TimePoint::min(), 40s);
    run_from(TimePoint::min() + 10s, 40s);
    run_from(TimePoint::max() - 41s, 40s);
    run_from(TimePoint{Millis{(std::int64_t{1} << 32) - 10'000}}, 40s);
    run_from(TimePoint{Millis{(std::int64_t{1} << 42) - 10'000}}, 40s);
}

TEST_CASE("a clock at the end of its range overflows nothing", "[bad_input]") { // row 39
    OnePartition<> p;
    p.start_healthy(100);
    p.clock.set(TimePoint::max());
    p.isr.tick();
    CHECK(p.isr.next_deadline() == TimePoint::max());
    p.isr.tick();
    CHECK(p.observe() == Result::ok);
    CHECK(p.isr.add_to_isr(p.kTopic, 0, 2) == Result::ok);
    CHECK(p.isr.remove_from_isr(p.kTopic, 0, 3) == Result::ok);
    CHECK(p.report(2).last_contact < TimePoint::max());
    CHECK(p.set().age(TimePoint::max()).count() >= 0);
    CHECK(p.set().age(TimePoint::min()) == 0ms);
    const Ended& wait = p.await(4, 101, 0ms);
    CHECK(wait == Ended{WaitResult::timed_out});
}

TEST_CASE("contacts from any time count as long ago or as now", "[bad_input]") { // row 39
    OnePartition<> p;
    p.start_healthy(100);
    p.clock.advance(5s);
    CHECK(p.isr.record_progress(p.handle(), 4, 2, 100, TimePoint::min()) == Result::stale);
    CHECK(p.isr.record_progress(p.handle(), 4, 2, 100, p.clock.now() - 100 * kDay) ==
          Result::stale);
    CHECK(p.explain(2).lag.time == 5s);
    CHECK(p.isr.record_progress(p.handle(), 4, 2, 100, TimePoint::max()) == Result::ok);
    CHECK(p.explain(2).lag.time == 0ms);
    CHECK(p.report(2).last_contact == p.clock.now());
    p.group().follower(3, 100, TimePoint::max());
    CHECK(p.observe() == Result::ok);
    CHECK(p.report(3).last_contact == p.clock.now());
    p.clock.advance(4s); // a promise of the future is worth nothing
    CHECK(p.explain(2).lag.time == 4s);
}

TEST_CASE("a wait may have any deadline, and asks once when it has passed", "[bad_input]") {
    OnePartition<> p; // rows 40, 41
    p.start_healthy(100);
    int ended = 0;
    std::vector<WaitResult> results;
    const auto wait = [&](Index index, TimePoint deadline) {
        CHECK(p.isr.await_replication(p.handle(), 4, index, deadline, [&](WaitResult result) {
            ++ended;
            results.push_back(result);
        }) == Result::ok);
    };
    wait(100, TimePoint::min());
    CHECK(results == std::vector{WaitResult::committed});
    wait(101, TimePoint::min());
    wait(101, p.clock.now());
    CHECK(ended == 3);
    CHECK(results.back() == WaitResult::timed_out);
    wait(0, p.clock.now());
    CHECK(results.back() == WaitResult::committed);
    wait(kMaxIndex, TimePoint::max());
    p.clock.set(TimePoint{} + 1000 * kDay);
    p.isr.tick();
    CHECK(ended == 4);
    p.group().follow(2, 5);
    CHECK(p.observe() == Result::ok);
    CHECK(ended == 5);
    CHECK(results.back() == WaitResult::not_leader);
}

TEST_CASE("a follower lost for ever does not come back when its age wraps", "[bad_input]") {
    OnePartition<> p; // ages are kept modulo 2^32 ms, 50 days
    p.start_healthy(100);
    p.group().quorum(Quorum::held);
    for (int i = 0; i < 60 * 8; ++i) {
        p.clock.advance(kDay / 8);
        p.hear(2, 100);
        p.isr.tick();
        p.clock.advance(1s);
        p.isr.tick();
        INFO("after " << i / 8 << " days");
        REQUIRE(p.members() == Nodes{1, 2});
        REQUIRE(p.explain(3).state == ReplicaState::catching_up);
    }
}

TEST_CASE("quorum by contacts is lost after 25 and after 50 days as on the first", "[bad_input]") {
    for (const int days : {0, 24, 25, 30, 49, 50, 60}) {
        INFO("after " << days << " days");
        OnePartition<> p;
        p.start_healthy(100);
        for (int i = 0; i < days * 8; ++i) {
            p.clock.advance(kDay / 8);
            p.hear({2, 3}, 100);
            p.isr.tick();
        }
        p.sweep();
        p.lead(4, 200);
        p.sweep_until(Millis{p.clock.now().time_since_epoch()} + 5s);
        CHECK_FALSE(p.has_min());
        p.hear({2, 3}, 200);
        p.sweep();
        CHECK(p.has_min());
    }
}

TEST_CASE("a follower without a leader stays stale, however long", "[bad_input]") {
    OnePartition<> p;
    p.group().follow(2, 4);
    CHECK(p.initialize() == Result::ok);
    p.group().lose_leader();
    p.sweep_until(20s);
    for (int i = 0; i < 110 * 4; ++i) {
        p.clock.advance(kDay / 4);
        p.isr.tick();
        INFO("after " << i / 4 << " days");
        REQUIRE(p.set().stale());
    }
}
