#include <insync/high_watermark.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

using insync::acknowledgeable;
using insync::advance_high_watermark;
using insync::HeldByAll;

TEST_CASE("what all hold is what the slowest member holds", "[high_watermark]") {
    HeldByAll held{100};
    CHECK(held.bound() == 100);
    held.member(90, true);
    CHECK(held.bound() == 90);
    held.member(95, true);
    CHECK(held.bound() == 90);
    held.member(20, true);
    CHECK(held.bound() == 20);
}

TEST_CASE("what all hold is no more than the leader has on stable storage", "[high_watermark]") {
    HeldByAll held{80};
    held.member(100, true);
    CHECK(held.bound() == 80);
}

TEST_CASE("a member that is not confirmed holds nothing for certain", "[high_watermark]") {
    HeldByAll held{100};
    held.member(100, false); // a leftover of another epoch, whatever its number
    CHECK(held.bound() == 0);
    held.member(90, true);
    CHECK(held.bound() == 0);
}

TEST_CASE("the high watermark rises with what all hold and never falls", "[high_watermark]") {
    STATIC_REQUIRE(advance_high_watermark(50, 60, true) == 60);
    STATIC_REQUIRE(advance_high_watermark(50, 50, true) == 50);
    STATIC_REQUIRE(advance_high_watermark(50, 40, true) == 50); // a member joined from behind
    STATIC_REQUIRE(advance_high_watermark(50, 0, true) == 50);  // a member in grace
}

TEST_CASE("the high watermark stands still while the ISR is under min ISR", "[high_watermark]") {
    STATIC_REQUIRE(advance_high_watermark(50, 60, false) == 50);
}

TEST_CASE("an acknowledgement needs the consensus's commit and every member", "[high_watermark]") {
    STATIC_REQUIRE(acknowledgeable(70, 90, true) == 70);
    STATIC_REQUIRE(acknowledgeable(90, 70, true) == 70);
    STATIC_REQUIRE(acknowledgeable(90, 70, false) == 0);
    STATIC_REQUIRE(acknowledgeable(90, 0, true) == 0); // unlike the watermark, it may fall
}
