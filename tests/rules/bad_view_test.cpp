// A consensus view that contradicts itself, is behind, or says what cannot be (S2, S10). The
// numbers are those of the table of bad inputs that the rules refer to.
#include "support/one_partition.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace insync;
using namespace std::chrono_literals;
using support::Ended;
using support::Nodes;
using support::OnePartition;

constexpr Index kMost = std::numeric_limits<Index>::max();

struct Lie {
    int row;
    std::string what;
    Result expected;
    std::function<void(GroupState&)> tell;
};

void expect_unmoved(const std::vector<Lie>& lies) {
    for (const Lie& lie : lies) {
        INFO("row " << lie.row << ": " << lie.what);
        OnePartition<> p;
        p.start_healthy(100);
        const IsrSet before = p.set();
        const GroupState honest = p.group().state();
        p.group().edit(lie.tell);
        CHECK(to_string(p.observe()) == to_string(lie.expected));
        CHECK(p.isr.counters().rejected(lie.expected) == 1);
        CHECK(p.set() == before);
        CHECK(p.set().changed_at() == before.changed_at());
        CHECK(p.has_min()); // as published, for as long as S2 allows
        CHECK(p.high_watermark() == 100);
        CHECK(p.changes.size() == 1);
        // The last good answer stands, and the next good one is taken as if nothing had been.
        p.group().edit([&](GroupState& state) { state = honest; });
        p.hear({2, 3}, 100);
        CHECK(p.observe() == Result::ok);
        CHECK(p.set() == before);
        CHECK(p.has_min());
    }
}

} // namespace

TEST_CASE("a view that contradicts itself moves nothing and is counted", "[bad_input]") {
    expect_unmoved({
        {29, "commit above the end", Result::inconsistent_view,
         [](GroupState& s) { s.commit = s.end + 1; }},
        {29, "durable above the end", Result::inconsistent_view,
         [](GroupState& s) { s.durable = s.end + 1; }},
        {28, "an end of 2^63", Result::inconsistent_view,
         [](GroupState& s) { s.end = kMaxIndex + 1; }},
        {28, "an end of 2^64-1", Result::inconsistent_view,
         [](GroupState& s) { s.end = s.durable = s.commit = kMost; }},
        {31, "leading, while another leads", Result::inconsistent_view,
         [](GroupState& s) { s.leader = 2; }},
        {32, "the leader among the followers", Result::inconsistent_view,
         [](GroupState& s) { s.followers.push_back({.node = 1}); }},
        {1, "a follower twice", Result::inconsistent_view,
         [](GroupState& s) { s.followers.push_back({.node = 2}); }},
        {8, "a follower with a negative id", Result::inconsistent_view,
         [](GroupState& s) { s.followers.push_back({.node = -7}); }},
        {23, "an epoch above the largest", Result::epoch_exhausted,
         [](GroupState& s) { s.epoch = kMaxEpoch + 1; }},
        {23, "2^64-1 as epoch", Result::epoch_exhausted, [](GroupState& s) { s.epoch = kMost; }},
    });
}

TEST_CASE("a torn or absent answer leaves writes accepted until max_lag_ms", "[bad_input]") {
    for (const ReadResult bad : {ReadResult::torn, ReadResult::unavailable}) { // row 30
        OnePartition<> p;
        p.start_healthy(100);
        p.sweep();
        p.group().reads_return(bad);
        p.sweep_until(11s);
        CHECK(p.has_min());
        CHECK(p.members() == Nodes{1, 2, 3});
        p.sweep_until(12s);
        CHECK_FALSE(p.has_min());
    }
}

TEST_CASE("a node that is told to lead what it is not assigned to does not lead", "[bad_input]") {
    OnePartition<> p{{.unknown_partition = UnknownPartition::deny}}; // row 9
    p.lead(4, 100);
    p.hear({2, 3}, 100);
    CHECK(p.initialize({2, 3, 5}) == Result::ok);
    CHECK(p.observe() == Result::inconsistent_view);
    CHECK(p.set().leader() == kNoNode);
    CHECK_FALSE(p.set().own());
    CHECK_FALSE(p.has_min());
    CHECK_FALSE(p.high_watermark());
}

TEST_CASE("a row that claims more than the leader has is not believed", "[bad_input]") {
    for (const Index lie : {Index{101}, kMaxIndex, kMaxIndex + 1, kMost}) { // rows 24, 28
        OnePartition<> p;
        p.start_healthy(100);
        const TimePoint heard = p.report(3).last_contact;
        p.clock.advance(1s);
        p.hear(2, 100);
        p.group().follower(3, lie, p.clock.now());
        CHECK(p.observe() == Result::ok);
        CHECK(p.report(3).match == 100);
        CHECK(p.report(3).last_contact == heard);
        CHECK(p.high_watermark() == 100);
        CHECK(p.isr.counters().rejected(Result::beyond_leader_end) == 1);
    }
}

