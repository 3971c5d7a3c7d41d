// C1 to C4, C7: the manager as a whole, read and driven by many threads at a time.
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using insync::IsrChange;
using insync::IsrSet;
using insync::NodeId;
using insync::PartitionHandle;
using insync::PublishedIsr;
using insync::Result;
using insync::Version;
using insync::WaitResult;
using insync::testing::ManualClock;
using insync::testing::ScriptedView;

namespace {

constexpr auto kEnough = 600ms; // for each test, also under a sanitizer

/// Runs the threads until the time is over; each calls its function again and again.
class Threads {
public:
    template <class Function>
    void add(Function function) {
        threads_.emplace_back([this, function]() mutable {
            while (std::chrono::steady_clock::now() < end_) function();
        });
    }
    void join() {
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }

private:
    const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kEnough;
    std::vector<std::thread> threads_;
};

/// A set all of whose parts follow from its version, so that a torn one shows.
PublishedIsr set_of(Version version) {
    const auto leader = static_cast<NodeId>(1 + version % 5);
    PublishedIsr isr{leader, 1 + version / 100, version, {}};
    for (NodeId node = 1; node <= 5; ++node)
        if (node == leader || (version >> node & 1) != 0) isr.members.push_back(node);
    return isr;
}

template <class View>
void lead(View& view, const ManualClock& clock, const std::string& topic, int partition) {
    auto& group = view.lead(topic, partition, 1, 1, 100);
    group.quorum(insync::Quorum::held);
    for (const NodeId node : {2, 3}) group.follower(node, 100, clock.now());
}

} // namespace

TEST_CASE("what the manager shows is whole and of the time of the call, by name and by handle",
          "[concurrency]") {
    ManualClock clock;
    ScriptedView view;
    insync::IsrManager isr{9, view, {}, clock};
    REQUIRE(isr.initialize_isr("steady", 3, {1, 2, 3, 4, 5}) == Result::ok);
    const PartitionHandle handle = isr.find("steady", 3);
    REQUIRE(isr.apply_published_isr("steady", 3, set_of(1)) == Result::ok);
    std::atomic<Version> begun{1};
    std::atomic<Version> done{1};
    std::atomic<int> torn{0};
    std::atomic<int> untimely{0};
    std::atomic<std::uint64_t> reads{0};
    Threads threads;
    for (const bool by_name : {true, false, true}) {
        threads.add([&, by_name, last = Version{0}]() mutable {
            for (int i = 0; i < 200; ++i) {
                const Version least = std::max(done.load(), last);
                const auto set = by_name ? isr.get_isr("steady", 3) : isr.get_isr(handle);
                const Version most = begun.load();
                if (!set || set->version() < least || set->version() > most) {
                    ++untimely;
                    continue;
                }
                last = set->version();
                torn += PublishedIsr{*set} == set_of(last) && set->replica_count() == 5 ? 0 : 1;
                ++reads;
            }
        });
    }
    threads.add([&] {
        const Version next = begun.load() + 1;
        begun = next;
        if (isr.apply_published_isr("steady", 3, set_of(next)) != Result::ok) ++untimely;
        done = next;
    });
    // Replica sets and slots are used again and again next to it.
    threads.add([&, round = NodeId{0}]() mutable {
        ++round;
        (void)isr.initialize_isr("other", 0, {1, 2, 10 + round % 7});
        (void)isr.set_assignment("other", 0, {3, 20 + round % 5});
        (void)isr.remove_partition("other", 0);
    });
    threads.join();
    CHECK(torn == 0);
    CHECK(untimely == 0);
    CHECK(reads > 1000);
    CHECK(done > 100);
}

TEST_CASE("whether writes are accepted is never told from another moment", "[concurrency]") {
    ManualClock clock;
    ScriptedView view;
    insync::IsrManager isr{1, view, {.min_insync_replicas = 3}, clock};
    lead(view, clock, "t", 0);
    REQUIRE(isr.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    const PartitionHandle handle = isr.find("t", 0);
    std::atomic<std::uint64_t> begun{0}; // odd: somebody is out
    std::atomic<std::uint64_t> done{0};
    std::atomic<int> wrong{0};
    std::atomic<std::uint64_t> quiet{0};
    Threads threads;
    for (const bool by_name : {true, false, true, false}) {
        threads.add([&, by_name] {
            for (int i = 0; i < 500; ++i) {
                const std::uint64_t before = done.load();
                const bool accepted = by_name ? isr.has_min_isr("t", 0) : isr.has_min_isr(handle);
                if (before != begun.load()) continue; // a change was under way
                ++quiet;
                wrong += accepted == (before % 2 == 0) ? 0 : 1;
            }
        });
    }
    threads.add([&] {
        begun = done + 1;
        const Result result =
            begun % 2 != 0 ? isr.remove_from_isr("t", 0, 3) : isr.add_to_isr("t", 0, 3);
        wrong += result == Result::ok ? 0 : 1;
        done = begun.load();
        for (int i = 0; i < 20; ++i) std::this_thread::yield();
    });
    threads.join();
    CHECK(wrong == 0);
    CHECK(quiet > 100);
}

namespace {

/// A view whose answer for one partition can be held up.
struct StoppingView {
    using Group = int;
    static constexpr auto contact_source = insync::ContactSource::request;
    std::atomic<bool> stopped{false};
    std::atomic<bool> waiting{false};

    Group find_group(insync::TopicPartition partition, std::span<const NodeId>) const {
        return partition.partition;
    }
    [[nodiscard]] insync::Millis contact_slack() const noexcept { return 0ms; }
    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        while (group == 0 && stopped) {
            waiting = true;
            std::this_thread::yield();
        }
        state.epoch = state.leader = 1;
        state.leading = true;
        state.quorum = insync::Quorum::held;
        state.end = state.durable = state.commit = 100;
        for (const NodeId node : {2, 3})
            state.followers.push_back({.node = node, .verified = true, .match = 100});
        return insync::ReadResult::ok;
    }
};

} // namespace

