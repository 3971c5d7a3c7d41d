#include <insync/testing/byte_tape.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <vector>

using insync::testing::ByteTape;
using insync::testing::SeededNumbers;

TEST_CASE("a seed gives the same numbers on every machine", "[byte_tape]") {
    SeededNumbers numbers{1};
    CHECK(numbers.next() == 0x910a'2dec'8902'5cc1);
    CHECK(numbers.next() == 0xbeeb'8da1'658e'ec67);
    CHECK(numbers.below(0) == 0);
    CHECK(ByteTape::of_seed(1, 3).bytes() == ByteTape::of_seed(1, 3).bytes());
    CHECK(ByteTape::of_seed(1, 9).bytes() != ByteTape::of_seed(2, 9).bytes());
}

TEST_CASE("a tape that has ended makes the harmless choice for ever", "[byte_tape]") {
    ByteTape tape{std::vector<std::uint8_t>{7}};
    CHECK_FALSE(tape.ended());
    CHECK(tape.byte() == 7);
    CHECK(tape.ended());
    CHECK(tape.byte() == 0);
    CHECK(tape.below(1000) == 0);
    CHECK(tape.between(-5, 5) == -5);
    CHECK_FALSE(tape.chance(99));
}

TEST_CASE("numbers of a tape stay within their bounds and reach them", "[byte_tape]") {
    ByteTape tape{std::vector<std::uint8_t>{255, 255, 3, 232, 99, 0}};
    CHECK(tape.below(256) == 255);
    CHECK(tape.below(1) == 0); // takes no byte
    CHECK(tape.between(1, 3) == 1 + 255 % 3);
    CHECK(tape.below(1001) == 1000);
    CHECK(tape.chance(1));
    CHECK_FALSE(tape.chance(99));
}
