#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using insync::GroupState;
using insync::kNoNode;
using insync::NodeId;
using insync::Quorum;
using insync::ReadResult;
using insync::ReplicaKind;
using insync::TimePoint;
using insync::testing::ManualClock;
using insync::testing::PushingScriptedView;
using insync::testing::ScriptedView;
using insync::testing::VersionedScriptedView;

namespace {

constexpr std::array<NodeId, 3> kReplicas{1, 2, 3};

template <class View>
ReadResult read(View& view, GroupState& state) {
    const auto group = view.find_group({"t", 0}, kReplicas);
    return view.read(group, state);
}

} // namespace

TEST_CASE("a scripted view says what was written into it", "[scripted_view]") {
    ScriptedView view;
    view.lead("t", 0, 1, 4, 100).positions({100, 90, 80}).quorum(Quorum::held);
    view.follower("t", 0, 2, 70, TimePoint{5s});
    view.follower("t", 0, 3, 60, TimePoint{6s}, false).kind(3, ReplicaKind::learner);

    GroupState state;
    REQUIRE(read(view, state) == ReadResult::ok);
    CHECK(state.epoch == 4);
    CHECK(state.leader == 1);
    CHECK(state.leading);
    CHECK(state.quorum == Quorum::held);
    CHECK(state.end == 100);
    CHECK(state.durable == 90);
    CHECK(state.commit == 80);
    REQUIRE(state.followers.size() == 2);
    CHECK(state.followers[0].node == 2);
    CHECK(state.followers[0].match == 70);
    CHECK(state.followers[0].contact == TimePoint{5s});
    CHECK(state.followers[0].verified);
    CHECK(state.followers[0].kind == ReplicaKind::voter);
    CHECK(state.followers[1].kind == ReplicaKind::learner);
    CHECK_FALSE(state.followers[1].verified);
}

TEST_CASE("a scripted read keeps the caller's assigned replicas", "[scripted_view]") {
    ScriptedView view;
    view.lead("t", 0, 1, 4, 100);
    GroupState state;
    state.assigned = kReplicas;
    REQUIRE(read(view, state) == ReadResult::ok);
    CHECK(state.assigned.data() == kReplicas.data());
}

TEST_CASE("a group that no script touched has no leader and no epoch", "[scripted_view]") {
    ScriptedView view;
    GroupState state;
    REQUIRE(read(view, state) == ReadResult::ok);
    CHECK(state.leader == kNoNode);
    CHECK_FALSE(state.leading);
    CHECK(state.epoch == 0);
    CHECK(view.read(nullptr, state) == ReadResult::unavailable);
}

TEST_CASE("leading in a new epoch forgets what followers held, leading on does not",
          "[scripted_view]") {
    ScriptedView view;
    view.lead("t", 0, 1, 4, 100).follower(2, 100, TimePoint{5s});

    view.lead("t", 0, 1, 4, 120);
    GroupState state = view.group("t", 0).state();
    CHECK(state.followers[0].verified);
    CHECK(state.followers[0].match == 100);

    view.lead("t", 0, 1, 5, 120);
    state = view.group("t", 0).state();
    REQUIRE(state.followers.size() == 1);
    CHECK(state.followers[0].node == 2);
    CHECK_FALSE(state.followers[0].verified);
    CHECK(state.followers[0].match == 0);
    CHECK(state.followers[0].contact == insync::kNever);
}

TEST_CASE("following and losing the leader leave no rows and no leadership", "[scripted_view]") {
    ScriptedView view;
    view.lead("t", 0, 1, 4, 100).follower(2, 100, TimePoint{5s}).quorum(Quorum::held);
    view.follow("t", 0, 2, 5);
    GroupState state = view.group("t", 0).state();
    CHECK(state.epoch == 5);
    CHECK(state.leader == 2);
    CHECK_FALSE(state.leading);
    CHECK(state.followers.empty());
    CHECK(state.quorum == Quorum::unreported);
    CHECK(state.end == 100);

    view.lose_leader("t", 0);
    state = view.group("t", 0).state();
    CHECK(state.epoch == 5);
    CHECK(state.leader == kNoNode);
}

TEST_CASE("a row can be changed and taken away by its node", "[scripted_view]") {
    ScriptedView view;
    auto& group = view.lead("t", 0, 1, 4, 100).follower(2, 10, TimePoint{1s});
    group.follower(3, 20, TimePoint{1s}).follower(2, 30, TimePoint{2s}).contact(3, TimePoint{9s});
    CHECK(group.state().followers.size() == 2);
    CHECK(group.state().followers[0].match == 30);
    CHECK(group.state().followers[1].contact == TimePoint{9s});
    group.without(2).without(77);
    REQUIRE(group.state().followers.size() == 1);
    CHECK(group.state().followers[0].node == 3);
}

TEST_CASE("scripted results come in order, one a read, and then the standing one",
          "[scripted_view]") {
    ScriptedView view;
    view.lead("t", 0, 1, 4, 100).next_reads({ReadResult::torn, ReadResult::unavailable});
    GroupState state;
    CHECK(read(view, state) == ReadResult::torn);
    CHECK(read(view, state) == ReadResult::unavailable);
    CHECK(read(view, state) == ReadResult::ok);
    view.group("t", 0).reads_return(ReadResult::unavailable);
    CHECK(read(view, state) == ReadResult::unavailable);
    CHECK(read(view, state) == ReadResult::unavailable);
}

