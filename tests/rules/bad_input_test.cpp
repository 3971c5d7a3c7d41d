// What comes from outside and is wrong (S10): an error, nothing changed, counted. The numbers are
// those of the table of bad inputs that the rules refer to.
#include "support/one_partition.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace insync;
using namespace std::chrono_literals;
using support::Nodes;
using support::OnePartition;

constexpr NodeId kLargest = std::numeric_limits<NodeId>::max();
constexpr Index kAbove = kMaxIndex + 1;
constexpr Index kMost = std::numeric_limits<Index>::max();

/// All that a refused input must leave as it was.
std::string everything(const OnePartition<>& p) {
    const auto set = p.isr.get_isr(p.kTopic, 0);
    if (!set) return "unknown";
    std::string text = fmt::format(
        "leader {} size {} of {} epoch {} version {} own {} stale {} at {} min {} hw {}",
        set->leader(), set->size(), set->replica_count(), set->epoch(), set->version(), set->own(),
        set->stale(), set->changed_at().time_since_epoch().count(), p.has_min(),
        p.high_watermark().value_or(0));
    for (const NodeId node : set->to_vec()) text += fmt::format(" {}", node);
    const PartitionReport report = p.report();
    text += fmt::format(" end {} min {}", report.end, report.min_isr);
    for (const FollowerReport& follower : report.followers)
        text += fmt::format(" {}: {} {}", follower.node, follower.match.value_or(0),
                            follower.last_contact.time_since_epoch().count());
    return text;
}

struct Case {
    int row;
    std::string what;
    Result expected;
    std::function<Result(OnePartition<>&)> call;
};

/// Stale input is a normal outcome, and no fault to be counted.
std::uint64_t counts(Result result) {
    return result == Result::stale ? 0 : 1;
}

/// Runs each case against a healthy leader: node 1 of {1, 2, 3}, epoch 4, end 100.
void refuse(const std::vector<Case>& cases) {
    for (const Case& each : cases) {
        INFO("row " << each.row << ": " << each.what);
        OnePartition<> p;
        p.start_healthy(100);
        p.sweep();
        const std::string before = everything(p);
        const auto events = p.changes.size();
        const auto counted = p.isr.counters().rejected(each.expected);
        CHECK(to_string(each.call(p)) == to_string(each.expected));
        CHECK(p.isr.counters().rejected(each.expected) == counted + counts(each.expected));
        CHECK(everything(p) == before);
        CHECK(p.changes.size() == events);
    }
}

/// One more than the last set that was decided, so that only what is wrong with it can refuse it.
PublishedIsr next_set(const OnePartition<>& p, std::vector<NodeId> members, NodeId leader) {
    PublishedIsr isr{leader, p.set().epoch() + 1, p.set().version() + 1, {}};
    isr.members.assign(members.begin(), members.end());
    return isr;
}

} // namespace

