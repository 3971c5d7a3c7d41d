// What is particular to NuRaft, on the double of it; the same cluster runs on NuRaft itself.
// Beside the view stands one that takes NuRaft's own word, to show that each scenario finds it.
#include "conformance/nuraft_by_peer_info.hpp"
#include "hosts/nuraft_cluster.hpp"

#include <insync/adapters/nuraft.hpp>
#include <insync/consensus_view.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <ranges>
#include <set>
#include <utility>

using namespace std::chrono_literals;
using insync::FollowerRow;
using insync::GroupState;
using insync::kNever;
using insync::kNoNode;
using insync::NodeId;
using insync::ReadResult;
using insync::testing::kConformancePartition;

namespace {

using Cluster = hosts::NuraftCluster;
using WrongCluster = hosts::NuraftClusterOf<insync_test::PeerInfoHost, insync_test::PeerInfoView>;

template <class AnyCluster>
GroupState read(AnyCluster& cluster, NodeId node) {
    GroupState state;
    auto& view = cluster.view(node);
    REQUIRE(view.read(view.find_group(kConformancePartition, {}), state) == ReadResult::ok);
    return state;
}
const FollowerRow& row(const GroupState& state, NodeId node) {
    const auto found = std::ranges::find(state.followers, node, &FollowerRow::node);
    REQUIRE(found != state.followers.end());
    return *found;
}
template <class AnyCluster>
void confirm_all(AnyCluster& cluster, NodeId leader) {
    cluster.append(leader);
    cluster.advance(300ms);
    for (const NodeId node : cluster.nodes())
        if (node != leader) REQUIRE(row(read(cluster, leader), node).verified);
}

/// 1 leads again, in a third term, and what 3 answered it in the first arrives only now.
template <class AnyCluster>
FollowerRow row_after_a_late_answer(AnyCluster& cluster) {
    confirm_all(cluster, 1);
    cluster.hold_answers(3, 1);
    cluster.append(1);
    cluster.advance(20ms);
    cluster.cut(1);
    REQUIRE(cluster.elect(2));
    cluster.advance(2s);
    cluster.heal();
    cluster.advance(2s);
    cluster.cut(3);
    REQUIRE(cluster.elect(1));
    REQUIRE_FALSE(row(read(cluster, 1), 3).verified);
    cluster.deliver_answers(3);
    cluster.advance(20ms);
    return row(read(cluster, 1), 3);
}

} // namespace

TEST_CASE("an answer of an older NuRaft term counts for nothing in the present one", "[nuraft]") {
    Cluster cluster;
    const FollowerRow late = row_after_a_late_answer(cluster);
    CHECK_FALSE(late.verified);
    CHECK(late.match == 0);
    CHECK(late.contact == kNever);
}

TEST_CASE("a view by NuRaft's peer info takes an answer of an older term for one of now",
          "[nuraft]") {
    WrongCluster cluster;
    CHECK(row_after_a_late_answer(cluster).verified);
}

namespace {

/// As above with five servers, where what only 1 and 3 held is overwritten on 1 by 2.
template <class AnyCluster>
bool believes_what_was_overwritten(AnyCluster& cluster) {
    confirm_all(cluster, 1);
    for (const NodeId node : {2, 4, 5}) cluster.stop(node);
    cluster.advance(20ms);
    const insync::Index lost = cluster.append(1);
    cluster.hold_answers(3, 1);
    cluster.advance(20ms);
    REQUIRE(cluster.log(3).next_slot() == lost + 1);
    cluster.cut(1);
    cluster.cut(3);
    for (const NodeId node : {2, 4, 5}) cluster.start(node);
    REQUIRE(cluster.elect(2));
    cluster.append(2);
    cluster.advance(2s);
    cluster.heal();
    cluster.cut(3);
    cluster.advance(2s);
    REQUIRE(cluster.elect(1));
    REQUIRE(cluster.log(1).term_at(lost) != cluster.log(3).term_at(lost));
    cluster.deliver_answers(3);
    cluster.advance(20ms);
    const FollowerRow late = row(read(cluster, 1), 3);
    return late.verified && late.match == lost;
}

} // namespace

TEST_CASE("NuRaft's late answer is not believed where the entry it accepted was overwritten",
          "[nuraft]") {
    Cluster cluster{5};
    CHECK_FALSE(believes_what_was_overwritten(cluster));
    WrongCluster wrong{5};
    CHECK(believes_what_was_overwritten(wrong));
}

