// S3: flap damping, off by default.

#include "support/one_partition.hpp"

#include <insync/config.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::Result;
using support::Nodes;
using support::OnePartition;

namespace {

/// Replica 3 falls silent until it is out; then it is back, with everything. \return when it left.
insync::Millis flap(OnePartition<>& p) {
    while (p.isr.is_in_sync("my-topic", 0, 3)) {
        p.hear(2, 100);
        p.sweep();
    }
    return p.clock.now().time_since_epoch();
}

/// How long replica 3, healthy again, stays out.
insync::Millis time_out(OnePartition<>& p) {
    const auto left = p.clock.now();
    while (!p.isr.is_in_sync("my-topic", 0, 3)) {
        p.hear({2, 3}, 100);
        p.sweep();
        p.hear({2, 3}, 100);
    }
    return p.clock.now() - left;
}

} // namespace

TEST_CASE("without damping a replica that is well again joins at the next sweep", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    for (int i = 0; i < 3; ++i) {
        (void)flap(p);
        CHECK(time_out(p) == 1s);
    }
    CHECK(p.isr.counters().damped_joins == 0);
}

TEST_CASE("joining needs lower lags than staying where damping says so", "[s3]") {
    OnePartition p{{.damping = {.join_percent = 50}}};
    p.lead(4, 10'000);
    p.hear({2, 3}, 10'000);
    REQUIRE(p.inherit({1, 3, 7, {1, 2}}) == Result::ok);
    REQUIRE(p.members() == Nodes{1, 2, 3});

    p.lead(4, 18'000); // both 8 000 behind: that is good enough for staying
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});

    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    p.sweep_until(11s, [&] { // once that hold is over, 5 001 behind is not good enough
        p.hear(2, 18'000);
        p.hear(3, 12'999);
    });
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.explain(3).verdict != insync::Verdict::in_sync);
    p.sweep_until(12s, [&] { p.hear({2, 3}, 18'000); });
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("a replica that left stays out for the dwell", "[s3]") {
    OnePartition p{{.damping = {.min_dwell = 5s}}};
    p.start_healthy(100);
    (void)flap(p);
    p.hear({2, 3}, 100);
    p.sweep();
    CHECK(p.explain(3).state == insync::ReplicaState::held_out);
    CHECK(time_out(p) == 4s); // one of the five has passed
    CHECK(p.isr.counters().damped_joins == 4);
}

TEST_CASE("each departure in a row doubles the dwell up to its most", "[s3]") {
    OnePartition p{{.damping = {.min_dwell = 4s, .max_dwell = 12s}}};
    p.start_healthy(100);
    (void)flap(p);
    CHECK(time_out(p) == 4s);
    (void)flap(p);
    CHECK(time_out(p) == 8s);
    (void)flap(p);
    CHECK(time_out(p) == 12s);
    (void)flap(p);
    CHECK(time_out(p) == 12s);
}

TEST_CASE("a departure long after the one before starts with the least dwell again", "[s3]") {
    OnePartition p{
        {.damping = {
             .min_dwell = 4s, .max_dwell = 60s, .penalty_window = std::chrono::minutes{1}}}};
    p.start_healthy(100);
    (void)flap(p);
    CHECK(time_out(p) == 4s);
    (void)flap(p);
    CHECK(time_out(p) == 8s);
    p.sweep_until(p.clock.now().time_since_epoch() + 61s, [&] { p.hear({2, 3}, 100); });
    (void)flap(p);
    CHECK(time_out(p) == 4s);
}

TEST_CASE("damping holds back one replica, not its neighbours", "[s3]") {
    OnePartition p{{.damping = {.min_dwell = 30s}}};
    p.start_healthy(100);
    const auto left = flap(p);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok); // by hand: one max_lag_ms
    p.sweep_until(left + 11s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.members() == Nodes{1, 2});
    p.sweep_until(left + 30s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("a replica taken out by hand stays out for one max_lag_ms or until it is added", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    p.sweep_until(9s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.members() == Nodes{1, 2});
    p.sweep_until(10s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.members() == Nodes{1, 2, 3});

    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    REQUIRE(p.isr.add_to_isr("my-topic", 0, 3) == Result::ok);
    p.sweep_until(11s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("a hold that is over stays over, however long the replica was away", "[s3]") {
    // Times are kept in 32 bits: 25 days later an old moment must not look like one to come.
    OnePartition p{{.damping = {.min_dwell = 5s, .max_dwell = 20s}}};
    p.start_healthy(100);
    (void)flap(p);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
    for (int hour = 0; hour < 26 * 24; ++hour) {
        p.clock.advance(1h);
        p.isr.tick();
    }
    p.sweep_until(p.clock.now().time_since_epoch() + 2s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.members() == Nodes{1, 2, 3});
}