TEST_CASE("a match that was not confirmed in this epoch holds nothing", "[bad_input]") { // row 26
    OnePartition<> p{{.min_insync_replicas = 1}};
    p.lead(4, 100);
    p.hear(2, 100);
    p.group().follower(3, 100, p.clock.now(), false);
    CHECK(p.inherit({1, 3, 1, {1, 2}}) == Result::ok);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.isr.add_to_isr(p.kTopic, 0, 3) == Result::not_confirmed);
    CHECK_FALSE(p.explain(3).match);
    p.hear(3, 100);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("positions that fall within an epoch change nothing", "[bad_input]") { // rows 25, 27
    OnePartition<> p;
    p.start_healthy(100);
    p.group().positions({40, 40, 40});
    p.group().follower(2, 30, p.clock.now()).follower(3, 0, p.clock.now());
    CHECK(p.observe() == Result::ok);
    CHECK(p.report().end == 100);
    CHECK(p.report(2).match == 100);
    CHECK(p.report(3).match == 100);
    CHECK(p.high_watermark() == 100);
    CHECK(p.isr.record_leader(p.handle(), 4, {10, 10, 10}) == Result::ok);
    CHECK(p.report().end == 100);
    CHECK(p.members() == Nodes{1, 2, 3});
    Ended& wait = p.await(4, 100);
    CHECK(wait == Ended{WaitResult::committed});
}

TEST_CASE("an epoch that jumps is accepted, and forgets what was known", "[bad_input]") { // row 22
    OnePartition<> p;
    p.start_healthy(100);
    p.lead(4000, 120);
    CHECK(p.observe() == Result::ok);
    CHECK(p.set().epoch() == 4000);
    CHECK(p.set().version() == 2);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK_FALSE(p.report(2).match);
    CHECK(p.high_watermark() == 0);
    p.lead(kMaxEpoch, 120);
    CHECK(p.observe() == Result::ok);
    CHECK(p.set().epoch() == kMaxEpoch);
}

TEST_CASE("a claim of another leader to the own epoch is refused and counted", "[bad_input]") {
    OnePartition<> p; // row 31
    p.start_healthy(100);
    CHECK(p.isr.apply_published_isr(p.kTopic, 0, {2, 4, 7, {2, 3}}) == Result::epoch_conflict);
    CHECK(p.isr.counters().rejected(Result::epoch_conflict) == 1);
    CHECK(p.set().leader() == 1);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.set().version() == 8); // so that the own set will be shown
    CHECK(p.has_min());
}

TEST_CASE("a version at its largest is not passed, and does not wrap", "[bad_input]") { // row 23
    OnePartition<> p{{.min_insync_replicas = 1}};
    p.lead(4, 100);
    p.hear({2, 3}, 100);
    CHECK(p.inherit({2, 3, kMaxVersion - 1, {1, 2, 3}}) == Result::ok);
    CHECK(p.set().version() == kMaxVersion);
    CHECK(p.set().own());
    const IsrSet last = p.set();
    CHECK(p.isr.remove_from_isr(p.kTopic, 0, 2) == Result::epoch_exhausted);
    CHECK(p.isr.set_assignment(p.kTopic, 0, {1, 2}) == Result::epoch_exhausted);
    CHECK(p.isr.counters().rejected(Result::epoch_exhausted) == 2);
    p.sweep_until(15s, [&] { p.hear(3, 100); });
    CHECK(p.set() == last);
    // An equal set in a newer epoch would be a change as well.
    p.lead(5, 100);
    CHECK(p.observe() == Result::epoch_exhausted);
    CHECK_FALSE(p.set().epoch() == 5);
}

TEST_CASE("indexes up to 2^63-1 are counted without overflow", "[bad_input]") { // row 28
    OnePartition<> p{{.max_lag_entries = 1000}};
    p.lead(4, kMaxIndex);
    p.group().follower(2, kMaxIndex - 1000, p.clock.now()).follower(3, 0, p.clock.now());
    CHECK(p.initialize() == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.report(3).lag.entries == kMaxIndex);
    CHECK(p.high_watermark() == kMaxIndex - 1000);
    CHECK(p.isr.record_progress(p.handle(), 4, 2, kMaxIndex, p.clock.now()) == Result::ok);
    CHECK(p.high_watermark() == kMaxIndex);
    CHECK(p.await(4, kMaxIndex) == Ended{WaitResult::committed});
}
