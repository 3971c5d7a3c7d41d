#pragma once

#include "mini_broker/simulation/sim_disk.hpp"
#include "mini_broker/simulation/sim_loop.hpp"
#include "mini_broker/simulation/sim_oracle.hpp"
#include "mini_broker/simulation/sim_peers.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mini_broker::simulation {

enum class End : std::uint8_t {
    orderly,  ///< the groups are closed
    kill,     ///< the process is gone at once, the kernel lives
    power_cut ///< the machine is
};

struct Shape {
    std::vector<NodeId> nodes;
    GroupId groups = 1;
    RaftOptions raft;
    Millis tick{20};
    bool slow_syncs = true; ///< some take longer than an election time-out
};

/// One group on one node, over all of its runs, with what was seen of it.
class SimGroup {
public:
    SimGroup(GroupId id, NodeId node, GroupOracle& oracle, Marks& marks)
        : id_(id), node_(node), oracle_(oracle), marks_(marks) {}

    void start(World& world, const Shape& shape, Disk& disk, Loop& loop, Peers& peers) {
        RaftOptions options = shape.raft;
        options.seed = static_cast<std::uint32_t>(world.between(0, 0xffffffff));
        RaftEvents events;
        events.committed = [this](const Entry& entry, std::string_view) { committed(entry); };
        // Proposals from within a callback must be as good as any.
        events.commit_moved = [this] {
            if (group_->leading() && group_->commit_index() % 7 == 0 &&
                group_->propose_command("x"))
                marks_.reach("proposed from a callback");
        };
        group_ =
            std::make_unique<RaftGroup>(id_, node_, shape.nodes, "groups/" + std::to_string(id_),
                                        options, disk, loop, peers, std::move(events));
        started_ = world.now();
        told_ = 0;
        led_term_ = 0;
        last_index_ = group_->last_index();
        // Of five, an old leader and this node may be a minority; of three, this one knows.
        if (shape.nodes.size() <= 3) committed_at_start_ = oracle_.last_committed();
        if (group_->high_watermark() < least_high_watermark_)
            GroupOracle::fail("node {}: the high watermark fell from {} to {} at a restart", node_,
                              least_high_watermark_, group_->high_watermark());
        high_watermark_ = group_->high_watermark();
        samples_.assign(1, {world.now(), high_watermark_});
        if (told_before_ != 0 && world.chance(30)) {
            group_->applied_upto(told_before_);
            told_ = told_before_;
        }
    }

    void end(World& world, End end, Millis tick) {
        const Millis unwritten = Millis{1000} + 2 * tick;
        if (end == End::orderly) least_high_watermark_ = high_watermark_;
        if (end == End::power_cut) least_high_watermark_ = 0;
        if (end == End::kill && group_) // else it died while it started
            least_high_watermark_ = sample_before(world.now() - unwritten);
        group_.reset();
    }

    /// The disk is gone, and all that was on it.
    void forget() {
        told_before_ = 0;
        least_high_watermark_ = 0;
    }

    /// After every turn of the node.
    void check(World& world) {
        const Offset high_watermark = group_->high_watermark();
        if (high_watermark < high_watermark_)
            GroupOracle::fail("node {}: the high watermark fell from {} to {}", node_,
                              high_watermark_, high_watermark);
        if (high_watermark > high_watermark_) oracle_.high_watermark(node_, high_watermark);
        high_watermark_ = high_watermark;
        if (samples_.back().first != world.now())
            samples_.emplace_back(world.now(), high_watermark);
        samples_.back().second = high_watermark;
        if (samples_.size() > 2 && samples_[1].first < world.now() - Millis{2000})
            samples_.pop_front();
        if (group_->core()->last_stored > group_->log().durable_index())
            GroupOracle::fail("node {} vouches for entry {}, durable is {}", node_,
                              group_->core()->last_stored, group_->log().durable_index());
        if (group_->last_index() < last_index_) marks_.reach("truncated what was not committed");
        if (group_->log().first_index() > last_index_ + 1) marks_.reach("installed a snapshot");
        last_index_ = group_->last_index();
        check_caught_up();
        if (!group_->leading()) return;
        oracle_.leads(node_, *group_);
        if (std::exchange(led_term_, group_->term()) != group_->term())
            oracle_.holds_all_committed(node_, *group_);
    }

    [[nodiscard]] RaftGroup* get() const noexcept { return group_.get(); }
    [[nodiscard]] GroupOracle& oracle() noexcept { return oracle_; }

private:
    void committed(const Entry& entry) {
        const bool next = entry.index == told_ + 1;
        const bool skipped = entry.index > told_ && entry.index == group_->log().first_index();
        if (!next && !skipped)
            GroupOracle::fail("node {}: entry {} was told after {}", node_, entry.index, told_);
        told_ = entry.index;
        told_before_ = std::max(told_before_, told_);
        oracle_.committed(node_, *group_, entry);
    }

    void check_caught_up() {
        if (!group_->caught_up_since_opened() || committed_at_start_ == 0) return;
        if (group_->commit_index() < committed_at_start_)
            GroupOracle::fail("node {} has caught up with {}, but {} was committed when it started",
                              node_, group_->commit_index(), committed_at_start_);
        if (!group_->leading()) marks_.reach("caught up by following");
        committed_at_start_ = 0;
    }

    [[nodiscard]] Offset sample_before(TimePoint when) const {
        Offset offset = samples_.front().second;
        for (const auto& [at, seen] : samples_)
            if (at <= when) offset = seen;
        return samples_.front().first <= when || samples_.front().first == started_ ? offset : 0;
    }

    GroupId id_;
    NodeId node_;
    GroupOracle& oracle_;
    Marks& marks_;
    std::unique_ptr<RaftGroup> group_;
    TimePoint started_{};
    Index told_ = 0;
    Index told_before_ = 0;
    Term led_term_ = 0;
    Index last_index_ = 0;
    Index committed_at_start_ = 0; ///< by any node; 0 once this one has caught up
    Offset high_watermark_ = 0;
    Offset least_high_watermark_ = 0; ///< at the next start
    std::deque<std::pair<TimePoint, Offset>> samples_;
};

} // namespace mini_broker::simulation