TEST_CASE("a torn read fills the state, an unavailable one leaves it", "[scripted_view]") {
    ScriptedView view;
    view.lead("t", 0, 1, 4, 100).next_reads({ReadResult::unavailable, ReadResult::torn});
    GroupState state;
    REQUIRE(read(view, state) == ReadResult::unavailable);
    CHECK(state.epoch == 0);
    REQUIRE(read(view, state) == ReadResult::torn);
    CHECK(state.epoch == 4);
}

TEST_CASE("a scripted view counts its reads, each group its own", "[scripted_view]") {
    ScriptedView view;
    GroupState state;
    (void)read(view, state);
    (void)read(view, state);
    (void)view.read(&view.group("t", 1), state);
    CHECK(view.group("t", 0).reads() == 2);
    CHECK(view.group("t", 1).reads() == 1);
    CHECK(view.reads() == 3);
}

TEST_CASE("the version rises with all that a read would tell, contacts excepted",
          "[scripted_view]") {
    VersionedScriptedView view;
    auto& group = view.lead("t", 0, 1, 4, 100).follower(2, 10, TimePoint{1s});
    auto before = view.version(&group);
    const auto rose = [&] {
        const auto now = view.version(&group);
        return now > std::exchange(before, now);
    };

    group.contact(2, TimePoint{2s});
    CHECK_FALSE(rose());
    group.follower(2, 10, TimePoint{3s});
    CHECK_FALSE(rose());
    group.lead(1, 4, 100);
    CHECK_FALSE(rose());

    group.follower(2, 11, TimePoint{3s});
    CHECK(rose());
    group.follower(2, 11, TimePoint{3s}, false);
    CHECK(rose());
    group.kind(2, ReplicaKind::leaving);
    CHECK(rose());
    group.positions({101, 100, 100});
    CHECK(rose());
    group.quorum(Quorum::lost);
    CHECK(rose());
    group.edit([](GroupState& state) { ++state.membership; });
    CHECK(rose());
    group.lose_leader();
    CHECK(rose());
    group.reads_return(ReadResult::torn);
    CHECK(rose());
    group.next_reads({ReadResult::ok});
    CHECK(rose());
    GroupState state;
    (void)view.read(&group, state); // the next one is torn again
    CHECK(rose());
}

TEST_CASE("what is edited in one step is read in one step", "[scripted_view]") {
    ScriptedView view;
    auto& group = view.lead("t", 0, 1, 1, 1);
    std::atomic<bool> done{false};
    std::thread editor{[&] {
        for (insync::Index i = 2; i < 5000; ++i)
            group.edit([&](GroupState& state) { state.end = state.durable = state.commit = i; });
        done = true;
    }};
    bool whole = true;
    GroupState state;
    do {
        (void)view.read(&group, state);
        whole = whole && state.end == state.durable && state.end == state.commit;
    } while (!done);
    editor.join();
    CHECK(whole);
}

TEST_CASE("a manager over a scripted view shrinks the ISR when the script falls silent",
          "[scripted_view]") {
    ManualClock clock;
    ScriptedView view;
    view.lead("t", 0, 1, 1, 100);
    insync::IsrManager manager{1, view, insync::IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == insync::Result::ok);

    for (int second = 0; second <= 11; ++second) {
        view.follower("t", 0, 2, 100, clock.now());
        if (second == 0) view.follower("t", 0, 3, 100, clock.now());
        manager.tick();
        if (second == 10) CHECK(manager.get_isr("t", 0)->to_vec() == std::vector<NodeId>{1, 2, 3});
        clock.advance(1s);
    }
    CHECK(manager.get_isr("t", 0)->to_vec() == std::vector<NodeId>{1, 2});
}

TEST_CASE("an unchanged versioned group is not read at every sweep", "[scripted_view]") {
    ManualClock clock;
    VersionedScriptedView view;
    view.lead("t", 0, 1, 1, 100).follower(2, 100, clock.now()).follower(3, 100, clock.now());
    insync::IsrManager manager{1, view, insync::IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == insync::Result::ok);
    manager.tick();
    clock.advance(1s);
    manager.tick();

    const auto reads = view.reads();
    for (int second = 0; second < 5; ++second) {
        view.group("t", 0).contact(2, clock.now()).contact(3, clock.now());
        clock.advance(1s);
        manager.tick();
    }
    CHECK(view.reads() <= reads + 1);

    const auto before_change = view.reads();
    view.follower("t", 0, 3, 99, clock.now());
    clock.advance(1s);
    manager.tick();
    CHECK(view.reads() > before_change);
}

TEST_CASE("a pushing view is read when it notifies", "[scripted_view]") {
    ManualClock clock;
    PushingScriptedView view;
    view.lead("t", 0, 1, 1, 100).follower(2, 100, clock.now()).follower(3, 100, clock.now());
    insync::IsrManager manager{1, view, insync::IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == insync::Result::ok);
    manager.tick();
    const auto reads = view.reads();

    view.follow("t", 0, 2, 2);
    manager.notify(manager.find("t", 0));
    clock.advance(1s);
    manager.tick();
    CHECK(view.reads() > reads);
    CHECK_FALSE(manager.has_min_isr("t", 0));
}
