#include <insync/detail/stamp.hpp>
#include <insync/replica_progress.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <optional>

using insync::CatchUpSamples;
using insync::Index;
using insync::detail::Stamp;

namespace {

constexpr std::uint32_t kSpacing = 10;

/// The time of the newest sample that `match` has passed, as a number; -1 for none.
std::int64_t newest(const CatchUpSamples& samples, Index match) {
    const std::optional<Stamp> found = samples.newest_within(match);
    return found ? std::int64_t{found->value} : -1;
}

/// One sample every `kSpacing`, the end rising by 100 each time: (100, 10), (200, 20), ...
CatchUpSamples steady(unsigned count) {
    CatchUpSamples samples;
    for (unsigned i = 1; i <= count; ++i) samples.add(100 * i, Stamp{kSpacing * i}, kSpacing);
    return samples;
}

} // namespace

TEST_CASE("without samples nothing is proven", "[replica_progress]") {
    const CatchUpSamples samples;
    CHECK(samples.size() == 0);
    CHECK(newest(samples, insync::kMaxIndex) == -1);
}

TEST_CASE("a match proves the newest sample that it has reached", "[replica_progress]") {
    const CatchUpSamples samples = steady(5);
    CHECK(newest(samples, 99) == -1);
    CHECK(newest(samples, 100) == 10);
    CHECK(newest(samples, 199) == 10);
    CHECK(newest(samples, 200) == 20);
    CHECK(newest(samples, 499) == 40);
    CHECK(newest(samples, 500) == 50);
    CHECK(newest(samples, insync::kMaxIndex) == 50);
}

TEST_CASE("samples younger than the spacing are not taken", "[replica_progress]") {
    CatchUpSamples samples;
    samples.add(100, Stamp{50}, kSpacing);
    samples.add(110, Stamp{59}, kSpacing);
    CHECK(samples.size() == 1);
    CHECK(newest(samples, 110) == 50);
    samples.add(120, Stamp{60}, kSpacing);
    CHECK(samples.size() == 2);
    CHECK(newest(samples, 120) == 60);
}

TEST_CASE("a full ring forgets the oldest sample and covers eight spacings", "[replica_progress]") {
    const CatchUpSamples samples = steady(30);
    CHECK(samples.size() == CatchUpSamples::kCapacity);
    CHECK(newest(samples, 3'000) == 300);
    CHECK(newest(samples, 2'200) == 220); // 8 * 10 before the newest
    CHECK(newest(samples, 2'199) == -1);
}

TEST_CASE("samples older than the limit are dropped, those at it are kept", "[replica_progress]") {
    CatchUpSamples samples = steady(5);
    samples.forget(500, Stamp{60}, 30);
    CHECK(samples.size() == 3); // of 30, 40 and 50
    CHECK(newest(samples, 299) == -1);
    CHECK(newest(samples, 300) == 30);
    samples.forget(500, Stamp{1'000}, 30);
    CHECK(samples.size() == 0);
    CHECK(newest(samples, insync::kMaxIndex) == -1);
}

TEST_CASE("ends are told apart although only their lower half is kept", "[replica_progress]") {
    constexpr Index kNearWrap = (Index{7} << 32) - 50;
    CatchUpSamples samples;
    samples.add(kNearWrap, Stamp{10}, kSpacing);
    samples.add(kNearWrap + 100, Stamp{20}, kSpacing); // beyond a multiple of 2^32
    CHECK(newest(samples, kNearWrap - 1) == -1);
    CHECK(newest(samples, kNearWrap) == 10);
    CHECK(newest(samples, kNearWrap + 99) == 10);
    CHECK(newest(samples, kNearWrap + 100) == 20);
    CHECK(newest(samples, 0) == -1);
}

TEST_CASE("samples that the end has left too far behind are dropped before they mislead",
          "[replica_progress]") {
    constexpr Index kFar = Index{1} << 31;
    CatchUpSamples samples;
    samples.add(1'000, Stamp{10}, kSpacing);
    samples.forget(1'000 + kFar, Stamp{11}, 100);
    CHECK(samples.size() == 1);
    samples.forget(1'000 + kFar + 1, Stamp{12}, 100);
    CHECK(samples.size() == 0);

    samples.add(1'000, Stamp{10}, kSpacing);
    samples.add(1'000 + kFar + 1, Stamp{20}, kSpacing);
    samples.forget(1'000 + kFar + 1, Stamp{20}, 100);
    CHECK(samples.size() == 1);
    CHECK(newest(samples, 1'000) == -1); // not that it was caught up at 10, nor at 20
}

TEST_CASE("samples compare rightly where stamps wrap", "[replica_progress]") {
    CatchUpSamples samples;
    samples.add(100, Stamp{0xffff'fffb}, kSpacing);
    samples.add(200, Stamp{5}, kSpacing); // 10 ms later
    CHECK(samples.size() == 2);
    samples.forget(200, Stamp{20}, 25);
    CHECK(samples.size() == 2);
    samples.forget(200, Stamp{21}, 25);
    CHECK(samples.size() == 1);
}

TEST_CASE("cleared samples prove nothing any more", "[replica_progress]") {
    CatchUpSamples samples = steady(5);
    samples.clear();
    CHECK(samples.size() == 0);
    CHECK(newest(samples, insync::kMaxIndex) == -1);
}