TEST_CASE("a list of replicas with a fault registers nothing and counts", "[bad_input]") {
    const std::vector<std::pair<std::vector<NodeId>, Result>> lists = {
        {{}, Result::empty_replicas},                             // row 2
        {{1, 2, 1}, Result::duplicate_replica},                   // row 1
        {{2, 2}, Result::duplicate_replica},                      // row 1
        {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, // row 7
         Result::too_many_replicas},
        {std::vector<NodeId>(100'000, 7), Result::too_many_replicas},       // row 7
        {{1, -1}, Result::invalid_node},                                    // row 8
        {{std::numeric_limits<NodeId>::min(), 1, 2}, Result::invalid_node}, // row 8
    };
    for (const auto& [nodes, expected] : lists) {
        INFO(nodes.size() << " nodes, " << to_string(expected));
        OnePartition<> p;
        CHECK(p.initialize(nodes) == expected);
        CHECK_FALSE(p.isr.get_isr(p.kTopic, 0));
        CHECK_FALSE(p.handle());
        CHECK(p.isr.counters().rejected(expected) == 1);
        CHECK(p.isr.get_isr_stats().partitions == 0);
    }
}

TEST_CASE("an assignment with a fault changes nothing and counts", "[bad_input]") {
    const auto assign = [](std::vector<NodeId> nodes) {
        return [nodes](OnePartition<>& p) { return p.isr.set_assignment(p.kTopic, 0, nodes); };
    };
    refuse({
        {1, "a node twice", Result::duplicate_replica, assign({1, 2, 2})},
        {2, "no node", Result::empty_replicas, assign({})},
        {7, "16 nodes", Result::too_many_replicas, assign(std::vector<NodeId>(16, 1))},
        {8, "node -1", Result::invalid_node, assign({-1, 1, 2})},
    });
}

TEST_CASE("node ids from 0 to the largest are legal", "[bad_input]") { // row 8
    for (const NodeId self : {NodeId{0}, NodeId{2'147'483'647}, NodeId{1} << 62, kLargest}) {
        const NodeId other = self == 0 ? kLargest : 0;
        OnePartition<> p{{}, self};
        p.lead(1, 10);
        p.hear(other, 10);
        REQUIRE(p.initialize({other, self}) == Result::ok);
        CHECK(p.set().leader() == self);
        CHECK(p.members() == Nodes{std::min(self, other), std::max(self, other)});
        CHECK(p.isr.remove_from_isr(p.kTopic, 0, other) == Result::ok);
        CHECK(p.members() == Nodes{self});
    }
}

TEST_CASE("a published set with a fault changes nothing and counts", "[bad_input]") {
    const auto publish = [](const std::function<PublishedIsr(OnePartition<>&)>& make) {
        return
            [make](OnePartition<>& p) { return p.isr.apply_published_isr(p.kTopic, 0, make(p)); };
    };
    const auto members = [&](std::vector<NodeId> nodes, NodeId leader) {
        return publish([=](OnePartition<>& p) { return next_set(p, nodes, leader); });
    };
    const auto order = [&](Epoch epoch, Version version) {
        return publish([=](OnePartition<>&) { return PublishedIsr{2, epoch, version, {1, 2}}; });
    };
    refuse({
        {1, "a member twice", Result::duplicate_replica, members({2, 2}, 2)},
        {3, "a leader that is no member", Result::invalid_isr, members({2, 3}, 1)},
        {4, "no member is assigned", Result::invalid_isr, members({7, 8}, 7)},
        {5, "no member", Result::invalid_isr, members({}, kNoNode)},
        {5, "no member, but a leader", Result::invalid_isr, members({}, 2)},
        {8, "a negative member", Result::invalid_node, members({-5, 2}, 2)},
        {8, "a negative leader", Result::invalid_node, members({2}, -2)},
        {20, "another set of the same order", Result::epoch_conflict,
         publish([](OnePartition<>& p) {
             return PublishedIsr{1, p.set().epoch(), p.set().version(), {1, 2}};
         })},
        {20, "another leader of the same order", Result::epoch_conflict,
         publish([](OnePartition<>& p) {
             return PublishedIsr{2, p.set().epoch(), p.set().version(), {1, 2, 3}};
         })},
        {21, "an older epoch, however new its version", Result::stale, order(3, kMaxVersion)},
        {21, "an older version", Result::stale, order(4, 0)},
        {23, "an epoch above the largest", Result::epoch_exhausted, order(kMaxEpoch + 1, 1)},
        {23, "the largest number as epoch", Result::epoch_exhausted, order(kMost, 1)},
        {23, "a version above the largest", Result::epoch_exhausted, order(5, kMaxVersion + 1)},
        {23, "the largest number as version", Result::epoch_exhausted, order(5, kMost)},
    });
}

TEST_CASE("an inherited set with a fault registers nothing and counts", "[bad_input]") {
    const std::vector<std::pair<PublishedIsr, Result>> sets = {
        {{2, 1, 1, {2, 2}}, Result::duplicate_replica},          // row 1
        {{3, 1, 1, {1, 2}}, Result::invalid_isr},                // rows 3, 5
        {{kNoNode, 1, 1, {}}, Result::invalid_isr},              // row 5
        {{7, 1, 1, {7, 8}}, Result::invalid_isr},                // row 4: nobody is assigned
        {{-9, 1, 1, {1}}, Result::invalid_node},                 // row 8
        {{1, kMaxEpoch + 1, 1, {1}}, Result::epoch_exhausted},   // row 23
        {{1, 1, kMaxVersion + 1, {1}}, Result::epoch_exhausted}, // row 23
    };
    for (const auto& [set, expected] : sets) {
        INFO(to_string(expected) << ", epoch " << set.epoch << ", version " << set.version);
        OnePartition<> p;
        CHECK(p.inherit(set) == expected);
        CHECK_FALSE(p.isr.get_isr(p.kTopic, 0));
        CHECK(p.isr.counters().rejected(expected) == 1);
    }
}

TEST_CASE("a follower's report with a fault changes nothing and counts", "[bad_input]") {
    const auto report = [](Epoch epoch, NodeId node, Index match) {
        return [=](OnePartition<>& p) {
            return p.isr.record_progress(p.kTopic, 0, epoch, node, match, p.in(0ms) - 1h);
        };
    };
    refuse({
        {24, "more than its leader has", Result::beyond_leader_end, report(4, 2, 101)},
        {24, "the largest index, more than its leader has", Result::beyond_leader_end,
         report(4, 2, kMaxIndex)},
        {25, "less than before", Result::stale, report(4, 2, 99)},
        {26, "nothing", Result::stale, report(4, 2, 0)},
        {28, "2^63", Result::invalid_index, report(4, 2, kAbove)},
        {28, "2^64-1", Result::invalid_index, report(4, 2, kMost)},
        {32, "from the leader itself", Result::not_a_replica, report(4, 1, 100)},
        {32, "from a stranger", Result::not_a_replica, report(4, 9, 100)},
        {32, "from nobody", Result::not_a_replica, report(4, kNoNode, 100)},
        {32, "of an older epoch", Result::stale, report(3, 2, 100)},
        {23, "of an epoch above the largest", Result::epoch_exhausted, report(kMaxEpoch + 1, 2, 1)},
        {32, "a heartbeat of a stranger", Result::not_a_replica,
         [](OnePartition<>& p) { return p.isr.update_heartbeat(p.kTopic, 0, 9); }},
        {32, "a heartbeat of the leader", Result::not_a_replica,
         [](OnePartition<>& p) { return p.isr.update_heartbeat(p.kTopic, 0, 1); }},
    });
}

TEST_CASE("a leader's positions with a fault change nothing and count", "[bad_input]") {
    const auto positions = [](Epoch epoch, LeaderPositions told) {
        return [=](OnePartition<>& p) { return p.isr.record_leader(p.handle(), epoch, told); };
    };
    refuse({
        {28, "an end of 2^63", Result::invalid_index, positions(4, {kAbove, 1, 1})},
        {28, "2^64-1 everywhere", Result::invalid_index, positions(4, {kMost, kMost, kMost})},
        {29, "commit above the end", Result::invalid_index, positions(4, {100, 100, 101})},
        {29, "durable above the end", Result::invalid_index, positions(4, {100, 101, 100})},
        {30, "an older epoch", Result::stale, positions(3, {200, 200, 200})},
        {23, "an epoch above the largest", Result::epoch_exhausted, positions(kMost, {1, 1, 1})},
    });
}

TEST_CASE("min ISR and the ISR set by hand with a fault change nothing and count", "[bad_input]") {
    const auto min_isr = [](int value) {
        return [=](OnePartition<>& p) { return p.isr.set_min_insync_replicas(p.kTopic, 0, value); };
    };
    refuse({
        {10, "min ISR 0", Result::invalid_min_isr, min_isr(0)},
        {10, "min ISR -1", Result::invalid_min_isr, min_isr(-1)},
        {10, "the least int as min ISR", Result::invalid_min_isr,
         min_isr(std::numeric_limits<int>::min())},
        {10, "min ISR 0 for a topic", Result::invalid_min_isr,
         [](OnePartition<>& p) { return p.isr.set_min_insync_replicas(p.kTopic, 0); }},
        {14, "min ISR for an unknown topic", Result::unknown_partition,
         [](OnePartition<>& p) { return p.isr.set_min_insync_replicas("other", 2); }},
        {32, "a stranger by hand", Result::not_a_replica,
         [](OnePartition<>& p) { return p.isr.add_to_isr(p.kTopic, 0, 9); }},
        {5, "the leader by hand", Result::leader_cannot_leave,
         [](OnePartition<>& p) { return p.isr.remove_from_isr(p.kTopic, 0, 1); }},
        {28, "a wait for 2^63", Result::invalid_index,
         [](OnePartition<>& p) {
             const support::Ended& ended = p.await(4, kAbove);
             CHECK(ended.empty());
             return p.last_await();
         }},
        {28, "a wait for 2^64-1", Result::invalid_index,
         [](OnePartition<>& p) {
             const support::Ended& ended = p.await(4, kMost);
             CHECK(ended.empty());
             return p.last_await();
         }},
    });
    OnePartition<> fresh;
    CHECK(fresh.isr.initialize_isr(fresh.kTopic, 0, {1, 2}, 0) == Result::invalid_min_isr);
    CHECK(fresh.isr.counters().rejected(Result::invalid_min_isr) == 1);
    CHECK_FALSE(fresh.handle());
}

TEST_CASE("a partition number out of range is refused, and unknown in a read", "[bad_input]") {
    OnePartition<> p{{.unknown_partition = UnknownPartition::deny}}; // row 16
    p.start_healthy();
    for (const PartitionId bad : {-1, std::numeric_limits<PartitionId>::min(), kMaxPartition + 1,
                                  std::numeric_limits<PartitionId>::max()}) {
        INFO(bad);
        const auto counted = p.isr.counters().rejected(Result::invalid_partition);
        CHECK(p.isr.initialize_isr(p.kTopic, bad, {1}) == Result::invalid_partition);
        CHECK(p.isr.counters().rejected(Result::invalid_partition) == counted + 1);
        CHECK_FALSE(p.isr.get_isr(p.kTopic, bad));
        CHECK_FALSE(p.isr.find(p.kTopic, bad));
        CHECK_FALSE(p.isr.has_min_isr(p.kTopic, bad));
        CHECK_FALSE(p.isr.high_watermark(p.kTopic, bad));
    }
    CHECK(p.isr.initialize_isr(p.kTopic, kMaxPartition, {1}) == Result::ok);
    CHECK(p.isr.get_isr(p.kTopic, kMaxPartition));
    CHECK(p.isr.reserve("room", 0) == Result::invalid_partition);
    CHECK(p.isr.reserve("room", std::numeric_limits<std::size_t>::max()) ==
          Result::invalid_partition);
}

TEST_CASE("an illegal topic name is refused, and unknown in a read", "[bad_input]") { // row 17
    OnePartition<> p{{.unknown_partition = UnknownPartition::deny}};
    using namespace std::string_literals;
    for (const std::string& bad :
         {""s, "."s, ".."s, std::string(250, 'x'), std::string(10'000, 'x'), "nul\0"s, "\0"s,
          "t\xc3\xb6pic"s, "a/b"s, "a b"s, "a:b"s, "a\n"s, "\x7f"s}) {
        INFO(bad.size() << " characters: " << bad.substr(0, 20));
        const auto counted = p.isr.counters().rejected(Result::invalid_topic);
        CHECK(p.isr.initialize_isr(bad, 0, {1}) == Result::invalid_topic);
        CHECK(p.isr.reserve(bad, 8) == Result::invalid_topic);
        CHECK(p.isr.counters().rejected(Result::invalid_topic) == counted + 2);
        CHECK_FALSE(p.isr.get_isr(bad, 0));
        CHECK_FALSE(p.isr.has_min_isr(bad, 0));
        CHECK(p.isr.update_isr(bad, 0) == Result::unknown_partition);
        CHECK(p.isr.remove_partition(bad, 0) == Result::unknown_partition);
    }
    for (const std::string& good : {"..."s, std::string(249, 'x'), "A-z_0.9"s, "-"s, "0"s}) {
        CHECK(p.isr.initialize_isr(good, 0, {1}) == Result::ok);
        CHECK(p.isr.get_isr(good, 0));
    }
}

TEST_CASE("names that differ only in dot and underscore are two topics", "[bad_input]") { // row 18
    OnePartition<> p;
    CHECK(p.isr.initialize_isr("a.b", 0, {1, 2}) == Result::ok);
    CHECK_FALSE(p.isr.get_isr("a_b", 0));
    CHECK(p.isr.initialize_isr("a_b", 0, {3}) == Result::ok);
    CHECK(p.isr.get_isr("a.b", 0)->size() == 2);
    CHECK(p.isr.get_isr("a_b", 0)->to_vec() == Nodes{3});
}
