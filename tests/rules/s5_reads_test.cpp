// S5: what the produce and the metadata path ask.

#include "support/one_partition.hpp"

#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using insync::IsrSet;
using insync::kNever;
using insync::Quorum;
using insync::Result;
using insync::TimePoint;
using support::Nodes;
using support::OnePartition;

TEST_CASE("S5* has_min_isr is false below min ISR", "[s5][star]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(p.has_min());
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
    CHECK(p.has_min()); // the effective min ISR itself
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK_FALSE(p.has_min());
}

TEST_CASE("S5* has_min_isr is false on a node that does not lead", "[s5][star]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2, 3}}) == Result::ok);
    CHECK_FALSE(p.has_min()); // though the published ISR is complete
    CHECK_FALSE(p.isr.has_min_isr(p.handle()));

    OnePartition leader;
    leader.start_healthy(100);
    leader.group().follow(2, 5);
    REQUIRE(leader.observe() == Result::ok);
    CHECK_FALSE(leader.has_min());
    CHECK_FALSE(leader.isr.has_min_isr(leader.handle()));
}

TEST_CASE("S5* has_min_isr is false as soon as a newer epoch is heard of", "[s5][star]") {
    OnePartition p;
    p.start_healthy(100);
    // A follower answers in epoch 5; the view does not know yet.
    CHECK(p.isr.record_progress(p.handle(), 5, 2, 100, p.clock.now()) == Result::not_leader);
    CHECK_FALSE(p.has_min());
    CHECK(p.observe() == Result::stale); // nor is the view believed, which still says 4
    CHECK_FALSE(p.has_min());
}

TEST_CASE("S5* has_min_isr is false when the view says that the quorum is lost", "[s5][star]") {
    OnePartition p;
    p.start_healthy(100);
    p.group().quorum(Quorum::lost);
    REQUIRE(p.observe() == Result::ok);
    CHECK_FALSE(p.has_min());
    CHECK(p.members() == Nodes{1, 2, 3}); // at once, before any member is out
    p.group().quorum(Quorum::held);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.has_min());
}

TEST_CASE("S5* has_min_isr is false without contact with a majority of the voters", "[s5][star]") {
    // For hosts that do not step down by themselves; the default is 3 s.
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(3s);
    CHECK(p.has_min()); // the bound itself
    p.sweep_until(4s);
    CHECK_FALSE(p.has_min());
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(5s, [&] { p.hear(3, 100); }); // one of two followers makes two of three
    CHECK(p.has_min());
}

