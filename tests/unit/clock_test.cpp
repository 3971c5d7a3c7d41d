#include <insync/clock.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using insync::Clock;
using insync::SteadyClock;
using insync::TimePoint;

namespace {

struct Minimal {
    TimePoint now() const noexcept { return {}; }
    std::int64_t wall_ms() const noexcept { return 0; }
};
struct NarrowWall { // converts without loss
    TimePoint now() const noexcept { return {}; }
    std::int32_t wall_ms() const noexcept { return 0; }
};
struct MayThrow {
    TimePoint now() const { return {}; }
    std::int64_t wall_ms() const noexcept { return 0; }
};
struct NotConst {
    TimePoint now() noexcept { return {}; }
    std::int64_t wall_ms() const noexcept { return 0; }
};
struct OtherTimeLine {
    std::chrono::steady_clock::time_point now() const noexcept { return {}; }
    std::int64_t wall_ms() const noexcept { return 0; }
};
struct NoWall {
    TimePoint now() const noexcept { return {}; }
};

} // namespace

TEST_CASE("a clock is what tells its time, const, without throwing", "[clock]") {
    STATIC_REQUIRE(Clock<Minimal>);
    STATIC_REQUIRE(Clock<NarrowWall>);
    STATIC_REQUIRE(Clock<SteadyClock>);
}

TEST_CASE("near misses are no clocks", "[clock]") {
    STATIC_REQUIRE_FALSE(Clock<MayThrow>);      // the manager reads it on paths that are noexcept
    STATIC_REQUIRE_FALSE(Clock<NotConst>);      // questions ask it through a const manager
    STATIC_REQUIRE_FALSE(Clock<OtherTimeLine>); // its times would not compare with the contacts'
    STATIC_REQUIRE_FALSE(Clock<NoWall>);
    STATIC_REQUIRE_FALSE(Clock<std::chrono::steady_clock>);
}

TEST_CASE("the steady clock does not go back", "[clock]") {
    const SteadyClock clock;
    TimePoint before = clock.now();
    for (int i = 0; i < 1000; ++i) {
        const TimePoint now = clock.now();
        REQUIRE(now >= before);
        before = now;
    }
}

TEST_CASE("the steady clock's wall time is milliseconds since 1970", "[clock]") {
    const SteadyClock clock;
    constexpr std::int64_t kYear2020 = 1'577'836'800'000;
    constexpr std::int64_t kYear2200 = 7'258'118'400'000;
    CHECK(clock.wall_ms() > kYear2020); // in seconds it would be a thousand times less
    CHECK(clock.wall_ms() < kYear2200);
}
