// Random worlds of NuRaft's double: cuts, elections, stops, answers that come late, writes that are
// undone. What a view says is held against what the servers' logs really hold.
#include "conformance/nuraft_by_peer_info.hpp"
#include "hosts/nuraft_cluster.hpp"
#include "property/random.hpp"

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <map>

using insync::GroupState;
using insync::kNoNode;
using insync::Millis;
using insync::NodeId;
using insync::ReadResult;

namespace {

struct Wrong {
    std::size_t verified = 0; ///< rows with a match that the follower's log does not hold
    std::size_t leader = 0;   ///< another leader than the epoch had
    std::size_t reads = 0;
};

template <class Cluster>
class World {
public:
    World(std::uint64_t seed, NodeId servers) : random_(seed), cluster_(servers) {
        cluster_.after_each_event([this] { look(); });
        cluster_.delay_by([this] { return Millis{pick(5) == 0 ? pick(500) : 0}; });
    }
    Wrong run() {
        for (int action = 0; action < 60; ++action) {
            act();
            cluster_.advance(Millis{pick(120)});
        }
        cluster_.after_each_event(nullptr);
        return wrong_;
    }

private:
    NodeId pick(NodeId below) { return random_.between(0, below - 1); }
    NodeId pick_node() { return 1 + pick(static_cast<NodeId>(cluster_.nodes().size())); }

    void act() {
        const NodeId node = pick_node();
        switch (pick(10)) {
        case 0: return cluster_.cut(node);
        case 1: return cluster_.heal();
        case 2: return cluster_.hold_answers(node, pick_node());
        case 3: return cluster_.deliver_answers(node);
        case 4:
            if (cluster_.is_running(node)) cluster_.elect(node);
            return;
        case 5: return cluster_.stop(node);
        case 6:
            if (!cluster_.is_running(node)) cluster_.start(node);
            return;
        case 7: return undo(node);
        default:
            if (cluster_.is_running(node) && cluster_.leads(node)) cluster_.append(node);
        }
    }
    /// One follower accepts what nobody else gets, and its answer stays on the way while others
    /// write there; then the same leader may lead again.
    void undo(NodeId leader) {
        const NodeId follower = pick_node();
        if (follower == leader || !cluster_.is_running(follower)) return;
        if (!cluster_.is_running(leader) || !cluster_.leads(leader)) return;
        const auto rest = [&](const auto& action) {
            for (const NodeId node : cluster_.nodes())
                if (node != leader && node != follower) action(node);
        };
        rest([&](NodeId node) { cluster_.stop(node); });
        cluster_.append(leader);
        cluster_.hold_answers(follower, leader);
        cluster_.advance(Millis{pick(40)});
        cluster_.cut(leader);
        cluster_.cut(follower);
        rest([&](NodeId node) { cluster_.start(node); });
        rest([&](NodeId node) {
            if (cluster_.elect(node)) cluster_.append(node);
        });
        cluster_.advance(Millis{pick(2000)});
        cluster_.heal();
        if (pick(2) == 0) cluster_.cut(follower);
        cluster_.advance(Millis{pick(2000)});
        cluster_.elect(leader);
    }

    /// Asks every view that there is.
    void look() {
        for (const NodeId node : cluster_.nodes())
            if (cluster_.is_running(node) && cluster_.leads(node))
                led_.try_emplace(cluster_.server(node).get_term(), node);
        for (const NodeId node : cluster_.nodes()) {
            if (!cluster_.is_running(node)) continue;
            auto& view = cluster_.view(node);
            GroupState state;
            const auto group = view.find_group(insync::testing::kConformancePartition, {});
            if (view.read(group, state) != ReadResult::ok) continue;
            ++wrong_.reads;
            const auto led = led_.find(state.epoch);
            if (state.leader != kNoNode && (led == led_.end() || led->second != state.leader))
                ++wrong_.leader;
            if (led_.empty() || state.epoch < led_.rbegin()->first)
                continue; // what it led may be undone by now
            for (const auto& row : state.followers)
                if (row.verified && !holds(node, row.node, row.match)) ++wrong_.verified;
        }
    }
    /// Equal terms at an index are equal logs up to there.
    bool holds(NodeId leader, NodeId follower, insync::Index match) {
        auto& mine = cluster_.log(leader);
        auto& its = cluster_.log(follower);
        return match == 0 || (match < its.next_slot() && match < mine.next_slot() &&
                              mine.term_at(match) == its.term_at(match));
    }

    property::Random random_;
    std::map<insync::Epoch, NodeId> led_;
    Wrong wrong_;
    Cluster cluster_;
};

template <class Cluster>
Wrong run_worlds(std::uint64_t first, NodeId servers, std::uint64_t count) {
    Wrong sum;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const Wrong wrong = World<Cluster>{seed, servers}.run();
        sum.verified += wrong.verified;
        sum.leader += wrong.leader;
        sum.reads += wrong.reads;
    }
    return sum;
}

using WrongCluster = hosts::NuraftClusterOf<insync_test::PeerInfoHost, insync_test::PeerInfoView>;

} // namespace

TEST_CASE("in random worlds of NuRaft, a view vouches for nothing that a log does not hold",
          "[nuraft][conformance]") {
    const auto first = property::from_environment("INSYNC_SEED", 1);
    const auto count = property::from_environment("INSYNC_WORLDS", 20);
    INFO("replay with INSYNC_SEED=" << first << " INSYNC_WORLDS=" << count);
    for (const NodeId servers : {3, 5}) {
        const Wrong right = run_worlds<hosts::NuraftCluster>(first, servers, count);
        INFO(servers << " servers, " << right.reads << " reads");
        CHECK(right.verified == 0);
        CHECK(right.leader == 0);
        CHECK(right.reads > 100 * count);
    }
}

TEST_CASE("in random worlds of NuRaft, a view by its peer info is found out", "[nuraft]") {
    Wrong wrong;
    std::uint64_t seed = 195; // worlds that find it soon
    while (++seed <= 600 && (wrong.verified == 0 || wrong.leader == 0)) {
        const Wrong found = World<WrongCluster>{seed, 5}.run();
        wrong.verified += found.verified;
        wrong.leader += found.leader;
    }
    INFO(seed << " worlds");
    CHECK(wrong.verified > 0);
    CHECK(wrong.leader > 0);
}
