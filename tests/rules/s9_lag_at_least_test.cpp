// S9: the lag of a follower that has confirmed nothing in this epoch, as of the node that led and
// was stopped: what it lacks at least.

#include "support/one_partition.hpp"

#include <insync/consensus_view.hpp>
#include <insync/explain.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::kNever;
using support::Lines;
using support::OnePartition;

namespace {

/// Node 3 led in epoch 4 with a log that ended at 100 and was stopped; node 1 leads in epoch 5,
/// which begins with 101, and has written up to `end` since.
void lead_after_3(OnePartition<>& p, insync::Index end, insync::Index epoch_start) {
    p.group().follow(3, 4);
    (void)p.inherit({3, 4, 7, {1, 2, 3}});
    p.clock.advance(1s);
    p.lead(5, 101);
    p.group().edit([&](insync::GroupState& state) { state.epoch_start = epoch_start; });
    p.hear(2, 101);
    p.group().follower(3, 0, kNever, false);
    (void)p.observe();
    p.sweep_until(13s, [&] {
        p.lead(5, end);
        p.hear(2, end);
    });
}

} // namespace

TEST_CASE("who led and was stopped is shown with the entries of this epoch as its lag", "[s9]") {
    OnePartition p;
    lead_after_3(p, 12'100, 101);
    const insync::FollowerReport follower = p.report(3);
    CHECK_FALSE(follower.lag.entries); // what it holds is not known
    CHECK(follower.lag.entries_at_least == 12'000);
    CHECK_FALSE(follower.member);
    CHECK(p.explain(3).lag.entries_at_least == 12'000);
}

TEST_CASE("its removal is logged with what it lacks at least", "[s9]") {
    OnePartition p;
    lead_after_3(p, 12'100, 101);
    CHECK(p.lines == Lines{"ISR SHRINK: my-topic-0 removed replica 3 (lag: at least 12000 entries, "
                           "11000 ms)"});
}

TEST_CASE("a view that does not know where its epoch began shows what came since it was seen",
          "[s9]") {
    OnePartition p;
    lead_after_3(p, 12'100, 0);
    CHECK(p.report(3).lag.entries_at_least == 11'999); // the first of the epoch had been appended
}

TEST_CASE("once it has confirmed what it holds, its lag is exact", "[s9]") {
    OnePartition p;
    lead_after_3(p, 12'100, 101);
    p.hear(3, 90);
    p.sweep();
    CHECK(p.report(3).lag.entries == 12'010);
    CHECK(p.report(3).lag.entries_at_least == 0);
}