TEST_CASE("a view that does not answer delays nobody but who asks it", "[concurrency]") {
    ManualClock clock;
    StoppingView view;
    insync::IsrManager isr{1, view, {}, clock};
    for (const int partition : {0, 1})
        REQUIRE(isr.initialize_isr("t", partition, {1, 2, 3}) == Result::ok);
    const PartitionHandle handle = isr.find("t", 0);
    view.stopped = true;
    std::thread sweeping{[&] { isr.tick(); }};
    while (!view.waiting) std::this_thread::yield(); // so the sweep below finds one under way
    std::thread asking{[&] { (void)isr.update_isr("t", 0); }};
    // All of this would hang if a lock were held during the question.
    CHECK(isr.has_min_isr("t", 0));
    CHECK(isr.get_isr(handle)->size() == 3);
    CHECK(isr.high_watermark(handle) == 100);
    CHECK(isr.explain("t", 0, 2));
    CHECK(isr.get_isr_stats().leading == 2);
    CHECK(isr.record_leader(handle, 1, {110, 110, 110}) == Result::ok);
    CHECK(isr.record_progress(handle, 1, 2, 105, clock.now()) == Result::ok);
    CHECK(isr.set_min_insync_replicas("t", 0, 3) == Result::ok);
    CHECK(isr.remove_from_isr("t", 0, 3) == Result::ok);
    CHECK_FALSE(isr.has_min_isr(handle));
    CHECK(isr.update_isr("t", 1) == Result::ok);
    CHECK(isr.initialize_isr("t", 2, {1}) == Result::ok);
    int ended = 0;
    CHECK(isr.await_replication("t", 1, 1, 101, clock.now() + 1s, [&](WaitResult) { ++ended; }) ==
          Result::ok);
    clock.advance(1s);
    isr.tick(); // a sweep is under way already, so this one only ends waits
    CHECK(ended == 1);
    CHECK(isr.remove_partition("t", 2) == Result::ok);
    view.stopped = false;
    asking.join();
    sweeping.join();
}

TEST_CASE("own decisions of many writers are numbered without a gap, and told once, in order",
          "[concurrency]") {
    constexpr int kPartitions = 2;
    ManualClock clock;
    ScriptedView view;
    insync::IsrManager isr{1, view, {}, clock};
    std::map<int, IsrSet> told;
    std::map<int, int> faults;
    for (int partition = 0; partition < kPartitions; ++partition) {
        lead(view, clock, "t", partition);
        REQUIRE(isr.initialize_isr("t", partition, {1, 2, 3}) == Result::ok);
        told[partition] = *isr.get_isr("t", partition);
    }
    std::uint64_t events = 0;
    (void)isr.subscribe([&](const IsrChange& change) { // one at a time, so no lock
        ++events;
        IsrSet& last = told[change.partition];
        faults[change.partition] += change.before == last ? 0 : 1;
        faults[change.partition] += change.after.version() == last.version() + 1 ? 0 : 1;
        last = change.after;
    });
    const auto before = isr.counters();
    Threads threads;
    for (int writer = 0; writer < 4; ++writer) {
        threads.add([&, writer, round = 0]() mutable {
            const int partition = ++round % kPartitions;
            const NodeId node = 2 + writer % 2;
            (void)isr.remove_from_isr("t", partition, node);
            (void)isr.add_to_isr("t", partition, node);
            if (round % 16 == 0) (void)isr.update_isr("t", partition);
        });
    }
    threads.join();
    const auto after = isr.counters();
    std::uint64_t changes = 0;
    for (int partition = 0; partition < kPartitions; ++partition) {
        CHECK(faults[partition] == 0);
        CHECK(told[partition] == *isr.get_isr("t", partition));
        changes += told[partition].version() - 1;
    }
    CHECK(events == changes);
    CHECK(events == after.shrinks + after.expands - before.shrinks - before.expands);
    CHECK(events > 100);
}

namespace {

/// A view whose groups are objects of the host's, that go when nobody has them any more.
template <bool Pushes>
struct OwningView {
    using Group = std::shared_ptr<std::atomic<std::uint64_t>>;
    static constexpr auto contact_source = insync::ContactSource::request;
    static constexpr bool pushes = Pushes;
    ManualClock clock;

