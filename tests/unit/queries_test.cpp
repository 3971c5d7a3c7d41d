#include "unit/queries_library.hpp"

#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <utility>

using namespace queried;
using namespace std::chrono_literals;
using insync::kNoNode;

TEST_CASE("queries become a view whose positions are log ends, not applied or committed ones",
          "[queries]") {
    Fixture f;
    f.library.end = 1000;
    f.library.commit = 700;
    f.library.applied = 300;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 400, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.end == 1000);
    CHECK(f.state.durable == 1000);
    CHECK(f.state.leading);
    CHECK(f.row(2).match == 400); // the follower's own position, whatever the leader committed
    CHECK(f.view.contact_slack() == 50ms);
}

TEST_CASE("the leader is never asked about itself", "[queries]") {
    Fixture f;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.followers.size() == 2);
    CHECK(std::count(f.library.asked.begin(), f.library.asked.end(), 1) == 0);
}

TEST_CASE("nobody is asked for followers while another node leads", "[queries]") {
    Fixture f;
    f.library.current_leader = 2;
    f.library.end = 12;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.library.asked.empty());
    CHECK(f.state.end == 12);
    CHECK(f.state.commit == 0);
}

TEST_CASE("a read is torn when epoch or leader move while the rows are read", "[queries]") {
    Fixture f;
    REQUIRE(f.read() == ReadResult::ok);
    const auto move = GENERATE(0, 1);
    f.library.before = [&](std::string_view query) {
        if (query != "match_index") return;
        if (move == 0) f.library.current_epoch = 2;
        if (move == 1) f.library.current_leader = kNoNode;
    };
    CHECK(f.read() == ReadResult::torn);
}

TEST_CASE("a match that is left over from an earlier epoch is not believed", "[queries]") {
    Fixture<LibraryThatKeeps> f;
    f.library.end = 100;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 100, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    REQUIRE(f.row(2).verified);

    // Another node led in epoch 2 and cut the follower's log back; this one leads again.
    f.clock.advance(1s);
    f.library.current_epoch = 3;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.row(2).verified);
    CHECK(f.row(2).match == 0);
    CHECK(f.row(2).contact == kNever);

    f.clock.advance(1s);
    f.library.answer(2, 60, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).verified);
    CHECK(f.row(2).match == 60);
    CHECK(f.row(2).contact == f.clock.now());
}

TEST_CASE("an answer from before this node was the epoch's leader is no contact", "[queries]") {
    Fixture f;
    f.library.current_leader = kNoNode; // the epoch has begun, its election has not ended
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 5, f.clock.now());
    f.clock.advance(1s);
    f.library.elect(1, f.library.current_epoch);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).contact == kNever);
    CHECK_FALSE(f.row(2).verified);
}

TEST_CASE("a first answer that accepts nothing proves life, and no match", "[queries]") {
    Fixture f;
    f.library.end = 100;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 0, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE(f.row(2).verified);
    CHECK(f.row(2).contact == f.clock.now());
}

TEST_CASE("while the log is empty an answer says that it is empty there, too", "[queries]") {
    Fixture f;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 0, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).verified);
    CHECK(f.row(2).match == 0);
    CHECK_FALSE(f.row(3).verified);
}

TEST_CASE("an answer at the very moment when the epoch is first seen is no contact", "[queries]") {
    Fixture f;
    f.library.answer(2, 5, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).contact == kNever);
    f.clock.advance(1ms);
    f.library.answer(2, 5, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).contact == f.clock.now());
}

TEST_CASE("an answer that comes between two queries cannot verify the match before it",
          "[queries]") {
    Fixture<LibraryThatKeeps> f;
    f.library.end = 200;
    f.library.peers[2].match = 120; // a leftover: the follower was cut back to 80
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    bool first = true;
    f.library.before = [&](std::string_view query) {
        if (query != "last_contact" && query != "match_index") return;
        if (!std::exchange(first, false)) f.library.answer(2, 80, f.clock.now());
    };
    REQUIRE(f.read() == ReadResult::ok);
    CHECK_FALSE((f.row(2).verified && f.row(2).match == 120));
}

TEST_CASE("entries that are appended while the rows are read put no follower beyond the end",
          "[queries]") {
    Fixture<LibraryWithCommit> f;
    f.library.end = 10;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.before = [&](std::string_view query) {
        if (query != "match_index" && query != "last_contact") return;
        ++f.library.end;
        f.library.commit = f.library.end;
        f.library.answer(2, f.library.end, f.clock.now());
    };
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.row(2).match <= f.state.end);
    CHECK(f.state.commit <= f.state.end);
}

TEST_CASE("a commit index that is offered is taken", "[queries]") {
    Fixture<LibraryWithCommit> f;
    f.library.end = 10;
    f.library.commit = 7;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 7);
    f.library.current_leader = 3;
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 7);
}

TEST_CASE("without a commit index, it is what a majority holds for certain", "[queries]") {
    Fixture<LibraryThatKeeps> f;
    f.library.end = 100;
    f.library.peers[2].match = 100; // a leftover
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 0);
    f.clock.advance(1s);
    f.library.answer(2, 60, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 60);
    f.library.answer(3, 80, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.state.commit == 80);
}

TEST_CASE("with two replicas, nothing is committed that the other does not hold", "[queries]") {
    Fixture f;
    const std::array<NodeId, 2> two{1, 2};
    const auto group = f.view.find_group({"two", 0}, two);
    const auto read = [&] {
        f.state = {};
        f.state.assigned = two;
        return f.view.read(group, f.state);
    };
    f.library.end = 100;
    REQUIRE(read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 60, f.clock.now());
    REQUIRE(read() == ReadResult::ok);
    CHECK(f.state.commit == 60);
}

TEST_CASE("a query that throws makes the read unavailable", "[queries]") {
    Fixture f;
    f.library.before = [](std::string_view query) {
        if (query == "match_index") throw std::runtime_error{"group is closing"};
    };
    CHECK(f.read() == ReadResult::unavailable);
    f.library.before = nullptr;
    CHECK(f.read() == ReadResult::ok);
    CHECK(f.view.read(nullptr, f.state) == ReadResult::unavailable);
}

TEST_CASE("a read that was overtaken by a newer epoch is torn", "[queries]") {
    Fixture f;
    f.library.current_epoch = 5;
    REQUIRE(f.read() == ReadResult::ok);
    f.library.current_epoch = 4;
    CHECK(f.read() == ReadResult::torn);
}

TEST_CASE("a partition that is registered again gets its new group, with no contact known",
          "[queries]") {
    Fixture f;
    REQUIRE(f.read() == ReadResult::ok);
    f.clock.advance(1s);
    f.library.answer(2, 5, f.clock.now());
    REQUIRE(f.read() == ReadResult::ok);
    REQUIRE(f.row(2).verified);

    const int groups = f.library.groups;
    CHECK(f.view.find_group({"t", 0}, kReplicas) == f.group);
    CHECK(f.library.groups == groups + 1);
    REQUIRE(f.read() == ReadResult::ok);
    CHECK(f.library.last_group == groups + 1);
    CHECK(f.row(2).contact == kNever);
}
