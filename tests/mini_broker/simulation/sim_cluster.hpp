#pragma once

#include "mini_broker/log/batches.hpp"
#include "mini_broker/simulation/sim_network.hpp"
#include "mini_broker/simulation/sim_node.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mini_broker::simulation {

/// Nodes of one cluster with all their groups, over any number of crashes.
class Cluster {
public:
    Cluster(World& world, Shape shape, Marks& marks)
        : world_(world),
          shape_(std::move(shape)),
          marks_(marks),
          network_(world, [this](NodeId to, NodeId from, const std::string& frames) {
              arrive(to, from, frames);
          }) {
        oracles_.resize(shape_.groups);
        for (const NodeId id : shape_.nodes) {
            Node& node = *nodes_.emplace(id, std::make_unique<Node>(world)).first->second;
            node.id = id;
            for (GroupId group = 0; group < shape_.groups; ++group)
                node.groups.emplace_back(group, id, oracles_[group], marks_);
        }
        for (const NodeId id : shape_.nodes) start(id);
    }
    /// As a disk that is about to fail would do so in the end of a group.
    ~Cluster() {
        for (const NodeId id : shape_.nodes) end(id, End::kill);
    }
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    void start(NodeId id) {
        Node& node = *nodes_.at(id);
        if (node.up) return;
        network_.disconnect(id); // what was sent to nobody has not arrived
        node.disk.start();
        node.peers = std::make_unique<SimPeers>(network_, id);
        node.loop = std::make_unique<SimLoop>(
            world_, [this, &node](const std::function<void()>& task) { turn(node, task); },
            shape_.slow_syncs);
        node.up = true;
        turn(node, [this, &node] {
            for (SimGroup& group : node.groups)
                group.start(world_, shape_, node.disk, *node.loop, *node.peers);
            tick(node);
        });
    }

    void end(NodeId id, End end) {
        Node& node = *nodes_.at(id);
        if (!node.up) return;
        node.up = false;
        node.disk.cut_power_after(SimDisk::kNever);
        if (end == End::kill) node.disk.kill();
        if (end == End::power_cut) node.disk.lose_power();
        for (SimGroup& group : node.groups) group.end(world_, end, shape_.tick);
        node.loop.reset();
        node.peers.reset();
        node.disk.kill();
        network_.disconnect(id);
    }

    /// The node ends, and the next time it starts on an empty disk.
    void lose_disk(NodeId id) {
        end(id, End::kill);
        Node& node = *nodes_.at(id);
        node.disk.replace_by_empty();
        for (SimGroup& group : node.groups) group.forget();
    }

    /// The node ends in the midst of a write soon to come.
    void end_within(NodeId id, std::uint64_t writes) {
        nodes_.at(id)->disk.cut_power_after(writes);
    }

    void propose(NodeId id, GroupId group_id, std::size_t bytes) {
        Node& node = *nodes_.at(id);
        if (!node.up) return;
        turn(node, [&] {
            SimGroup& group = node.groups[group_id];
            const auto records = static_cast<std::int32_t>(world_.between(1, 5));
            const auto fill = static_cast<char>(world_.between('a', 'z'));
            std::string batch = log_test::make_batch({.records = records,
                                                      .timestamp = node.loop->wall_ms(),
                                                      .body = bytes,
                                                      .fill = fill});
            if (const auto at = group.get()->propose_records(batch))
                group.oracle().proposed(*at, std::move(batch));
        });
    }

    void transfer(NodeId id, GroupId group, NodeId to) {
        on_group(id, group, [to](RaftGroup& raft) { raft.transfer_to(to); });
    }

    void apply_retention(NodeId id, GroupId group) {
        on_group(id, group, [this](RaftGroup& raft) {
            const Index first = raft.log().first_index();
            raft.apply_retention();
            if (raft.log().first_index() > first) marks_.reach("dropped segments");
        });
    }

    [[nodiscard]] Network& network() noexcept { return network_; }
    /// \pre the node is up
    [[nodiscard]] SimLoop& loop(NodeId id) { return *nodes_.at(id)->loop; }
    [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
    [[nodiscard]] bool is_up(NodeId id) const { return nodes_.at(id)->up; }
    [[nodiscard]] GroupOracle& oracle(GroupId group) { return oracles_[group]; }
    /// Null while the node is not up.
    [[nodiscard]] RaftGroup* group(NodeId id, GroupId group) {
        return nodes_.at(id)->groups[group].get();
    }
    /// The node that leads the newest term; else `kNoNode`.
    [[nodiscard]] NodeId leader(GroupId group_id) {
        NodeId leader = insync::kNoNode;
        Term term = 0;
        for (const NodeId id : shape_.nodes) {
            RaftGroup* const raft = group(id, group_id);
            if (raft == nullptr || !raft->leading() || raft->term() <= term) continue;
            leader = id;
            term = raft->term();
        }
        return leader;
    }

private:
    struct Node {
        explicit Node(World& world) : disk(world) {}
        NodeId id = 0;
        SimDisk disk;
        std::unique_ptr<SimLoop> loop;
        std::unique_ptr<SimPeers> peers;
        std::vector<SimGroup> groups;
        bool up = false;
    };

    /// One turn of a node's loop, and the checks behind it.
    void turn(Node& node, const std::function<void()>& task) {
        try {
            task();
        } catch (const PowerCut&) {
            marks_.reach("ended within a write");
            end(node.id, world_.chance(50) ? End::power_cut : End::kill);
            return;
        }
        node.peers->flush();
        for (SimGroup& group : node.groups) group.check(world_);
    }

    void on_group(NodeId id, GroupId group, const std::function<void(RaftGroup&)>& act) {
        Node& node = *nodes_.at(id);
        if (node.up) turn(node, [&] { act(*node.groups[group].get()); });
    }

    void tick(Node& node) {
        node.loop->after(shape_.tick, [this, &node] {
            for (SimGroup& group : node.groups) group.get()->tick();
            tick(node);
        });
    }

    void arrive(NodeId to, NodeId from, const std::string& frames) {
        Node& node = *nodes_.at(to);
        if (!node.up) return;
        turn(node, [&] {
            const bool whole = for_each_frame(
                frames, [&](GroupId group, std::uint8_t type, std::string_view payload) {
                    node.groups.at(group).get()->receive(from, type, payload);
                });
            if (!whole) GroupOracle::fail("node {} sent what is no frame", from);
        });
    }

    World& world_;
    Shape shape_;
    Marks& marks_;
    Network network_;
    std::vector<GroupOracle> oracles_;
    std::map<NodeId, std::unique_ptr<Node>> nodes_;
};

} // namespace mini_broker::simulation
