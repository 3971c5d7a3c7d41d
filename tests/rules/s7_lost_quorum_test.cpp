// S7: without a quorum, and without a leader. What a host then answers its clients is the host's
// own: those sentences are tested with the mini-broker. What the library has to give it is here.

#include "support/one_partition.hpp"

#include <insync/consensus_view.hpp>
#include <insync/kafka/error_codes.hpp>
#include <insync/kafka/metadata.hpp>
#include <insync/kafka/produce.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::Result;
using insync::kafka::ErrorCode;
using support::Nodes;
using support::OnePartition;

TEST_CASE("a leader that lost its quorum refuses at once and reports fewer members as they age",
          "[s7]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(4s, [&] { p.hear({2, 3}, 100); });
    p.group().quorum(insync::Quorum::lost);
    p.sweep_until(5s, [&] { p.hear(3, 100); }); // 2 was last heard of at 4, 3 at 5
    CHECK_FALSE(p.has_min());
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(14s);
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(15s);
    CHECK(p.members() == Nodes{1, 3});
    p.sweep_until(16s);
    CHECK(p.members() == Nodes{1});
    CHECK_FALSE(p.has_min());
}

TEST_CASE("a former leader does not freeze on its last good set", "[s7]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(4s, [&] { p.hear({2, 3}, 100); });
    p.group().lose_leader(); // it stepped down: no rows any more
    p.sweep_until(5s);
    CHECK_FALSE(p.has_min());
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(14s);
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(15s);
    CHECK(p.members() == Nodes{1});
    CHECK(p.set().leader() == insync::kNoNode);
    CHECK_FALSE(p.set().own());
    CHECK(p.changes.back().cause == insync::ChangeCause::quorum_lost);
}

TEST_CASE("a leader deposed by a push does not freeze either while its view lags behind", "[s7]") {
    OnePartition p;
    p.start_healthy(100);
    p.isr.tick();
    CHECK(p.isr.record_progress(p.handle(), 5, 2, 100, p.clock.now()) == Result::not_leader);
    p.sweep_until(10s);
    CHECK_FALSE(p.has_min());
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(12s); // the view still says that it leads epoch 4
    CHECK(p.members() == Nodes{1});
    CHECK_FALSE(p.has_min());
}

TEST_CASE("a newer leader's set replaces what a former leader was left with", "[s7]") {
    OnePartition p;
    p.start_healthy(100);
    p.group().lose_leader();
    p.sweep_until(15s);
    REQUIRE(p.members() == Nodes{1});
    REQUIRE(p.set().stale());
    p.group().follow(2, 5);
    REQUIRE(p.isr.apply_published_isr("my-topic", 0, {2, 5, 9, {2, 3}}) == Result::ok);
    p.sweep();
    CHECK(p.members() == Nodes{2, 3});
    CHECK(p.set().leader() == 2);
    CHECK_FALSE(p.set().stale());
    p.sweep_until(60s);
    CHECK(p.members() == Nodes{2, 3}); // it ages no more
}

TEST_CASE("a node that follows and hears of no leader for max_lag_ms marks the set stale", "[s7]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2}}) == Result::ok);
    p.sweep_until(5s);
    p.group().lose_leader();
    p.sweep_until(15s);
    CHECK_FALSE(p.set().stale()); // seen at 6: nine seconds
    p.sweep_until(16s);
    CHECK(p.set().stale());
    CHECK(p.members() == Nodes{1, 2}); // marked, not changed
    CHECK(p.set().version() == 7);
    CHECK(p.isr.get_isr_stats().stale == 1);
    p.group().follow(3, 5);
    p.sweep_until(17s);
    CHECK_FALSE(p.set().stale());
}

TEST_CASE("a node that cannot read its consensus for max_lag_ms marks the set stale", "[s7]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2}}) == Result::ok);
    p.isr.tick();
    p.group().reads_return(insync::ReadResult::unavailable);
    p.sweep_until(10s);
    CHECK_FALSE(p.set().stale());
    p.sweep_until(11s);
    CHECK(p.set().stale());
    p.group().reads_return(insync::ReadResult::ok);
    p.sweep_until(12s);
    CHECK_FALSE(p.set().stale());
}

TEST_CASE("a stale set stays stale, however long nobody leads", "[s7]") {
    // Times are kept in 32 bits: after 25 days the beginning must not look like a time to come.
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2}}) == Result::ok);
    p.isr.tick();
    p.group().lose_leader();
    int fresh = 0;
    for (int hour = 0; hour < 60 * 24; ++hour) {
        p.clock.advance(1h);
        p.isr.tick();
        if (hour > 1 && !p.set().stale()) ++fresh;
    }
    CHECK(fresh == 0);
}

TEST_CASE(
    "S7* without a leader the set names the last known leader's epoch, never a candidate's "
    "term",
    "[s7][star]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2}}) == Result::ok);
    for (insync::Epoch term = 5; term < 20; ++term) { // it stands for election, in vain
        p.group().follow(insync::kNoNode, term);
        p.sweep();
    }
    CHECK(p.set().epoch() == 4);
    CHECK(p.set().leader() == 2);
    CHECK(insync::kafka::describe(p.isr, "my-topic", 0, 1).leader_epoch == 4);

    OnePartition former;
    former.start_healthy(100);
    for (insync::Epoch term = 5; term < 20; ++term) {
        former.group().follow(insync::kNoNode, term);
        former.sweep();
    }
    CHECK(former.set().epoch() == 4);
    CHECK(former.members() == Nodes{1}); // also as its members fall out
}

TEST_CASE("S7* without a quorum acks=all is refused with the not-enough-replicas error",
          "[s7][star]") {
    using insync::kafka::admit_produce;
    OnePartition p;
    p.start_healthy(100);
    p.group().lose_leader();
    p.sweep();
    CHECK(admit_produce(p.isr, "my-topic", 0, insync::kafka::kAcksAll) ==
          ErrorCode::not_enough_replicas_after_append);
    CHECK(admit_produce(p.isr, "my-topic", 0, insync::kafka::kAcksAll,
                        insync::kafka::MinIsrError::exact) == ErrorCode::not_enough_replicas);
    CHECK(p.isr.counters().refused_produces == 2);
}

TEST_CASE("S7* a read beyond the commit index has a code that clients try again, unlike 1",
          "[s7][star]") {
    CHECK(insync::kafka::wire(ErrorCode::offset_not_available) == 78);
    CHECK(insync::kafka::wire(ErrorCode::offset_out_of_range) == 1);
    CHECK(insync::kafka::is_retriable(ErrorCode::offset_not_available));
    CHECK_FALSE(insync::kafka::is_retriable(ErrorCode::offset_out_of_range));
}

TEST_CASE("a former leader publishes nothing", "[s7]") {
    struct Store {
        int published = 0;
        void publish(insync::TopicPartition, const insync::PublishedIsr&) { ++published; }
    } store;
    OnePartition p;
    p.isr.publish_to(store);
    p.start_healthy(100);
    REQUIRE(store.published > 0);
    p.group().lose_leader();
    p.sweep();
    store.published = 0;
    p.sweep_until(60s);
    REQUIRE(p.members() == Nodes{1}); // its own view of the set did change
    CHECK(store.published == 0);
}
