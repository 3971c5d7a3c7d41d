#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

using namespace std::chrono_literals;
using insync::Millis;
using insync::saturating_add;
using insync::saturating_age;
using insync::TimePoint;

TEST_CASE("an age is the time that has passed, and never negative", "[types]") {
    constexpr TimePoint kNow{10s};
    STATIC_REQUIRE(saturating_age(kNow, TimePoint{4s}) == 6s);
    STATIC_REQUIRE(saturating_age(kNow, kNow) == 0ms);
    STATIC_REQUIRE(saturating_age(kNow, TimePoint{11s}) == 0ms);
    STATIC_REQUIRE(saturating_age(TimePoint{-4s}, TimePoint{-10s}) == 6s);
}

TEST_CASE("an age saturates where the difference does not fit", "[types]") {
    // The reason for its existence: kNever is the smallest time there is, so that a plain
    // subtraction would overflow for every replica that was never heard of.
    STATIC_REQUIRE(saturating_age(TimePoint{1ms}, insync::kNever) == Millis::max());
    STATIC_REQUIRE(saturating_age(TimePoint::max(), TimePoint::min()) == Millis::max());
    STATIC_REQUIRE(saturating_age(TimePoint::max(), TimePoint{0ms}) == Millis::max());
    STATIC_REQUIRE(saturating_age(TimePoint{-1ms}, TimePoint::min()) == Millis::max());
    STATIC_REQUIRE(saturating_age(TimePoint{-2ms}, TimePoint::min()) == Millis::max() - 1ms);
    STATIC_REQUIRE(saturating_age(TimePoint::min(), TimePoint::max()) == 0ms);
}

TEST_CASE("adding to a time saturates at the end of time", "[types]") {
    STATIC_REQUIRE(saturating_add(TimePoint{5s}, 2s) == TimePoint{7s});
    STATIC_REQUIRE(saturating_add(TimePoint::max(), 1ms) == TimePoint::max());
    STATIC_REQUIRE(saturating_add(TimePoint{1ms}, Millis::max()) == TimePoint::max());
    STATIC_REQUIRE(saturating_add(TimePoint{0ms}, Millis::max()) == TimePoint::max());
    STATIC_REQUIRE(saturating_add(TimePoint::min(), Millis::max()) == TimePoint{-1ms});
}

TEST_CASE("the reserved and the largest values leave room where wire formats need it", "[types]") {
    STATIC_REQUIRE(insync::kNoNode == -1);
    // Kafka's offsets are signed 64-bit, its epochs must never wrap in 32 bits.
    STATIC_REQUIRE(insync::kMaxIndex == 0x7fff'ffff'ffff'ffff);
    STATIC_REQUIRE(insync::kMaxEpoch < std::numeric_limits<std::uint32_t>::max());
    STATIC_REQUIRE(insync::kMaxVersion < std::numeric_limits<std::uint32_t>::max());
    STATIC_REQUIRE(insync::kMaxTopicLength == 249);
}

TEST_CASE("times of another time line do not mix with the manager's", "[types]") {
    using Steady = std::chrono::steady_clock::time_point;
    using Wall = std::chrono::system_clock::time_point;
    STATIC_REQUIRE_FALSE(std::is_convertible_v<Steady, TimePoint>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<Wall, TimePoint>);
}

TEST_CASE("partitions are the same when topic and number are", "[types]") {
    using insync::TopicPartition;
    CHECK(TopicPartition{"a", 1} == TopicPartition{"a", 1});
    CHECK_FALSE(TopicPartition{"a", 1} == TopicPartition{"a", 2});
    CHECK_FALSE(TopicPartition{"a", 1} == TopicPartition{"b", 1});
}
