#include "mini_broker/simulation/sim_cluster.hpp"
#include "raft/message.hpp"
#include "raft/view.hpp"

#include <insync/consensus_view.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <string>

using namespace mini_broker;
using namespace mini_broker::simulation;

namespace {

Shape shape_of(std::vector<NodeId> nodes) {
    Shape shape;
    shape.nodes = std::move(nodes);
    shape.raft.heartbeat = Millis{60};
    shape.raft.election_timeout = Millis{300};
    shape.raft.log.segment_bytes = 2000;
    return shape;
}

/// A cluster that works, to be disturbed in one way.
struct Lab {
    explicit Lab(Shape shape, std::uint64_t seed = 1)
        : world(seed), cluster(world, std::move(shape), marks) {}

    NodeId wait_for_leader() {
        for (int i = 0; i < 200; ++i) {
            const NodeId leader = cluster.leader(0);
            if (leader != insync::kNoNode && group(leader).caught_up_with_its_term()) return leader;
            world.run_for(Millis{50});
        }
        FAIL("nobody leads");
        return insync::kNoNode;
    }
    RaftGroup& group(NodeId node) { return *cluster.group(node, 0); }
    /// Proposes at the leader, and waits until all that are up know it to be committed.
    void write(int batches, std::size_t bytes = 100) {
        for (int i = 0; i < batches; ++i) {
            cluster.propose(wait_for_leader(), 0, bytes);
            world.run_for(Millis{10});
        }
        world.run_for(Millis{1000});
    }

    World world;
    Marks marks;
    Cluster cluster;
};

} // namespace

TEST_CASE("Three nodes elect one leader, and all learn what it commits", "[raft][group]") {
    Lab lab(shape_of({1, 2, 3}));
    const NodeId leader = lab.wait_for_leader();
    lab.write(5);
    for (const NodeId node : {1, 2, 3}) {
        CHECK(lab.group(node).leader() == leader);
        CHECK(lab.group(node).leading() == (node == leader));
        CHECK(lab.group(node).commit_index() == lab.group(leader).last_index());
        CHECK(lab.group(node).high_watermark() == lab.group(leader).log().end_offset());
        CHECK(lab.group(node).voters() == std::vector<NodeId>{1, 2, 3});
    }
}

TEST_CASE("A follower appends nothing for a client", "[raft][group]") {
    Lab lab(shape_of({1, 2, 3}));
    const NodeId follower = lab.wait_for_leader() % 3 + 1;
    const Index before = lab.group(follower).last_index();
    CHECK_FALSE(lab.group(follower).propose_command("command"));
    CHECK_FALSE(lab.group(follower).propose_records(log_test::make_batch({})));
    CHECK(lab.group(follower).last_index() == before);
}

TEST_CASE("A node that is alone leads at once, in a new term each time", "[raft][group]") {
    Lab lab(shape_of({1}));
    CHECK(lab.group(1).leading());
    const Term term = lab.group(1).term();
    lab.write(3);
    const Offset end = lab.group(1).high_watermark();
    CHECK(end > 0);
    lab.cluster.end(1, End::kill);
    lab.cluster.start(1);
    CHECK(lab.group(1).leading());
    CHECK(lab.group(1).term() > term);
    CHECK(lab.group(1).high_watermark() == end);
}

TEST_CASE("Leadership goes to the voter that it is handed to", "[raft][group]") {
    Lab lab(shape_of({1, 2, 3}));
    const NodeId leader = lab.wait_for_leader();
    lab.write(2);
    const NodeId next = leader % 3 + 1;
    lab.cluster.transfer(leader, 0, next);
    lab.world.run_for(Millis{200});
    CHECK(lab.group(next).leading());
    CHECK_FALSE(lab.group(leader).leading());
    CHECK(lab.group(leader).leader() == next);
}

TEST_CASE("Of two nodes the one with the longer log leads, however far the other's terms have come",
          "[raft][group]") {
    Lab lab(shape_of({1, 2, 3}));
    const NodeId longest = lab.wait_for_leader();
    const Term term = lab.group(longest).term();
    lab.write(2);
    const NodeId left = longest % 3 + 1;
    const NodeId right = left % 3 + 1;
    for (const NodeId other : {left, right}) {
        lab.cluster.network().cut(longest, other);
        lab.cluster.network().cut(other, longest);
    }
    lab.cluster.propose(longest, 0, 10); // what nobody else has
    lab.cluster.end(right, End::kill);
    lab.world.run_for(Millis{2000});
    REQUIRE_FALSE(lab.group(longest).leading()); // else it would hear of the term by its own
    raft_message message{};
    message.type = RAFT_REQUEST_VOTE;
    message.request_vote = {.version = 2,
                            .term = term + 6,
                            .candidate_id = static_cast<raft_id>(right),
                            .last_log_index = 1,
                            .last_log_term = 1,
                            .disrupt_leader = true,
                            .pre_vote = false};
    std::string payload;
    encode_message(message, {}, payload);
    lab.group(left).receive(right, RAFT_REQUEST_VOTE, payload);
    REQUIRE(lab.group(left).term() == term + 6);
    REQUIRE(lab.group(left).last_index() < lab.group(longest).last_index());
    lab.cluster.network().heal();
    lab.world.run_for(Millis{5000});
    CHECK(lab.group(longest).leading());
}

