// S2: what is done with what a view delivers, and when it is asked.

#include "support/one_partition.hpp"

#include <insync/consensus_view.hpp>
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <span>
#include <vector>

using namespace std::chrono_literals;
using insync::GroupState;
using insync::Millis;
using insync::NodeId;
using insync::ReadResult;
using insync::Result;
using insync::WaitResult;
using insync::testing::ManualClock;
using insync::testing::PushingScriptedView;
using insync::testing::VersionedScriptedView;
using support::Ended;
using support::Nodes;
using support::OnePartition;

TEST_CASE("S2* an acknowledgement rests on what the leader has durably, not on its last entry",
          "[s2][star]") {
    OnePartition p;
    p.start_healthy(100);
    p.lead(4, 200);
    p.group().positions({.end = 200, .durable = 150, .commit = 200});
    p.hear({2, 3}, 200); // the followers are on disk before the leader itself
    REQUIRE(p.observe() == Result::ok);
    const Ended& durable = p.await(4, 150);
    const Ended& beyond = p.await(4, 151);
    CHECK(durable == Ended{WaitResult::committed});
    CHECK(beyond.empty());
    CHECK(p.high_watermark() == 150);

    p.group().positions({.end = 200, .durable = 151, .commit = 200});
    REQUIRE(p.observe() == Result::ok);
    CHECK(beyond == Ended{WaitResult::committed});
    CHECK(p.high_watermark() == 151);
}

