#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using insync::TimePoint;
using insync::testing::ManualClock;

TEST_CASE("a manual clock stands still until it is moved", "[manual_clock]") {
    const ManualClock clock{TimePoint{7s}, 1000};
    CHECK(clock.now() == TimePoint{7s});
    CHECK(clock.now() == TimePoint{7s});
    CHECK(clock.wall_ms() == 1000);
}

TEST_CASE("copies of a manual clock share one time", "[manual_clock]") {
    const ManualClock clock;
    const ManualClock copy = clock;
    ManualClock assigned{TimePoint{99s}};
    assigned = copy;

    clock.advance(3s);
    CHECK(copy.now() == clock.now());
    CHECK(assigned.now() == clock.now());

    assigned.set(TimePoint{1s});
    CHECK(clock.now() == TimePoint{1s});
    CHECK(ManualClock{}.now() != clock.now());
}

TEST_CASE("advancing moves the wall clock by as much", "[manual_clock]") {
    const ManualClock clock{TimePoint{0s}, 5000};
    clock.advance(250ms);
    CHECK(clock.now() == TimePoint{250ms});
    CHECK(clock.wall_ms() == 5250);
}

TEST_CASE("each of a manual clock's two times can be set alone, also back", "[manual_clock]") {
    const ManualClock clock{TimePoint{10s}, 5000};
    clock.set(TimePoint{4s});
    CHECK(clock.now() == TimePoint{4s});
    CHECK(clock.wall_ms() == 5000);

    clock.set_wall_ms(-1);
    CHECK(clock.now() == TimePoint{4s});
    CHECK(clock.wall_ms() == -1);
}

TEST_CASE("a manual clock can stand at either end of time", "[manual_clock]") {
    const ManualClock clock{TimePoint::max()};
    CHECK(clock.now() == TimePoint::max());
    clock.set(TimePoint::min());
    CHECK(clock.now() == insync::kNever);
}

TEST_CASE("no step is lost when threads advance a manual clock together", "[manual_clock]") {
    const ManualClock clock{TimePoint{0s}, 0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([clock] {
            for (int step = 0; step < 100'000; ++step) clock.advance(1ms);
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(clock.now() == TimePoint{400s});
    CHECK(clock.wall_ms() == 400'000);
}