TEST_CASE("Nothing is proposed while leadership is handed over", "[raft][group]") {
    Lab lab(shape_of({1, 2, 3}));
    const NodeId leader = lab.wait_for_leader();
    const NodeId next = leader % 3 + 1;
    lab.cluster.end(next, End::kill);
    lab.cluster.transfer(leader, 0, next);
    CHECK(lab.group(leader).leader() == leader);
    CHECK_FALSE(lab.group(leader).propose_command("command"));
    lab.world.run_for(Millis{1000}); // it comes to nothing
    lab.write(1);
}

TEST_CASE("Handing leadership to who is no other voter changes nothing", "[raft][group]") {
    Lab lab(shape_of({1, 2, 3}));
    const NodeId leader = lab.wait_for_leader();
    for (const NodeId nobody : {leader, NodeId{9}, NodeId{0}, insync::kNoNode})
        lab.cluster.transfer(leader, 0, nobody);
    CHECK(lab.group(leader).leading());
    CHECK(lab.group(leader).propose_command("command"));
}

TEST_CASE("A follower behind the leader's log start begins anew there", "[raft][group]") {
    Shape shape = shape_of({1, 2, 3});
    shape.raft.log.retention_bytes = 3000;
    Lab lab(shape);
    const NodeId leader = lab.wait_for_leader();
    const NodeId absent = leader % 3 + 1;
    lab.cluster.end(absent, End::orderly);
    lab.write(100);
    const NodeId still = lab.wait_for_leader();
    lab.cluster.apply_retention(still, 0);
    REQUIRE(lab.group(still).log().first_index() > 10);
    lab.cluster.start(absent);
    lab.world.run_for(Millis{2000});
    CHECK(lab.group(absent).log().first_index() == lab.group(still).log().first_index());
    CHECK(lab.group(absent).log().start_offset() == lab.group(still).log().start_offset());
    CHECK(lab.group(absent).high_watermark() == lab.group(still).high_watermark());
    // And it is so after a restart of that node.
    lab.cluster.end(absent, End::power_cut);
    lab.cluster.start(absent);
    lab.world.run_for(Millis{2000});
    CHECK(lab.group(absent).high_watermark() == lab.group(still).high_watermark());
}

TEST_CASE("A follower that begins anew at its leader's start knows the producers of before",
          "[raft][group]") {
    const log_test::Wanted once{.producer = 7, .epoch = 0, .first_sequence = 0};
    const ProducerBatch retry{7, 0, 0, 0};
    bool ended_within = true;
    for (std::uint64_t writes = 0; ended_within; ++writes) {
        INFO("the follower's machine ends within write " << writes);
        Shape shape = shape_of({1, 2, 3});
        shape.raft.log.retention_bytes = 3000;
        Lab lab(shape);
        const NodeId leader = lab.wait_for_leader();
        const auto first = lab.group(leader).propose_records(log_test::make_batch(once));
        REQUIRE(first);
        lab.write(1);
        const NodeId absent = leader % 3 + 1;
        lab.cluster.end(absent, End::orderly);
        lab.cluster.lose_disk(absent);
        lab.write(60);
        const NodeId still = lab.wait_for_leader();
        lab.cluster.apply_retention(still, 0);
        REQUIRE(lab.group(still).log().first_index() > first->index);
        lab.cluster.start(absent);
        lab.cluster.end_within(absent, writes);
        lab.world.run_for(Millis{1500});
        ended_within = !lab.cluster.is_up(absent);
        lab.cluster.end_within(absent, SimDisk::kNever);
        lab.cluster.start(absent);
        lab.world.run_for(Millis{2000});
        CHECK(lab.group(absent).log().first_index() > first->index);
        const Producers::Answer answer = lab.group(absent).log().producers().check(retry);
        CHECK(answer.verdict == Producers::Verdict::duplicate);
        CHECK(answer.known.base_offset == first->base_offset);
    }
}

