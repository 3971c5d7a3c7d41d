// One regression test for each defect of the ISR tracker that this library descends from, and for
// those of its successors, as the reference lists them (consensus libraries, section 1c).
//
// Not here: 7 (an unknown partition is allowed: now a setting, S5), 11 and 12 (which requests min
// ISR binds and which code refuses them: tested with kafka/produce.hpp).

#include "support/one_partition.hpp"

#include <insync/consensus_view.hpp>
#include <insync/isr_manager.hpp>
#include <insync/isr_update_loop.hpp>
#include <insync/kafka/produce.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using insync::GroupState;
using insync::kNever;
using insync::NodeId;
using insync::PublishedIsr;
using insync::ReadResult;
using insync::Result;
using insync::TimePoint;
using insync::WaitResult;
using insync::testing::ManualClock;
using support::Ended;
using support::Nodes;
using support::OnePartition;

TEST_CASE("defect 1: a follower's position is its own, not the leader's commit index",
          "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(4, 50'000); // committed and applied by this node and 2
    p.hear(2, 50'000);
    p.hear(3, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.report(3).lag.entries == 49'900);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("defect 2: the leader's position is the end of its log, not what it has applied",
          "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(4, 50'000);
    p.hear(2, 50'000);
    p.hear(3, 100);
    p.group().edit([](GroupState& state) { state.applied = 50; }); // a slow state machine
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.report(3).lag.entries == 49'900);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("defect 3: heartbeats are taken in, so healthy followers do not drop out after 10 s",
          "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(60s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.report(3).last_contact == TimePoint{60s});
}

TEST_CASE("defect 3: a follower that was never heard of has no heartbeat from the beginning",
          "[ancestor]") {
    OnePartition p;
    p.lead(4, 100);
    p.group().follower(2, 0, kNever, false).follower(3, 0, kNever, false);
    REQUIRE(p.initialize() == Result::ok);
    CHECK(p.report(3).last_contact == kNever);
}

TEST_CASE("defect 4: the body of the background loop does change the ISR", "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    p.isr.tick();
    for (int second = 1; second <= 11; ++second) {
        p.clock.advance(1s);
        p.hear(2, 100);
        p.isr.tick(); // all that IsrUpdateLoop does
    }
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.isr.counters().shrinks == 1);
}

TEST_CASE("defect 5: after losing leadership the old set is not readable as good for ever",
          "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    p.group().lose_leader();
    p.sweep();
    CHECK_FALSE(p.has_min());
    CHECK_FALSE(p.set().own());
    p.sweep_until(15s);
    CHECK(p.set().stale());
    CHECK(p.members() == Nodes{1});
}

namespace {

/// A consensus of nodes 1, 2 and 3 in which something happens while it is being read.
struct InterruptedView {
    using Group = int;
    static constexpr insync::ContactSource contact_source = insync::ContactSource::request;

    std::function<void()> interrupt;
    TimePoint now{};

    Group find_group(insync::TopicPartition, std::span<const NodeId>) { return 0; }
    ReadResult read(const Group&, GroupState& state) noexcept {
        state.epoch = 4;
        state.leader = 1;
        state.leading = true;
        state.end = state.durable = state.commit = 100;
        for (const NodeId node : {2, 3})
            state.followers.push_back(
                {.node = node, .verified = true, .match = 100, .contact = now});
        if (interrupt) std::exchange(interrupt, nullptr)();
        return ReadResult::ok;
    }
    insync::Millis contact_slack() const noexcept { return 0ms; }
};

} // namespace

TEST_CASE("defect 6: a change made while an update is under way is not lost", "[ancestor]") {
    const ManualClock clock;
    InterruptedView view;
    insync::IsrManager isr{1, view, {}, clock};
    REQUIRE(isr.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    view.interrupt = [&] { CHECK(isr.remove_from_isr("t", 0, 3) == Result::ok); };
    REQUIRE(isr.update_isr("t", 0) == Result::ok);
    CHECK(isr.get_isr("t", 0)->to_vec() == Nodes{1, 2});
    view.interrupt = [&] { CHECK(isr.add_to_isr("t", 0, 3) == Result::ok); };
    REQUIRE(isr.update_isr("t", 0) == Result::ok);
    CHECK(isr.get_isr("t", 0)->to_vec() == Nodes{1, 2, 3});
    CHECK(isr.get_isr("t", 0)->version() == 3); // leading, out, in
}

TEST_CASE("defect 6: a newer epoch heard of while an update is under way is not lost",
          "[ancestor]") {
    const ManualClock clock;
    InterruptedView view;
    insync::IsrManager isr{1, view, {}, clock};
    REQUIRE(isr.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    view.interrupt = [&] {
        CHECK(isr.apply_published_isr("t", 0, {2, 5, 9, {2, 3}}) == Result::ok);
    };
    CHECK(isr.update_isr("t", 0) == Result::stale);
    CHECK(isr.get_isr("t", 0)->to_vec() == Nodes{2, 3});
    CHECK_FALSE(isr.has_min_isr("t", 0));
}

TEST_CASE("defect 8: the replica list follows the assignment", "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(p.isr.add_to_isr("my-topic", 0, 7) == Result::not_a_replica);
    CHECK(p.members() == Nodes{1, 2, 3});

    REQUIRE(p.isr.set_assignment("my-topic", 0, {1, 2, 7}) == Result::ok);
    CHECK(p.members() == Nodes{1, 2}); // 3 is gone at once, 7 starts outside
    CHECK_FALSE(p.isr.explain("my-topic", 0, 3).has_value());
    CHECK(p.isr.add_to_isr("my-topic", 0, 3) == Result::not_a_replica);
    p.hear({2, 7}, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 7});
    CHECK(p.explain(2).match == 100); // what was known of those that stay is kept
}

TEST_CASE("defect 9: the leader is who leads in the current epoch, not who made the object",
          "[ancestor]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2, 3}}) == Result::ok);
    CHECK(p.set().leader() == 2);
    CHECK_FALSE(p.has_min());
    p.lead(5, 100);
    p.hear({2, 3}, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.set().leader() == 1);
    CHECK(p.set().epoch() == 5);
    REQUIRE(p.isr.apply_published_isr("my-topic", 0, {3, 6, 9, {3}}) == Result::ok);
    CHECK(p.set().leader() == 3);
    CHECK(p.set().epoch() == 6);
}

TEST_CASE("defect 10: a replica that leaves the assignment is not left catching up", "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    const auto catching_up = [&] {
        const insync::IsrSet set = p.set();
        return Nodes(set.catching_up().begin(), set.catching_up().end());
    };
    REQUIRE(catching_up() == Nodes{3});
    REQUIRE(p.isr.set_assignment("my-topic", 0, {1, 2}) == Result::ok);
    CHECK(catching_up().empty());
    CHECK(p.set().replica_count() == 2);
    REQUIRE(p.isr.set_assignment("my-topic", 0, {1, 2, 4}) == Result::ok);
    CHECK(catching_up() == Nodes{4});
}

TEST_CASE("defect 13: what three tests of the ancestor claimed and did not look at holds",
          "[ancestor]") {
    struct Store {
        std::optional<PublishedIsr> last;
        void publish(insync::TopicPartition, const PublishedIsr& isr) { last = isr; }
    } store;
    OnePartition p;
    p.isr.publish_to(store);
    p.group().quorum(insync::Quorum::held);
    p.start_healthy(100);

    SECTION("a produce fails when the ISR is below min ISR") {
        p.clock.advance(11s);
        REQUIRE(p.observe() == Result::ok);
        REQUIRE(p.members() == Nodes{1});
        CHECK(insync::kafka::admit_produce(p.isr, "my-topic", 0, insync::kafka::kAcksAll) !=
              insync::kafka::ErrorCode::none);
    }
    SECTION("the ISR is persisted via the metadata") {
        REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
        REQUIRE(store.last.has_value());
        OnePartition other{{}, 2};
        other.group().follow(1, 4);
        REQUIRE(other.inherit(*store.last) == Result::ok);
        CHECK(other.members() == Nodes{1, 3});
    }
    SECTION("the background loop updates the ISR") {
        p.group().kind(3, insync::ReplicaKind::leaving);
        insync::IsrUpdateLoop loop{p.isr, 1ms};
        loop.start();
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (p.isr.is_in_sync("my-topic", 0, 3) && std::chrono::steady_clock::now() < deadline)
            std::this_thread::yield();
        loop.stop();
        CHECK(p.members() == Nodes{1, 2});
    }
}

TEST_CASE("successor: a wall clock that is set back evicts nobody and breaks nothing",
          "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    p.clock.set_wall_ms(0);
    p.sweep_until(5s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.explain(3).lag.time == 0ms);
}

TEST_CASE("successor: the leader is a member of what get_isr gives", "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(p.set().contains(1));
    p.sweep_until(60s);
    CHECK(p.members() == Nodes{1});
}

TEST_CASE("successor: an acknowledgement covers all that is before it, and may come first",
          "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    const Ended& before = p.await(4, 120);
    REQUIRE(p.isr.record_leader(p.handle(), 4, {150, 150, 150}) == Result::ok);
    for (const NodeId node : {2, 3})
        REQUIRE(p.isr.record_progress(p.handle(), 4, node, 150, p.clock.now()) == Result::ok);
    CHECK(before == Ended{WaitResult::committed}); // 150 covers 120
    CHECK(p.await(4, 140) == Ended{WaitResult::committed});
}

TEST_CASE("successor: acks=all waits for the ISR, not for every assigned replica", "[ancestor]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(11s, [&] { p.hear(2, 100); }); // 3 is dead
    const Ended& ended = p.await(4, 150);
    p.lead(4, 150);
    p.hear(2, 150);
    REQUIRE(p.observe() == Result::ok);
    CHECK(ended == Ended{WaitResult::committed});
}
