#include <insync/detail/name.hpp>
#include <insync/detail/reuse_guard.hpp>
#include <insync/detail/topic_table.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>

using insync::detail::Cell;
using insync::detail::ReuseGuard;
using insync::detail::Topic;
using insync::detail::TopicTable;

namespace {

struct Table {
    ReuseGuard guard;
    TopicTable table;

    explicit Table(std::uint64_t seed = 1) : table(guard, seed) {}

    /// A state word, made if there is none.
    Cell* make(std::string_view topic,
               std::uint32_t partition,
               std::uint32_t first = TopicTable::kDefaultFirst) {
        return table.obtain_word(table.obtain(topic, first), partition);
    }
};

} // namespace

TEST_CASE("an empty table finds nothing", "[topic_table]") {
    const Table t;
    CHECK(t.table.find("my-topic", 0) == nullptr);
    CHECK(t.table.find("", 0) == nullptr);
    CHECK(t.table.find(std::string(250, 'x'), 0) == nullptr);
    CHECK(t.table.find(std::string(100'000, 'x'), 0) == nullptr);
    CHECK(t.table.find_topic("my-topic") == nullptr);
}

TEST_CASE("a partition's word is found by its name and no other", "[topic_table]") {
    Table t;
    Cell* const word = t.make("my-topic", 3);
    CHECK(word->load() == 0);
    CHECK(t.table.find("my-topic", 3) == word);
    CHECK(t.table.find("my-topic", 4) != word);
    CHECK(t.table.find("my-topi", 3) == nullptr);
    CHECK(t.table.find("my-topic-", 3) == nullptr);
    CHECK(t.table.find("My-topic", 3) == nullptr);
    CHECK(t.table.find_topic("my-topic")->name() == "my-topic");
}

TEST_CASE("asking again gives the same topic and the same word", "[topic_table]") {
    Table t;
    Cell* const word = t.make("my-topic", 3);
    Topic& topic = t.table.obtain("my-topic", 100);
    CHECK(topic.first_count.load() == TopicTable::kDefaultFirst); // the first one decides
    CHECK(t.table.obtain_word(topic, 3) == word);
    CHECK(&t.table.topic(topic.number) == &topic);
}

TEST_CASE("partitions beyond what was expected have words of their own", "[topic_table]") {
    for (const std::uint32_t first : {1u, 3u, 8u, 50u, 64u}) {
        Table t;
        Topic& topic = t.table.obtain("t", first);
        std::map<std::uint32_t, Cell*> words;
        const std::uint32_t most = static_cast<std::uint32_t>(insync::kMaxPartition);
        for (const std::uint32_t partition :
             {0u, 1u, 2u, 3u, 7u, 8u, 9u, 49u, 50u, 63u, 64u, 127u, 128u, 1'000u, 65'536u, most}) {
            Cell* const word = t.table.obtain_word(topic, partition);
            word->store(partition + 1);
            words[partition] = word;
        }
        std::set<Cell*> different;
        for (const auto& [partition, word] : words) {
            different.insert(word);
            CHECK(word->load() == partition + 1);
            CHECK(t.table.find("t", static_cast<insync::PartitionId>(partition)) == word);
        }
        CHECK(different.size() == words.size());
    }
}

TEST_CASE("a partition number out of range finds nothing", "[topic_table]") {
    Table t;
    (void)t.make("t", 0);
    (void)t.make("t", 100);
    CHECK(t.table.find("t", -1) == nullptr);
    CHECK(t.table.find("t", insync::kMaxPartition + 1) == nullptr);
    CHECK(t.table.find("t", std::numeric_limits<insync::PartitionId>::min()) == nullptr);
    CHECK(t.table.find("t", std::numeric_limits<insync::PartitionId>::max()) == nullptr);
}

TEST_CASE("names of every length stand side by side", "[topic_table]") {
    Table t;
    std::map<std::string, Cell*> words;
    for (std::size_t length = 1; length <= insync::kMaxTopicLength; ++length)
        for (const char letter : {'a', 'b'}) {
            const std::string name(length, letter);
            words[name] = t.make(name, 0);
        }
    for (const auto& [name, word] : words) {
        REQUIRE(t.table.find(name, 0) == word);
        REQUIRE(t.table.find_topic(name)->name() == name);
    }
}

TEST_CASE("the table grows and finds all that it held", "[topic_table]") {
    Table t;
    constexpr int kTopics = 5'000;
    for (int i = 0; i < kTopics; ++i)
        t.make("topic-" + std::to_string(i), 0)->store(1 + unsigned(i));
    for (int i = 0; i < kTopics; ++i) {
        const Cell* const word = t.table.find("topic-" + std::to_string(i), 0);
        REQUIRE(word != nullptr);
        REQUIRE(word->load() == 1 + unsigned(i));
    }
    CHECK(t.table.find("topic-" + std::to_string(kTopics), 0) == nullptr);
}

TEST_CASE("a removed topic is not found, its neighbours are", "[topic_table]") {
    Table t;
    for (int i = 0; i < 200; ++i) (void)t.make("topic-" + std::to_string(i), 0);
    for (int i = 0; i < 200; i += 2)
        t.table.remove(t.table.obtain("topic-" + std::to_string(i), TopicTable::kDefaultFirst));
    for (int i = 0; i < 200; ++i) {
        const bool stays = i % 2 == 1;
        REQUIRE((t.table.find("topic-" + std::to_string(i), 0) != nullptr) == stays);
    }
}

TEST_CASE("a topic that comes and goes under one name does not fill the table", "[topic_table]") {
    // Its own tombstone has the same topic's address. Taken for the live entry, that one stayed,
    // and after a few rounds the next insertion looked for room for ever.
    Table t;
    (void)t.make("steady", 0);
    for (int round = 0; round < 10'000; ++round) {
        (void)t.make("t", 0);
        t.table.remove(t.table.obtain("t", TopicTable::kDefaultFirst));
        REQUIRE(t.table.find("t", 0) == nullptr);
    }
    CHECK(t.table.find("steady", 0) != nullptr);
}

TEST_CASE("a topic's place is used again only for one of the same shape", "[topic_table]") {
    // A reader that mixes two uses must stay within what either of them points to.
    Table t;
    const std::string long_name(100, 'x');
    Topic& small = t.table.obtain("short", 8);
    t.table.remove(small);
    CHECK(&t.table.obtain("other", 16) != &small);
    CHECK(&t.table.obtain(long_name, 8) != &small);
    CHECK(&t.table.obtain("again", 8) == &small);
}

TEST_CASE("while a reader holds no topic's place is used again", "[topic_table]") {
    Table t;
    Topic& old = t.table.obtain("old", 8);
    t.table.remove(old);
    {
        const ReuseGuard::Holder reader{t.guard};
        CHECK(&t.table.obtain("new", 8) != &old);
    }
    CHECK(&t.table.obtain("newer", 8) == &old);
}

TEST_CASE("words of a removed topic are zero when they are used again", "[topic_table]") {
    Table t;
    Topic& old = t.table.obtain("old", 8);
    Cell* const near = t.table.obtain_word(old, 0);
    Cell* const far = t.table.obtain_word(old, 500);
    near->store(5);
    far->store(6);
    t.table.remove(old);
    CHECK(t.make("new", 0)->load() == 0);
    CHECK(t.make("new", 500)->load() == 0);
}

TEST_CASE("a table behaves like a map under any order of coming and going", "[topic_table]") {
    const std::uint32_t seed = 20'240'611;
    CAPTURE(seed);
    std::mt19937 random{seed};
    Table t{seed};
    std::map<std::string, Cell*> model;
    for (int step = 0; step < 20'000; ++step) {
        std::string name = "t" + std::to_string(random() % 300);
        if (random() % 4 == 0) name += std::string(30, '.');
        const auto known = model.find(name);
        REQUIRE(t.table.find(name, 0) == (known == model.end() ? nullptr : known->second));
        if (known == model.end()) {
            model[name] = t.make(name, 0, random() % 2 == 0 ? 1 : 8);
        } else {
            t.table.remove(t.table.obtain(name, 1));
            model.erase(known);
        }
    }
    for (const auto& [name, word] : model) REQUIRE(t.table.find(name, 0) == word);
}
