#pragma once

#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/errors.hpp>
#include <insync/format.hpp> // IWYU pragma: keep (what a breach prints)
#include <insync/isr_manager.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/types.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace insync::testing::detail {

/// The view did what it must not.
struct Breach {
    std::string what;
};
/// The check cannot be made here.
struct NotApplicable {
    std::string why;
};
/// The cluster does not do as it promised, so that nothing can be said of the view.
struct BadCluster {
    std::string what;
};

template <class... Args>
[[noreturn]] void breach(fmt::format_string<Args...> text, Args&&... args) {
    throw Breach{fmt::format(text, std::forward<Args>(args)...)};
}

inline const FollowerRow* row_of(const GroupState& state, NodeId node) noexcept {
    const auto found = std::ranges::find(state.followers, node, &FollowerRow::node);
    return found == state.followers.end() ? nullptr : &*found;
}

/// One check's cluster, and what the checks ask of it.
template <ConformanceCluster Cluster>
class ConformanceRun {
public:
    using View = typename Cluster::View;

    explicit ConformanceRun(Cluster& cluster)
        : cluster_(cluster), nodes_(to_vector(cluster.nodes())) {
        if (nodes_.size() < 3) throw BadCluster{"the cluster has fewer than three nodes"};
        a = nodes_[0];
        b = nodes_[1];
        c = nodes_[2];
    }

    [[nodiscard]] Cluster& cluster() noexcept { return cluster_; }
    [[nodiscard]] const std::vector<NodeId>& nodes() const noexcept { return nodes_; }
    [[nodiscard]] TimePoint now() const { return cluster_.clock().now(); }
    [[nodiscard]] Millis heartbeat() const { return cluster_.heartbeat_limit(); }
    [[nodiscard]] Millis election() const { return cluster_.election_limit(); }
    [[nodiscard]] Millis slack() { return cluster_.view(a).contact_slack(); }

    void lead(NodeId node) {
        if (!cluster_.elect(node))
            throw BadCluster{fmt::format("the cluster could not elect node {}", node)};
    }
    void restart(NodeId node) {
        cluster_.start(node);
        groups_.erase(node);
    }
    /// Takes a member out, and the handle with it.
    void remove(NodeId node) {
        groups_.erase(node);
        cluster_.remove(node);
    }

    [[nodiscard]] typename View::Group& group(NodeId node) {
        const auto found = groups_.find(node);
        if (found != groups_.end()) return found->second;
        return groups_.emplace(node, cluster_.view(node).find_group(kConformancePartition, nodes_))
            .first->second;
    }

    /// One read of the node's view.
    ReadResult read_once(NodeId node, GroupState& state) {
        state.assigned = nodes_;
        state.clear();
        return cluster_.view(node).read(group(node), state);
    }
    /// What a good read of the node's view says; lets time pass where it takes several.
    GroupState read(NodeId node) {
        constexpr int kMost = 20;
        GroupState state;
        for (int attempt = 0; attempt < kMost; ++attempt) {
            if (read_once(node, state) == ReadResult::ok) return state;
            advance(heartbeat());
        }
        breach("{} reads on node {} in a row were torn or unavailable", kMost, node);
    }

    /// Lets time pass; a cluster that does not would keep a check for ever.
    void advance(Millis span) {
        const TimePoint before = now();
        cluster_.advance(span);
        if (now() <= before) throw BadCluster{"the cluster's `advance` does not move its clock"};
    }
    /// Lets time pass until `holds()`. \return false if that was not so within `limit`
    template <class Holds>
    [[nodiscard]] bool eventually(Millis limit, const Holds& holds) {
        const TimePoint end = now() + limit;
        while (!holds()) {
            if (now() >= end) return false;
            advance(std::min(heartbeat(), limit));
        }
        return true;
    }

    /// Lets the leader append, and waits until its view says that `follower` holds it. A cluster
    /// that has just healed may have made another node leader.
    void confirm(NodeId leader, NodeId follower) {
        GroupState state = read(leader);
        if (!state.leading) lead(leader);
        const Index index = cluster_.append(leader);
        advance(heartbeat()); // so that it does hold it, whatever the view says
        const bool confirmed = eventually(10 * election(), [&] {
            state = read(leader);
            if (!state.leading) lead(leader);
            const FollowerRow* const row = row_of(state, follower);
            return row != nullptr && row->verified && row->match >= index;
        });
        if (!confirmed)
            breach("node {} leads and never says that node {} holds entry {}", leader, follower,
                   index);
    }
    /// A leader and followers that hold all it has.
    void lead_confirmed(NodeId leader) {
        lead(leader);
        for (const NodeId node : nodes_)
            if (node != leader) confirm(leader, node);
    }

