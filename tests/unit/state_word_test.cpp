#include <insync/detail/state_word.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>

using insync::detail::all_of;
using insync::detail::bit;
using insync::detail::Mask;
using insync::detail::StateWord;

TEST_CASE("an absent word is nothing", "[state_word]") {
    constexpr StateWord kAbsent;
    STATIC_REQUIRE_FALSE(kAbsent.present());
    STATIC_REQUIRE_FALSE(kAbsent.has_min());
    STATIC_REQUIRE_FALSE(kAbsent.far());
    STATIC_REQUIRE(kAbsent.bits() == 0);
}

TEST_CASE("every field of a word keeps its largest value and disturbs no other", "[state_word]") {
    for (const std::uint32_t slot : {0u, 1u, StateWord::kMaxSlot})
        for (const std::uint32_t generation : {0u, 1u, StateWord::kMaxGeneration})
            for (const Mask members : {Mask{0}, Mask{1}, all_of(15)})
                for (const std::uint32_t leader : {0u, 14u, StateWord::kNoLeader})
                    for (const bool has_min : {false, true}) {
                        const StateWord identity = StateWord::identity(slot, generation);
                        const StateWord word = identity.decided(members, leader, has_min);
                        CHECK(word.present());
                        CHECK_FALSE(word.far());
                        CHECK(word.slot() == slot);
                        CHECK(word.generation() == generation);
                        CHECK(word.members() == members);
                        CHECK(word.leader() == leader);
                        CHECK(word.has_min() == has_min);
                        CHECK(word.identity() == identity.bits());
                    }
}

TEST_CASE("a word in transit keeps its registration and its answer", "[state_word]") {
    const StateWord word = StateWord::identity(5, 9).decided(0b111, 2, true);
    const StateWord far = word.in_transit(63);
    CHECK(far.far());
    CHECK(far.transit_record() == 63);
    CHECK(far.present());
    CHECK(far.identity() == word.identity());
    CHECK(far.has_min()); // the produce path asks this one bit, and must not wait
    CHECK(far.slot() == 5);
    CHECK_FALSE(word.decided(0b1, 0, false).in_transit(0).has_min());
}

TEST_CASE("two uses of one slot are told apart", "[state_word]") {
    CHECK(StateWord::identity(5, 0).identity() != StateWord::identity(5, 1).identity());
    CHECK(StateWord::identity(5, 0).identity() != StateWord::identity(6, 0).identity());
    CHECK(StateWord::identity(0, 0).identity() != 0);
}

TEST_CASE("masks are sets of positions", "[state_word]") {
    STATIC_REQUIRE(bit(0) == 1);
    STATIC_REQUIRE(bit(14) == 0x4000);
    STATIC_REQUIRE(all_of(0) == 0);
    STATIC_REQUIRE(all_of(3) == 0b111);
    STATIC_REQUIRE(all_of(15) == 0x7fff);
    STATIC_REQUIRE(insync::detail::count(0b1011) == 3);
}
