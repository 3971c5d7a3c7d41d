#include <insync/detail/stamp.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using insync::Millis;
using insync::TimePoint;
using insync::detail::after;
using insync::detail::age;
using insync::detail::clamp;
using insync::detail::earlier;
using insync::detail::is_later;
using insync::detail::kMaxAge;
using insync::detail::later;
using insync::detail::long_before;
using insync::detail::Stamp;
using insync::detail::Timeline;

TEST_CASE("stamps compare rightly, also across the wrap", "[stamp]") {
    constexpr std::uint32_t kStarts[] = {0, 1'000, 0x7fff'fff0, 0x8000'0000, 0xffff'fff0};
    constexpr std::uint32_t kGaps[] = {1, 100, kMaxAge, 0x7fff'ffff};
    for (const std::uint32_t start : kStarts)
        for (const std::uint32_t gap : kGaps) {
            const Stamp before{start};
            const Stamp then = after(before, gap);
            CHECK(age(then, before) == gap);
            CHECK(age(before, then) == 0); // the later one has no age yet
            CHECK(is_later(then, before));
            CHECK_FALSE(is_later(before, then));
            CHECK(later(before, then) == then);
            CHECK(later(then, before) == then);
            CHECK(earlier(before, then) == before);
            CHECK(earlier(then, before) == before);
        }
    CHECK_FALSE(is_later(Stamp{5}, Stamp{5}));
}

TEST_CASE("a clamped stamp is never taken for the future later on", "[stamp]") {
    const Stamp now{100};
    CHECK(clamp(Stamp{60}, now) == Stamp{60});
    CHECK(clamp(long_before(now), now) == long_before(now));
    const Stamp old = long_before(Stamp{now.value - 1});
    CHECK(clamp(old, now) == long_before(now));
    CHECK(age(now, clamp(old, now)) == kMaxAge);
    CHECK(clamp(Stamp{101}, now) == Stamp{101}); // what is to come stays
}

TEST_CASE("a time becomes a stamp and comes back", "[stamp]") {
    for (const TimePoint origin :
         {TimePoint{0ms}, TimePoint{5s}, TimePoint{-5s}, TimePoint::min(), TimePoint::max() - 1h}) {
        const Timeline timeline{origin};
        const TimePoint now = origin + 30min;
        for (const Millis ago : {Millis{0}, Millis{1}, Millis{25min}}) {
            const TimePoint then = now - ago;
            CHECK(age(timeline.stamp(now), timeline.stamp(then)) == ago.count());
            CHECK(timeline.time(timeline.stamp(then), now) == then);
            CHECK(timeline.from_origin(timeline.since_origin(then)) == then);
        }
    }
}

TEST_CASE("a stamp seen at now is neither in the future nor too old to be told apart", "[stamp]") {
    const TimePoint now{100h};
    const Timeline timeline{TimePoint{0ms}};
    const auto seen = [&](TimePoint t) { return age(timeline.stamp(now), timeline.stamp(t, now)); };
    CHECK(seen(now) == 0);
    CHECK(seen(now - 7s) == 7'000);
    CHECK(seen(now + 7s) == 0);
    CHECK(seen(TimePoint::max()) == 0);
    CHECK(seen(insync::kNever) == kMaxAge);
    CHECK(seen(now - Millis{kMaxAge}) == kMaxAge);
    CHECK(seen(now - Millis{kMaxAge} - 1ms) == kMaxAge);
    CHECK(seen(now - Millis{kMaxAge} + 1ms) == kMaxAge - 1);
}

TEST_CASE("a jump ahead counts as six days at most, so that stamps stay comparable", "[stamp]") {
    Timeline timeline{TimePoint{0ms}};
    const TimePoint before{1h};
    const Stamp old = timeline.stamp(before);
    const TimePoint now = before + 400 * 24h;
    timeline.step(now - before);
    CHECK(age(timeline.stamp(now), old) == Timeline::kMostAtOnce);
    const TimePoint next = now + 5s; // an ordinary step
    timeline.step(next - now);
    CHECK(age(timeline.stamp(next), timeline.stamp(now)) == 5'000);
    CHECK(age(timeline.stamp(next), old) == Timeline::kMostAtOnce + 5'000);
}

TEST_CASE("a jump within six days counts in full", "[stamp]") {
    Timeline timeline{TimePoint{0ms}};
    const Stamp old = timeline.stamp(TimePoint{0ms});
    const TimePoint now{6 * 24h};
    timeline.step(now - TimePoint{0ms});
    CHECK(age(timeline.stamp(now), old) == 6u * 24 * 3'600 * 1'000);
}
