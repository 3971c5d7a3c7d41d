#include "log/producers.hpp"

#include "property/random.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace {

using mini_broker::Index;
using mini_broker::ProducerBatch;
using mini_broker::Producers;
using Verdict = mini_broker::Producers::Verdict;

constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();

ProducerBatch batch(std::int32_t first, std::int32_t last, std::int16_t epoch = 0) {
    return {7, epoch, first, last};
}

TEST_CASE("A producer that is not known may begin anywhere", "[mini_broker][log]") {
    const Producers producers;
    CHECK(producers.check(batch(0, 4)).verdict == Verdict::append);
    CHECK(producers.check(batch(12345, 12349)).verdict == Verdict::append);
}

TEST_CASE("A batch without a producer is always new, and is not remembered", "[mini_broker][log]") {
    Producers producers;
    const ProducerBatch none{-1, 0, 0, 0}; // as some clients fill the rest
    producers.note(none, 1, 0, 0);
    CHECK(producers.size() == 0);
    CHECK(producers.check(none).verdict == Verdict::append);
}

TEST_CASE("Each of the newest five batches is known again, and where it lies",
          "[mini_broker][log]") {
    Producers producers;
    for (std::int32_t i = 0; i < 6; ++i) {
        CHECK(producers.check(batch(i * 10, i * 10 + 9)).verdict == Verdict::append);
        producers.note(batch(i * 10, i * 10 + 9), 100u + static_cast<unsigned>(i), 1000 + i * 10,
                       5);
    }
    for (std::int32_t i = 1; i < 6; ++i) {
        const auto answer = producers.check(batch(i * 10, i * 10 + 9));
        CHECK(answer.verdict == Verdict::duplicate);
        CHECK(answer.known.index == 100u + static_cast<unsigned>(i));
        CHECK(answer.known.base_offset == 1000 + i * 10);
    }
    CHECK(producers.check(batch(0, 9)).verdict == Verdict::out_of_order);
}

TEST_CASE("A gap, and a batch that only overlaps a known one, are out of order",
          "[mini_broker][log]") {
    Producers producers;
    producers.note(batch(0, 9), 1, 0, 0);
    CHECK(producers.check(batch(10, 12)).verdict == Verdict::append);
    CHECK(producers.check(batch(11, 12)).verdict == Verdict::out_of_order);
    CHECK(producers.check(batch(5, 14)).verdict == Verdict::out_of_order);
    CHECK(producers.check(batch(0, 4)).verdict == Verdict::out_of_order);
}

TEST_CASE("After the largest sequence comes 0", "[mini_broker][log]") {
    Producers producers;
    producers.note(batch(kMost - 1, kMost), 1, 0, 0);
    CHECK(producers.check(batch(0, 3)).verdict == Verdict::append);
    CHECK(producers.check(batch(1, 3)).verdict == Verdict::out_of_order);
    producers.note(batch(0, 3), 2, 2, 0);
    CHECK(producers.check(batch(kMost - 1, kMost)).verdict == Verdict::duplicate);
    CHECK(producers.check(batch(4, 4)).verdict == Verdict::append);
}

TEST_CASE("A newer epoch counts from 0 and shuts out the older", "[mini_broker][log]") {
    Producers producers;
    producers.note(batch(0, 9, 3), 1, 0, 0);
    CHECK(producers.check(batch(10, 19, 2)).verdict == Verdict::old_epoch);
    CHECK(producers.check(batch(10, 19, 4)).verdict == Verdict::out_of_order);
    CHECK(producers.check(batch(0, 9, 4)).verdict == Verdict::append);
    producers.note(batch(0, 9, 4), 2, 10, 0);
    CHECK(producers.check(batch(0, 9, 3)).verdict == Verdict::old_epoch);
    CHECK(producers.check(batch(0, 9, 4)).verdict == Verdict::duplicate);
}

TEST_CASE("Beyond as many as are kept, the producer that wrote longest ago is forgotten",
          "[mini_broker][log]") {
    constexpr auto kKept = static_cast<std::int64_t>(Producers::kProducersKept);
    Producers producers;
    Index index = 0;
    for (std::int64_t id = 0; id < kKept; ++id) producers.note({id, 0, 0, 0}, ++index, id, 100);
    producers.note({0, 0, 1, 1}, ++index, kKept, 100); // 1 is the oldest now
    CHECK(producers.size() == Producers::kProducersKept);
    producers.note({kKept, 0, 0, 0}, ++index, kKept + 1, 1); // whatever its time stamp says
    CHECK(producers.size() == Producers::kProducersKept);
    CHECK(producers.check({1, 0, 0, 0}).verdict == Verdict::append);
    CHECK(producers.check({1, 0, 7, 7}).verdict == Verdict::append);
    for (const std::int64_t id : {std::int64_t{0}, std::int64_t{2}, kKept})
        CHECK(producers.check({id, 0, 0, 0}).verdict == Verdict::duplicate);
    // One that read this from a disk goes on in the same way.
    auto decoded = Producers::decode(producers.encode());
    REQUIRE(decoded);
    for (std::int64_t id = 2 * kKept; id < 2 * kKept + 100; ++id) {
        producers.note({id, 0, 0, 0}, ++index, id, 100);
        decoded->note({id, 0, 0, 0}, index, id, 100);
    }
    CHECK(decoded->encode() == producers.encode());
}

TEST_CASE("Producers are the same after they were bytes, and half of the bytes are none",
          "[mini_broker][log]") {
    Producers producers;
    for (std::int32_t i = 0; i < 30; ++i) {
        producers.note({i % 4, static_cast<std::int16_t>(i / 20), i, i + 1},
                       static_cast<std::uint64_t>(i), i * 2, i);
    }
    const std::string bytes = producers.encode();
    const auto decoded = Producers::decode(bytes);
    REQUIRE(decoded);
    CHECK(decoded->encode() == bytes);
    CHECK(decoded->check({1, 1, 29, 30}).verdict == Verdict::duplicate);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        REQUIRE_FALSE(Producers::decode(std::string_view{bytes}.substr(0, size)));
    }
    CHECK_FALSE(Producers::decode(bytes + "x"));
    CHECK(Producers::decode(Producers{}.encode())->size() == 0);
}

TEST_CASE("Bytes that are no producers are refused or read, never more", "[mini_broker][log]") {
    const std::uint64_t seed = property::from_environment("INSYNC_SEED", 1);
    INFO("replay with INSYNC_SEED=" << seed);
    property::Random random{seed};
    Producers producers;
    producers.note({1, 0, 0, 0}, 1, 0, 100);
    producers.note({2, 0, 0, 0}, 2, 1, 200);
    const std::string bytes = producers.encode();
    for (int i = 0; i < 20000; ++i) {
        std::string spoiled = bytes;
        spoiled[random.below(bytes.size())] = static_cast<char>(random.next());
        const auto decoded = Producers::decode(spoiled);
        if (decoded) REQUIRE(decoded->encode().size() == bytes.size());
    }
}

} // namespace