namespace {

/// The most nodes that 3 names as leaders of one term, over handings over between 1 and 2.
template <class AnyCluster>
std::size_t leaders_named_in_a_term(AnyCluster& cluster) {
    confirm_all(cluster, 1);
    std::map<insync::Epoch, std::set<NodeId>> named;
    cluster.after_each_event([&] {
        const GroupState state = read(cluster, 3);
        if (state.leader != kNoNode) named[state.epoch].insert(state.leader);
    });
    for (const NodeId next : {2, 1, 2, 1, 2, 1}) {
        REQUIRE(cluster.elect(next));
        cluster.advance(300ms);
    }
    cluster.after_each_event(nullptr);
    CHECK(read(cluster, 3).leader == 1);
    return std::ranges::max(named | std::views::values |
                            std::views::transform([](const auto& nodes) { return nodes.size(); }));
}

} // namespace

TEST_CASE("who led in NuRaft's older term is not named in the newer one", "[nuraft]") {
    Cluster cluster;
    CHECK(leaders_named_in_a_term(cluster) == 1);
}

TEST_CASE("a view by NuRaft's get_leader names who led in the older term, until an append",
          "[nuraft]") {
    WrongCluster cluster;
    CHECK(leaders_named_in_a_term(cluster) == 2);
}

TEST_CASE("a member that NuRaft removes and takes back in one term starts as unknown", "[nuraft]") {
    Cluster cluster;
    confirm_all(cluster, 1);
    const auto epoch = read(cluster, 1).epoch;
    REQUIRE(row(read(cluster, 1), 3).match > 1);
    cluster.remove(3);
    CHECK(std::ranges::count(read(cluster, 1).followers, 3, &FollowerRow::node) == 0);

    bool seen = false;
    cluster.after_each_event([&] {
        const GroupState state = read(cluster, 1);
        const auto back = std::ranges::find(state.followers, 3, &FollowerRow::node);
        if (back == state.followers.end()) return;
        CHECK(back->match <= cluster.log(3).next_slot() - 1);
        if (!std::exchange(seen, true)) CHECK(back->contact == kNever);
    });
    cluster.add(3);
    cluster.advance(300ms);
    cluster.after_each_event(nullptr);
    CHECK(seen);
    CHECK(read(cluster, 1).epoch == epoch);
    CHECK(row(read(cluster, 1), 3).match == read(cluster, 1).end);
}

TEST_CASE("a NuRaft server that joins takes the cluster's lower term, and its view follows",
          "[nuraft]") {
    Cluster cluster;
    confirm_all(cluster, 1);
    const auto epoch = read(cluster, 1).epoch;
    cluster.remove(3);
    cluster.lead_alone(3);
    for (int start = 0; start < 3; ++start) { // each start of a server alone is a new term
        cluster.stop(3);
        cluster.start(3);
        cluster.advance(2s);
    }
    REQUIRE(read(cluster, 3).epoch > epoch + 1);
    REQUIRE(read(cluster, 3).leading);
    cluster.join(3);
    cluster.advance(300ms);
    const GroupState joined = read(cluster, 3);
    CHECK(joined.epoch == epoch);
    CHECK_FALSE(joined.leading);
    CHECK(joined.leader == 1);

    REQUIRE(cluster.elect(3)); // in a term in which it led alone before
    CHECK(row(read(cluster, 3), 1).contact == kNever);
    cluster.advance(300ms);
    CHECK(row(read(cluster, 3), 1).verified);
}

TEST_CASE("a NuRaft peer that refuses is alive, and proves nothing", "[nuraft]") {
    Cluster cluster;
    confirm_all(cluster, 1);
    cluster.cut(3);
    for (int entry = 0; entry < 5; ++entry) cluster.append(1);
    cluster.advance(300ms);
    REQUIRE(cluster.elect(2));
    cluster.heal();
    bool refused = false;
    cluster.after_each_event([&] {
        const GroupState state = read(cluster, 2);
        if (!state.leading) return;
        const FollowerRow& behind = row(state, 3);
        if (behind.contact != kNever && !behind.verified) refused = true;
    });
    cluster.advance(2s);
    cluster.after_each_event(nullptr);
    CHECK(refused);
    CHECK(row(read(cluster, 2), 3).verified);
}
