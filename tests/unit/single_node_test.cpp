#include <insync/adapters/single_node.hpp>
#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/handle.hpp>
#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using insync::GroupState;
using insync::LeaderPositions;
using insync::NodeId;
using insync::ReadResult;
using insync::Result;
using insync::SingleNodeView;
using insync::TopicPartition;
using insync::testing::ManualClock;

namespace {

constexpr std::array<NodeId, 1> kAlone{7};

} // namespace

TEST_CASE("a single node leads everything in epoch 1 with its quorum and no followers",
          "[single_node]") {
    SingleNodeView view{7};
    GroupState state;
    REQUIRE(view.read(view.find_group({"t", 0}, kAlone), state) == ReadResult::ok);
    CHECK(state.epoch == 1);
    CHECK(state.leader == 7);
    CHECK(state.leading);
    CHECK(state.quorum == insync::Quorum::held);
    CHECK(state.followers.empty());
    CHECK(state.end == 0);
}

TEST_CASE("a single node's positions are those of the partition that is read", "[single_node]") {
    std::map<std::pair<std::string, insync::PartitionId>, LeaderPositions> logs{
        {{"a", 0}, {100, 90, 80}}, {{"a", 1}, {5, 5, 5}}};
    SingleNodeView view{7, [&](TopicPartition partition) {
                            return logs.at({std::string{partition.topic}, partition.partition});
                        }};
    std::string topic = "a";
    const auto first = view.find_group({topic, 0}, kAlone);
    const auto second = view.find_group({topic, 1}, kAlone);
    topic = "overwritten"; // the view must have kept the name

    GroupState state;
    REQUIRE(view.read(first, state) == ReadResult::ok);
    CHECK(state.end == 100);
    CHECK(state.durable == 90);
    CHECK(state.commit == 80);
    logs[{"a", 1}].end = 6;
    REQUIRE(view.read(second, state) == ReadResult::ok);
    CHECK(state.end == 6);
}

TEST_CASE("a single node whose positions throw is unavailable", "[single_node]") {
    SingleNodeView view{
        7, [](TopicPartition) -> LeaderPositions { throw std::runtime_error{"no such log"}; }};
    GroupState state;
    CHECK(view.read(view.find_group({"t", 0}, kAlone), state) == ReadResult::unavailable);
    CHECK(view.read(nullptr, state) == ReadResult::unavailable);
}

TEST_CASE("a single node with positions cannot be skipped by version", "[single_node]") {
    const auto positions = [](TopicPartition) { return LeaderPositions{}; };
    STATIC_CHECK(insync::VersionedView<SingleNodeView<>>);
    STATIC_CHECK_FALSE(insync::VersionedView<SingleNodeView<decltype(positions)>>);
}

TEST_CASE("a broker that stands alone takes acks=all writes, now and after any time",
          "[single_node]") {
    ManualClock clock;
    SingleNodeView view{7};
    insync::IsrManager manager{7, view, insync::IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, kAlone) == Result::ok);
    for (int second = 0; second < 60; ++second) {
        manager.tick();
        CHECK(manager.has_min_isr("t", 0));
        clock.advance(1s);
    }
    CHECK(manager.get_isr("t", 0)->to_vec() == std::vector<NodeId>{7});
}

TEST_CASE("replicas that a single node does not replicate to are never in sync", "[single_node]") {
    ManualClock clock;
    SingleNodeView view{7};
    insync::IsrManager manager{7, view, insync::IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, {7, 8, 9}) == Result::ok);
    CHECK(manager.get_isr("t", 0)->to_vec() == std::vector<NodeId>{7});
    CHECK_FALSE(manager.has_min_isr("t", 0)); // min ISR is 2
}

TEST_CASE("a single node's acks=all wait ends when its own log is committed", "[single_node]") {
    ManualClock clock;
    LeaderPositions log{5, 4, 4};
    SingleNodeView view{7, [&](TopicPartition) { return log; }};
    insync::IsrManager manager{7, view, insync::IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, kAlone) == Result::ok);

    std::vector<insync::WaitResult> ended;
    REQUIRE(manager.await_replication("t", 0, 1, 5, clock.now() + 10s,
                                      [&](auto result) { ended.push_back(result); }) == Result::ok);
    CHECK(ended.empty());
    log = {5, 5, 5};
    REQUIRE(manager.update_isr("t", 0) == Result::ok);
    CHECK(ended == std::vector{insync::WaitResult::committed});
    CHECK(manager.high_watermark("t", 0) == insync::Index{5});
}
