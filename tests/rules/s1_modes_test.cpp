// S1, observed mode: the consensus commits, the ISR says who is healthy and who has the data.

#include "support/one_partition.hpp"

#include <insync/isr_store.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::PublishedIsr;
using insync::Result;
using insync::WaitResult;
using support::Ended;
using support::Nodes;
using support::OnePartition;

namespace {

/// Metadata that takes every proposal and never shows one.
struct SilentStore {
    int published = 0;
    void publish(insync::TopicPartition, const PublishedIsr&) { ++published; }
};

} // namespace

TEST_CASE("a change of the ISR takes effect on the leader before anybody has accepted it", "[s1]") {
    SilentStore store;
    OnePartition p;
    p.isr.publish_to(store);
    p.start_healthy();
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 2) == Result::ok);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(p.members() == Nodes{1});
    CHECK_FALSE(p.has_min());
    CHECK(store.published == 3); // leading, and each removal
}

TEST_CASE("a replica within the lag limits joins although it is below the high watermark", "[s1]") {
    OnePartition p;
    p.lead(4, 100);
    p.hear(2, 100);
    REQUIRE(p.inherit({1, 3, 1, {1, 2}}) == Result::ok);
    p.sweep_until(1s, [&] {
        p.lead(4, 200);
        p.hear(2, 200);
    });
    REQUIRE(p.high_watermark() == 200);
    p.sweep_until(2s, [&] { p.hear(3, 150); }); // it has passed what was the end at 0
    CHECK(p.high_watermark() == 200);
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("an acknowledgement looks at every present member itself, not at the watermark", "[s1]") {
    // What makes it safe that such a replica may join: the watermark has passed 180, but the
    // member that has just joined lacks it.
    OnePartition p;
    p.lead(4, 100);
    p.hear(2, 100);
    REQUIRE(p.inherit({1, 3, 1, {1, 2}}) == Result::ok);
    p.sweep_until(1s, [&] {
        p.lead(4, 200);
        p.hear(2, 200);
    });
    p.sweep_until(2s, [&] { p.hear(3, 150); });
    REQUIRE(p.high_watermark() == 200);
    const Ended& ended = p.await(4, 180);
    CHECK(ended.empty());
    p.hear(3, 180);
    REQUIRE(p.observe() == Result::ok);
    CHECK(ended == Ended{WaitResult::committed});
}