TEST_CASE("S5* the majority is of the voters, this node included", "[s5][star]") {
    struct Row {
        Nodes replicas;
        Nodes heard;
        Nodes learners;
        bool has_quorum;
        const char* why;
    };
    const Row rows[] = {
        {{1}, {}, {}, true, "alone is all"},
        {{1, 2}, {}, {}, false, "half is not a majority"},
        {{1, 2}, {2}, {}, true, "both"},
        {{1, 2, 3}, {}, {}, false, "one of three"},
        {{1, 2, 3}, {3}, {}, true, "two of three"},
        {{1, 2, 3, 4}, {2}, {}, false, "two of four"},
        {{1, 2, 3, 4}, {2, 3}, {}, true, "three of four"},
        {{1, 2, 3, 4, 5}, {2}, {}, false, "two of five"},
        {{1, 2, 3, 4, 5}, {2, 5}, {}, true, "three of five"},
        {{1, 2, 3}, {3}, {3}, false, "a learner has no vote: one of two"},
        {{1, 2, 3}, {2}, {3}, true, "two of two voters"},
        {{1, 2, 3, 4}, {4}, {3}, true, "two of three voters"},
    };
    for (const Row& row : rows) {
        INFO(row.why);
        OnePartition p{{.min_insync_replicas = 1}};
        p.lead(4, 100);
        for (const insync::NodeId node : row.replicas)
            if (node != 1) p.hear(node, 100);
        for (const insync::NodeId node : row.learners)
            p.group().kind(node, insync::ReplicaKind::learner);
        REQUIRE(p.initialize(row.replicas) == Result::ok);
        CHECK(p.has_min());
        p.clock.advance(3'001ms);
        for (const insync::NodeId node : row.heard) p.hear(node, 100);
        REQUIRE(p.observe() == Result::ok);
        CHECK(p.has_min() == row.has_quorum);
    }
}

TEST_CASE("S5* a voter of the group that is not assigned votes all the same", "[s5][star]") {
    // While an assignment changes the group has more voters than the partition has replicas.
    OnePartition p{{.min_insync_replicas = 1}};
    p.lead(4, 100);
    p.hear({2, 3, 4, 5}, 100);
    REQUIRE(p.initialize({1, 2, 3}) == Result::ok);
    p.clock.advance(3'001ms);
    p.hear(2, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK_FALSE(p.has_min()); // two of five, though two of three replicas
    p.hear(5, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.has_min());
}

TEST_CASE("a new leader has its quorum for one quorum_contact_ms without any contact", "[s5]") {
    // A majority voted for it when its epoch began.
    OnePartition p;
    p.lead(4, 100);
    p.group().follower(2, 0, kNever, false).follower(3, 0, kNever, false);
    REQUIRE(p.initialize() == Result::ok);
    CHECK(p.has_min());
    p.sweep_until(3s);
    CHECK(p.has_min());
    p.sweep_until(4s);
    CHECK_FALSE(p.has_min());
}

TEST_CASE("a view that reports its quorum is not second-guessed by contacts", "[s5]") {
    OnePartition p;
    p.group().quorum(Quorum::held);
    p.lead(4, 100);
    p.group().quorum(Quorum::held);
    p.hear({2, 3}, 100);
    REQUIRE(p.initialize() == Result::ok);
    p.sweep_until(9s);
    CHECK(p.has_min());
}

TEST_CASE("an unknown partition is answered as configured", "[s5]") {
    OnePartition allowing;
    CHECK(allowing.has_min());
    CHECK(allowing.isr.has_min_isr("my-topic", -1));
    CHECK(allowing.isr.has_min_isr("", 0));
    CHECK(allowing.isr.has_min_isr(std::string(10'000, 'x'), 0));

    OnePartition denying{{.unknown_partition = insync::UnknownPartition::deny}};
    CHECK_FALSE(denying.has_min());
    denying.start_healthy(100);
    CHECK(denying.has_min());
    CHECK_FALSE(denying.isr.has_min_isr("my-topic", 1));
    CHECK_FALSE(denying.isr.has_min_isr("other", 0));
}

TEST_CASE("a removed partition is answered as an unknown one, its handle as false", "[s5]") {
    OnePartition p;
    p.start_healthy(100);
    const auto handle = p.handle();
    REQUIRE(p.isr.remove_partition("my-topic", 0) == Result::ok);
    CHECK(p.has_min());
    CHECK_FALSE(p.isr.has_min_isr(handle));
    CHECK_FALSE(p.isr.get_isr("my-topic", 0).has_value());
}

TEST_CASE("the effective min ISR is never more than the partition has", "[s5]") {
    OnePartition p{{.min_insync_replicas = 3}};
    p.lead(4, 100);
    p.hear(2, 100);
    REQUIRE(p.initialize({1, 2}) == Result::ok);
    CHECK(p.has_min());
    REQUIRE(p.isr.set_assignment("my-topic", 0, {1, 2, 3}) == Result::ok);
    CHECK_FALSE(p.has_min());
}

TEST_CASE("get_isr on the leader gives its own decision, whole", "[s5]") {
    OnePartition p;
    p.clock.advance(2s);
    p.lead(4, 100);
    p.hear({2, 9}, 100);
    p.hear(5, 0);
    REQUIRE(p.inherit({9, 3, 6, {9, 2}}, {9, 5, 2, 1}) == Result::ok);
    p.clock.advance(3s);
    const IsrSet set = p.set();
    CHECK(set.leader() == 1);
    CHECK(set.to_vec() == Nodes{1, 2, 9});
    CHECK(Nodes(set.catching_up().begin(), set.catching_up().end()) == Nodes{5});
    CHECK(set.epoch() == 4);
    CHECK(set.version() == 7);
    CHECK(set.changed_at() == TimePoint{2s});
    CHECK(set.age(p.clock.now()) == 3s);
    CHECK(set.own());
    CHECK_FALSE(set.stale());
}

TEST_CASE("get_isr elsewhere gives what the leader last published, with its age", "[s5]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2, 3}}) == Result::ok);
    p.clock.advance(2s);
    REQUIRE(p.isr.apply_published_isr("my-topic", 0, {2, 4, 8, {2, 3}}) == Result::ok);
    p.clock.advance(5s);
    const IsrSet set = p.set();
    CHECK(set.leader() == 2);
    CHECK(set.to_vec() == Nodes{2, 3});
    CHECK(Nodes(set.catching_up().begin(), set.catching_up().end()) == Nodes{1});
    CHECK(set.epoch() == 4);
    CHECK(set.version() == 8);
    CHECK(set.age(p.clock.now()) == 5s);
    CHECK_FALSE(set.own());
}

namespace {

/// Counts how often it is asked.
struct CountingClock {
    std::atomic<int>* asked;
    TimePoint now() const noexcept {
        ++*asked;
        return {};
    }
    std::int64_t wall_ms() const noexcept { return 0; }
};

} // namespace

TEST_CASE("reads ask neither the view nor the clock, and cannot throw", "[s5]") {
    insync::testing::ScriptedView view;
    std::atomic<int> asked{0};
    insync::IsrManager isr{1, view, {}, CountingClock{&asked}};
    view.lead("t", 0, 1, 4, 100);
    REQUIRE(isr.initialize_isr("t", 0, {1}) == Result::ok);
    const auto handle = isr.find("t", 0);
    const int before = asked;
    const auto reads = view.reads();
    CHECK(isr.has_min_isr("t", 0));
    CHECK(isr.has_min_isr(handle));
    CHECK(isr.get_isr("t", 0).has_value());
    CHECK(isr.get_isr(handle).has_value());
    CHECK(isr.is_in_sync("t", 0, 1));
    CHECK(isr.high_watermark("t", 0) == 100);
    CHECK(isr.high_watermark(handle) == 100);
    CHECK(asked == before);
    CHECK(view.reads() == reads);

    const auto& reader = std::as_const(isr);
    STATIC_REQUIRE(noexcept(reader.has_min_isr("t", 0)));
    STATIC_REQUIRE(noexcept(reader.has_min_isr(handle)));
    STATIC_REQUIRE(noexcept(reader.get_isr("t", 0)));
    STATIC_REQUIRE(noexcept(reader.get_isr(handle)));
    STATIC_REQUIRE(noexcept(reader.find("t", 0)));
    STATIC_REQUIRE(noexcept(reader.is_in_sync("t", 0, 1)));
    STATIC_REQUIRE(noexcept(reader.high_watermark("t", 0)));
}

TEST_CASE("reads lag behind the view by one sweep at most", "[s5]") {
    OnePartition p;
    p.start_healthy(100);
    p.isr.tick();
    p.group().follow(2, 5);
    CHECK(p.has_min()); // not known yet
    p.sweep();
    CHECK_FALSE(p.has_min());
}
