#pragma once

#include <insync/adapters/contact_log.hpp>
#include <insync/adapters/raft_c.h>
#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <array>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

namespace insync {

/// When the members of one raft-rs or etcd raft group last answered this leader.
///
/// The host keeps one beside each group. After the library has taken in a message and while it
/// leads, it notes the two answers that only a follower of this leader gives:
///
///     if (state.role == INSYNC_RAFT_LEADER) {
///         contacts.lead(state.term);
///         if (type == MsgAppendResponse) contacts.note_append(from, term, !reject, clock.now());
///         if (type == MsgHeartbeatResponse) contacts.note_heartbeat(from, term, clock.now());
///     }
///
/// (etcd: `MsgAppResp`, `MsgHeartbeatResp`.) **Votes and pre-votes are never noted**: who grants
/// one follows nobody. `recent_active` is no contact either: it is set on a member that was just
/// added, and without `check_quorum` raft-rs never clears it.
///
/// Where it applies a change of membership, it says who went and who came: `forget`, `admit`.
///
/// \par Thread safety
///     Safe. Its lock is held for no call of anything else.
class RaftContacts {
public:
    /// This node leads in `term`. To be called before a note; the same term again changes nothing.
    void lead(Epoch term) noexcept {
        const std::lock_guard lock{mutex_};
        log_.lead(term);
    }
    /// \param term      what the answer carries
    /// \param accepted  the answer's `reject` negated
    /// \param now       on the time line of the manager's clock
    void note_append(NodeId from, Epoch term, bool accepted, TimePoint now) noexcept {
        const std::lock_guard lock{mutex_};
        log_.note_append_result(from, term, accepted, now);
    }
    void note_heartbeat(NodeId from, Epoch term, TimePoint now) noexcept {
        const std::lock_guard lock{mutex_};
        log_.note_heartbeat_result(from, term, now);
    }
    /// A member was removed: what it answered is nobody's any more. Should it ever be added again
    /// with an empty disk, drop what its former self still has on the way: neither library can tell
    /// such an answer from a new one, and would believe its match.
    void forget(NodeId node) noexcept {
        const std::lock_guard lock{mutex_};
        log_.forget(node);
    }
    /// A member was added, for the first time or again: it was never heard of.
    void admit(NodeId node) noexcept {
        const std::lock_guard lock{mutex_};
        log_.forget(node); // a term that began since may have forgotten that it was forgotten
        log_.admit(node);
    }
    /// All of it, as it is now.
    [[nodiscard]] ContactLog copy() const noexcept {
        const std::lock_guard lock{mutex_};
        return log_;
    }

private:
    mutable std::mutex mutex_;
    ContactLog log_;
};

/// A host whose groups are behind the interface of raft_c.h.
///
/// **You promise**
/// - `Group` is cheap to copy, for instance a pointer to what the host keeps of a partition.
/// - `raft(group)` is the wrapper's name of the partition's group, 0 while it is not open.
/// - `contacts(group)` is the group's `RaftContacts`, kept as it says.
/// - Nodes have the ids that the library knows them by, so no broker is 0.
template <class H>
concept RaftCHost = requires(H& host, TopicPartition partition, const typename H::Group& group) {
    requires std::copyable<typename H::Group>;
    requires std::default_initializable<typename H::Group>;
    { host.find_group(partition) } -> std::convertible_to<typename H::Group>;
    { host.raft(group) } noexcept -> std::convertible_to<insync_raft_group>;
    { host.contacts(group) } noexcept -> std::convertible_to<const RaftContacts&>;
};

/// A group of raft-rs or etcd raft as a `ConsensusView`, read over raft_c.h.
///
/// What is particular to the two libraries:
/// - 0 is nobody: a node without a leader names none;
/// - a leader has a row for itself, and followers have rows as well: both are left out;
/// - a row's match begins at 0 in each term, and again when its member is added again, so it is
///   verified once it was moved by an accepted append of this term;
/// - what is durable is what was persisted, which with asynchronous writes is not the last entry;
/// - with `check_quorum` a leader without its quorum steps down, so while it leads the quorum is
///   held; without, it goes on for ever, so the quorum is unreported, and the manager derives it
///   from the contacts (S5);
/// - while no joint change of membership is under way there are voters and learners only.
///
/// The slack of a contact is how much older than its arrival an answer may be: a round trip, and
/// one election timeout where a paused process or a slow disk may hold answers up.
///
/// \par Thread safety
///     Any thread: the wrapper locks. Do not read with a lock held under which it is driven.
/// \par Complexity
///     Linear in the members. Nothing is allocated.
/// \par Errors
///     A group that is not open, is broken or has more members than a state has rows, and a
///     wrapper that was built for another raft_c.h: `unavailable`.
template <RaftCHost Host>
class RaftCView {
public:
    using Group = typename Host::Group;
    static constexpr ContactSource contact_source = ContactSource::response;

