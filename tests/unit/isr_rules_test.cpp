#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/isr_rules.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

using namespace std::chrono_literals;
using insync::Damping;
using insync::dwell_after;
using insync::effective_min_isr;
using insync::Index;
using insync::is_majority;
using insync::IsrConfig;
using insync::judge_member;
using insync::judge_outsider;
using insync::LagLimits;
using insync::Millis;
using insync::ReplicaKind;
using insync::ReplicaLag;
using insync::Verdict;

namespace {

constexpr LagLimits kLimits{.entries = 100, .time = 10s};

} // namespace

TEST_CASE("a replica is in sync within both limits, and at them", "[isr_rules]") {
    struct Row {
        std::optional<Index> entries;
        Millis time;
        Verdict member;
        Verdict outsider;
        const char* why;
    };
    constexpr Row kRows[] = {
        {0, 0ms, Verdict::in_sync, Verdict::in_sync, "has everything"},
        {100, 10s, Verdict::in_sync, Verdict::in_sync, "the bounds themselves are in sync"},
        {101, 0ms, Verdict::lag_entries, Verdict::lag_entries, "one entry too many"},
        {0, 10'001ms, Verdict::lag_ms, Verdict::lag_ms, "one millisecond too long"},
        {101, 10'001ms, Verdict::lag_entries, Verdict::lag_entries, "both: entries are named"},
        {std::nullopt, 0ms, Verdict::in_sync, Verdict::not_confirmed, "grace is for members"},
        {std::nullopt, 10s, Verdict::in_sync, Verdict::not_confirmed, "grace lasts that long"},
        {std::nullopt, 10'001ms, Verdict::lag_ms, Verdict::not_confirmed, "and not longer"},
    };
    for (const Row& row : kRows) {
        INFO(row.why);
        const ReplicaLag lag{row.entries, row.time};
        CHECK(judge_member(ReplicaKind::voter, lag, kLimits) == row.member);
        CHECK(judge_outsider(ReplicaKind::voter, lag, kLimits) == row.outsider);
    }
}

TEST_CASE("only a voter can be in sync, however close it is", "[isr_rules]") {
    for (const auto kind : {ReplicaKind::learner, ReplicaKind::joining, ReplicaKind::leaving}) {
        CHECK(judge_member(kind, {0, 0ms}, kLimits) == Verdict::not_eligible);
        CHECK(judge_outsider(kind, {0, 0ms}, kLimits) == Verdict::not_eligible);
        CHECK(judge_outsider(kind, {std::nullopt, 0ms}, kLimits) == Verdict::not_eligible);
    }
}

TEST_CASE("without a limit on entries only time counts", "[isr_rules]") {
    IsrConfig config;
    config.max_lag_entries = IsrConfig::kNoEntryLimit;
    const LagLimits limits = insync::staying_limits(config);
    CHECK(judge_member(ReplicaKind::voter, {insync::kMaxIndex, 10s}, limits) == Verdict::in_sync);
    CHECK(judge_member(ReplicaKind::voter, {0, 10'001ms}, limits) == Verdict::lag_ms);
}

TEST_CASE("joining is as easy as staying unless damping says otherwise", "[isr_rules]") {
    const IsrConfig config;
    CHECK(insync::joining_limits(config).entries == insync::staying_limits(config).entries);
    CHECK(insync::joining_limits(config).time == insync::staying_limits(config).time);
}

TEST_CASE("damping lowers the limits for joining to its percentage", "[isr_rules]") {
    IsrConfig config;
    config.damping.join_percent = 50;
    CHECK(insync::joining_limits(config).entries == 5'000);
    CHECK(insync::joining_limits(config).time == 5s);
    CHECK(insync::staying_limits(config).entries == 10'000);
    CHECK(insync::staying_limits(config).time == 10s);

    config.damping.join_percent = 33;
    config.max_lag_entries = 199;
    config.max_lag_ms = 2'050ms;
    CHECK(insync::joining_limits(config).entries == 65); // 65.67, never above the percentage
    CHECK(insync::joining_limits(config).time == 676ms); // 676.5
}

TEST_CASE("a percentage of the largest limits does not overflow", "[isr_rules]") {
    IsrConfig config;
    config.damping.join_percent = 99;
    config.max_lag_ms = Millis::max();
    config.max_lag_entries = IsrConfig::kNoEntryLimit;
    CHECK(insync::joining_limits(config).time > Millis::max() / 100 * 98);
    CHECK(insync::joining_limits(config).time < Millis::max());
    CHECK(insync::joining_limits(config).entries == IsrConfig::kNoEntryLimit);
    config.max_lag_entries = IsrConfig::kNoEntryLimit - 1;
    CHECK(insync::joining_limits(config).entries > IsrConfig::kNoEntryLimit / 100 * 98);
    CHECK(insync::joining_limits(config).entries < IsrConfig::kNoEntryLimit);
}

TEST_CASE("min ISR is at least 1 and at most what the partition has", "[isr_rules]") {
    STATIC_REQUIRE(effective_min_isr(2, 3) == 2);
    STATIC_REQUIRE(effective_min_isr(3, 3) == 3);
    STATIC_REQUIRE(effective_min_isr(4, 3) == 3);
    STATIC_REQUIRE(effective_min_isr(2, 1) == 1); // one replica can be written to
    STATIC_REQUIRE(effective_min_isr(0, 3) == 1); // acks=all without any member promises nothing
    STATIC_REQUIRE(effective_min_isr(-7, 3) == 1);
    STATIC_REQUIRE(effective_min_isr(2, 0) == 1);
    STATIC_REQUIRE(effective_min_isr(2'147'483'647, 15) == 15);
}

TEST_CASE("half of the voters is not a majority", "[isr_rules]") {
    STATIC_REQUIRE(is_majority(1, 1));
    STATIC_REQUIRE_FALSE(is_majority(1, 2));
    STATIC_REQUIRE(is_majority(2, 2));
    STATIC_REQUIRE_FALSE(is_majority(1, 3));
    STATIC_REQUIRE(is_majority(2, 3));
    STATIC_REQUIRE_FALSE(is_majority(2, 4));
    STATIC_REQUIRE(is_majority(3, 4));
    STATIC_REQUIRE(is_majority(3, 5));
}

TEST_CASE("each departure in a row doubles the dwell, up to the most", "[isr_rules]") {
    constexpr Damping kDamping{.min_dwell = 10s, .max_dwell = 60s};
    CHECK(dwell_after(kDamping, 1) == 10s);
    CHECK(dwell_after(kDamping, 2) == 20s);
    CHECK(dwell_after(kDamping, 3) == 40s);
    CHECK(dwell_after(kDamping, 4) == 60s);
    CHECK(dwell_after(kDamping, 255) == 60s);
}

TEST_CASE("a dwell without a bound worth the name does not overflow", "[isr_rules]") {
    constexpr Damping kDamping{.min_dwell = 1ms, .max_dwell = Millis::max()};
    CHECK(dwell_after(kDamping, 63) == Millis{1} * (std::int64_t{1} << 62));
    CHECK(dwell_after(kDamping, 64) == Millis::max());
    CHECK(dwell_after(kDamping, 255) == Millis::max());
}

TEST_CASE("without a largest dwell it does not grow", "[isr_rules]") {
    CHECK(dwell_after(Damping{.min_dwell = 10s}, 1) == 10s);
    CHECK(dwell_after(Damping{.min_dwell = 10s}, 9) == 10s);
    CHECK(dwell_after(Damping{.min_dwell = 10s, .max_dwell = 10s}, 9) == 10s);
}
