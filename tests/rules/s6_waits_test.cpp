// S6: acks=all waits. Each ends exactly once; "committed" needs five things at one instant.

#include "support/one_partition.hpp"

#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::Result;
using insync::WaitResult;
using support::Ended;
using support::OnePartition;

namespace {

const Ended kPending{};
const Ended kCommitted{WaitResult::committed};
const Ended kNotLeader{WaitResult::not_leader};

/// Node 1 leads epoch 4; the log ends at 200, all of it held by replicas 2 and 3.
struct Led : OnePartition<> {
    Led() {
        start_healthy(100);
        lead(4, 200);
        hear({2, 3}, 200);
        (void)observe();
    }
};

} // namespace

TEST_CASE("S6* committed needs the consensus's commit index to have reached the wait's",
          "[s6][star]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(4, 200);
    p.group().positions({.end = 200, .durable = 200, .commit = 149});
    p.hear({2, 3}, 200);
    REQUIRE(p.observe() == Result::ok);
    const Ended& ended = p.await(4, 150);
    CHECK(ended == kPending);
    REQUIRE(p.isr.record_leader(p.handle(), 4, {200, 200, 150}) == Result::ok);
    CHECK(ended == kCommitted);
}

TEST_CASE("S6* committed needs the leader's own durable index", "[s6][star]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(4, 200);
    p.group().positions({.end = 200, .durable = 149, .commit = 200});
    p.hear({2, 3}, 200);
    REQUIRE(p.observe() == Result::ok);
    const Ended& ended = p.await(4, 150);
    CHECK(ended == kPending);
    REQUIRE(p.isr.record_leader(p.handle(), 4, {200, 150, 200}) == Result::ok);
    CHECK(ended == kCommitted);
}

TEST_CASE("S6* committed needs every present member, not only a quorum", "[s6][star]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(4, 200);
    p.hear(2, 200);
    p.hear(3, 149); // the consensus has long committed without it
    REQUIRE(p.observe() == Result::ok);
    const Ended& ended = p.await(4, 150);
    CHECK(ended == kPending);
    REQUIRE(p.isr.record_progress(p.handle(), 4, 3, 150, p.clock.now()) == Result::ok);
    CHECK(ended == kCommitted);
}

TEST_CASE("S6* committed needs a member's match to be confirmed in this epoch", "[s6][star]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(5, 200);
    p.hear(2, 200);
    p.group().follower(3, 200, p.clock.now(), false);
    REQUIRE(p.observe() == Result::ok);
    const Ended& ended = p.await(5, 150);
    CHECK(ended == kPending);
    p.hear(3, 200);
    REQUIRE(p.observe() == Result::ok);
    CHECK(ended == kCommitted);
}

TEST_CASE("S6* committed needs at least the effective min ISR", "[s6][star]") {
    Led p;
    REQUIRE(p.isr.set_min_insync_replicas("my-topic", 0, 3) == Result::ok);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    const Ended& ended = p.await(4, 150);
    CHECK(ended == Ended{WaitResult::not_enough_replicas}); // all else is given
}

TEST_CASE("S6* committed needs the wait's epoch to be the current one", "[s6][star]") {
    Led p;
    CHECK(p.await(3, 150) == kNotLeader); // an index of an older epoch may be another record
    CHECK(p.await(5, 150) == kNotLeader);
    CHECK(p.last_await() == Result::ok);
    CHECK(p.await(4, 150) == kCommitted);
}

TEST_CASE("S6* a high watermark that has passed proves nothing of a member that joined later",
          "[s6][star]") {
    Led p;
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    p.lead(4, 300);
    p.hear(2, 300);
    REQUIRE(p.observe() == Result::ok);
    REQUIRE(p.high_watermark() == 300);
    REQUIRE(p.isr.add_to_isr("my-topic", 0, 3) == Result::ok); // it holds 200
    REQUIRE(p.high_watermark() == 300);
    const Ended& ended = p.await(4, 250);
    CHECK(ended == kPending);
    p.hear(3, 250);
    REQUIRE(p.observe() == Result::ok);
    CHECK(ended == kCommitted);
}

