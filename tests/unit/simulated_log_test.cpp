#include <insync/testing/simulated_log.hpp>

#include <catch2/catch_test_macros.hpp>

using insync::Index;
using insync::testing::LogEntries;
using insync::testing::SimulatedLog;

namespace {

/// One that has `first` entries of epoch 1, then `second` of epoch 2.
SimulatedLog log_of(Index first, Index second) {
    SimulatedLog log;
    log.append(1, first);
    log.append(2, second);
    return log;
}

} // namespace

TEST_CASE("a log knows each entry by its epoch", "[simulated_log]") {
    const SimulatedLog log = log_of(3, 2);
    CHECK(log.end() == 5);
    CHECK(log.last_epoch() == 2);
    CHECK(log.epoch_at(3) == 1);
    CHECK(log.epoch_at(4) == 2);
    CHECK(log.epoch_at(6) == 0);
    CHECK(log.holds(0, 9));
    CHECK(log.holds(3, 1));
    CHECK_FALSE(log.holds(3, 2));
    CHECK_FALSE(log.holds(6, 2));
}

TEST_CASE("what a leader sends wins over other entries, and only over those", "[simulated_log]") {
    SimulatedLog follower = log_of(3, 4);
    follower.flush_all();
    SimulatedLog leader = log_of(3, 1);
    leader.append(3, 2);
    CHECK(follower.agrees_until(leader) == 4);

    follower.take(leader.entries_after(3));
    CHECK(follower.end() == 6);
    CHECK(follower.agrees_until(leader) == 6);
    CHECK(follower.durable() == 4); // those exchanged are to be written again

    const LogEntries early = log_of(2, 0).entries_after(1);
    follower.take(early); // comes late, and says nothing new
    CHECK(follower.end() == 6);
}

TEST_CASE("a loss of power takes what had not reached the disk", "[simulated_log]") {
    SimulatedLog log = log_of(3, 4);
    log.flush(2, 1);
    log.flush(6, 1); // of an epoch that the entry is not of
    CHECK(log.durable() == 2);
    log.lose_power();
    CHECK(log.end() == 2);
    CHECK(log.last_epoch() == 1);
}

TEST_CASE("one message carries few epochs, and says how far it goes", "[simulated_log]") {
    SimulatedLog leader;
    for (const insync::Epoch epoch : {1u, 2u, 3u, 4u}) leader.append(epoch, 10);
    const LogEntries first = leader.entries_after(5);
    CHECK(first.last == 30);
    CHECK(first.runs.front().first == 6);
    SimulatedLog follower = log_of(5, 0);
    follower.take(first);
    CHECK(follower.agrees_until(leader) == 30);
    follower.take(leader.entries_after(30));
    CHECK(follower.agrees_until(leader) == 40);
    CHECK(leader.entries_after(40).runs.empty());
}
