#include "support/one_partition.hpp"

#include <insync/handle.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <type_traits>

using insync::PartitionHandle;
using insync::Result;
using support::OnePartition;

TEST_CASE("a handle is two words and copied like a number", "[handle]") {
    STATIC_REQUIRE(sizeof(PartitionHandle) == 16);
    STATIC_REQUIRE(std::is_trivially_copyable_v<PartitionHandle>);
}

TEST_CASE("a default handle stands for nothing and answers false", "[handle]") {
    OnePartition p;
    p.start_healthy();
    const PartitionHandle none;
    CHECK_FALSE(none);
    CHECK_FALSE(p.isr.has_min_isr(none));
    CHECK_FALSE(p.isr.get_isr(none).has_value());
    CHECK_FALSE(p.isr.high_watermark(none).has_value());
    CHECK(p.isr.update_isr(none) == Result::unknown_partition);
    p.isr.notify(none); // and does nothing
}

TEST_CASE("a handle answers as the name does", "[handle]") {
    OnePartition p;
    p.start_healthy();
    const PartitionHandle handle = p.handle();
    CHECK(handle);
    CHECK(handle == p.handle());
    CHECK(p.isr.has_min_isr(handle));
    CHECK(p.isr.get_isr(handle) == p.isr.get_isr("my-topic", 0));
    CHECK(p.isr.high_watermark(handle) == 100);

    REQUIRE(p.isr.set_min_insync_replicas("my-topic", 0, 3) == Result::ok);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK_FALSE(p.isr.has_min_isr(handle));
    CHECK(handle); // it still stands for the partition
}

TEST_CASE("an unknown partition resolves to a handle of nothing", "[handle]") {
    OnePartition p;
    p.start_healthy();
    CHECK_FALSE(p.isr.find("my-topic", 1));
    CHECK_FALSE(p.isr.find("my-topic", -1));
    CHECK_FALSE(p.isr.find("other", 0));
    CHECK(p.isr.find("other", 0) == PartitionHandle{});
}

TEST_CASE("the handle of a removed partition answers false for ever", "[handle]") {
    OnePartition p;
    p.start_healthy();
    const PartitionHandle old = p.handle();
    REQUIRE(p.isr.remove_partition("my-topic", 0) == Result::ok);
    CHECK_FALSE(old);
    CHECK_FALSE(p.isr.has_min_isr(old));

    REQUIRE(p.initialize() == Result::ok); // the same name, most likely in the same place
    CHECK(p.has_min());
    CHECK_FALSE(old);
    CHECK_FALSE(p.isr.has_min_isr(old));
    CHECK_FALSE(p.isr.get_isr(old).has_value());
    CHECK_FALSE(p.isr.high_watermark(old).has_value());
    CHECK(p.isr.update_isr(old) == Result::unknown_partition);
    CHECK(p.isr.record_progress(old, 4, 2, 100, p.clock.now()) == Result::unknown_partition);
    CHECK_FALSE(old == p.handle());
}

TEST_CASE("a handle stays dead however often its place is used again", "[handle]") {
    // The uses of a place are counted in 16 bits. Remade so often, the same topic also goes through
    // many tombstones of the table of topics, which once filled up and hung.
    insync::testing::ScriptedView view;
    insync::IsrManager isr{1, view};
    view.lead("t", 0, 1, 4, 100);
    REQUIRE(isr.initialize_isr("t", 0, {1}) == Result::ok);
    const PartitionHandle old = isr.find("t", 0);
    int alive = 0;
    for (int i = 0; i < 70'000; ++i) {
        (void)isr.remove_partition("t", 0);
        (void)isr.initialize_isr("t", 0, {1});
        if (old) ++alive;
    }
    CHECK(alive == 0);
    CHECK(isr.has_min_isr("t", 0));
}
