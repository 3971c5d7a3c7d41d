#include <insync/testing/simulated_events.hpp>

#include <catch2/catch_test_macros.hpp>

using namespace std::chrono_literals;
using insync::TimePoint;
using insync::testing::EventLine;
using insync::testing::SimulatedEvent;

TEST_CASE("events happen in order of time, and then of coming in", "[simulated_events]") {
    EventLine line;
    CHECK(line.due() == TimePoint::max());
    const auto add = [&](TimePoint when, insync::NodeId to) {
        SimulatedEvent event;
        event.to = to;
        line.add(when, event);
    };
    add(TimePoint{5ms}, 1);
    add(TimePoint{2ms}, 2);
    add(TimePoint{5ms}, 3);
    CHECK(line.due() == TimePoint{2ms});
    CHECK(line.take().to == 2);
    CHECK(line.now() == TimePoint{2ms});
    add(TimePoint{1ms}, 4); // too late to be earlier than now
    CHECK(line.take().to == 4);
    CHECK(line.now() == TimePoint{2ms});
    CHECK(line.take().to == 1);
    CHECK(line.take().to == 3);
    line.set_now(TimePoint{3ms});
    CHECK(line.now() == TimePoint{5ms});
}