TEST_CASE("a read that is not good changes nothing", "[s2]") {
    const ReadResult bad = GENERATE(ReadResult::torn, ReadResult::unavailable);
    OnePartition p;
    p.start_healthy(100);
    const Ended& ended = p.await(4, 150);
    // Were it believed, replica 3 would be out, the wait over and the epoch another.
    p.lead(5, 60'000);
    p.hear(2, 60'000);
    p.group().reads_return(bad);
    const Result told = p.observe();
    CHECK(told == (bad == ReadResult::torn ? Result::torn : Result::unavailable));
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.has_min());
    CHECK(p.set().epoch() == 4);
    CHECK(p.high_watermark() == 100);
    CHECK(p.report().end == 100);
    CHECK(ended.empty());
    CHECK(p.isr.counters().rejected(told) == 1);
}

TEST_CASE("ages go on rising while reads fail", "[s2]") {
    OnePartition p;
    p.start_healthy(100);
    p.group().reads_return(ReadResult::unavailable);
    p.sweep_until(7s);
    CHECK(p.explain(3).lag.time == 7s);
}

TEST_CASE("after max_lag_ms without a good read the partition is without its quorum", "[s2]") {
    OnePartition p;
    p.lead(4, 100);
    p.group().quorum(insync::Quorum::held);
    p.hear({2, 3}, 100);
    REQUIRE(p.initialize() == Result::ok);
    p.isr.tick();
    p.group().reads_return(ReadResult::torn);
    p.sweep_until(10s);
    CHECK(p.has_min()); // the bound itself
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(11s);
    CHECK_FALSE(p.has_min());
    CHECK(p.members() == Nodes{1});

    p.group().reads_return(ReadResult::ok);
    p.sweep_until(12s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.has_min());
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("a view that contradicts itself is not believed", "[s2]") {
    struct Row {
        const char* why;
        void (*break_it)(GroupState&);
    };
    constexpr Row kRows[] = {
        {"the leader is one of the rows",
         [](GroupState& s) { s.followers.push_back({.node = 1, .verified = true, .match = 9}); }},
        {"one node has two rows", [](GroupState& s) { s.followers.push_back(s.followers[0]); }},
        {"a row is nobody's", [](GroupState& s) { s.followers[0].node = insync::kNoNode; }},
        {"it leads, and another does", [](GroupState& s) { s.leader = 2; }},
        {"it has committed what it has not", [](GroupState& s) { s.commit = s.end + 1; }},
        {"it has stored what it has not", [](GroupState& s) { s.durable = s.end + 1; }},
        {"its log is too long", [](GroupState& s) { s.end = insync::kMaxIndex + 1; }},
    };
    for (const Row& row : kRows) {
        INFO(row.why);
        OnePartition p;
        p.start_healthy(100);
        p.lead(4, 60'000);
        p.hear(2, 60'000);
        p.group().edit(row.break_it);
        CHECK(p.observe() == Result::inconsistent_view);
        CHECK(p.members() == Nodes{1, 2, 3});
        CHECK(p.report().end == 100);
        CHECK(p.isr.counters().rejected(Result::inconsistent_view) == 1);
    }
}

TEST_CASE("a leader that is not assigned the partition is not believed", "[s2]") {
    OnePartition p{{}, 9};
    p.lead(4, 100);
    REQUIRE(p.initialize({1, 2, 3}) == Result::ok);
    CHECK(p.observe() == Result::inconsistent_view);
    CHECK_FALSE(p.has_min());
}

TEST_CASE("one row that claims more than the leader has is left out, the others count", "[s2]") {
    OnePartition p;
    p.start_healthy(100);
    p.clock.advance(2s);
    p.hear(2, 101); // truncated logs, or a mix-up of groups
    p.hear(3, 100);
    CHECK(p.observe() == Result::ok);
    CHECK(p.isr.counters().rejected(Result::beyond_leader_end) == 1);
    CHECK(p.explain(2).match == 100);
    CHECK(p.explain(2).lag.time == 2s); // nor is the contact of that row believed
    CHECK(p.explain(3).lag.time == 0ms);
}

TEST_CASE("rows of nodes that are not assigned are ignored", "[s2]") {
    OnePartition p;
    p.start_healthy(100);
    p.hear(7, 100);
    CHECK(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.set().replica_count() == 3);
}

TEST_CASE("no reader ever calls the view", "[s2]") {
    OnePartition p;
    p.start_healthy();
    const auto reads = p.view.reads();
    for (int i = 0; i < 10; ++i) {
        (void)p.has_min();
        (void)p.set();
        (void)p.high_watermark();
        (void)p.isr.is_in_sync("my-topic", 0, 2);
        (void)p.isr.has_min_isr(p.handle());
        (void)p.explain(2);
        (void)p.isr.get_isr_stats();
        (void)p.isr.safe_to_stop(2);
        (void)p.report();
        p.clock.advance(20s);
    }
    CHECK(p.view.reads() == reads);
}

TEST_CASE("a group whose version stands is not read until something may expire", "[s2]") {
    OnePartition<VersionedScriptedView> p;
    p.group().quorum(insync::Quorum::held);
    p.start_healthy();
    p.group().quorum(insync::Quorum::held);
    p.sweep_until(2s, [&] { p.hear({2, 3}, 100); });
    const auto reads = p.view.reads();
    p.sweep_until(10s, [&] { p.hear({2, 3}, 100); }); // contacts do not count as a new version
    CHECK(p.view.reads() == reads);
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(25s, [&] { p.hear({2, 3}, 100); });
    CHECK(p.view.reads() > reads); // in time to see that they are alive
    CHECK(p.view.reads() <= reads + 3);
    CHECK(p.members() == Nodes{1, 2, 3});

    p.sweep_until(26s, [&] {
        p.lead(4, 60'000);
        p.hear(2, 60'000);
    });
    CHECK(p.members() == Nodes{1, 2}); // what is new is read at the next sweep
}

TEST_CASE("a pushing view is read when it was notified of, and when something may expire", "[s2]") {
    OnePartition<PushingScriptedView> p;
    p.group().quorum(insync::Quorum::held);
    p.start_healthy();
    p.group().quorum(insync::Quorum::held);
    p.sweep_until(2s, [&] { p.hear({2, 3}, 100); });
    const auto reads = p.view.reads();
    p.sweep_until(9s); // no read, and nothing is missed: nobody can have expired yet
    CHECK(p.view.reads() == reads);

    p.isr.notify(p.handle());
    p.group().kind(3, insync::ReplicaKind::leaving);
    p.hear(2, 100);
    p.sweep_until(10s);
    CHECK(p.view.reads() == reads + 1);
    CHECK(p.members() == Nodes{1, 2});

    p.sweep_until(60s, [&] { p.hear(2, 100); }); // contacts that are not pushed are looked up
    CHECK(p.members() == Nodes{1, 2});
    p.sweep_until(80s);
    CHECK(p.members() == Nodes{1});
}

TEST_CASE("what a pushing view tells keeps its group from being read", "[s2]") {
    OnePartition<PushingScriptedView> p;
    p.group().quorum(insync::Quorum::held);
    p.start_healthy();
    p.group().quorum(insync::Quorum::held);
    p.sweep_until(2s, [&] { p.hear({2, 3}, 100); });
    const auto reads = p.view.reads();
    p.sweep_until(5min, [&] {
        for (const NodeId node : {2, 3})
            CHECK(p.isr.record_progress(p.handle(), 4, node, 100, p.clock.now()) == Result::ok);
    });
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.view.reads() == reads);
}

namespace {

/// Asks the manager while it is being asked, as no view should: it only works without locks.
struct NosyView {
    using Group = int;
    static constexpr insync::ContactSource contact_source = insync::ContactSource::request;

    insync::IsrManager<NosyView, ManualClock>* manager = nullptr;
    int found = 0;
    int read_calls = 0;
    std::vector<NodeId> assigned;

    Group find_group(insync::TopicPartition, std::span<const NodeId>) {
        ++found;
        if (manager != nullptr) (void)manager->get_isr_stats();
        return 0;
    }
    ReadResult read(const Group&, GroupState& state) noexcept {
        ++read_calls;
        assigned.assign(state.assigned.begin(), state.assigned.end());
        (void)manager->get_isr_stats();             // locks every partition, one after the other
        (void)manager->reserve("another-topic", 1); // locks the registry
        state.epoch = 1;
        state.leader = 1;
        state.leading = true;
        return ReadResult::ok;
    }
    Millis contact_slack() const noexcept { return 0ms; }
};

} // namespace

TEST_CASE("the view is never called while a lock of the manager is held", "[s2]") {
    const ManualClock clock;
    NosyView view;
    insync::IsrManager isr{1, view, {}, clock};
    view.manager = &isr;
    CHECK(isr.initialize_isr("t", 0, {2, 1}) == Result::ok);
    CHECK(isr.update_isr("t", 0) == Result::ok);
    isr.tick();
    CHECK(view.read_calls == 3);
}

TEST_CASE("a group is resolved once and read with the replicas that are tracked", "[s2]") {
    const ManualClock clock;
    NosyView view;
    insync::IsrManager isr{1, view, {}, clock};
    view.manager = &isr;
    REQUIRE(isr.initialize_isr("t", 0, {2, 1}) == Result::ok);
    for (int i = 0; i < 5; ++i) {
        clock.advance(1s);
        isr.tick();
    }
    CHECK(view.found == 1);
    CHECK(view.assigned == Nodes{1, 2});
    REQUIRE(isr.set_assignment("t", 0, {1, 5, 4}) == Result::ok);
    REQUIRE(isr.update_isr("t", 0) == Result::ok);
    CHECK(view.assigned == Nodes{1, 4, 5});
    CHECK(view.found == 1);
}