    /// \param reader  the wrapper's; must outlive the view
    /// \param host    must outlive the view
    /// \param slack   by how much a contact may be late, see above
    RaftCView(const insync_raft_reader& reader, Host& host, Millis slack)
        : reader_(reader), host_(host), slack_(slack) {
        assert(reader.abi == INSYNC_RAFT_ABI && "the wrapper is built for another raft_c.h");
    }

    Group find_group(TopicPartition partition, std::span<const NodeId>) {
        return host_.find_group(partition);
    }

    ReadResult read(const Group& group, GroupState& state) noexcept {
        if (reader_.abi != INSYNC_RAFT_ABI) return ReadResult::unavailable;
        // The contacts first: what is held is then at least as new as who was heard of.
        const ContactLog contacts = static_cast<const RaftContacts&>(host_.contacts(group)).copy();
        insync_raft_state raft{};
        std::array<insync_raft_peer, kMostRows + 1> peers{}; // one may be the node's own
        const std::int32_t count = reader_.read(host_.raft(group), &raft, peers.data(), kMostPeers);
        if (count < 0 || static_cast<std::uint32_t>(count) > kMostPeers || !is_node(raft.id))
            return ReadResult::unavailable; // a row left out would look like a removal
        state.epoch = raft.term;
        state.epoch_start = raft.epoch_start;
        state.leading = raft.role == INSYNC_RAFT_LEADER;
        state.leader = node_of(state.leading ? raft.id : raft.leader);
        if (state.leading && raft.check_quorum != 0) state.quorum = Quorum::held;
        state.end = raft.last;
        state.durable = raft.persisted;
        state.commit = raft.committed;
        state.applied = raft.applied;
        state.membership = raft.membership;
        if (!state.leading) return ReadResult::ok;
        return read_rows(std::span{peers.data(), static_cast<std::size_t>(count)}, raft.id,
                         contacts, state);
    }

    [[nodiscard]] Millis contact_slack() const noexcept { return slack_; }

    [[nodiscard]] std::uint64_t version(const Group& group) const noexcept {
        return reader_.version(host_.raft(group));
    }

private:
    static constexpr std::size_t kMostRows = decltype(GroupState::followers)::static_capacity;
    static constexpr std::uint32_t kMostPeers = kMostRows + 1;

    static bool is_node(std::uint64_t id) noexcept { return id != 0 && id <= kMaxIndex; }
    static NodeId node_of(std::uint64_t id) noexcept {
        return is_node(id) ? static_cast<NodeId>(id) : kNoNode;
    }
    static ReplicaKind kind_of(const insync_raft_peer& peer) noexcept {
        switch (peer.member) {
        case INSYNC_RAFT_VOTER: return ReplicaKind::voter;
        case INSYNC_RAFT_LEARNER: return ReplicaKind::learner;
        case INSYNC_RAFT_LEAVING: return ReplicaKind::leaving;
        default: return ReplicaKind::joining;
        }
    }

    static ReadResult read_rows(std::span<const insync_raft_peer> peers,
                                std::uint64_t self,
                                const ContactLog& contacts,
                                GroupState& state) noexcept {
        for (const insync_raft_peer& peer : peers) {
            if (peer.id == self) continue;
            if (!is_node(peer.id) || state.followers.size() == kMostRows)
                return ReadResult::unavailable;
            FollowerRow row{.node = node_of(peer.id), .kind = kind_of(peer)};
            row.verified = peer.confirmed != 0 && peer.matched != 0;
            row.match = row.verified ? peer.matched : 0;
            row.contact = contacts.find(row.node, state.epoch).at;
            state.followers.push_back(row);
        }
        return ReadResult::ok;
    }

    const insync_raft_reader& reader_;
    Host& host_;
    Millis slack_;
};

} // namespace insync