TEST_CASE("S6* a newer epoch in the view ends the waits of older ones", "[s6][star]") {
    Led following;
    const Ended& first = following.await(4, 300);
    following.group().follow(2, 5);
    REQUIRE(following.observe() == Result::ok);
    CHECK(first == kNotLeader);

    Led leading; // also when this node leads again, and even though all is held
    const Ended& second = leading.await(4, 300);
    leading.lead(5, 400);
    leading.hear({2, 3}, 400);
    REQUIRE(leading.observe() == Result::ok);
    CHECK(second == kNotLeader);
}

TEST_CASE("S6* a newer epoch in a push ends the waits of older ones, within the call",
          "[s6][star]") {
    Led follower_told;
    const Ended& first = follower_told.await(4, 300);
    CHECK(follower_told.isr.record_progress(follower_told.handle(), 5, 2, 200,
                                            follower_told.clock.now()) == Result::not_leader);
    CHECK(first == kNotLeader);

    Led log_told; // this node leads again, and its own log knows before the view is read
    const Ended& second = log_told.await(4, 300);
    CHECK(log_told.isr.record_leader(log_told.handle(), 5, {300, 300, 300}) == Result::not_leader);
    CHECK(second == kNotLeader);
    log_told.lead(5, 300);
    log_told.hear({2, 3}, 300);
    REQUIRE(log_told.observe() == Result::ok);
    CHECK(second == kNotLeader); // once
    CHECK(log_told.await(5, 300) == kCommitted);

    Led metadata_told;
    const Ended& third = metadata_told.await(4, 300);
    REQUIRE(metadata_told.isr.apply_published_isr("my-topic", 0, {2, 5, 9, {2, 3}}) == Result::ok);
    CHECK(third == kNotLeader);
}

TEST_CASE("an older epoch in a push ends nothing", "[s6]") {
    Led p;
    const Ended& ended = p.await(4, 300);
    CHECK(p.isr.record_progress(p.handle(), 3, 2, 900, p.clock.now()) == Result::stale);
    CHECK(p.isr.record_leader(p.handle(), 3, {900, 900, 900}) == Result::stale);
    CHECK(ended == kPending);
    CHECK(p.has_min());
    CHECK(p.report().end == 200);
}

TEST_CASE("registering before or after the acknowledgement arrives gives the same", "[s6]") {
    Led before;
    const Ended& early = before.await(4, 250);
    REQUIRE(before.isr.record_leader(before.handle(), 4, {250, 250, 250}) == Result::ok);
    for (const insync::NodeId node : {2, 3})
        REQUIRE(before.isr.record_progress(before.handle(), 4, node, 250, before.clock.now()) ==
                Result::ok);
    CHECK(early == kCommitted);

    Led after;
    REQUIRE(after.isr.record_leader(after.handle(), 4, {250, 250, 250}) == Result::ok);
    for (const insync::NodeId node : {2, 3})
        REQUIRE(after.isr.record_progress(after.handle(), 4, node, 250, after.clock.now()) ==
                Result::ok);
    CHECK(after.await(4, 250) == kCommitted);
}

TEST_CASE("one acknowledgement ends all waits up to its index and none beyond", "[s6]") {
    Led p;
    const Ended& first = p.await(4, 210);
    const Ended& second = p.await(4, 220);
    const Ended& third = p.await(4, 221);
    p.lead(4, 300);
    p.hear(2, 300);
    p.hear(3, 220); // acknowledgements are cumulative
    REQUIRE(p.observe() == Result::ok);
    CHECK(first == kCommitted);
    CHECK(second == kCommitted);
    CHECK(third == kPending);
}