    /// Ends the check where the cluster cannot do what it needs.
    void require(ClusterAbility ability, bool offered, std::string_view function) const {
        const std::string_view reason = cluster_.cannot(ability);
        if (!reason.empty()) throw NotApplicable{std::string{reason}};
        if (!offered)
            throw BadCluster{
                fmt::format("the cluster has no `{}` and does not say in `cannot` why", function)};
    }

    NodeId a{}, b{}, c{}; ///< the first three nodes

private:
    static std::vector<NodeId> to_vector(std::span<const NodeId> nodes) {
        return {nodes.begin(), nodes.end()};
    }

    Cluster& cluster_;
    std::vector<NodeId> nodes_;
    std::map<NodeId, typename View::Group> groups_;
};

/// What a view's `read` says of the others, and nothing more, so that each mistake is found by its
/// own check: a `version` that stands still, pushes that nobody makes here and a row of the
/// leader's own do not count against it.
template <ConsensusView View>
class PulledView {
public:
    using Group = typename View::Group;
    static constexpr ContactSource contact_source = View::contact_source;

    PulledView(NodeId self, View& view) : self_(self), view_(view) {}
    Group find_group(TopicPartition partition, std::span<const NodeId> replicas) {
        return view_.find_group(partition, replicas);
    }
    ReadResult read(const Group& group, GroupState& state) noexcept {
        const ReadResult result = view_.read(group, state);
        const auto own = std::ranges::find(state.followers, self_, &FollowerRow::node);
        if (own != state.followers.end()) state.followers.erase(own);
        return result;
    }
    [[nodiscard]] Millis contact_slack() const noexcept { return view_.contact_slack(); }

private:
    NodeId self_;
    View& view_;
};

/// An `IsrManager` on one node of the cluster.
template <ConformanceCluster Cluster>
class TrackedNode {
    using View = PulledView<typename Cluster::View>;
    using ClusterClock = std::remove_cvref_t<decltype(std::declval<const Cluster&>().clock())>;

public:
    TrackedNode(ConformanceRun<Cluster>& run, NodeId node)
        : run_(run),
          config_(config_for(run)),
          view_(node, run.cluster().view(node)),
          isr_(node, view_, config_, run.cluster().clock()) {
        const Result result = isr_.initialize_isr(kConformancePartition.topic,
                                                  kConformancePartition.partition, run.nodes());
        if (result != Result::ok) breach("the manager refuses the partition: {}", result);
    }

    /// Lets time pass as a broker's loop sees it; ends early once `stop()` holds.
    template <class Stop>
    void advance(Millis span, const Stop& stop) {
        const TimePoint end = run_.now() + span;
        while (run_.now() < end && !stop()) {
            run_.advance(config_.check_interval_ms / 2);
            isr_.tick();
        }
    }
    void advance(Millis span) {
        advance(span, [] { return false; });
    }

    [[nodiscard]] const IsrConfig& config() const noexcept { return config_; }
    [[nodiscard]] bool writable() const noexcept {
        return isr_.has_min_isr(kConformancePartition.topic, kConformancePartition.partition);
    }
    [[nodiscard]] bool in_sync(NodeId node) const noexcept {
        return isr_.is_in_sync(kConformancePartition.topic, kConformancePartition.partition, node);
    }
    [[nodiscard]] bool all_in_sync() const noexcept {
        return std::ranges::all_of(run_.nodes(), [&](NodeId node) { return in_sync(node); });
    }
    /// Why a replica is in or out, in the manager's words.
    [[nodiscard]] std::string why(NodeId node) const {
        const auto explanation =
            isr_.explain(kConformancePartition.topic, kConformancePartition.partition, node);
        return explanation ? fmt::format("{}", *explanation) : std::string{"not tracked"};
    }

private:
    /// Limits far above what is healthy in this cluster, and far below what a test can wait for.
    static IsrConfig config_for(ConformanceRun<Cluster>& run) {
        IsrConfig config;
        config.max_lag_ms =
            std::max({4 * run.election(), 20 * run.heartbeat(), 4 * run.slack(), Millis{1000}});
        config.check_interval_ms = config.max_lag_ms / 20;
        config.quorum_contact_ms = config.max_lag_ms / 4;
        return config;
    }

    ConformanceRun<Cluster>& run_;
    IsrConfig config_;
    View view_;
    IsrManager<View, ClusterClock> isr_;
};

} // namespace insync::testing::detail
