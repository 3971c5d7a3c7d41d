// C7: what is used again is not allocated again. Counts live bytes, so it is not built under a
// sanitizer.
#include "support/allocations.hpp"
#include "support/steady_view.hpp"

#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>

using insync::Result;
using insync::testing::ManualClock;
using support::SteadyView;
using Manager = insync::IsrManager<SteadyView, ManualClock>;

TEST_CASE("memory does not grow with the number of partitions that came and went",
          "[concurrency]") {
    ManualClock clock;
    SteadyView view{clock};
    Manager isr{1, view, {}, clock};
    int number = 0;
    const auto cycles = [&](int count) {
        for (int i = 0; i < count; ++i) {
            // Names that never come twice, short and long, with few and many partitions.
            std::string name = "topic-" + std::to_string(++number);
            if (i % 3 == 0) name += "-with-a-name-that-does-not-fit-into-the-topic-itself";
            for (const int partition : {0, 3, 40}) {
                REQUIRE(isr.initialize_isr(name, partition, {1, 2, 3 + i % 5}) == Result::ok);
                REQUIRE(isr.set_assignment(name, partition, {1, 2, 3, 9 + i % 3}) == Result::ok);
            }
            for (const int partition : {0, 3, 40})
                REQUIRE(isr.remove_partition(name, partition) == Result::ok);
        }
    };
    cycles(2'000);
    const std::size_t before = support::live_bytes();
    cycles(10'000);
    // The names' own lengths differ by a digit or two; nothing else may.
    CHECK(support::live_bytes() < before + 4'096);
}
