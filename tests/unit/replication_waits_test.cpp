#include <insync/errors.hpp>
#include <insync/replication_waits.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using insync::EndedWaits;
using insync::Index;
using insync::Millis;
using insync::ReplicationWaits;
using insync::Result;
using insync::TimePoint;
using insync::WaitCallback;
using insync::WaitResult;

namespace {

constexpr TimePoint kFar{1h};
constexpr std::size_t kNoLimit = 1'000;

/// Waits whose callbacks write down in one list who ended, and how.
struct Waits {
    ReplicationWaits waits;
    std::vector<std::string> ended;

    Result add(ReplicationWaits::Partition partition,
               Index index,
               TimePoint deadline = kFar,
               std::size_t limit = kNoLimit) {
        const std::string name = std::to_string(partition) + "/" + std::to_string(index);
        WaitCallback callback = [this, name](WaitResult result) {
            ended.push_back(name + " " + std::string{insync::to_string(result)});
        };
        return waits.add(partition, index, deadline, callback, limit);
    }
    /// What `work` ended, after it was delivered.
    template <class Work>
    std::vector<std::string> after(const Work& work) {
        EndedWaits out;
        work(out);
        CHECK(ended.empty()); // nothing is called while the waits are locked
        out.deliver();
        return std::exchange(ended, {});
    }
    std::vector<std::string> commit(ReplicationWaits::Partition partition, Index held) {
        return after([&](EndedWaits& out) { waits.commit(partition, held, out); });
    }
    std::vector<std::string> expire(Millis now) {
        return after([&](EndedWaits& out) { waits.expire(TimePoint{now}, out); });
    }
};

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("a commit ends the waits up to its index, in order of index", "[replication_waits]") {
    Waits w;
    REQUIRE(w.add(7, 30) == Result::ok);
    REQUIRE(w.add(7, 10) == Result::ok);
    REQUIRE(w.add(7, 20) == Result::ok);
    CHECK(w.commit(7, 9).empty());
    CHECK(w.commit(7, 20) == Names{"7/10 committed", "7/20 committed"});
    CHECK(w.commit(7, 20).empty()); // each ends once
    CHECK(w.commit(7, 30) == Names{"7/30 committed"});
    CHECK(w.waits.size() == 0);
}

TEST_CASE("a commit says whether the partition waits for more", "[replication_waits]") {
    Waits w;
    EndedWaits out;
    CHECK_FALSE(w.waits.commit(7, 100, out));
    REQUIRE(w.add(7, 10) == Result::ok);
    REQUIRE(w.add(8, 10) == Result::ok);
    CHECK(w.waits.commit(7, 9, out));
    CHECK_FALSE(w.waits.commit(7, 10, out)); // partition 8 still waits, but not this one
}

TEST_CASE("waits of other partitions are left alone", "[replication_waits]") {
    Waits w;
    for (const ReplicationWaits::Partition partition : {6u, 7u, 8u})
        REQUIRE(w.add(partition, 10) == Result::ok);
    CHECK(w.commit(7, insync::kMaxIndex) == Names{"7/10 committed"});
    const auto left =
        w.after([&](EndedWaits& out) { w.waits.end_all(8, WaitResult::not_leader, out); });
    CHECK(left == Names{"8/10 not_leader"});
    CHECK(w.waits.size() == 1);
}

TEST_CASE("waits for one index all end, first come first served", "[replication_waits]") {
    Waits w;
    std::vector<int> order;
    for (int i = 0; i < 3; ++i) {
        WaitCallback callback = [&order, i](WaitResult) { order.push_back(i); };
        REQUIRE(w.waits.add(7, 10, kFar, callback, kNoLimit) == Result::ok);
    }
    CHECK(w.commit(7, 10).empty());
    CHECK(order == std::vector{0, 1, 2});
}

TEST_CASE("ending all waits reaches those for the largest index", "[replication_waits]") {
    Waits w;
    REQUIRE(w.add(7, insync::kMaxIndex) == Result::ok);
    REQUIRE(w.add(7, 0) == Result::ok);
    const auto all =
        w.after([&](EndedWaits& out) { w.waits.end_all(7, WaitResult::not_enough_replicas, out); });
    CHECK(all == Names{"7/0 not_enough_replicas",
                       "7/" + std::to_string(insync::kMaxIndex) + " not_enough_replicas"});
}

TEST_CASE("a wait ends as timed out at its deadline, not before", "[replication_waits]") {
    Waits w;
    REQUIRE(w.add(7, 10, TimePoint{2s}) == Result::ok);
    REQUIRE(w.add(8, 10, TimePoint{1s}) == Result::ok);
    CHECK(w.waits.next_deadline() == TimePoint{1s});
    CHECK(w.expire(999ms).empty());
    CHECK(w.expire(1s) == Names{"8/10 timed_out"});
    CHECK(w.waits.next_deadline() == TimePoint{2s});
    CHECK(w.expire(10s) == Names{"7/10 timed_out"});
    CHECK(w.waits.next_deadline() == TimePoint::max());
}

TEST_CASE("a wait that has ended does not expire as well", "[replication_waits]") {
    Waits w;
    REQUIRE(w.add(7, 10, TimePoint{1s}) == Result::ok);
    CHECK(w.commit(7, 10) == Names{"7/10 committed"});
    CHECK(w.waits.next_deadline() == TimePoint::max());
    CHECK(w.expire(2s).empty());
}

TEST_CASE("a full house takes no more waits and keeps the callback with the caller",
          "[replication_waits]") {
    Waits w;
    REQUIRE(w.add(7, 10, kFar, 1) == Result::ok);
    WaitCallback callback = [](WaitResult) {};
    CHECK(w.waits.add(7, 11, kFar, callback, 1) == Result::too_many_waits);
    CHECK(callback); // not moved from: the caller can still answer
    CHECK(w.commit(7, 11) == Names{"7/10 committed"});
    CHECK(w.waits.add(7, 11, kFar, callback, 1) == Result::ok);
    CHECK_FALSE(callback);
}

TEST_CASE("a limit of zero refuses every wait", "[replication_waits]") {
    Waits w;
    CHECK(w.add(7, 10, kFar, 0) == Result::too_many_waits);
}

TEST_CASE("closing ends every wait as shut down and takes no more", "[replication_waits]") {
    Waits w;
    REQUIRE(w.add(7, 10, TimePoint{1s}) == Result::ok);
    REQUIRE(w.add(8, 20) == Result::ok);
    CHECK(w.after([&](EndedWaits& out) { w.waits.close(out); }) ==
          Names{"7/10 shut_down", "8/20 shut_down"});
    CHECK(w.add(7, 11) == Result::shut_down);
    CHECK(w.expire(2s).empty());
    CHECK(w.after([&](EndedWaits& out) { w.waits.close(out); }).empty()); // twice is once
}

TEST_CASE("a callback that throws is counted and does not keep others from theirs",
          "[replication_waits]") {
    ReplicationWaits waits;
    int called = 0;
    for (int i = 0; i < 3; ++i) {
        WaitCallback callback = [&called, i](WaitResult) {
            ++called;
            if (i < 2) throw std::runtime_error{"no"};
        };
        REQUIRE(waits.add(7, 10, kFar, callback, kNoLimit) == Result::ok);
    }
    EndedWaits out;
    waits.commit(7, 10, out);
    CHECK(out.deliver() == 2);
    CHECK(called == 3);
    CHECK(out.empty());
    CHECK(out.deliver() == 0);
}

TEST_CASE("a callback may own what cannot be copied", "[replication_waits]") {
    ReplicationWaits waits;
    int seen = 0;
    WaitCallback callback = [&seen, request = std::make_unique<int>(5)](WaitResult) {
        seen = *request;
    };
    REQUIRE(waits.add(7, 10, kFar, callback, kNoLimit) == Result::ok);
    EndedWaits out;
    waits.commit(7, 10, out);
    out.deliver();
    CHECK(seen == 5);
}

TEST_CASE("a callback may register the next wait", "[replication_waits]") {
    // Delivery holds no lock: with one, this would not return.
    Waits w;
    WaitCallback callback = [&w](WaitResult) { CHECK(w.add(7, 11) == Result::ok); };
    REQUIRE(w.waits.add(7, 10, kFar, callback, kNoLimit) == Result::ok);
    CHECK(w.commit(7, 10).empty());
    CHECK(w.commit(7, 11) == Names{"7/11 committed"});
}
