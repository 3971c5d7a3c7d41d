#include <insync/detail/name.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

using insync::kMaxTopicLength;
using insync::detail::Cell;
using insync::detail::is_legal_topic;
using insync::detail::NameKey;
using insync::detail::NameWords;
using insync::detail::read_name;
using insync::detail::same_name;
using insync::detail::store_name;

namespace {

using Cells = std::array<Cell, NameWords::count(kMaxTopicLength)>;

/// A legal name of that length, no two characters of which repeat soon.
std::string name_of(std::size_t length) {
    constexpr std::string_view kLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    std::string name(length, ' ');
    for (std::size_t i = 0; i < length; ++i) name[i] = kLetters[(7 * i + length) % kLetters.size()];
    return name;
}

/// Whether a stored name is taken for another one of the same length.
bool is_taken_for(const std::string& stored, const std::string& asked) {
    Cells cells{};
    store_name(cells.data(), stored);
    return same_name(cells.data(), NameKey{asked, 1});
}

} // namespace

TEST_CASE("a name of any length is stored, found equal, and read back", "[name]") {
    for (std::size_t length = 1; length <= kMaxTopicLength; ++length) {
        const std::string name = name_of(length);
        Cells cells{};
        store_name(cells.data(), name);
        REQUIRE(same_name(cells.data(), NameKey{name, 7}));
        REQUIRE(read_name(cells.data(), length) == name);
    }
}

TEST_CASE("names of one length that differ in one character are told apart, wherever it is",
          "[name]") {
    // The words overlap at the end: a character that no word looked at would be missed.
    for (std::size_t length = 1; length <= kMaxTopicLength; ++length) {
        const std::string name = name_of(length);
        for (std::size_t at = 0; at < length; ++at) {
            std::string other = name;
            other[at] = '#';
            REQUIRE_FALSE(is_taken_for(name, other));
        }
    }
}

TEST_CASE("the characters behind a name do not matter", "[name]") {
    // A request's buffer goes on behind the topic.
    for (std::size_t length = 1; length <= 60; ++length) {
        const std::string name = name_of(length);
        const std::string buffer = name + "###########";
        const std::string_view inside = std::string_view{buffer}.substr(0, length);
        REQUIRE(NameKey{inside, 3}.hash == NameKey{name, 3}.hash);
        Cells cells{};
        store_name(cells.data(), name);
        REQUIRE(same_name(cells.data(), NameKey{inside, 3}));
    }
}

TEST_CASE("a hash depends on every character, on the length and on the seed", "[name]") {
    for (std::size_t length = 1; length <= kMaxTopicLength; ++length) {
        const std::string name = name_of(length);
        const std::uint64_t hash = NameKey{name, 11}.hash;
        REQUIRE(hash == NameKey{std::string{name}, 11}.hash);
        REQUIRE(hash != NameKey{name, 12}.hash);
        for (std::size_t at = 0; at < length; ++at) {
            std::string other = name;
            other[at] = '#';
            REQUIRE(NameKey{other, 11}.hash != hash);
        }
    }
}

TEST_CASE("a hash is never 0, which marks what is empty", "[name]") {
    for (std::size_t length = 0; length <= kMaxTopicLength; ++length)
        for (std::uint64_t seed = 0; seed < 20; ++seed)
            REQUIRE(NameKey{name_of(length), seed}.hash != 0);
}

TEST_CASE("names that are numbered or repeat themselves do not collide", "[name]") {
    std::set<std::uint64_t> hashes;
    std::size_t names = 0;
    for (std::size_t length = 1; length <= kMaxTopicLength; ++length) { // aaaa...: one character
        hashes.insert(NameKey{std::string(length, 'a'), 5}.hash);
        ++names;
    }
    for (int i = 0; i < 20'000; ++i) {
        hashes.insert(NameKey{"customer-events-" + std::to_string(i), 5}.hash);
        ++names;
    }
    CHECK(hashes.size() == names);
}

TEST_CASE("the low bits of the hashes of numbered topics are spread evenly", "[name]") {
    // They choose the slot in the table. The lowest is always 1.
    std::map<std::uint64_t, int> buckets;
    constexpr int kNames = 64'000;
    for (int i = 0; i < kNames; ++i)
        ++buckets[NameKey{"topic-" + std::to_string(i), 5}.hash >> 1 & 63];
    CHECK(buckets.size() == 64);
    for (const auto& [bucket, count] : buckets) {
        CHECK(count > kNames / 64 * 8 / 10);
        CHECK(count < kNames / 64 * 12 / 10);
    }
}

TEST_CASE("legal topic names are Kafka's", "[name]") {
    CHECK(is_legal_topic("a"));
    CHECK(is_legal_topic("my-topic"));
    CHECK(is_legal_topic("A.b_c-9"));
    CHECK(is_legal_topic("..."));
    CHECK(is_legal_topic("__consumer_offsets"));
    CHECK(is_legal_topic(std::string(kMaxTopicLength, 'x')));
    CHECK_FALSE(is_legal_topic(""));
    CHECK_FALSE(is_legal_topic("."));
    CHECK_FALSE(is_legal_topic(".."));
    CHECK_FALSE(is_legal_topic(std::string(kMaxTopicLength + 1, 'x')));
    for (int c = 0; c < 256; ++c) {
        const auto letter = static_cast<char>(c);
        const bool legal = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                           (c >= 'a' && c <= 'z') || letter == '_' || letter == '-' ||
                           letter == '.';
        CHECK(is_legal_topic(std::string{"a"} + letter) == legal);
    }
}
