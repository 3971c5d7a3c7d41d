// Whole clusters in virtual time, on disks and links that fail. Each world is drawn from one seed:
// INSYNC_SEED replays one, INSYNC_WORLDS says how many there are.

#include "mini_broker/simulation/sim_cluster.hpp"
#include "property/random.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace mini_broker;
using namespace mini_broker::simulation;

namespace {

constexpr std::uint64_t kWorlds = 1000;
constexpr Millis kTrouble{12000};
constexpr Millis kPatience{30000};

class Story {
public:
    Story(std::uint64_t seed, Marks& marks)
        : world_(seed), marks_(marks), cluster_(world_, draw_shape(), marks) {}

    void run() {
        act();
        propose();
        world_.run_for(kTrouble);
        over_ = true;
        heal();
        for (GroupId group = 0; group < cluster_.shape().groups; ++group) expect_progress(group);
        for (GroupId group = 0; group < cluster_.shape().groups; ++group) {
            if (cluster_.oracle(group).leaderships() > 1) marks_.reach("changed leaders");
            if (cluster_.oracle(group).acknowledged() > 10) marks_.reach("acknowledged proposals");
        }
    }

private:
    Shape draw_shape() {
        Shape shape;
        const std::uint64_t nodes = world_.chance(40) ? 5 : 3;
        for (std::uint64_t node = 1; node <= nodes; ++node)
            shape.nodes.push_back(static_cast<NodeId>(node));
        shape.groups = static_cast<GroupId>(world_.between(1, 2));
        shape.raft.heartbeat = Millis{60};
        shape.raft.election_timeout = Millis{300};
        shape.raft.window_bytes = world_.chance(30) ? 2000 : 100'000;
        shape.raft.log.segment_bytes = world_.between(800, 6000);
        if (world_.chance(70)) shape.raft.log.retention_bytes = 4000;
        shape.raft.may_have_been_here = world_.chance(60);
        return shape;
    }

    NodeId any_node() {
        return static_cast<NodeId>(world_.between(1, cluster_.shape().nodes.size()));
    }
    GroupId any_group() {
        return static_cast<GroupId>(world_.between(0, cluster_.shape().groups - 1));
    }

    void propose() {
        const std::size_t bytes = world_.chance(5) ? 2000 : world_.between(1, 200);
        const GroupId group = any_group();
        const NodeId node = world_.chance(20) ? any_node() : cluster_.leader(group);
        if (node != insync::kNoNode) cluster_.propose(node, group, bytes);
        if (!over_) world_.after(world_.between(Millis{1}, Millis{40}), [this] { propose(); });
    }

    void act() {
        if (over_) return;
        trouble();
        world_.after(world_.between(Millis{20}, Millis{500}), [this] { act(); });
    }

    void trouble() {
        const NodeId node = any_node();
        const NodeId other = any_node();
        switch (world_.between(0, 15)) {
        case 0: end(node, End::orderly); break;
        case 1: end(node, End::kill); break;
        case 2: end(node, End::power_cut); break;
        case 3: cluster_.end_within(node, world_.between(0, 30)); break;
        case 4:
            if (node != other) {
                cluster_.network().cut(node, other);
                marks_.reach("cut one way");
            }
            break;
        case 5:
            for (const NodeId peer : cluster_.shape().nodes) {
                if (peer == node) continue;
                cluster_.network().cut(node, peer);
                cluster_.network().cut(peer, node);
            }
            break;
        case 6:
            for (const NodeId id : cluster_.shape().nodes) end(id, End::power_cut);
            marks_.reach("lost power everywhere");
            break;
        case 7: cluster_.transfer(node, any_group(), other); break;
        case 8: {
            const auto slowest = Millis(static_cast<Millis::rep>(world_.between(0, 120)));
            cluster_.network().set_quality(static_cast<unsigned>(world_.between(0, 15)), slowest);
            break;
        }
        case 9: cluster_.network().disconnect(node); break;
        case 10:
        case 11:
            for (GroupId group = 0; group < cluster_.shape().groups; ++group)
                cluster_.apply_retention(node, group);
            break;
        case 12: cluster_.network().heal(); break;
        case 13: lose_disk(node); break;
        default:
            for (const NodeId id : cluster_.shape().nodes) cluster_.start(id);
        }
    }

