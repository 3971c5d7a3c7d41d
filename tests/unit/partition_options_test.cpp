#include <insync/partition_options.hpp>

#include <catch2/catch_test_macros.hpp>

TEST_CASE("options that are not given leave all to the defaults", "[partition_options]") {
    const insync::PartitionOptions options;
    CHECK_FALSE(options.min_isr);
    CHECK_FALSE(options.alive);
    CHECK(options.inherited == nullptr);
}