    Group find_group(insync::TopicPartition, std::span<const NodeId>) const {
        return std::make_shared<std::atomic<std::uint64_t>>(1);
    }
    [[nodiscard]] insync::Millis contact_slack() const noexcept { return 0ms; }
    insync::ReadResult read(const Group& group, insync::GroupState& state) const noexcept {
        if (!group) return insync::ReadResult::unavailable;
        state.epoch = 1;
        state.leader = 1;
        state.leading = true;
        state.end = state.durable = state.commit = 100 + group->fetch_add(1) / 64;
        for (const NodeId node : state.assigned)
            if (node != 1)
                state.followers.push_back(
                    {.node = node, .verified = true, .match = state.end, .contact = clock.now()});
        return insync::ReadResult::ok;
    }
    [[nodiscard]] std::uint64_t version(const Group& group) const noexcept
        requires(!Pushes)
    {
        return group ? group->load() / 64 : 0;
    }
};

/// Partitions come and go under everything that a broker does with them.
template <class View>
void churn() {
    const std::array<std::string, 3> topics = {"a", "sixteen-to-twenty-four", std::string(60, 'x')};
    ManualClock clock;
    View view{clock};
    insync::IsrManager isr{1, view, {.unknown_partition = insync::UnknownPartition::deny}, clock};
    std::atomic<int> wrong{0};
    std::atomic<std::uint64_t> waits{0};
    std::atomic<std::uint64_t> ended{0};
    std::atomic<std::uint64_t> comings{0};
    const auto node_of = [](const std::string& topic) {
        return static_cast<NodeId>(topic.size() + 1);
    };
    // Each topic has replicas of its own, so a set of another's shows. Which of them are in sync
    // is not asked: many sweeps fit between two steps of a thread, and each is half a second.
    const auto is_of = [&](const std::string& topic, const IsrSet& set) {
        const auto other = set.size() == 2 ? set.members().subspan(1) : set.catching_up();
        return set.replica_count() == 2 && set.members()[0] == 1 && other[0] == node_of(topic);
    };
    const auto tolerable = [](Result result) {
        return result == Result::ok || result == Result::stale || result == Result::not_leader ||
               result == Result::unknown_partition || result == Result::beyond_leader_end;
    };
    Threads threads;
    for (const int first : {0, 20}) {
        threads.add([&, first, round = 0]() mutable {
            const std::string& topic = topics[static_cast<std::size_t>(++round) % topics.size()];
            const int partition = first + round % 11;
            const std::vector<NodeId> nodes{1, node_of(topic)};
            wrong += isr.initialize_isr(topic, partition, nodes) == Result::ok ? 0 : 1;
            const PartitionHandle handle = isr.find(topic, partition);
            wrong += isr.remove_partition(topic, partition) == Result::ok ? 0 : 1;
            wrong += handle || isr.has_min_isr(handle) || isr.get_isr(handle) ? 1 : 0;
            ++comings;
        });
    }
    for (int reader = 0; reader < 2; ++reader) {
        threads.add([&, partition = 0]() mutable {
            partition = (partition + 1) % 31;
            for (const std::string& topic : topics) {
                const auto set = isr.get_isr(topic, partition);
                if (set) wrong += is_of(topic, *set) ? 0 : 1;
                (void)isr.has_min_isr(topic, partition);
                (void)isr.high_watermark(topic, partition);
            }
        });
    }
    for (int pusher = 0; pusher < 2; ++pusher) {
        threads.add([&, partition = 0]() mutable {
            partition = (partition + 1) % 31;
            std::vector<insync::ProgressReport> reports;
            for (const std::string& topic : topics) {
                const PartitionHandle handle = isr.find(topic, partition);
                isr.notify(handle);
                reports.push_back({handle, 1, node_of(topic), 100, clock.now()});
                wrong += tolerable(isr.record_leader(handle, 1, {101, 101, 101})) ? 0 : 1;
                const Result result = isr.await_replication(handle, 1, 1000, clock.now() + 5s,
                                                            [&](WaitResult) { ++ended; });
                if (result == Result::ok) ++waits;
            }
            (void)isr.record_progress(reports);
        });
    }
    threads.add([&] {
        clock.advance(500ms);
        isr.tick();
        (void)isr.get_isr_stats();
    });
    threads.add([&] {
        isr.for_each_partition([](const insync::PartitionReport&) {});
        (void)isr.safe_to_stop(2);
        (void)isr.set_min_insync_replicas("a", 1);
    });
    threads.join();
    isr.shut_down();
    CHECK(wrong == 0);
    CHECK(comings > 100);
    CHECK(isr.get_isr_stats().partitions == 0);
    CHECK(ended == waits);
}

} // namespace

TEST_CASE("partitions of a versioned view come and go under reads, pushes, waits and sweeps",
          "[concurrency]") {
    churn<OwningView<false>>();
}

TEST_CASE("partitions of a pushing view come and go under reads, pushes, waits and sweeps",
          "[concurrency]") {
    churn<OwningView<true>>();
}
