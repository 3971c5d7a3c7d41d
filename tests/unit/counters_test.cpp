#include <insync/counters.hpp>
#include <insync/errors.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>

using insync::IsrCounters;
using insync::Result;
using insync::detail::AtomicCounters;

TEST_CASE("counters start at nothing", "[counters]") {
    const AtomicCounters atomic;
    const IsrCounters counters = atomic.read();
    CHECK(counters.shrinks == 0);
    CHECK(counters.sweeps == 0);
    for (std::size_t i = 0; i < insync::kResultCount; ++i)
        CHECK(counters.rejected(static_cast<Result>(i)) == 0);
}

TEST_CASE("a refusal is counted under its own reason and handed on", "[counters]") {
    AtomicCounters atomic;
    CHECK(atomic.count(Result::torn) == Result::torn);
    CHECK(atomic.count(Result::shut_down) == Result::shut_down);
    CHECK(atomic.count(Result::torn) == Result::torn);
    const IsrCounters counters = atomic.read();
    CHECK(counters.rejected(Result::torn) == 2);
    CHECK(counters.rejected(Result::shut_down) == 1);
    CHECK(counters.rejected(Result::unavailable) == 0);
}

TEST_CASE("normal outcomes are not counted as refusals", "[counters]") {
    AtomicCounters atomic;
    CHECK(atomic.count(Result::ok) == Result::ok);
    CHECK(atomic.count(Result::stale) == Result::stale);
    CHECK(atomic.read().rejected(Result::ok) == 0);
    CHECK(atomic.read().rejected(Result::stale) == 0);
}

TEST_CASE("what is read is what was counted, each in its own place", "[counters]") {
    // They are read in one long initialiser, where two could change places.
    AtomicCounters atomic;
    AtomicCounters::add(atomic.shrinks, 1);
    AtomicCounters::add(atomic.expands, 2);
    AtomicCounters::add(atomic.sweeps, 3);
    AtomicCounters::add(atomic.stalled_sweeps, 4);
    AtomicCounters::add(atomic.views_read, 5);
    AtomicCounters::add(atomic.refused_produces, 6);
    AtomicCounters::add(atomic.damped_joins, 7);
    AtomicCounters::add(atomic.clock_steps_back, 8);
    AtomicCounters::add(atomic.callbacks_thrown, 9);
    const IsrCounters counters = atomic.read();
    CHECK(counters.shrinks == 1);
    CHECK(counters.expands == 2);
    CHECK(counters.sweeps == 3);
    CHECK(counters.stalled_sweeps == 4);
    CHECK(counters.views_read == 5);
    CHECK(counters.refused_produces == 6);
    CHECK(counters.damped_joins == 7);
    CHECK(counters.clock_steps_back == 8);
    CHECK(counters.callbacks_thrown == 9);
}

TEST_CASE("adding nothing changes nothing", "[counters]") {
    AtomicCounters atomic;
    AtomicCounters::add(atomic.shrinks, 0);
    AtomicCounters::add(atomic.shrinks);
    CHECK(atomic.read().shrinks == 1);
}
