// S3: who is in sync. `caught_up` is the latest time at which a replica is known to have held all
// that the leader then had; lag in time is the age of that.

#include "support/one_partition.hpp"

#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::Index;
using insync::IsrConfig;
using insync::Millis;
using insync::ReplicaKind;
using insync::Result;
using support::Nodes;
using support::OnePartition;

TEST_CASE("a replica is in sync when both lags are within their limits", "[s3]") {
    // Replica 3 held the first 10 000 at 0; at `when` it holds all but `behind` of what there is.
    struct Row {
        Index behind;
        Millis when;
        bool in_sync;
        const char* why;
    };
    constexpr Row kRows[] = {
        {1, 1s, true, "hardly behind"},
        {10'000, 1s, true, "the bound on entries is in sync"},
        {10'001, 1s, false, "entries alone put it out"},
        {1, 10s, true, "the bound on time is in sync"},
        {1, 10'001ms, false, "time alone puts it out"},
        {10'000, 10s, true, "both at their bounds"},
    };
    for (const Row& row : kRows) {
        INFO(row.why);
        OnePartition p;
        p.start_healthy(10'000);
        p.clock.advance(row.when);
        p.lead(4, 10'000 + row.behind);
        p.hear(2, 10'000 + row.behind);
        p.hear(3, 10'000);
        REQUIRE(p.observe() == Result::ok);
        CHECK(p.explain(3).lag.entries == row.behind);
        CHECK(p.explain(3).lag.time == row.when);
        CHECK(p.isr.is_in_sync("my-topic", 0, 3) == row.in_sync);
    }
}

TEST_CASE("the rule on entries can be switched off", "[s3]") {
    OnePartition p{{.max_lag_entries = IsrConfig::kNoEntryLimit}};
    p.start_healthy(100);
    p.clock.advance(9s);
    p.lead(4, insync::kMaxIndex);
    p.hear(2, insync::kMaxIndex);
    p.hear(3, 100);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("a silent replica goes out even on an idle partition", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(10s, [&] { p.hear(2, 100); });
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(11s, [&] { p.hear(2, 100); });
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("a chatty replica that never catches up goes out too", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    Index end = 100;
    p.sweep_until(11s, [&] {
        p.lead(4, end += 10);
        p.hear(2, end);
        p.hear(3, 100); // answers every time, and holds nothing new
    });
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("an idle healthy replica stays", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(10min, [&] { p.hear({2, 3}, 100); });
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.explain(3).lag.time == 0ms);
}

TEST_CASE("S3* a follower that is always a few milliseconds behind under steady load stays",
          "[s3][star]") {
    // Pipelined appends, sampled: at no moment at which anybody looks does it hold the end. Kafka's
    // two-point rule would take it to have been caught up never since 0.
    OnePartition p;
    p.start_healthy(1'000);
    Index end = 1'000;
    p.sweep_until(2min, [&] {
        p.lead(4, end += 5'000);
        p.hear({2, 3}, end - 25); // five milliseconds' worth
    });
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.lines.empty());
    CHECK(p.explain(3).lag.entries == 25);
    CHECK(p.explain(3).lag.time < 3s); // one interval, and the spacing of the samples
}

TEST_CASE("S3* a follower as far behind as the limit allows is remembered that long",
          "[s3][star]") {
    // Samples cover max_lag_ms. Appends every millisecond, and a follower that is behind by nearly
    // the limit: what it holds was the end almost `max_lag_ms` ago.
    const Millis limit = GENERATE(1'000ms, 800ms);
    OnePartition p{{.max_lag_ms = limit, .max_lag_entries = 1'000'000, .check_interval_ms = 100ms}};
    p.start_healthy(0);
    const auto behind = limit * 7 / 8 - 100ms; // samples and sweeps leave so much to be known
    for (Index now = 100; now <= 20'000; now += 100) {
        p.clock.advance(100ms);
        p.lead(4, now * 1'000);
        p.hear(2, now * 1'000);
        const auto ago = static_cast<Index>(behind.count());
        p.hear(3, now > ago ? (now - ago) * 1'000 : 0);
        p.isr.tick();
        REQUIRE(p.members() == Nodes{1, 2, 3});
    }
}

TEST_CASE("S3* samples are spaced, so that frequent appends do not shorten the memory",
          "[s3][star]") {
    // The leader tells of every append, once a millisecond. Nine samples that were not at least
    // max_lag_ms / 8 apart would cover nine milliseconds.
    OnePartition p;
    p.start_healthy(0);
    for (Index now = 1; now <= 30'000; ++now) {
        p.clock.advance(1ms);
        REQUIRE(p.isr.record_leader(p.handle(), 4, {now, now, now}) == Result::ok);
        if (now % 1'000 != 0) continue;
        p.lead(4, now);
        p.hear(2, now);
        p.hear(3, now > 5'000 ? now - 5'000 : 0); // five seconds behind
        p.isr.tick();
        REQUIRE(p.members() == Nodes{1, 2, 3});
    }
    CHECK(p.explain(3).lag.time >= 4'999ms); // the oldest entry that it lacks is that old
    CHECK(p.explain(3).lag.time <= 4'999ms + 1250ms);
}

TEST_CASE("S3* samples cover a limit that is no multiple of eight", "[s3][star]") {
    OnePartition p{{.max_lag_ms = 15ms, .check_interval_ms = 1ms}};
    p.start_healthy(0);
    for (Index now = 1; now <= 200; ++now) {
        p.clock.advance(1ms);
        p.lead(4, now);
        p.hear(2, now);
        p.hear(3, now > 12 ? now - 12 : 0); // 12 of 15 ms behind
        p.isr.tick();
        REQUIRE(p.members() == Nodes{1, 2, 3});
    }
}

TEST_CASE("time in which nothing was appended is not charged to a replica that has what was",
          "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(1s, [&] { // an append of which replica 3 lacks ten entries
        p.lead(4, 110);
        p.hear(2, 110);
        p.hear(3, 100);
    });
    p.sweep_until(10s, [&] {
        p.hear(2, 110);
        p.hear(3, 100);
    });
    REQUIRE(p.explain(3).lag.time == 10s);
    p.sweep_until(11s, [&] { // it has got them, and traffic goes on
        p.lead(4, 200);
        p.hear(2, 200);
        p.hear(3, 195);
    });
    CHECK(p.explain(3).lag.time <= 1s + 1250ms); // the five it lacks came within the last interval
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.lines.empty());
}

TEST_CASE("lag in time is the age of the oldest entry that the replica lacks", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.sweep_until(60s, [&] { p.hear({2, 3}, 100); }); // idle: no samples are needed
    p.sweep_until(63s, [&] {
        p.lead(4, 101); // one append, after 60 s
        p.hear(2, 101);
        p.hear(3, 100);
    });
    CHECK(p.explain(3).lag.time == 3s); // not 63
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("being caught up is not taken back by what is older than what was pushed", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.clock.advance(5s);
    p.hear({2, 3}, 100);
    REQUIRE(p.observe() == Result::ok);
    p.group().positions({90, 90, 90}); // a read of an earlier moment
    p.group().follower(3, 90, insync::TimePoint{1s});
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.explain(3).match == 100);
    CHECK(p.explain(3).lag.time == 0ms);
    CHECK(p.explain(3).last_contact == insync::TimePoint{5s});
}

TEST_CASE("pulling and pushing end in the same set; pushing only knows it more exactly", "[s3]") {
    OnePartition pulled;
    OnePartition pushed;
    pulled.start_healthy(100);
    pushed.start_healthy(100);
    const auto handle = pushed.handle();
    for (int second = 1; second <= 15; ++second) {
        const auto end = static_cast<Index>(100 + 10 * second);
        const Index third = second < 4 ? end - 5 : 135; // gets nothing more from then on
        pulled.clock.advance(1s);
        pushed.clock.advance(1s);
        const auto now = pushed.clock.now();
        REQUIRE(pushed.isr.record_leader(handle, 4, {end, end, end}) == Result::ok);
        CHECK(pushed.isr.record_progress(handle, 4, 2, end, now) == Result::ok);
        (void)pushed.isr.record_progress(handle, 4, 3, third, now);
        CHECK(pushed.isr.record_progress(handle, 4, 2, end, now) == Result::stale); // doubled
        CHECK(pushed.isr.record_progress(handle, 4, 2, 90, now) == Result::stale);  // reordered
        for (OnePartition<>* const p : {&pulled, &pushed}) {
            p->lead(4, end);
            p->hear(2, end);
            p->hear(3, third);
            REQUIRE(p->observe() == Result::ok);
        }
        CHECK(pulled.explain(2).lag.time == pushed.explain(2).lag.time);
        CHECK(pulled.explain(3).lag.entries == pushed.explain(3).lag.entries);
        CHECK(pulled.explain(3).lag.time >= pushed.explain(3).lag.time);
        CHECK(pulled.explain(3).lag.time <= pushed.explain(3).lag.time + 2s); // two sweeps a sample
    }
    CHECK(pulled.members() == Nodes{1, 2});
    CHECK(pushed.members() == Nodes{1, 2});
}

TEST_CASE("the leader is in its own ISR, whatever the metadata said", "[s3]") {
    OnePartition p;
    p.lead(5, 100);
    p.hear({2, 3}, 100);
    REQUIRE(p.inherit({2, 4, 7, {2, 3}}) == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});
    p.sweep_until(60s); // alone, and still in
    CHECK(p.members() == Nodes{1});
}

TEST_CASE("a learner, a joining or a leaving replica is never in sync", "[s3]") {
    for (const auto kind : {ReplicaKind::learner, ReplicaKind::joining, ReplicaKind::leaving}) {
        OnePartition p;
        p.start_healthy(100);
        p.group().kind(3, kind);
        REQUIRE(p.observe() == Result::ok);
        CHECK(p.members() == Nodes{1, 2}); // at once, with no lag at all
        CHECK(p.changes.back().cause == insync::ChangeCause::membership);
        CHECK(p.isr.add_to_isr("my-topic", 0, 3) == Result::not_eligible);
        p.group().kind(3, ReplicaKind::voter);
        REQUIRE(p.observe() == Result::ok);
        CHECK(p.members() == Nodes{1, 2, 3});
    }
}

TEST_CASE("an assigned replica that is not a member of the group is not in sync", "[s3]") {
    OnePartition p;
    p.start_healthy(100);
    p.group().without(3);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.explain(3).state == insync::ReplicaState::not_a_member);
}

TEST_CASE("a partition with a single replica is always in sync", "[s3]") {
    OnePartition p;
    p.lead(4, 100);
    REQUIRE(p.initialize({1}) == Result::ok);
    p.sweep_until(60s);
    CHECK(p.members() == Nodes{1});
    CHECK(p.has_min()); // min ISR 2 is more than it has
    CHECK(p.high_watermark() == 100);
}
