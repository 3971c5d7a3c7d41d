// S3: a sweep that comes late is our own pause, not the followers' fault.

#include "support/one_partition.hpp"

#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::Result;
using support::Nodes;
using support::OnePartition;

TEMPLATE_TEST_CASE("S3* a sweep more than twice the interval late evicts nobody, the next one does",
                   "[s3][star]",
                   insync::testing::ScriptedView,
                   insync::testing::VersionedScriptedView,
                   insync::testing::PushingScriptedView) {
    OnePartition<TestType> p;
    p.start_healthy(100);
    p.sweep_until(3s, [&] { p.hear({2, 3}, 100); });

    p.clock.advance(30s); // stopped in a debugger; the followers' answers wait in our sockets
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.isr.counters().stalled_sweeps == 1);

    p.clock.advance(1s);
    p.hear(2, 100); // its answer has been read meanwhile, replica 3 is really gone
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.isr.counters().stalled_sweeps == 1);
}

TEST_CASE("S3* the sweep after a stalled one judges, however late it is", "[s3][star]") {
    // On a machine that is always late there must be no way to stay in for ever.
    OnePartition p;
    p.start_healthy(100);
    p.isr.tick();
    p.clock.advance(30s);
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2, 3});
    p.clock.advance(30s); // late again
    p.hear(2, 100);
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.isr.counters().stalled_sweeps == 1);
    p.clock.advance(30s);
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2}); // and the one after that is forgiven anew
    CHECK(p.isr.counters().stalled_sweeps == 2);
}

TEST_CASE("a sweep exactly twice the interval after the last is in time", "[s3]") {
    OnePartition p{{.max_lag_ms = 2s}};
    p.start_healthy(100);
    p.isr.tick();
    p.clock.advance(1s);
    p.hear(2, 100);
    p.isr.tick();
    p.clock.advance(2s);
    p.hear(2, 100);
    p.isr.tick();
    CHECK(p.isr.counters().stalled_sweeps == 0);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("a stalled sweep lets replicas join and takes progress in", "[s3]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear(2, 100);
    REQUIRE(p.inherit({1, 3, 7, {1, 2}}) == Result::ok);
    p.isr.tick();
    p.clock.advance(30s);
    p.lead(4, 150);
    p.hear({2, 3}, 150);
    p.isr.tick();
    CHECK(p.isr.counters().stalled_sweeps == 1);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.high_watermark() == 150);
}

TEST_CASE("a stalled sweep still takes out who is no voter any more", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.isr.tick();
    p.clock.advance(30s);
    p.hear({2, 3}, 100);
    p.group().kind(3, insync::ReplicaKind::leaving); // that is no question of time
    p.isr.tick();
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("an update by hand while sweeps are overdue evicts nobody either", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.isr.tick();
    p.clock.advance(30s);
    REQUIRE(p.observe() == Result::ok); // some other thread woke up before the loop
    CHECK(p.members() == Nodes{1, 2, 3});
    p.isr.tick(); // the stalled one
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep();
    CHECK(p.members() == Nodes{1});
}

TEST_CASE("a host that never sweeps is judged at every update", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.clock.advance(30s);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1});
}
