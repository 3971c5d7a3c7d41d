// What a manager makes of a library that answers only leader and index queries.

#include "unit/queries_library.hpp"

#include <insync/config.hpp>
#include <insync/errors.hpp>
#include <insync/isr_manager.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

using namespace queried;
using namespace std::chrono_literals;
using insync::IsrConfig;
using insync::kNoNode;
using insync::Result;

namespace {

using Manager = insync::IsrManager<QueriesView<Library, ManualClock>, ManualClock>;

/// A second of traffic in which the given followers answer from `match`.
void pass_a_second(Fixture<>& f, Manager& manager, const std::map<NodeId, Index>& matches) {
    f.clock.advance(1s);
    for (const auto& [node, match] : matches) f.library.answer(node, match, f.clock.now());
    manager.tick();
}

std::vector<NodeId> isr(const Manager& manager) {
    return manager.get_isr("t", 0)->to_vec();
}

} // namespace

TEST_CASE("a follower that is far behind goes out although the leader's state machine is slower",
          "[queries]") {
    Fixture f;
    Manager manager{1, f.view, IsrConfig{.max_lag_entries = 100}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    for (int second = 0; second < 4; ++second) {
        f.library.end += 100;
        f.library.applied = 1; // commit and applied index say nothing of a follower
        f.library.commit = 1;
        pass_a_second(f, manager, {{2, f.library.end}, {3, 1}});
    }
    CHECK(isr(manager) == std::vector<NodeId>{1, 2});
    CHECK(manager.explain("t", 0, 3)->lag.entries == Index{399});
}

TEST_CASE("followers that answer stay in sync for ever, one that falls silent goes out",
          "[queries]") {
    Fixture f;
    Manager manager{1, f.view, IsrConfig{}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    for (int second = 0; second < 100; ++second) {
        pass_a_second(f, manager, {{2, 0}, {3, 0}});
        REQUIRE(isr(manager) == std::vector<NodeId>{1, 2, 3});
    }
    for (int second = 0; second <= 10; ++second) pass_a_second(f, manager, {{2, 0}});
    CHECK(isr(manager) == std::vector<NodeId>{1, 2});
}

TEST_CASE("lost leadership ends the right to write and a new leader is reported", "[queries]") {
    Fixture f;
    Manager manager{1, f.view, IsrConfig{}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    pass_a_second(f, manager, {{2, 0}, {3, 0}});
    REQUIRE(manager.has_min_isr("t", 0));

    f.library.current_epoch = 2;
    f.library.current_leader = 3;
    f.clock.advance(1s);
    manager.tick();
    CHECK_FALSE(manager.has_min_isr("t", 0));
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.leader == 3);
    CHECK(f.state.epoch == 2);
    CHECK_FALSE(f.state.leading);
    CHECK(f.state.followers.empty());
}

TEST_CASE("a change of assignment changes whom the queries are asked for", "[queries]") {
    Fixture f;
    Manager manager{1, f.view, IsrConfig{}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    pass_a_second(f, manager, {{2, 0}, {3, 0}});
    REQUIRE(manager.set_assignment("t", 0, {1, 2, 4}) == Result::ok);
    CHECK_FALSE(manager.is_in_sync("t", 0, 3));
    CHECK(manager.add_to_isr("t", 0, 3) == Result::not_a_replica);

    f.library.asked.clear();
    pass_a_second(f, manager, {{2, 0}, {3, 0}, {4, 0}});
    CHECK(std::count(f.library.asked.begin(), f.library.asked.end(), 3) == 0);
    CHECK(std::count(f.library.asked.begin(), f.library.asked.end(), 4) > 0);
    CHECK(isr(manager) == std::vector<NodeId>{1, 2, 4});
    CHECK(manager.get_isr("t", 0)->catching_up().empty());
}

TEST_CASE("a healthy follower whose first answer to a new leader refuses stays in sync",
          "[queries]") {
    Fixture f;
    f.library.end = 20'000;
    Manager manager{1, f.view, IsrConfig{}, f.clock};
    REQUIRE(manager.initialize_isr("t", 0, kReplicas) == Result::ok);
    pass_a_second(f, manager, {{2, 20'000}, {3, 20'000}});
    f.library.elect(1, 3); // another led between
    pass_a_second(f, manager, {});
    pass_a_second(f, manager, {{2, 0}, {3, 20'000}}); // 2 asks for an earlier entry
    CHECK(isr(manager) == std::vector<NodeId>{1, 2, 3});
    pass_a_second(f, manager, {{2, 20'000}, {3, 20'000}});
    CHECK(isr(manager) == std::vector<NodeId>{1, 2, 3});
}