TEST_CASE("A follower that has dropped more than its leader catches up again", "[raft][group]") {
    Shape shape = shape_of({1, 2, 3});
    shape.raft.log.retention_bytes = 3000;
    shape.slow_syncs = false; // or the leader gives up, as only one follower's answers reach it
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{11}));
    INFO("seed " << seed);
    Lab lab(shape, seed);
    const NodeId leader = lab.wait_for_leader();
    const NodeId follower = leader % 3 + 1;
    // Its answers are lost, so that the leader knows an old match, while it stores and drops.
    lab.cluster.network().cut(follower, leader);
    lab.write(100);
    REQUIRE(lab.wait_for_leader() == leader);
    lab.cluster.apply_retention(follower, 0);
    REQUIRE(lab.group(follower).log().first_index() > 10);
    REQUIRE(lab.group(leader).log().first_index() == 1);
    lab.cluster.network().heal();
    lab.write(10);
    CHECK(lab.group(follower).high_watermark() == lab.group(leader).high_watermark());
}

TEST_CASE("Batches larger than the window reach a follower one at a time", "[raft][group]") {
    Shape shape = shape_of({1, 2, 3});
    shape.raft.window_bytes = 1000;
    Lab lab(shape);
    const NodeId leader = lab.wait_for_leader();
    const NodeId absent = leader % 3 + 1;
    lab.cluster.end(absent, End::orderly);
    lab.write(30, 3000);
    lab.cluster.start(absent);
    lab.write(1);
    const NodeId now = lab.wait_for_leader();
    CHECK(lab.group(absent).high_watermark() == lab.group(now).high_watermark());
    CHECK(lab.cluster.network().largest() < 10'000);
}

TEST_CASE("The view reads role, positions and who answered", "[raft][group]") {
    Lab lab(shape_of({1, 2, 3}));
    const NodeId leader = lab.wait_for_leader();
    lab.write(3);
    RaftHost host([&](insync::TopicPartition) { return &lab.group(leader); });
    RaftView view(leader, host, Millis{10});
    RaftGroup* const group = &lab.group(leader);
    insync::GroupState state;
    REQUIRE(view.read(group, state) == insync::ReadResult::ok);
    CHECK(state.leading);
    CHECK(state.leader == leader);
    CHECK(state.epoch == group->term());
    CHECK(state.end == group->last_index());
    CHECK(state.durable == group->last_index());
    CHECK(state.commit == group->commit_index());
    REQUIRE(state.followers.size() == 2);
    for (const insync::FollowerRow& row : state.followers) {
        CHECK(row.verified);
        CHECK(row.match == group->last_index());
        CHECK(lab.world.now() - row.contact <= Millis{200});
    }
    insync::GroupState none;
    CHECK(view.read(nullptr, none) == insync::ReadResult::unavailable);
}

TEST_CASE("Frames that are no node's of the group are dropped", "[raft][group]") {
    Lab lab(shape_of({1, 2, 3}));
    const NodeId leader = lab.wait_for_leader();
    const Term term = lab.group(leader).term();
    raft_message message{};
    message.type = RAFT_APPEND_ENTRIES;
    message.append_entries.version = 1;
    message.append_entries.term = term + 5;
    std::string payload;
    encode_message(message, {}, payload);
    lab.group(leader).receive(9, RAFT_APPEND_ENTRIES, payload);
    lab.group(leader).receive(leader, RAFT_APPEND_ENTRIES, payload);
    CHECK(lab.group(leader).term() == term);
    // Of the leader's own term there is no other leader, whatever another node says.
    message.append_entries.term = term;
    payload.clear();
    encode_message(message, {}, payload);
    lab.group(leader).receive(leader % 3 + 1, RAFT_APPEND_ENTRIES, payload);
    CHECK(lab.group(leader).leading());
    lab.write(1);
}

TEST_CASE("A group whose file is gone beside its log does not open", "[raft][group]") {
    World world{1};
    SimDisk disk(world);
    SimLoop loop(world, [](const std::function<void()>& task) { task(); });
    Network network(world, [](NodeId, NodeId, const std::string&) {});
    SimPeers peers(network, 1);
    const auto open = [&] { RaftGroup group(1, 1, {1}, "groups/1", {}, disk, loop, peers, {}); };
    open();
    CHECK_NOTHROW(open());
    SECTION("damaged") {
        disk.replace("groups/1/meta", "damaged");
        CHECK_THROWS_AS(open(), DiskError);
    }
    SECTION("gone") {
        {
            RaftGroup group(1, 1, {1}, "groups/1", {}, disk, loop, peers, {});
            REQUIRE(group.propose_command("command"));
            world.run_for(Millis{1000});
        }
        disk.remove("groups/1/meta");
        CHECK_THROWS_AS(open(), DiskError);
    }
}
