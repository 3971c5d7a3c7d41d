#include <insync/testing/simulated_node.hpp>

#include <catch2/catch_test_macros.hpp>

using namespace std::chrono_literals;
using insync::TimePoint;
using insync::testing::SimulatedTime;

TEST_CASE("a node's clock runs true until it is told otherwise", "[simulated_node]") {
    SimulatedTime time;
    CHECK(time.at(TimePoint{7s}) == TimePoint{7s});
    time.set_rate(TimePoint{10s}, 200);
    CHECK(time.at(TimePoint{11s}) == TimePoint{12s});
    time.set_rate(TimePoint{11s}, 0);
    CHECK(time.at(TimePoint{20s}) == TimePoint{12s});
    time.set_time(TimePoint{20s}, TimePoint{3s}); // back, and still it stands
    CHECK(time.at(TimePoint{30s}) == TimePoint{3s});
    time.set_rate(TimePoint{30s}, 50);
    CHECK(time.at(TimePoint{33s}) == TimePoint{4500ms});
    CHECK(time.at(TimePoint{33'150ms}) == TimePoint{4575ms});
}

TEST_CASE("a node's clock does not run beyond the end of time", "[simulated_node]") {
    SimulatedTime time;
    time.set_time(TimePoint{}, TimePoint::max() - 1ms);
    CHECK(time.at(TimePoint{1h}) == TimePoint::max());
}
