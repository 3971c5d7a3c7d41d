#pragma once

#include <insync/consensus_view.hpp>
#include <insync/handle.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace insync::testing {

/// One partition's consensus as a test writes it: what reads will say, and what was read.
///
/// Every member that changes something returns the group again, so that a script reads as one
/// sentence: `view.group("t", 0).lead(1, 4, 100).follower(2, 100, now).follower(3, 60, now);`
///
/// \par Thread safety
///     Safe: a mutex of the group's own. Each call is one change, so a read in between sees the
///     group between two calls; use `edit` for what must be seen together.
class ScriptedGroup {
public:
    ScriptedGroup() = default;
    ScriptedGroup(const ScriptedGroup&) = delete;
    ScriptedGroup& operator=(const ScriptedGroup&) = delete;

    /// `self`, the node that reads, leads in `epoch` with a log that ends at `end`, all of it
    /// durable, committed and applied. In another epoch than before, what was known of the
    /// followers is unknown again: the rows stay, unverified and never heard of.
    ScriptedGroup& lead(NodeId self, Epoch epoch, Index end) {
        return edit([&](GroupState& state) {
            if (state.epoch != epoch) forget_followers(state);
            state.epoch = epoch;
            state.leader = self;
            state.leading = true;
            state.end = state.durable = state.commit = state.applied = end;
        });
    }

    /// `leader`, another node, leads in `epoch`. The positions of the reader's own log stay.
    ScriptedGroup& follow(NodeId leader, Epoch epoch) {
        return edit([&](GroupState& state) {
            state.epoch = epoch;
            stop_leading(state, leader);
        });
    }

    /// Nobody is known to lead; the epoch stays, as when a leader steps down or falls silent.
    ScriptedGroup& lose_leader() {
        return edit([](GroupState& state) { stop_leading(state, kNoNode); });
    }

    /// What the reader's own log holds.
    ScriptedGroup& positions(const LeaderPositions& positions) {
        return edit([&](GroupState& state) {
            state.end = positions.end;
            state.durable = positions.durable;
            state.commit = positions.commit;
        });
    }

    /// Another node's row, added where there is none. Its kind is voter, or stays.
    ScriptedGroup& follower(NodeId node, Index match, TimePoint contact, bool verified = true) {
        return edit([&](GroupState& state) {
            FollowerRow& row = row_of(state, node);
            row.match = match;
            row.contact = contact;
            row.verified = verified;
        });
    }
    ScriptedGroup& kind(NodeId node, ReplicaKind kind) {
        return edit([&](GroupState& state) { row_of(state, node).kind = kind; });
    }
    ScriptedGroup& contact(NodeId node, TimePoint contact) {
        return edit([&](GroupState& state) { row_of(state, node).contact = contact; });
    }
    ScriptedGroup& without(NodeId node) {
        return edit([&](GroupState& state) {
            auto& rows = state.followers;
            const auto end = std::remove_if(
                rows.begin(), rows.end(), [&](const FollowerRow& row) { return row.node == node; });
            rows.erase(end, rows.end());
        });
    }

    ScriptedGroup& quorum(Quorum quorum) {
        return edit([&](GroupState& state) { state.quorum = quorum; });
    }

    /// Changes anything, as one change: `change(GroupState&)`. It must not call the group.
    template <class Change>
    ScriptedGroup& edit(const Change& change) {
        const std::lock_guard lock{mutex_};
        const GroupState before = state_;
        change(state_);
        if (!same_but_for_contacts(before, state_)) ++version_;
        return *this;
    }

    /// What every read comes to from now on, until it is told otherwise.
    ScriptedGroup& reads_return(ReadResult result) {
        const std::lock_guard lock{mutex_};
        if (standing_ != result) ++version_;
        standing_ = result;
        return *this;
    }
    /// What the next reads come to, one each; those after them do as before.
    ScriptedGroup& next_reads(std::initializer_list<ReadResult> results) {
        const std::lock_guard lock{mutex_};
        next_.insert(next_.end(), results);
        ++version_;
        return *this;
    }

    /// How often the group was read.
    [[nodiscard]] std::uint64_t reads() const {
        const std::lock_guard lock{mutex_};
        return reads_;
    }
    /// Rises with every change of what a read would say, contact times excepted.
    [[nodiscard]] std::uint64_t version() const {
        const std::lock_guard lock{mutex_};
        return version_;
    }
    [[nodiscard]] GroupState state() const {
        const std::lock_guard lock{mutex_};
        return state_;
    }

    /// What the view answers with. A torn read fills the state all the same, so that a caller who
    /// believes it is found out.
    ReadResult read(GroupState& out) {
        const std::lock_guard lock{mutex_};
        ++reads_;
        ReadResult result = standing_;
        if (!next_.empty()) {
            result = next_.front();
            next_.pop_front();
            ++version_; // the next read says something else
        }
        if (result == ReadResult::unavailable) return result;
        const auto assigned = out.assigned;
        out = state_;
        out.assigned = assigned;
        return result;
    }

private:
    static FollowerRow& row_of(GroupState& state, NodeId node) {
        for (FollowerRow& row : state.followers)
            if (row.node == node) return row;
        state.followers.push_back(FollowerRow{.node = node});
        return state.followers.back();
    }

    static void stop_leading(GroupState& state, NodeId leader) {
        state.epoch_start = 0;
        state.leader = leader;
        state.leading = false;
        state.quorum = Quorum::unreported;
        state.followers.clear();
    }