    void end(NodeId node, End how) {
        cluster_.end(node, how);
        const Millis away = world_.chance(20) ? Millis{3000} : Millis{300};
        world_.after(world_.between(Millis{0}, away), [this, node] { cluster_.start(node); });
    }

    /// One node at a time, and not again before it has joined: what owners must observe.
    void lose_disk(NodeId node) {
        if (!cluster_.shape().raft.may_have_been_here) return;
        for (const NodeId id : cluster_.shape().nodes)
            for (GroupId group = 0; group < cluster_.shape().groups; ++group) {
                const RaftGroup* const raft = cluster_.group(id, group);
                if (raft == nullptr || raft->joining()) return;
            }
        cluster_.lose_disk(node);
        marks_.reach("lost a disk");
        const Millis votes_are_over = 4 * cluster_.shape().raft.election_timeout;
        world_.after(world_.between(votes_are_over, 2 * votes_are_over),
                     [this, node] { cluster_.start(node); });
    }

    void heal() {
        cluster_.network().heal();
        cluster_.network().set_quality(0, Millis{5});
        for (const NodeId id : cluster_.shape().nodes) cluster_.end_within(id, SimDisk::kNever);
        for (const NodeId id : cluster_.shape().nodes) cluster_.start(id);
    }

    /// A new record becomes committed, and every node learns of it.
    void expect_progress(GroupId group) {
        Offset wanted = -1;
        for (Millis waited{0}; waited < kPatience; waited += Millis{50}) {
            world_.run_for(Millis{50});
            const NodeId leader = cluster_.leader(group);
            if (leader == insync::kNoNode) continue;
            RaftGroup* const raft = cluster_.group(leader, group);
            if (wanted < 0 || raft->log().end_offset() < wanted) { // or its leader was deposed
                cluster_.propose(leader, group, 10);
                wanted = raft->log().end_offset();
            }
            bool everywhere = raft->caught_up_with_its_term();
            for (const NodeId id : cluster_.shape().nodes)
                everywhere = everywhere && cluster_.group(id, group)->high_watermark() >= wanted;
            if (everywhere) return;
        }
        std::string states;
        for (const NodeId id : cluster_.shape().nodes) {
            RaftGroup* const raft = cluster_.group(id, group);
            states +=
                fmt::format(" [{}: term {} leads {} joining {} leader {} log {}..{} commit {}]", id,
                            raft->term(), raft->leading(), raft->joining(), raft->leader(),
                            raft->log().first_index(), raft->last_index(), raft->commit_index());
        }
        GroupOracle::fail("group {} makes no progress after healing:{}", group, states);
    }

    World world_;
    Marks& marks_;
    Cluster cluster_;
    bool over_ = false;
};

} // namespace

TEST_CASE("Raft groups keep what they committed through crashes, cuts and lost writes",
          "[raft][simulation]") {
    const std::uint64_t replayed = property::from_environment("INSYNC_SEED", 0);
    const std::uint64_t worlds = property::from_environment("INSYNC_WORLDS", kWorlds);
    const std::uint64_t first = replayed != 0 ? replayed : 1;
    const std::uint64_t last = replayed != 0 ? replayed : worlds;
    Marks marks;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        try {
            Story(seed, marks).run();
        } catch (const std::exception& error) {
            FAIL("replay with INSYNC_SEED=" << seed << ": " << error.what());
        }
    }
    INFO(marks.text());
    if (replayed != 0 || worlds < kWorlds) return;
    for (const char* const mark :
         {"changed leaders", "acknowledged proposals", "caught up by following",
          "truncated what was not committed", "installed a snapshot", "dropped segments",
          "ended within a write", "cut one way", "lost power everywhere", "lost a disk",
          "proposed from a callback"}) {
        CHECK(marks.count(mark) > 0);
    }
}
