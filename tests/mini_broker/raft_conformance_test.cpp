// The view that the mini-broker gives to its IsrManager, judged by the kit that ships with the
// library: libraft, the group's log and its contacts on simulated disks, links and time.
// `--success` prints the table.

#include "mini_broker/simulation/sim_cluster.hpp"
#include "raft/view.hpp"

#include <insync/testing/conformance.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace mini_broker;
using namespace mini_broker::simulation;
using insync::testing::ClusterAbility;
using insync::testing::ConformanceOutcome;

namespace {

struct WorldClock {
    const World* world;

    [[nodiscard]] TimePoint now() const noexcept { return world->now(); }
    [[nodiscard]] std::int64_t wall_ms() const noexcept { return 1'600'000'000'000; }
};

/// Groups of libraft, as `insync::testing::ConformanceCluster` has it.
class LibraftCluster {
public:
    using View = RaftView;

    explicit LibraftCluster(std::uint64_t seed) : world_(seed), cluster_(world_, shape(), marks_) {
        for (const NodeId id : nodes()) host(id);
    }

    [[nodiscard]] const std::vector<NodeId>& nodes() const { return cluster_.shape().nodes; }
    [[nodiscard]] RaftView& view(NodeId id) { return hosts_.at(id)->view; }
    [[nodiscard]] WorldClock clock() const { return {&world_}; }
    [[nodiscard]] static Millis heartbeat_limit() { return Millis{200}; }
    [[nodiscard]] static Millis election_limit() { return Millis{1500}; }
    [[nodiscard]] static std::string_view cannot(ClusterAbility ability) {
        using enum ClusterAbility;
        switch (ability) {
        case interrupted_reads: return "libraft is read on its loop's thread, at one instant";
        case learners:
        case joining_replicas:
        case leaving_replicas: return "the mini-broker's groups have voters only";
        case removed_members: return "the mini-broker's groups keep their members";
        case lost_appends: return "libraft's heartbeats are appends without entries";
        case lasting_leaders: return "libraft's leaders always step down";
        default: return "";
        }
    }

    /// Asks whoever leads to hand over, as often as that comes to nothing.
    bool elect(NodeId id) {
        const TimePoint end = world_.now() + 20 * election_limit();
        while (world_.now() < end) {
            const NodeId leader = cluster_.leader(0);
            if (leader == id) return true;
            if (leader != insync::kNoNode) cluster_.transfer(leader, 0, id);
            world_.run_for(Millis{5});
        }
        return false;
    }
    Index append(NodeId id) {
        cluster_.propose(id, 0, 100);
        return cluster_.group(id, 0)->last_index();
    }
    void cut(NodeId id) {
        for (const NodeId other : nodes()) {
            if (other == id) continue;
            cluster_.network().cut(id, other);
            cluster_.network().cut(other, id);
        }
    }
    /// Its timers see to it; a leader that hears a majority is told nothing by pre-votes.
    void campaign_in_vain(NodeId id) {
        cluster_.network().heal();
        for (const NodeId other : nodes())
            if (other != id) cluster_.network().cut(other, id);
        world_.run_for(2 * shape().raft.election_timeout);
    }
    void hold_disk(NodeId id) { cluster_.loop(id).hold_background(); }
    void release_disk(NodeId id) { cluster_.loop(id).release_background(); }
    void hold_answers(NodeId id) { cluster_.network().hold(id); }
    void deliver_answers(NodeId id) { cluster_.network().release(id); }
    /// Links take 3 ms at most, and a turn of the loop 2.
    [[nodiscard]] static Millis round_trip() { return Millis{10}; }
    void heal() { cluster_.network().heal(); }
    void stop(NodeId id) {
        hosts_.erase(id);
        cluster_.end(id, End::kill);
    }
    void start(NodeId id) {
        cluster_.start(id);
        host(id);
    }
    void advance(Millis span) { world_.run_for(span); }

private:
    struct Host {
        Host(Cluster& cluster, NodeId id)
            : host([&cluster, id](insync::TopicPartition) { return cluster.group(id, 0); }),
              view(id, host, Millis{50}) {}

        RaftHost host;
        RaftView view;
    };

    static Shape shape() {
        Shape shape;
        shape.nodes = {1, 2, 3};
        shape.raft.heartbeat = Millis{60};
        shape.raft.election_timeout = Millis{300};
        shape.slow_syncs = false;
        return shape;
    }
    void host(NodeId id) { hosts_[id] = std::make_unique<Host>(cluster_, id); }

    World world_;
    Marks marks_;
    Cluster cluster_;
    std::map<NodeId, std::unique_ptr<Host>> hosts_;
};

} // namespace

TEST_CASE("The mini-broker's view of libraft conforms", "[raft][conformance]") {
    const auto seed = GENERATE(range<std::uint64_t>(1, 6));
    INFO("seed " << seed);
    const auto results =
        insync::testing::check_conformance([seed] { return LibraftCluster{seed}; });
    std::vector<std::string> not_applicable;
    for (const auto& result : results) {
        UNSCOPED_INFO(fmt::format("{}", result));
        if (result.outcome == ConformanceOutcome::not_applicable)
            not_applicable.emplace_back(result.check);
    }
    CHECK(conforms(results));
    CHECK(not_applicable ==
          std::vector<std::string>{"heartbeats_verify_nothing", "added_again_starts_anew",
                                   "torn_read_reported", "learners_not_in_sync",
                                   "joiners_not_in_sync", "leavers_not_in_sync",
                                   "held_quorum_is_reached", "version_tells_of_changes"});
}
