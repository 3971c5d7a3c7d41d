#include "support/one_partition.hpp"

#include <insync/detail/stamp.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <optional>

using namespace std::chrono_literals;
using insync::Index;
using insync::kNever;
using insync::Millis;
using insync::ReplicaLag;
using insync::ReplicaProgress;
using insync::TimePoint;
using support::OnePartition;

namespace {

constexpr TimePoint at(Millis time) {
    return TimePoint{time};
}

} // namespace

TEST_CASE("replica_progress_lag_calculation", "[replica_progress][design]") {
    // The value: entries are a difference, time counts from when it held all there was.
    ReplicaProgress replica = ReplicaProgress::at_epoch_start(true, at(0s));
    replica.observe(9'900, at(9s));
    replica.catch_up(10'000, at(8500ms)); // at 8.5 s the leader's end was within 9 900
    const ReplicaLag lag = replica.lag(10'000, at(9s));
    CHECK(lag.entries == 100);
    CHECK(lag.time == 500ms);

    // The same as a leader measures it: appends at 1 s that replica 3 does not get.
    OnePartition p;
    p.start_healthy(10'000);
    p.sweep_until(3s, [&] {
        p.lead(4, 15'000);
        p.hear(2, 15'000);
        p.hear(3, 10'000);
    });
    CHECK(p.report(2).lag.entries == 0);
    CHECK(p.report(2).lag.time == 0ms);
    CHECK(p.report(3).lag.entries == 5'000);
    CHECK(p.report(3).lag.time == 3s); // it last held everything when it was heard of at 0
}

TEST_CASE("a replica starts an epoch unconfirmed, and a member in grace", "[replica_progress]") {
    constexpr auto kMember = ReplicaProgress::at_epoch_start(true, at(5s));
    STATIC_REQUIRE_FALSE(kMember.confirmed);
    STATIC_REQUIRE(kMember.contact == kNever);
    STATIC_REQUIRE(kMember.lag(100, at(6s)).time == 1s);
    STATIC_REQUIRE_FALSE(kMember.lag(100, at(6s)).entries.has_value());

    constexpr auto kOutsider = ReplicaProgress::at_epoch_start(false, at(5s));
    STATIC_REQUIRE(kOutsider.lag(100, at(6s)).time == Millis::max());
}

TEST_CASE("what is older than what is known changes nothing", "[replica_progress]") {
    ReplicaProgress replica;
    replica.observe(50, at(5s));
    replica.observe(40, at(4s)); // an answer that was overtaken
    CHECK(replica.match == 50);
    CHECK(replica.contact == at(5s));
    replica.observe(40, at(6s)); // each part by itself
    CHECK(replica.match == 50);
    CHECK(replica.contact == at(6s));
    replica.observe(60, at(1s));
    CHECK(replica.match == 60);
    CHECK(replica.contact == at(6s));
}

TEST_CASE("the first confirmed match counts even if it is smaller than the leftover",
          "[replica_progress]") {
    // A follower that was truncated holds less than what the last epoch knew of it.
    ReplicaProgress replica{.match = 90, .confirmed = false};
    replica.observe(70, at(1s));
    CHECK(replica.match == 70);
    CHECK(replica.confirmed);
}

TEST_CASE("a replica that holds the end is caught up as of its last contact",
          "[replica_progress]") {
    ReplicaProgress replica;
    replica.observe(100, at(4s));
    replica.catch_up(100, std::nullopt);
    CHECK(replica.caught_up == at(4s));
    CHECK(replica.lag(100, at(4s)).time == 0ms);
    CHECK(replica.lag(100, at(9s)).time == 5s); // silence counts although nothing was appended
}

TEST_CASE("a replica a batch behind is caught up as of the sample that it has passed",
          "[replica_progress]") {
    ReplicaProgress replica = ReplicaProgress::at_epoch_start(true, at(0s));
    replica.observe(90, at(8s));
    replica.catch_up(100, at(7s));
    CHECK(replica.caught_up == at(7s));
    replica.catch_up(100, std::nullopt); // no sample is old enough: nothing new is proven
    CHECK(replica.caught_up == at(7s));
}

TEST_CASE("a sample later than the contact proves no more than the contact", "[replica_progress]") {
    // What was said at 3 s proves nothing of 7 s, however far the match reaches.
    ReplicaProgress replica = ReplicaProgress::at_epoch_start(true, at(0s));
    replica.observe(90, at(3s));
    replica.catch_up(100, at(7s));
    CHECK(replica.caught_up == at(3s));
}

TEST_CASE("the time of having been caught up never falls", "[replica_progress]") {
    ReplicaProgress replica = ReplicaProgress::at_epoch_start(true, at(6s));
    replica.observe(90, at(8s));
    replica.catch_up(100, at(2s));
    CHECK(replica.caught_up == at(6s));
}

TEST_CASE("an unconfirmed match proves nothing", "[replica_progress]") {
    ReplicaProgress replica{.match = 500, .confirmed = false, .contact = at(9s)};
    replica.catch_up(100, at(9s));
    CHECK(replica.caught_up == kNever);
    CHECK_FALSE(replica.lag(100, at(9s)).entries.has_value());
}

TEST_CASE("a replica ahead of the leader lags by nothing", "[replica_progress]") {
    ReplicaProgress replica;
    replica.observe(100, at(1s));
    CHECK(replica.lag(90, at(1s)).entries == 0);
    CHECK(replica.lag(0, at(1s)).entries == 0);
}

TEST_CASE("the lag of the longest log fits", "[replica_progress]") {
    ReplicaProgress replica;
    replica.observe(0, at(0s));
    CHECK(replica.lag(insync::kMaxIndex, TimePoint::max()).entries == insync::kMaxIndex);
    CHECK(replica.lag(insync::kMaxIndex, TimePoint::max()).time == Millis::max());
}
