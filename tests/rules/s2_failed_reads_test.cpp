// S2: a read that fails is repeated soon, so that a lock that was taken is no outage.

#include "support/one_partition.hpp"

#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/errors.hpp>
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using insync::ReadResult;
using insync::Result;
using support::Nodes;
using support::OnePartition;

namespace {

/// Healthy groups of three, each read of which fails with the same probability, as of a lock that
/// is taken.
class BusyView {
public:
    struct Group {};
    static constexpr auto contact_source = insync::ContactSource::response;

    BusyView(insync::testing::ManualClock& clock, unsigned percent_busy)
        : clock_(clock), percent_busy_(percent_busy) {}

    Group find_group(insync::TopicPartition, std::span<const insync::NodeId>) { return {}; }
    ReadResult read(const Group&, insync::GroupState& state) noexcept {
        random_ = random_ * 6364136223846793005u + 1442695040888963407u;
        if ((random_ >> 33) % 100 < percent_busy_) return ReadResult::unavailable;
        state.epoch = 1;
        state.leader = 1;
        state.leading = true;
        state.end = state.durable = state.commit = 10;
        for (const insync::NodeId node : {2, 3})
            state.followers.push_back(
                {.node = node, .verified = true, .match = 10, .contact = clock_.now()});
        return ReadResult::ok;
    }
    [[nodiscard]] insync::Millis contact_slack() const noexcept { return 0ms; }

private:
    insync::testing::ManualClock& clock_;
    unsigned percent_busy_;
    std::uint64_t random_ = 1;
};

/// Lets the host sleep until there is something to do.
template <class Manager>
void run_until(Manager& isr, insync::testing::ManualClock& clock, insync::Millis until) {
    while (clock.now() < insync::TimePoint{until}) {
        clock.set(std::max(clock.now() + 1ms, isr.next_deadline()));
        isr.tick();
    }
}

} // namespace

TEST_CASE("busy locks are no outage: ten minutes of 1000 partitions, 70 % of the reads fail",
          "[s2]") {
    insync::testing::ManualClock clock;
    BusyView view{clock, 70};
    insync::IsrManager<BusyView, insync::testing::ManualClock> isr{1, view, {}, clock};
    unsigned outages = 0;
    isr.subscribe([&](const insync::IsrChange& change) {
        outages += change.cause == insync::ChangeCause::quorum_lost ? 1u : 0u;
    });
    for (insync::PartitionId i = 0; i < 1000; ++i)
        REQUIRE(isr.initialize_isr("t", i, {1, 2, 3}) == Result::ok);
    run_until(isr, clock, 30s); // all have led by then
    unsigned refused = 0;
    for (int minute = 1; minute <= 10; ++minute) {
        run_until(isr, clock, 30s + minute * 60s);
        for (insync::PartitionId i = 0; i < 1000; ++i) refused += isr.has_min_isr("t", i) ? 0u : 1u;
    }
    CHECK(refused == 0);
    CHECK(outages == 0);
}

TEST_CASE("a read that fails is repeated an eighth of an interval later", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.sweep();
    p.group().next_reads({ReadResult::unavailable});
    p.sweep();
    CHECK(p.isr.next_deadline() == p.in(125ms));
    const auto reads = p.group().reads();
    p.clock.advance(125ms);
    p.isr.tick();
    CHECK(p.group().reads() == reads + 1);
    CHECK(p.isr.next_deadline() == p.in(875ms)); // the next sweep: nothing is left to repeat
}

TEST_CASE("what goes on failing is read eight times an interval, not more", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.sweep();
    p.group().reads_return(ReadResult::torn);
    p.sweep();
    const auto reads = p.group().reads();
    run_until(p.isr, p.clock, 3s);
    CHECK(p.group().reads() - reads <= 8);
    CHECK(p.group().reads() - reads >= 7);
}

TEST_CASE("each read that failed is repeated once, whichever failed before", "[s2]") {
    insync::testing::ManualClock clock;
    insync::testing::ScriptedView view;
    insync::IsrManager<insync::testing::ScriptedView, insync::testing::ManualClock> isr{
        1, view, {}, clock};
    for (insync::PartitionId i = 0; i < 3; ++i)
        REQUIRE(isr.initialize_isr("t", i, {1, 2, 3}) == Result::ok);
    const auto sweep = [&](insync::Millis at) {
        clock.set(insync::TimePoint{at});
        isr.tick();
    };
    view.group("t", 0).reads_return(ReadResult::unavailable);
    view.group("t", 1).reads_return(ReadResult::unavailable);
    sweep(1s);
    sweep(1125ms); // two of them
    view.group("t", 2).reads_return(ReadResult::unavailable);
    sweep(2s);
    view.group("t", 0).reads_return(ReadResult::ok);
    std::vector<std::uint64_t> reads;
    for (insync::PartitionId i = 0; i < 3; ++i) reads.push_back(view.group("t", i).reads());
    sweep(2125ms);
    for (insync::PartitionId i = 0; i < 3; ++i)
        CHECK(view.group("t", i).reads() == ++reads[static_cast<std::size_t>(i)]);
}

TEST_CASE("a healthy sweep repeats nothing", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.sweep();
    CHECK(p.isr.next_deadline() == p.in(1s));
}

TEST_CASE("what is really gone refuses writes after max_lag_ms, repeated or not", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.sweep();
    p.group().reads_return(ReadResult::unavailable);
    run_until(p.isr, p.clock, 11s);
    CHECK(p.has_min());
    run_until(p.isr, p.clock, 12s + 125ms);
    CHECK_FALSE(p.has_min());
}

TEST_CASE("a partition that is removed while its reads fail is not read again", "[s2]") {
    OnePartition p;
    p.start_healthy();
    p.group().reads_return(ReadResult::unavailable);
    p.sweep();
    REQUIRE(p.isr.remove_partition(p.kTopic, 0) == Result::ok);
    const auto reads = p.group().reads();
    p.clock.advance(125ms);
    p.isr.tick();
    CHECK(p.group().reads() == reads);
    CHECK(p.isr.next_deadline() == p.in(875ms));
}