    static void forget_followers(GroupState& state) {
        state.epoch_start = 0;
        state.quorum = Quorum::unreported;
        for (FollowerRow& row : state.followers)
            row = FollowerRow{.node = row.node, .kind = row.kind};
    }

    static bool same_but_for_contacts(const GroupState& a, const GroupState& b) {
        const auto same_row = [](const FollowerRow& x, const FollowerRow& y) {
            return x.node == y.node && x.kind == y.kind && x.verified == y.verified &&
                   x.match == y.match;
        };
        return a.epoch == b.epoch && a.epoch_start == b.epoch_start && a.leader == b.leader &&
               a.leading == b.leading && a.quorum == b.quorum && a.end == b.end &&
               a.durable == b.durable && a.commit == b.commit && a.applied == b.applied &&
               a.membership == b.membership &&
               std::equal(a.followers.begin(), a.followers.end(), b.followers.begin(),
                          b.followers.end(), same_row);
    }

    mutable std::mutex mutex_;
    GroupState state_;
    std::deque<ReadResult> next_;
    ReadResult standing_ = ReadResult::ok;
    std::uint64_t reads_ = 0;
    std::uint64_t version_ = 0;
};

/// What a scripted view offers beyond `read`.
enum class ViewStyle : std::uint8_t {
    pulled,    ///< nothing: the manager must ask
    versioned, ///< `version(group)`
    pushing,   ///< `pushes`: the test promises to call `notify` and the `record_` functions
};

/// A consensus that says what a test wrote into it (S2). A group that no script has touched exists
/// as soon as it is asked for, follows nobody, and is in epoch 0.
///
/// \par Thread safety
///     Safe. Groups live as long as the view; references to them stay valid.
///
/// **Example**:
///
///     insync::testing::ScriptedView view;
///     view.lead("my-topic", 0, 1, 4, 100);                    // node 1 leads in epoch 4, end 100
///     view.follower("my-topic", 0, 2, 100, clock.now());      // node 2 has all of it
///     view.group("my-topic", 0).next_reads({insync::ReadResult::torn});
template <ViewStyle Style>
class BasicScriptedView {
public:
    using Group = ScriptedGroup*;
    static constexpr ContactSource contact_source = ContactSource::request;
    static constexpr bool pushes = Style == ViewStyle::pushing;

    BasicScriptedView() = default;
    BasicScriptedView(const BasicScriptedView&) = delete;
    BasicScriptedView& operator=(const BasicScriptedView&) = delete;

    [[nodiscard]] ScriptedGroup& group(std::string_view topic, PartitionId partition) {
        const std::lock_guard lock{mutex_};
        return groups_[{std::string{topic}, partition}];
    }

    ScriptedGroup& lead(
        std::string_view topic, PartitionId partition, NodeId self, Epoch epoch, Index end) {
        return group(topic, partition).lead(self, epoch, end);
    }
    ScriptedGroup& follow(std::string_view topic,
                          PartitionId partition,
                          NodeId leader,
                          Epoch epoch) {
        return group(topic, partition).follow(leader, epoch);
    }
    ScriptedGroup& follower(std::string_view topic,
                            PartitionId partition,
                            NodeId node,
                            Index match,
                            TimePoint contact,
                            bool verified = true) {
        return group(topic, partition).follower(node, match, contact, verified);
    }
    ScriptedGroup& lose_leader(std::string_view topic, PartitionId partition) {
        return group(topic, partition).lose_leader();
    }

    /// By how much the scripted contact times may be late. To be set before a manager is made.
    void set_contact_slack(Millis slack) noexcept {
        slack_ms_.store(slack.count(), std::memory_order_relaxed);
    }
    /// How often any group was read.
    [[nodiscard]] std::uint64_t reads() const {
        const std::lock_guard lock{mutex_};
        std::uint64_t sum = 0;
        for (const auto& [name, group] : groups_) sum += group.reads();
        return sum;
    }

    // What makes it a ConsensusView ---------------------------------------------------------------

    Group find_group(TopicPartition partition, std::span<const NodeId>) {
        return &group(partition.topic, partition.partition);
    }
    ReadResult read(const Group& group, GroupState& state) noexcept {
        return group == nullptr ? ReadResult::unavailable : group->read(state);
    }
    [[nodiscard]] Millis contact_slack() const noexcept {
        return Millis{slack_ms_.load(std::memory_order_relaxed)};
    }
    [[nodiscard]] std::uint64_t version(const Group& group) noexcept
        requires(Style == ViewStyle::versioned)
    {
        return group == nullptr ? 0 : group->version();
    }

private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, PartitionId>, ScriptedGroup> groups_; // nodes never move
    std::atomic<Millis::rep> slack_ms_{0};
};

/// Can only be pulled: the most that many libraries offer.
using ScriptedView = BasicScriptedView<ViewStyle::pulled>;
using VersionedScriptedView = BasicScriptedView<ViewStyle::versioned>;
using PushingScriptedView = BasicScriptedView<ViewStyle::pushing>;

static_assert(ConsensusView<ScriptedView> && !VersionedView<ScriptedView>);
static_assert(VersionedView<VersionedScriptedView> && !PushingView<VersionedScriptedView>);
static_assert(PushingView<PushingScriptedView> && !VersionedView<PushingScriptedView>);

} // namespace insync::testing
