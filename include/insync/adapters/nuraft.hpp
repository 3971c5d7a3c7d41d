#pragma once

#include <insync/adapters/contact_log.hpp>
#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <concepts>
#include <cstddef>
#include <mutex>
#include <span>

namespace insync {

/// When the peers of one NuRaft group last accepted an append, in which term.
///
/// NuRaft keeps a peer's last index from one leadership to the next, so that a new leader shows
/// what the peer held in an earlier term. Which of them are of the current term is known only by
/// listening. The host keeps one beside each group and notes, in the group's `cb_func`:
///
///     if (type == nuraft::cb_func::GotAppendEntryRespFromPeer)
///         group.answers.note_accepted(param->peerId, group.server->get_term(), clock.now());
///
/// NuRaft calls it while it holds the group's lock, after it has taken the peer's index in.
///
/// \par Thread safety
///     Safe. Its lock is held for no call of anything else, so that it can be used in callbacks.
class NuraftAnswers {
public:
    /// \param now  on the time line of the manager's clock
    void note_accepted(NodeId peer, Epoch term, TimePoint now) noexcept {
        const std::lock_guard lock{mutex_};
        log_.note_append_result(peer, term, true, now);
    }
    /// What is known of a peer in `term`.
    [[nodiscard]] ContactLog::Contact find(NodeId peer, Epoch term) const noexcept {
        const std::lock_guard lock{mutex_};
        return log_.find(peer, term);
    }

private:
    mutable std::mutex mutex_;
    ContactLog log_;
};

/// A host that runs NuRaft, one `nuraft::raft_server` a partition.
///
/// **You promise**
/// - `Group` is cheap to copy, for instance a pointer to what the host keeps of a partition.
/// - `server(group)` is the partition's `raft_server`, as a plain or a shared pointer; null while
///   it is not running. Its server ids are the node ids.
/// - `answers(group)` is the group's `NuraftAnswers`, kept as it says.
/// - The log store may be asked for its end on any thread that calls the manager.
///
/// **Optional**: `durable_index(group)`, what `log_store::last_durable_index()` says of the host's
/// log store. Without it all of the leader's log is taken for durable.
template <class H>
concept NuraftHost = requires(H& host, TopicPartition partition, const typename H::Group& group) {
    requires std::copyable<typename H::Group>;
    requires std::default_initializable<typename H::Group>;
    { host.find_group(partition) } -> std::convertible_to<typename H::Group>;
    { host.server(group) == nullptr } -> std::convertible_to<bool>;
    { host.answers(group) } -> std::convertible_to<const NuraftAnswers&>;
};

/// A NuRaft group as a `ConsensusView`.
///
/// This header includes nothing of NuRaft: what it calls is found by the type of `server(group)`.
/// It is written from the public interface of NuRaft 3.0, and tested against a double that
/// behaves as that is documented, matches of an earlier term after a re-election included. **It is
/// not tested against NuRaft itself**: run the conformance kit (testing/conformance.hpp) on it in
/// your own build.
///
/// What is particular to NuRaft:
/// - there is no snapshot of a group, so epoch and leader are asked before the rows and after them;
/// - a peer's index is believed once the peer has accepted an append of the current term;
/// - a server that lags behind and is being rewound looks silent, as only acceptances are told;
/// - `get_committed_log_idx` is what is applied, `get_target_committed_log_idx` what is committed;
/// - a server that leaves is not shown as one, and is a voter until it is gone;
/// - a small group may commit by one copy (`auto_adjust_quorum_for_small_cluster_`) and does not
///   step down, so the quorum is unreported, and the manager derives it from the contacts (S5).
///
/// \par Thread safety
///     Any thread. A read takes NuRaft's lock of the group: do not read with a lock held that one
///     of NuRaft's callbacks takes. The manager itself holds none.
template <NuraftHost Host>
class NuraftView {
public:
    using Group = typename Host::Group;
    static constexpr ContactSource contact_source = ContactSource::response;

