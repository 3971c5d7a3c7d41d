#include <insync/detail/geometric_slab.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <new>
#include <vector>

using insync::detail::GeometricSlab;

namespace {

using Slab = GeometricSlab<std::uint64_t, 4>;

} // namespace

TEST_CASE("each index has its own element, which stays where it is", "[geometric_slab]") {
    constexpr std::uint32_t kCount = 1'000;
    Slab slab;
    std::vector<std::uint64_t*> places;
    for (std::uint32_t i = 0; i < kCount; ++i) {
        REQUIRE(slab.reserve(i));
        places.push_back(new (&slab[i]) std::uint64_t{i});
    }
    for (std::uint32_t i = 0; i < kCount; ++i) {
        CHECK(&slab[i] == places[i]);
        CHECK(slab[i] == i); // no two share a place
    }
}

TEST_CASE("chunks double and their parts say the same as the index", "[geometric_slab]") {
    STATIC_REQUIRE(Slab::chunk_size(0) == 4);
    STATIC_REQUIRE(Slab::chunk_size(1) == 8);
    STATIC_REQUIRE(Slab::chunk_begin(0) == 0);
    STATIC_REQUIRE(Slab::chunk_begin(1) == 4);
    STATIC_REQUIRE(Slab::chunk_begin(2) == 12);
    Slab slab;
    for (std::uint32_t i = 0; i < 500; ++i) {
        REQUIRE(slab.reserve(i));
        const unsigned chunk = Slab::chunk_of(i);
        CHECK(i >= Slab::chunk_begin(chunk));
        CHECK(i - Slab::chunk_begin(chunk) < Slab::chunk_size(chunk));
        CHECK(&slab[i] == slab.chunk(chunk) + (i - Slab::chunk_begin(chunk)));
    }
}

TEST_CASE("room is made for one chunk at a time, in any order", "[geometric_slab]") {
    Slab slab;
    REQUIRE(slab.reserve(100));
    CHECK(slab.chunk(0) == nullptr);
    CHECK(slab.chunk(Slab::chunk_of(100)) != nullptr);
    REQUIRE(slab.reserve(100)); // again is nothing
    REQUIRE(slab.reserve(0));
    CHECK(slab.chunk(0) != nullptr);
}

TEST_CASE("an index beyond the range is refused", "[geometric_slab]") {
    Slab slab;
    CHECK_FALSE(slab.reserve(Slab::kMaxSize));
    CHECK_FALSE(slab.reserve(0xffff'ffff));
    STATIC_REQUIRE(Slab::kMaxSize > 100'000'000); // more than any broker has partitions
}

TEST_CASE("elements do not share a cache line with another chunk's", "[geometric_slab]") {
    Slab slab;
    for (std::uint32_t i = 0; i < 200; ++i) REQUIRE(slab.reserve(i));
    for (unsigned chunk = 0; chunk <= Slab::chunk_of(199); ++chunk)
        CHECK(reinterpret_cast<std::uintptr_t>(slab.chunk(chunk)) % 64 == 0);
}
