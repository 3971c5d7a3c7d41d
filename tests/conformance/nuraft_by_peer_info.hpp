#pragma once

// How a view of NuRaft looks that takes what NuRaft keeps for what is true now, as its interface
// invites one to. It is wrong, and in the tests to show that they would find it.

#include <insync/adapters/contact_log.hpp>
#include <insync/consensus_view.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <libnuraft/nuraft.hxx>

#include <functional>
#include <span>
#include <string>
#include <utility>

namespace insync_test {

struct PeerInfoHost {
    PeerInfoHost(const insync::testing::ManualClock& time,
                 const std::function<void(insync::TopicPartition)>&)
        : clock(time) {}

    nuraft::raft_server::init_options options(const std::string&, insync::PartitionId) {
        nuraft::raft_server::init_options options;
        options.raft_callback_ = [this](auto type, auto* param) {
            // The term of now, whatever term the answer is of.
            if (type == nuraft::cb_func::GotAppendEntryRespFromPeer)
                answers.note_append_result(param->peerId, server->get_term(), true, clock.now());
            return nuraft::cb_func::Ok;
        };
        return options;
    }
    void started(insync::TopicPartition, nuraft::ptr<nuraft::raft_server> running) {
        server = std::move(running);
    }
    void stopping(insync::TopicPartition) {}

    insync::testing::ManualClock clock;
    nuraft::ptr<nuraft::raft_server> server;
    insync::ContactLog answers;
};

class PeerInfoView {
public:
    using Group = PeerInfoHost*;
    static constexpr auto contact_source = insync::ContactSource::response;

    PeerInfoView(insync::NodeId self, PeerInfoHost& host, insync::Millis slack)
        : self_(self), slack_(slack), host_(host) {}
    Group find_group(insync::TopicPartition, std::span<const insync::NodeId>) { return &host_; }

    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        auto& server = *group->server;
        state.epoch = server.get_term();
        state.leading = server.is_leader();
        state.leader = state.leading ? self_ : server.get_leader(); // perhaps of an older term
        if (state.leading)
            for (const auto& peer : server.get_peer_info_all()) read_row(*group, peer, state);
        state.commit = server.get_target_committed_log_idx();
        state.durable = server.get_log_store()->last_durable_index();
        state.end = server.get_last_log_idx();
        const bool moved = server.get_term() != state.epoch || server.is_leader() != state.leading;
        return moved ? insync::ReadResult::torn : insync::ReadResult::ok;
    }
    [[nodiscard]] insync::Millis contact_slack() const noexcept { return slack_; }

private:
    template <class Info>
    static void read_row(const PeerInfoHost& group, const Info& peer, insync::GroupState& state) {
        const auto member = group.server->get_srv_config(peer.id_);
        if (member == nullptr) return; // it leaves
        insync::FollowerRow row{.node = peer.id_};
        if (member->is_learner()) row.kind = insync::ReplicaKind::learner;
        const auto contact = group.answers.find(peer.id_, state.epoch);
        row.verified = contact.verified;
        row.match = contact.verified ? peer.last_log_idx_ : 0; // perhaps of an older term, too
        row.contact = contact.at;
        state.followers.push_back(row);
    }

    insync::NodeId self_;
    insync::Millis slack_;
    PeerInfoHost& host_;
};

} // namespace insync_test