    /// \param self   this node, its server id in NuRaft
    /// \param host   must outlive the view
    /// \param slack  by how much a contact may be late: one round trip between nodes
    NuraftView(NodeId self, Host& host, Millis slack) : self_(self), slack_(slack), host_(host) {}

    Group find_group(TopicPartition partition, std::span<const NodeId>) {
        return host_.find_group(partition);
    }

    ReadResult read(const Group& group, GroupState& state) noexcept {
        try {
            const auto& server = host_.server(group);
            return server == nullptr ? ReadResult::unavailable : read_group(group, *server, state);
        } catch (...) { // lists of peers are allocated
            return ReadResult::unavailable;
        }
    }

    [[nodiscard]] Millis contact_slack() const noexcept { return slack_; }

private:
    static constexpr std::size_t kMostRows = decltype(GroupState::followers)::static_capacity;

    template <class Server>
    ReadResult read_group(const Group& group, Server& server, GroupState& state) {
        state.epoch = server.get_term();
        state.leading = server.is_leader();
        state.leader = state.leading ? self_ : leader_of(server);
        if (state.leading && !read_rows(group, server, state)) return ReadResult::unavailable;
        if constexpr (requires { server.get_log_idx_at_becoming_leader(); })
            state.epoch_start = state.leading ? server.get_log_idx_at_becoming_leader() : 0;
        // The end last: whatever is appended in between, nothing seems to be held beyond it.
        state.applied = server.get_committed_log_idx();
        state.commit = server.get_target_committed_log_idx();
        if constexpr (requires { host_.durable_index(group); })
            state.durable = host_.durable_index(group);
        state.end = server.get_last_log_idx();
        if constexpr (!requires { host_.durable_index(group); }) state.durable = state.end;
        const bool moved = server.get_term() != state.epoch || server.is_leader() != state.leading;
        return moved ? ReadResult::torn : ReadResult::ok;
    }

    /// A node that won and still catches up its state machine does not lead yet, but may be named.
    template <class Server>
    [[nodiscard]] NodeId leader_of(Server& server) const {
        const auto leader = static_cast<NodeId>(server.get_leader());
        return leader < 0 || leader == self_ ? kNoNode : leader;
    }

    /// Older versions know no joiners.
    template <class Member>
    [[nodiscard]] static ReplicaKind kind_of(const Member& member) {
        if constexpr (requires { member.is_new_joiner(); })
            if (member.is_new_joiner()) return ReplicaKind::joining;
        return member.is_learner() ? ReplicaKind::learner : ReplicaKind::voter;
    }

    /// \return false if there are more members than a state has rows
    template <class Server>
    bool read_rows(const Group& group, Server& server, GroupState& state) {
        const auto config = server.get_config();
        state.membership = config->get_log_idx();
        for (const auto& member : config->get_servers()) {
            const auto node = static_cast<NodeId>(member->get_id());
            if (node == self_) continue;
            if (state.followers.size() == kMostRows) return false;
            FollowerRow row{.node = node, .kind = kind_of(*member)};
            // The contact first: an index that is read after it includes that answer's.
            const ContactLog::Contact contact = host_.answers(group).find(node, state.epoch);
            row.verified = contact.verified;
            row.contact = contact.at;
            state.followers.push_back(row);
        }
        read_matches(server, state);
        return true;
    }

    template <class Server>
    static void read_matches(Server& server, GroupState& state) {
        const auto peers = server.get_peer_info_all(); // empty once it does not lead: torn, then
        for (FollowerRow& row : state.followers) {
            bool shown = false;
            for (const auto& peer : peers) {
                if (static_cast<NodeId>(peer.id_) != row.node) continue;
                shown = true;
                if (row.verified) row.match = peer.last_log_idx_;
            }
            row.verified = row.verified && shown;
        }
    }

    NodeId self_;
    Millis slack_;
    Host& host_;
};

} // namespace insync
