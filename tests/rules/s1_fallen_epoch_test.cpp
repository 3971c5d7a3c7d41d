// S1, S9: a group whose epoch falls, as when a node joins a cluster that is in an older one.

#include "support/one_partition.hpp"

#include <insync/errors.hpp>
#include <insync/format.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using insync::Result;
using support::Lines;
using support::OnePartition;

TEST_CASE("an epoch that falls is counted and logged once", "[s1]") {
    OnePartition p;
    p.start_healthy(); // epoch 4
    p.group().follow(2, 3);
    p.sweep();
    p.sweep();
    CHECK(p.isr.counters().epochs_fallen == 1);
    CHECK(p.lines == Lines{"EPOCH FELL: my-topic-0 is in epoch 3 after epoch 4: its view is not "
                           "believed until it is past that, or the partition is registered anew"});
}

TEST_CASE("explain says that the epoch fell, until the partition is registered anew", "[s1]") {
    OnePartition p;
    p.group().follow(2, 4);
    (void)p.initialize();
    p.group().follow(2, 3);
    p.sweep();
    CHECK(p.explain(3).epoch_fell);
    CHECK(fmt::format("{}", p.explain(3))
              .ends_with("; its group is in an older epoch now: register it anew"));
    REQUIRE(p.isr.register_anew(p.kTopic, 0) == Result::ok);
    CHECK_FALSE(p.explain(3).epoch_fell);
}

TEST_CASE("an epoch that passes the old one again is no fall any more", "[s1]") {
    OnePartition p;
    p.start_healthy();
    p.group().follow(2, 3);
    p.sweep();
    p.group().follow(2, 4);
    p.sweep();
    CHECK_FALSE(p.explain(3).epoch_fell);
    p.group().follow(2, 3);
    p.sweep();
    CHECK(p.isr.counters().epochs_fallen == 2); // it is another one
}

TEST_CASE("a view that is behind the metadata has not fallen", "[s1]") {
    OnePartition p;
    p.group().follow(2, 4);
    (void)p.initialize();
    REQUIRE(p.isr.apply_published_isr(p.kTopic, 0, {3, 6, 1, {1, 3}}) == Result::ok);
    p.sweep(); // the view has not heard of epoch 6 yet
    CHECK(p.isr.counters().epochs_fallen == 0);
    CHECK_FALSE(p.explain(3).epoch_fell);
}

TEST_CASE("a leader whose epoch fell leads no more and acknowledges nothing, at once", "[s1]") {
    OnePartition p;
    p.start_healthy();
    p.group().follow(2, 3); // it has joined others, and taken over their log
    (void)p.observe();
    CHECK_FALSE(p.has_min());
    CHECK_FALSE(p.report().leading);
    CHECK(p.await(4, 50) == support::Ended{insync::WaitResult::not_leader});
}
