// C8, continued: memory gives out while leadership ends or begins, at the calls that the host makes
// around it, and at a person's questions. Replaces operator new, so not built under a sanitizer.
#include "support/allocations.hpp"
#include "support/one_partition.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <new>
#include <string>
#include <vector>

namespace {

using namespace insync;
using namespace std::chrono_literals;
using support::FailAllocation;
using support::OnePartition;

/// Runs `call` once for each allocation that could fail in it, each time on a fresh partition that
/// `prepare` has made, then `check`; and at last with none failing.
/// \return how many could fail
template <class Prepare, class Call, class Check>
std::size_t for_each_failure(const Prepare& prepare, const Call& call, const Check& check) {
    for (std::size_t nth = 0; nth < 300; ++nth) {
        OnePartition<> p;
        prepare(p);
        bool failed = false;
        Result result = Result::ok;
        bool threw = false;
        {
            const FailAllocation failing{nth};
            try {
                result = call(p);
            } catch (const std::bad_alloc&) {
                threw = true;
            }
            failed = FailAllocation::happened();
        }
        INFO("allocation " << nth << " failed: " << failed << ", " << to_string(result));
        check(p, result, threw);
        if (!failed) return nth;
    }
    FAIL("no end of allocations");
    return 0;
}

void start(OnePartition<>& p) {
    p.start_healthy(100);
    p.sweep();
}

} // namespace

TEST_CASE("a leader that steps down refuses writes, memory or not", "[concurrency]") {
    const auto silent = [](OnePartition<>& p) {
        p.start_healthy(100);
        p.group().quorum(Quorum::held);
        p.sweep_until(9s);
        p.clock.advance(2s); // its members pass the limit in the same observation
        REQUIRE(p.has_min());
    };
    const auto check = [](OnePartition<>& p, Result result, bool threw) {
        CHECK_FALSE(threw);
        CHECK((result == Result::ok || result == Result::no_memory));
        CHECK_FALSE(p.has_min());
        CHECK_FALSE(p.set().own());
        CHECK(p.observe() == Result::ok);
        CHECK_FALSE(p.has_min());
    };
    for_each_failure(
        silent,
        [](OnePartition<>& p) {
            p.group().lose_leader();
            return p.observe();
        },
        check);
    for_each_failure(
        silent,
        [](OnePartition<>& p) {
            p.group().follow(2, 9);
            return p.observe();
        },
        check);
}

TEST_CASE("an epoch that cannot begin for want of memory leaves the old one as it was",
          "[concurrency]") {
    for (const bool five : {false, true}) {
        for_each_failure(
            [&](OnePartition<>& p) {
                p.lead(4, 100);
                p.hear({2, 3, 4, 5}, 100);
                REQUIRE(p.initialize(five ? support::Nodes{1, 2, 3, 4, 5}
                                          : support::Nodes{1, 2, 3}) == Result::ok);
                REQUIRE(p.high_watermark() == 100);
            },
            [](OnePartition<>& p) {
                p.lead(5, 100);
                return p.observe();
            },
            [](OnePartition<>& p, Result result, bool threw) {
                CHECK_FALSE(threw);
                const bool begun = p.set().epoch() == 5;
                CHECK(begun == (result == Result::ok));
                // Nobody has confirmed anything in epoch 5; in epoch 4 the mark does not fall.
                const bool led = p.set().own();
                CHECK((begun || !led || p.high_watermark() == 100));
                CHECK(p.observe() == Result::ok);
                CHECK(p.set().epoch() == 5);
                CHECK(p.has_min());
            });
    }
}

TEST_CASE("calls around the ISR succeed or change nothing, and succeed again", "[concurrency]") {
    struct Operation {
        const char* name;
        std::function<Result(OnePartition<>&)> call;
    };
    const std::vector<Operation> operations = {
        {"add_to_isr",
         [](OnePartition<>& p) {
             (void)p.isr.remove_from_isr(p.kTopic, 0, 3);
             return p.isr.add_to_isr(p.kTopic, 0, 3);
         }},
        {"set_min_insync_replicas",
         [](OnePartition<>& p) { return p.isr.set_min_insync_replicas(p.kTopic, 0, 3); }},
        {"set_min_insync_replicas of a topic",
         [](OnePartition<>& p) { return p.isr.set_min_insync_replicas(p.kTopic, 3); }},
        {"update_heartbeat",
         [](OnePartition<>& p) { return p.isr.update_heartbeat(p.kTopic, 0, 2); }},
        {"fewer replicas",
         [](OnePartition<>& p) { return p.isr.set_assignment(p.kTopic, 0, {1}); }},
        {"other replicas",
         [](OnePartition<>& p) { return p.isr.set_assignment(p.kTopic, 0, {4, 5, 6}); }},
        {"a failing read",
         [](OnePartition<>& p) {
             p.group().reads_return(ReadResult::torn);
             const Result result = p.observe();
             p.group().reads_return(ReadResult::ok);
             return result == Result::torn ? Result::ok : result;
         }},
        {"remove_partition", [](OnePartition<>& p) { return p.isr.remove_partition(p.kTopic, 0); }},
    };
    for (const Operation& operation : operations) {
        INFO(operation.name);
        for_each_failure(start, operation.call, [&](OnePartition<>& p, Result result, bool threw) {
            CHECK_FALSE(threw);
            CHECK((result == Result::ok || result == Result::no_memory));
            if (p.handle() && p.set().own()) CHECK(p.set().contains(1));
            if (result != Result::ok) CHECK(operation.call(p) == Result::ok);
            p.sweep(); // nothing was left locked
            p.clock.advance(60s);
            p.sweep();
            p.sweep();
        });
    }
}

TEST_CASE("a question that finds no memory throws, and leaves nothing locked", "[concurrency]") {
    const std::vector<std::function<bool(OnePartition<>&)>> questions = {
        [](OnePartition<>& p) { return !p.isr.safe_to_stop(2).safe(); },
        [](OnePartition<>& p) { return p.isr.explain(p.kTopic, 0, 2).has_value(); },
        [](OnePartition<>& p) { return p.isr.get_isr_stats().partitions == 1; },
        [](OnePartition<>& p) {
            int seen = 0;
            p.isr.for_each_partition([&](const PartitionReport&) { ++seen; });
            return seen == 1;
        },
        [](OnePartition<>& p) {
            p.isr.unsubscribe(p.isr.subscribe([](const IsrChange&) {}));
            return true;
        },
        [](OnePartition<>& p) {
            p.isr.set_log_sink([](std::string_view) {});
            return true;
        },
    };
    for (const auto& ask : questions) {
        for_each_failure(
            [](OnePartition<>& p) {
                p.lead(4, 100);
                p.hear(2, 100);
                REQUIRE(p.initialize({1, 2}) == Result::ok);
            },
            [&](OnePartition<>& p) { return ask(p) ? Result::ok : Result::no_memory; },
            [&](OnePartition<>& p, Result result, bool) {
                CHECK(result == Result::ok); // right, or an exception
                CHECK(ask(p));
                CHECK(p.isr.remove_from_isr(p.kTopic, 0, 2) == Result::ok);
                CHECK(p.members() == support::Nodes{1});
            });
    }
}
