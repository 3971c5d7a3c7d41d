// Calls at the wrong time: twice, too late, to what is gone, while something hangs on it (S10). The
// numbers are those of the table of bad inputs that the rules refer to.
#include "support/one_partition.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace insync;
using namespace std::chrono_literals;
using support::Ended;
using support::Nodes;
using support::OnePartition;

/// Every call that names a partition, and what it comes to.
template <class P>
std::vector<std::pair<const char*, Result>> name_it(P& p, std::string_view topic, int number) {
    auto& isr = p.isr;
    const PublishedIsr set{2, 99, 99, {2}};
    const auto ignore = [](WaitResult) { FAIL("a refused wait was called back"); };
    return {
        {"update_isr", isr.update_isr(topic, number)},
        {"record_progress", isr.record_progress(topic, number, 4, 2, 100, p.clock.now())},
        {"update_heartbeat", isr.update_heartbeat(topic, number, 2)},
        {"add_to_isr", isr.add_to_isr(topic, number, 2)},
        {"remove_from_isr", isr.remove_from_isr(topic, number, 2)},
        {"apply_published_isr", isr.apply_published_isr(topic, number, set)},
        {"await_replication", isr.await_replication(topic, number, 4, 1, TimePoint::max(), ignore)},
        {"set_assignment", isr.set_assignment(topic, number, {1})},
        {"set_min_insync_replicas", isr.set_min_insync_replicas(topic, number, 2)},
        {"remove_partition", isr.remove_partition(topic, number)},
    };
}

/// Every call that takes a handle, and what it comes to.
template <class P>
std::vector<std::pair<const char*, Result>> use_it(P& p, const PartitionHandle& handle) {
    auto& isr = p.isr;
    const auto ignore = [](WaitResult) { FAIL("a refused wait was called back"); };
    isr.notify(handle);
    return {
        {"update_isr", isr.update_isr(handle)},
        {"record_progress", isr.record_progress(handle, 4, 2, 100, p.clock.now())},
        {"record_leader", isr.record_leader(handle, 4, {100, 100, 100})},
        {"await_replication", isr.await_replication(handle, 4, 1, TimePoint::max(), ignore)},
    };
}

} // namespace

TEST_CASE("an unknown partition is refused by every call and counted", "[bad_input]") {
    OnePartition<> p; // rows 14, 15
    p.start_healthy();
    const IsrSet before = p.set();
    std::uint64_t counted = 0;
    for (const auto& [topic, number] :
         {std::pair{"other", 0}, std::pair{"my-topic", 1}, std::pair{"my-topic", 5000}}) {
        for (const auto& [call, result] : name_it(p, topic, number)) {
            INFO(call << " of " << topic << "-" << number);
            CHECK(result == Result::unknown_partition);
            ++counted;
        }
        CHECK(p.isr.counters().rejected(Result::unknown_partition) == counted);
        CHECK_FALSE(p.isr.get_isr(topic, number));
        CHECK_FALSE(p.isr.find(topic, number));
        CHECK_FALSE(p.isr.is_in_sync(topic, number, 1));
        CHECK_FALSE(p.isr.high_watermark(topic, number));
        CHECK_FALSE(p.isr.explain(topic, number, 1));
        CHECK(p.isr.has_min_isr(topic, number)); // S5: a broker without tracking takes writes
    }
    for (const auto& [call, result] : use_it(p, PartitionHandle{})) {
        INFO(call);
        CHECK(result == Result::unknown_partition);
    }
    CHECK_FALSE(p.isr.has_min_isr(PartitionHandle{}));
    CHECK_FALSE(p.isr.get_isr(PartitionHandle{}));
    CHECK(p.set() == before);
    CHECK(p.isr.get_isr_stats().partitions == 1); // none was made
}

