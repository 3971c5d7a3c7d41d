// S1, S2: a group whose epochs begin again, and what the host does about it.

#include "support/one_partition.hpp"

#include <insync/events.hpp>
#include <insync/isr_store.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::ChangeCause;
using insync::Result;
using insync::WaitResult;
using support::Ended;
using support::Nodes;
using support::OnePartition;

TEST_CASE("registered anew, a partition follows a leader of a lower epoch", "[s1]") {
    OnePartition p;
    p.start_healthy(); // epoch 4
    p.group().follow(2, 3);
    REQUIRE(p.observe() == Result::stale);
    REQUIRE(p.isr.register_anew(p.kTopic, 0) == Result::ok);
    CHECK(p.observe() == Result::ok);
    CHECK(p.isr.apply_published_isr(p.kTopic, 0, {2, 3, 1, {1, 2}}) == Result::ok);
    CHECK(p.set().leader() == 2);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("registered anew, a partition leads in a lower epoch and takes writes", "[s1]") {
    OnePartition p;
    p.start_healthy(); // epoch 4
    p.lead(3, 100);
    p.hear({2, 3}, 100);
    REQUIRE(p.isr.register_anew(p.kTopic, 0) == Result::ok);
    CHECK(p.has_min());
    CHECK(p.set().epoch() == 3);
    CHECK(p.await(3, 100) == Ended{WaitResult::committed});
}

TEST_CASE("registered anew, a partition keeps its handles, replicas and min ISR", "[s1]") {
    OnePartition p;
    p.start_healthy();
    REQUIRE(p.isr.set_min_insync_replicas(p.kTopic, 0, 3) == Result::ok);
    const insync::PartitionHandle before = p.handle();
    REQUIRE(p.isr.register_anew(p.kTopic, 0) == Result::ok);
    CHECK(p.isr.has_min_isr(before));
    CHECK(p.handle() == before);
    CHECK(p.report().min_isr == 3);
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("registered anew, a partition ends its waits as not leader", "[s1]") {
    OnePartition p;
    p.start_healthy();
    p.lead(4, 101);
    (void)p.observe();
    const Ended& ended = p.await(4, 101);
    REQUIRE(ended.empty());
    REQUIRE(p.isr.register_anew(p.kTopic, 0) == Result::ok);
    CHECK(ended == Ended{WaitResult::not_leader});
}

TEST_CASE("listeners are told that a partition was registered anew", "[s1]") {
    OnePartition p;
    p.start_healthy();
    p.group().follow(2, 3);
    p.changes.clear();
    REQUIRE(p.isr.register_anew(p.kTopic, 0, {.alive = insync::NodeList{1, 2}}) == Result::ok);
    REQUIRE(p.changes.size() == 1);
    CHECK(p.changes[0].cause == ChangeCause::registered_anew);
    CHECK(p.changes[0].after.epoch() == 0);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("a partition that is not tracked cannot be registered anew", "[s1]") {
    OnePartition p;
    CHECK(p.isr.register_anew(p.kTopic, 0) == Result::unknown_partition);
}
