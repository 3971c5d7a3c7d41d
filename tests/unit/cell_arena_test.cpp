#include <insync/detail/cell_arena.hpp>
#include <insync/detail/name.hpp>
#include <insync/detail/reuse_guard.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

using insync::detail::Cell;
using insync::detail::CellArena;
using insync::detail::ReuseGuard;
using Kind = insync::detail::CellArena::Kind;

namespace {

bool is_zero(const Cell* run, std::size_t count) {
    return std::all_of(run, run + count, [](const Cell& cell) { return cell.load() == 0; });
}

} // namespace

TEST_CASE("runs are zero and do not overlap", "[cell_arena]") {
    ReuseGuard guard;
    CellArena arena{guard};
    std::vector<std::pair<Cell*, std::size_t>> runs;
    for (std::size_t count : {1u, 8u, 100u, 5'000u, 20'000u, 3u, 8u, 8u}) {
        Cell* const run = arena.take(Kind::state_words, count);
        REQUIRE(is_zero(run, count));
        for (std::size_t i = 0; i < count; ++i) run[i].store(runs.size() + 1);
        runs.emplace_back(run, count);
    }
    for (std::size_t number = 0; number < runs.size(); ++number)
        CHECK(std::all_of(runs[number].first, runs[number].first + runs[number].second,
                          [&](const Cell& cell) { return cell.load() == number + 1; }));
}

TEST_CASE("a run that was given back is used again, as zeros", "[cell_arena]") {
    ReuseGuard guard;
    CellArena arena{guard};
    Cell* const run = arena.take(Kind::name, 5);
    for (std::size_t i = 0; i < 5; ++i) run[i].store(77);
    arena.give(run, Kind::name, 5);
    CHECK(run[0].load() == 77); // a late reader still finds what it looked at
    Cell* const again = arena.take(Kind::name, 5);
    CHECK(again == run);
    CHECK(is_zero(again, 5));
}

TEST_CASE("a run is used again only for its own kind and size", "[cell_arena]") {
    // A reader that follows a link into it must still find that kind of word, and as many.
    ReuseGuard guard;
    CellArena arena{guard};
    Cell* const run = arena.take(Kind::name, 5);
    arena.give(run, Kind::name, 5);
    CHECK(arena.take(Kind::state_words, 5) != run);
    CHECK(arena.take(Kind::name, 4) != run);
    CHECK(arena.take(Kind::name, 6) != run);
    CHECK(arena.take(Kind::name, 5) == run);
}

TEST_CASE("while a reader holds nothing is used again", "[cell_arena]") {
    ReuseGuard guard;
    CellArena arena{guard};
    Cell* const run = arena.take(Kind::slots, 5);
    arena.give(run, Kind::slots, 5);
    {
        const ReuseGuard::Holder reader{guard};
        CHECK(arena.take(Kind::slots, 5) != run);
    }
    CHECK(arena.take(Kind::slots, 5) == run);
}

TEST_CASE("using memory again is announced to those who look", "[cell_arena]") {
    ReuseGuard guard;
    CellArena arena{guard};
    Cell* const run = arena.take(Kind::slots, 1);
    run->store(1);
    arena.give(run, Kind::slots, 1);
    int looks = 0;
    const auto seen = guard.read([&] {
        // The first look is disturbed: between its words the run is used again.
        if (++looks == 1) arena.take(Kind::slots, 1)->store(2);
        return run->load();
    });
    CHECK(looks == 2);
    CHECK(seen == 2);
}

TEST_CASE("taking and giving for ever needs no more memory than was in use at one time",
          "[cell_arena]") {
    ReuseGuard guard;
    CellArena arena{guard};
    std::set<Cell*> places;
    for (int round = 0; round < 1'000; ++round) {
        Cell* const a = arena.take(Kind::state_words, 8);
        Cell* const b = arena.take(Kind::state_words, 8);
        places.insert({a, b});
        arena.give(a, Kind::state_words, 8);
        arena.give(b, Kind::state_words, 8);
    }
    CHECK(places.size() == 2);
}