TEST_CASE("a partition of one replica is in sync with itself", "[bad_input]") { // row 6
    OnePartition<> p;
    p.lead(4, 100);
    CHECK(p.initialize({1}) == Result::ok);
    CHECK(p.members() == Nodes{1});
    CHECK(p.has_min()); // min ISR 2 is more than there are replicas
    CHECK(p.high_watermark() == 100);
    const Ended& wait = p.await(4, 150);
    CHECK(p.isr.record_leader(p.handle(), 4, {150, 150, 150}) == Result::ok);
    CHECK(wait == Ended{WaitResult::committed});
    p.sweep_until(60s);
    CHECK(p.members() == Nodes{1});
    CHECK(p.has_min());
}

TEST_CASE("fifteen replicas are tracked like three", "[bad_input]") { // row 7
    OnePartition<> p{{.min_insync_replicas = 15}};
    const Nodes all{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    p.lead(4, 100);
    for (NodeId node = 2; node <= 15; ++node) p.hear(node, 100);
    CHECK(p.initialize(all) == Result::ok);
    CHECK(p.members() == all);
    CHECK(p.has_min());
    p.sweep_until(12s, [&] {
        for (NodeId node = 2; node < 15; ++node) p.hear(node, 100);
    });
    CHECK(p.set().size() == 14);
    CHECK_FALSE(p.set().contains(15));
    CHECK_FALSE(p.has_min());
}

TEST_CASE("a min ISR above the replicas counts as all of them", "[bad_input]") { // row 11
    OnePartition<> p;
    p.start_healthy();
    for (const int min_isr : {3, 4, 16, 1'000'000, std::numeric_limits<int>::max()}) {
        CHECK(p.isr.set_min_insync_replicas(p.kTopic, 0, min_isr) == Result::ok);
        CHECK(p.report().min_isr == 3);
        CHECK(p.has_min());
    }
    CHECK(p.isr.remove_from_isr(p.kTopic, 0, 3) == Result::ok);
    CHECK_FALSE(p.has_min());
}

TEST_CASE("a min ISR raised above the ISR refuses writes and ends waits at once", "[bad_input]") {
    OnePartition<> p{{.min_insync_replicas = 1}}; // row 12
    p.start_healthy(100);
    CHECK(p.isr.remove_from_isr(p.kTopic, 0, 3) == Result::ok);
    CHECK(p.isr.record_leader(p.handle(), 4, {200, 200, 200}) == Result::ok);
    const Ended& wait = p.await(4, 150);
    CHECK(wait.empty());
    CHECK(p.isr.set_min_insync_replicas(p.kTopic, 0, 3) == Result::ok);
    CHECK_FALSE(p.has_min());
    CHECK(wait == Ended{WaitResult::not_enough_replicas});
    CHECK(p.isr.record_progress(p.handle(), 4, 2, 200, p.clock.now()) == Result::ok);
    CHECK(p.high_watermark() == 100);
    CHECK(p.isr.set_min_insync_replicas(p.kTopic, 0, 2) == Result::ok);
    CHECK(p.has_min());
    CHECK(p.high_watermark() == 200);
}

TEST_CASE("a second registration is a no-op if equal, and refused if not", "[bad_input]") {
    OnePartition<> p; // row 19
    p.start_healthy();
    const IsrSet before = p.set();
    const PartitionHandle handle = p.handle();
    CHECK(p.initialize({3, 1, 2}) == Result::ok);
    CHECK(p.initialize({1, 2}) == Result::already_exists);
    CHECK(p.initialize({1, 2, 4}) == Result::already_exists);
    CHECK(p.isr.initialize_isr(p.kTopic, 0, {1, 2, 3}, 3) == Result::already_exists);
    CHECK(p.isr.counters().rejected(Result::already_exists) == 3);
    CHECK(p.set() == before);
    CHECK(p.handle() == handle);
    CHECK(p.changes.size() == 1);
}

TEST_CASE("of two threads that register a partition one wins", "[bad_input]") { // row 45
    for (int round = 0; round < 200; ++round) {
        OnePartition<> p;
        std::atomic<int> ready{0};
        Result results[2] = {Result::no_memory, Result::no_memory};
        const auto enter = [&](int i) {
            ++ready;
            while (ready < 2) std::this_thread::yield();
            results[i] = i == 0 ? p.initialize({1, 2, 3}) : p.initialize({4, 5});
        };
        std::thread other{enter, 1};
        enter(0);
        other.join();
        const bool first = p.members() == Nodes{1, 2, 3};
        CHECK(results[first ? 0 : 1] == Result::ok);
        CHECK(results[first ? 1 : 0] == Result::already_exists);
        CHECK(p.isr.get_isr_stats().partitions == 1);
    }
}

TEST_CASE("a wait asked for twice ends twice", "[bad_input]") { // row 42: waits have no names
    OnePartition<> p;
    p.start_healthy(100);
    CHECK(p.isr.record_leader(p.handle(), 4, {200, 200, 200}) == Result::ok);
    const Ended& one = p.await(4, 150);
    const Ended& two = p.await(4, 150);
    CHECK(p.isr.record_progress(p.handle(), 4, 2, 200, p.clock.now()) == Result::ok);
    CHECK(p.isr.record_progress(p.handle(), 4, 3, 200, p.clock.now()) == Result::ok);
    CHECK(one == Ended{WaitResult::committed});
    CHECK(two == Ended{WaitResult::committed});
}

TEST_CASE("more waits than are allowed are refused, and end nobody else's", "[bad_input]") {
    OnePartition<> p{{.max_waits = 3}};
    p.start_healthy(100);
    for (int i = 0; i < 3; ++i) CHECK(p.await(4, 200).empty());
    CHECK(p.await(4, 200).empty());
    CHECK(p.last_await() == Result::too_many_waits);
    CHECK(p.isr.counters().rejected(Result::too_many_waits) == 1);
    CHECK(p.await(4, 100) == Ended{WaitResult::committed}); // needs no place
    CHECK(p.isr.get_isr_stats().waits == 3);
}

TEST_CASE("removal ends waits, leaves readers their copies, and happens once", "[bad_input]") {
    OnePartition<> p{{.unknown_partition = UnknownPartition::deny}}; // rows 43, 44
    p.start_healthy(100);
    const PartitionHandle old = p.handle();
    const IsrSet copy = p.set();
    const Ended& wait = p.await(4, 200);
    CHECK(p.isr.remove_partition(p.kTopic, 0) == Result::ok);
    CHECK(wait == Ended{WaitResult::not_leader});
    CHECK(copy.to_vec() == Nodes{1, 2, 3});
    CHECK(p.isr.remove_partition(p.kTopic, 0) == Result::unknown_partition);
    CHECK_FALSE(p.isr.get_isr(p.kTopic, 0));
    // The next of that name starts from what it is given, and the old handle is not its.
    CHECK(p.inherit({2, 9, 33, {1, 2}}) == Result::ok);
    CHECK(p.set().version() == 33);
    CHECK_FALSE(old);
    CHECK_FALSE(p.isr.has_min_isr(old));
    CHECK_FALSE(p.isr.get_isr(old));
    CHECK_FALSE(p.isr.high_watermark(old));
    CHECK_FALSE(old == p.handle());
    const IsrSet before = p.set();
    for (const auto& [call, result] : use_it(p, old)) {
        INFO(call);
        CHECK(result == Result::unknown_partition);
    }
    CHECK(p.set() == before);
}

TEST_CASE("an old handle stands for nothing, however often the name is used again", "[bad_input]") {
    OnePartition<> p;
    p.start_healthy(100);
    const PartitionHandle first = p.handle();
    for (int i = 0; i < 70'000; ++i) { // more than a slot has generations
        const bool again =
            p.isr.remove_partition(p.kTopic, 0) == Result::ok && p.initialize() == Result::ok;
        if (!again || first || p.isr.has_min_isr(first)) FAIL("after " << i << " uses");
    }
    CHECK(p.has_min());
}

TEST_CASE("callbacks that throw are counted and stop nothing", "[bad_input]") { // row 47
    OnePartition<> p;
    struct Store {
        void publish(TopicPartition, const PublishedIsr&) const { throw 1; }
    } store;
    p.isr.publish_to(store);
    p.isr.subscribe([](const IsrChange&) { throw std::runtime_error{"listener"}; });
    p.isr.set_log_sink([](std::string_view) { throw std::runtime_error{"sink"}; });
    for (int i = 0; i < 8; ++i) {
        const std::string topic = fmt::format("t{}", i);
        p.view.lead(topic, 0, 1, 4, 100).follower(2, 100, p.clock.now());
        CHECK(p.isr.initialize_isr(topic, 0, {1, 2}) == Result::ok);
        CHECK(p.isr.await_replication(topic, 0, 4, 200, TimePoint::max(),
                                      [](WaitResult) { throw 2; }) == Result::ok);
    }
    const auto thrown = p.isr.counters().callbacks_thrown;
    CHECK(thrown == 16); // a listener and the store for each
    p.sweep_until(11s);
    for (int i = 0; i < 8; ++i) CHECK(p.isr.get_isr(fmt::format("t{}", i), 0)->size() == 1);
    CHECK(p.isr.get_isr_stats().waits == 0); // ended as not enough replicas, each by a throw
    CHECK(p.isr.counters().callbacks_thrown >= thrown + 8 * 4);
    CHECK(p.isr.counters().sweeps == 11);
}

TEST_CASE("after shut-down nothing changes and every call says so", "[bad_input]") { // row 49
    OnePartition<> p;
    p.start_healthy(100);
    const PartitionHandle handle = p.handle();
    const Ended& wait = p.await(4, 200);
    p.isr.shut_down();
    p.isr.shut_down();
    CHECK(wait == Ended{WaitResult::shut_down});
    const IsrSet before = p.set();
    std::uint64_t counted = 0;
    const auto refused = [&](const std::vector<std::pair<const char*, Result>>& calls) {
        for (const auto& [call, result] : calls) {
            INFO(call);
            CHECK(result == Result::shut_down);
            ++counted;
        }
    };
    refused(name_it(p, p.kTopic, 0));
    refused(use_it(p, handle));
    refused({{"initialize_isr", p.isr.initialize_isr("other", 0, {1})}});
    refused({{"reserve", p.isr.reserve("other", 3)}});
    CHECK(p.isr.counters().rejected(Result::shut_down) == counted);
    p.group().follow(2, 5);
    p.sweep_until(30s);
    CHECK(p.set() == before);
    CHECK(p.has_min());
    CHECK(p.isr.has_min_isr(handle));
    CHECK(p.high_watermark() == 100);
    CHECK(p.changes.size() == 1);
}

TEST_CASE("100 000 partitions removed in a loop leave none behind", "[bad_input]") { // row 50
    OnePartition<> p{{.unknown_partition = UnknownPartition::deny}};
    constexpr int kTopics = 100;
    constexpr int kEach = 1000;
    const auto name = [](int topic) { return fmt::format("topic-{}", topic); };
    std::vector<PartitionHandle> handles;
    int refused = 0;
    for (int round = 0; round < 2; ++round) {
        for (int topic = 0; topic < kTopics; ++topic)
            for (int i = 0; i < kEach; ++i)
                refused += p.isr.initialize_isr(name(topic), i, {1, 2, 3}) == Result::ok ? 0 : 1;
        CHECK(p.isr.get_isr_stats().partitions == kTopics * kEach);
        if (round == 0)
            for (int topic = 0; topic < kTopics; ++topic)
                handles.push_back(p.isr.find(name(topic), topic));
        for (int topic = 0; topic < kTopics; ++topic)
            for (int i = 0; i < kEach; ++i)
                refused += p.isr.remove_partition(name(topic), i) == Result::ok ? 0 : 1;
        CHECK(refused == 0);
        CHECK(p.isr.get_isr_stats().partitions == 0);
        CHECK_FALSE(p.isr.get_isr(name(7), 7));
    }
    for (const PartitionHandle& old : handles) CHECK_FALSE(old);
}
