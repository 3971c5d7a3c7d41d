#pragma once

#include "toy_raft.hpp"

#include <insync/adapters/queries.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace insync_test {

using insync::NodeId;
using insync::testing::ClusterAbility;

/// The toy group, with what each of its nodes runs while it is up: `Host` has a member `view`, and
/// is made from (rig, node).
template <class Host>
class HostedCluster : public toy::Rig {
public:
    using View = decltype(Host::view);

    HostedCluster() {
        for (const NodeId id : nodes()) host(id);
    }
    View& view(NodeId id) { return hosts_.at(id)->view; }
    void stop(NodeId id) {
        hosts_.erase(id);
        toy::Rig::stop(id);
    }
    void start(NodeId id) {
        toy::Rig::start(id);
        host(id);
    }
    void remove(NodeId id) {
        hosts_.erase(id);
        toy::Rig::remove(id);
    }
    void add(NodeId id) {
        toy::Rig::add(id);
        host(id);
    }
    [[nodiscard]] static std::string_view cannot(ClusterAbility ability) {
        return Host::cannot(ability);
    }

private:
    void host(NodeId id) { hosts_[id] = std::make_unique<Host>(*this, id); }

    std::map<NodeId, std::unique_ptr<Host>> hosts_;
};

/// A script that is rewritten from the group before each read.
struct ScriptedHost {
    /// The scripted view, which writes itself.
    class View : public insync::testing::VersionedScriptedView {
    public:
        explicit View(toy::Node& node) : node_(node) {}
        insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
            rewrite();
            return insync::testing::VersionedScriptedView::read(group, state);
        }
        std::uint64_t version(const Group& group) noexcept {
            rewrite();
            return insync::testing::VersionedScriptedView::version(group);
        }

    private:
        void rewrite() {
            using insync::testing::kConformancePartition;
            auto& script = group(kConformancePartition.topic, kConformancePartition.partition);
            if (node_.leading())
                script.lead(node_.id(), node_.term(), node_.last_index());
            else
                script.follow(node_.leader(), node_.term());
            script.positions({node_.last_index(), node_.durable_index(), node_.commit_index()});
            const std::vector<toy::Peer> peers = node_.peers();
            for (const insync::FollowerRow& row : script.state().followers)
                if (!std::ranges::count(peers, row.node, &toy::Peer::id)) script.without(row.node);
            for (const toy::Peer& peer : peers) {
                if (peer.id == node_.id()) continue;
                const bool verified = peer.term == node_.term();
                const bool answered = peer.answered_in == node_.term();
                script.follower(peer.id, verified ? peer.match : 0,
                                answered ? peer.answered : insync::kNever, verified);
                script.kind(peer.id, peer.kind);
            }
        }

        toy::Node& node_;
    };

    ScriptedHost(toy::Rig& rig, NodeId id) : view(rig.node(id)) {
        view.set_contact_slack(toy::Rig::round_trip());
    }
    static std::string_view cannot(ClusterAbility ability) {
        return ability == ClusterAbility::interrupted_reads ? "a script is read under one lock"
                                                            : "";
    }

    View view;
};
using ScriptedCluster = HostedCluster<ScriptedHost>;

/// The group as one that can only be asked for numbers. Its matches outlive a leadership and come
/// with their epoch, or begin at 0 with each.
template <bool KeepsMatches>
struct QueriedHost {
    struct Queries {
        using Group = toy::Node*;

        Group find_group(insync::TopicPartition) { return &node; }
        insync::Epoch epoch(const Group& group) { return group->term(); }
        NodeId leader(const Group& group) { return group->leader(); }
        insync::Index last_index(const Group& group) { return group->last_index(); }
        insync::Index commit_index(const Group& group) { return group->commit_index(); }
        insync::Index match_index(const Group& group, NodeId peer) {
            const toy::Peer found = find(group, peer);
            return KeepsMatches || found.term == group->term() ? found.match : 0;
        }
        insync::Epoch confirmed_epoch(const Group& group, NodeId peer)
            requires KeepsMatches
        {
            return find(group, peer).term;
        }
        insync::TimePoint last_contact(const Group& group, NodeId peer) {
            return find(group, peer).answered;
        }
        static toy::Peer find(const Group& group, NodeId id) {
            for (const toy::Peer& peer : group->peers())
                if (peer.id == id) return peer;
            return {};
        }

        toy::Node& node;
    };

    QueriedHost(toy::Rig& rig, NodeId id)
        : queries{rig.node(id)}, view(id, queries, toy::Rig::round_trip(), rig.clock()) {}
    static std::string_view cannot(ClusterAbility ability) {
        using enum ClusterAbility;
        switch (ability) {
        case learners:
        case joining_replicas:
        case leaving_replicas: return "a QueriesView takes every assigned replica for a voter";
        case removed_members: return "a QueriesView takes every assigned replica for a member";
        case held_disks: return "a QueriesView takes all of the leader's log for durable";
        default: return "";
        }
    }

    Queries queries;
    insync::QueriesView<Queries, insync::testing::ManualClock> view;
};
using QueriedCluster = HostedCluster<QueriedHost<true>>;
using BareQueriedCluster = HostedCluster<QueriedHost<false>>;

} // namespace insync_test