TEST_CASE("an ISR that falls below min ISR ends the waits at once, not at their time-out", "[s6]") {
    Led by_hand;
    const Ended& first = by_hand.await(4, 300);
    REQUIRE(by_hand.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
    CHECK(first == kPending); // two of two
    REQUIRE(by_hand.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(first == Ended{WaitResult::not_enough_replicas});

    Led raised;
    REQUIRE(raised.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    const Ended& second = raised.await(4, 300);
    REQUIRE(raised.isr.set_min_insync_replicas("my-topic", 0, 3) == Result::ok);
    CHECK(second == Ended{WaitResult::not_enough_replicas});

    Led reassigned;
    const Ended& third = reassigned.await(4, 300);
    REQUIRE(reassigned.isr.set_assignment("my-topic", 0, {1, 7, 8}) == Result::ok);
    CHECK(third == Ended{WaitResult::not_enough_replicas});
}

TEST_CASE("a wait is not ended by the departure of a member that is not needed", "[s6]") {
    Led p;
    const Ended& ended = p.await(4, 300);
    p.lead(4, 300);
    p.hear(2, 300);
    REQUIRE(p.observe() == Result::ok);
    CHECK(ended == kPending);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(ended == kCommitted); // whoever held it up is gone
}

TEST_CASE("a wait times out at its deadline", "[s6]") {
    Led p;
    p.isr.tick();
    const Ended& ended = p.await(4, 300, 250ms);
    p.clock.advance(249ms);
    p.isr.tick();
    CHECK(ended == kPending);
    p.clock.advance(1ms);
    p.isr.tick();
    CHECK(ended == Ended{WaitResult::timed_out});
}

TEST_CASE("a deadline that has passed asks once", "[s6]") {
    Led p;
    CHECK(p.await(4, 200, 0ms) == kCommitted);
    CHECK(p.await(4, 201, 0ms) == Ended{WaitResult::timed_out});
    CHECK(p.await(4, 201, -5s) == Ended{WaitResult::timed_out});
    CHECK(p.isr.get_isr_stats().waits == 0);
}

TEST_CASE("losing leadership, removal and shutdown end every wait within the call", "[s6]") {
    Led deposed;
    const Ended& first = deposed.await(4, 300);
    deposed.group().lose_leader();
    REQUIRE(deposed.observe() == Result::ok);
    CHECK(first == kNotLeader);

    Led removed;
    const Ended& second = removed.await(4, 300);
    REQUIRE(removed.isr.remove_partition("my-topic", 0) == Result::ok);
    CHECK(second == kNotLeader);

    Led closed;
    const Ended& third = closed.await(4, 300);
    closed.isr.shut_down();
    CHECK(third == Ended{WaitResult::shut_down});

    Led unassigned; // a leader that is no longer assigned leads nothing
    const Ended& fourth = unassigned.await(4, 300);
    REQUIRE(unassigned.isr.set_assignment("my-topic", 0, {2, 3}) == Result::ok);
    CHECK(fourth == kNotLeader);
}

TEST_CASE("a wait that ended is not ended again", "[s6]") {
    Led p;
    const Ended& ended = p.await(4, 250, 5s);
    p.lead(4, 300);
    p.hear({2, 3}, 300);
    REQUIRE(p.observe() == Result::ok);
    p.clock.advance(10s);
    p.isr.tick();
    p.group().follow(2, 5);
    REQUIRE(p.observe() == Result::ok);
    p.isr.shut_down();
    CHECK(ended == kCommitted);
}

TEST_CASE("a wait that is refused is never called back", "[s6]") {
    Led p;
    CHECK(p.await(4, insync::kMaxIndex + 1) == kPending);
    CHECK(p.last_await() == Result::invalid_index);
    const Ended& unknown = p.await(4, 300);
    p.isr.shut_down();
    CHECK(unknown.size() == 1);
    const Ended& late = p.await(4, 150);
    CHECK(p.last_await() == Result::shut_down);
    CHECK(late == kPending);
}

TEST_CASE("the number of waits is bounded", "[s6]") {
    OnePartition p{{.max_waits = 2}};
    p.start_healthy(100);
    (void)p.await(4, 200);
    (void)p.await(4, 201);
    const Ended& third = p.await(4, 202);
    CHECK(p.last_await() == Result::too_many_waits);
    CHECK(third == kPending);
    CHECK(p.await(4, 50) == kCommitted); // what need not wait needs no room
    CHECK(p.isr.counters().rejected(Result::too_many_waits) == 1);
}
