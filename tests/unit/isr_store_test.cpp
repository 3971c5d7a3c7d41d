#include <insync/isr_set.hpp>
#include <insync/isr_store.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>

using insync::IsrSet;
using insync::IsrStore;
using insync::NodeId;
using insync::PublishedIsr;
using insync::TopicPartition;

namespace {

struct Store {
    void publish(TopicPartition, const PublishedIsr&) {}
};
struct StoreThatAnswers { // what it says is ignored
    bool publish(TopicPartition, const PublishedIsr&) { return true; }
};
struct StoreThatTakesItsOwn {
    void publish(TopicPartition, PublishedIsr&) {}
};
struct StoreByName {
    void publish(const char*, const PublishedIsr&) {}
};

} // namespace

TEST_CASE("a store is what takes a partition and its set", "[isr_store]") {
    STATIC_REQUIRE(IsrStore<Store>);
    STATIC_REQUIRE(IsrStore<StoreThatAnswers>);
    STATIC_REQUIRE_FALSE(IsrStore<StoreThatTakesItsOwn>);
    STATIC_REQUIRE_FALSE(IsrStore<StoreByName>);
    STATIC_REQUIRE_FALSE(IsrStore<const Store>);
    STATIC_REQUIRE_FALSE(IsrStore<int>);
}

TEST_CASE("what is published of a set is leader, epoch, version and members", "[isr_store]") {
    constexpr std::array<NodeId, 2> kMembers{4, 2};
    constexpr std::array<NodeId, 1> kCatchingUp{3};
    const PublishedIsr published{IsrSet{4, kMembers, kCatchingUp, 7, 9}};
    CHECK(published == PublishedIsr{4, 7, 9, {2, 4}});
}

TEST_CASE("published sets are equal when all their parts are", "[isr_store]") {
    const PublishedIsr isr{1, 4, 5, {1, 2}};
    CHECK(isr == PublishedIsr{1, 4, 5, {1, 2}});
    CHECK_FALSE(isr == PublishedIsr{2, 4, 5, {1, 2}});
    CHECK_FALSE(isr == PublishedIsr{1, 5, 5, {1, 2}});
    CHECK_FALSE(isr == PublishedIsr{1, 4, 6, {1, 2}});
    CHECK_FALSE(isr == PublishedIsr{1, 4, 5, {1}});
}

TEST_CASE("a published set that says nothing has no leader and no member", "[isr_store]") {
    const PublishedIsr empty;
    CHECK(empty.leader == insync::kNoNode);
    CHECK(empty.epoch == 0);
    CHECK(empty.version == 0);
    CHECK(empty.members.empty());
}
