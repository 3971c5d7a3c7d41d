#pragma once

#include <insync/adapters/contact_log.hpp>
#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <span>
#include <thread>
#include <type_traits>

namespace insync {

/// A host that drives libraft 0.22 through `raft_step`, one `struct raft` a partition.
///
/// **You promise**
/// - `Group` is cheap to copy, for instance a pointer to what the host keeps of a partition.
/// - `core(group)` is the partition's `struct raft*`, null while it is not open or is closing. Its
///   ids are the node ids; 0 is libraft's "none", so no broker may have that id.
/// - `contacts(group)` is the group's `ContactLog`, kept as it says.
/// - Durable is what `RAFT_PERSISTED_ENTRIES` was stepped for: after the flush, not before.
///
/// **Optional**: `static constexpr bool pushes = true`, with the promises of `ConsensusView`.
template <class H>
concept LibraftHost = requires(H& host, TopicPartition partition, const typename H::Group& group) {
    requires std::copyable<typename H::Group>;
    requires std::default_initializable<typename H::Group>;
    { host.find_group(partition) } -> std::convertible_to<typename H::Group>;
    requires std::is_pointer_v<decltype(host.core(group))>;
    { host.contacts(group) } -> std::convertible_to<const ContactLog&>;
};

/// A libraft group as a `ConsensusView`.
///
/// This header includes nothing of libraft: what it calls (`raft_state`, `raft_current_term`,
/// `raft_leader`, `raft_last_index`, `raft_commit_index`, `raft_match_index`) is found by the type
/// of `core(group)`, where the view is used. It is written for `RAFT_VERSION_NUMBER == 2201`; later
/// versions moved fields, so pin that in the host.
///
/// What is particular to libraft: the leader is one of its own servers and is left out of the rows;
/// a match is verified once an AppendEntries of the current term was accepted; stand-by and spare
/// servers are learners; a leader without its quorum steps down within two election timeouts, so
/// while it leads the quorum is held. Epoch start and applied index are the host's own and are 0.
///
/// \par Thread safety
///     libraft has no lock anywhere, so the whole view belongs to one thread: the event loop's,
///     which is the one that made the view, or that called `bind_to_this_thread` since. A read on
///     any other thread is `unavailable` and touches nothing. Call `tick`, `update_isr` and
///     `initialize_isr` of the manager on the loop; everything else may be called anywhere.
template <LibraftHost Host>
class LibraftView {
public:
    using Group = typename Host::Group;
    static constexpr ContactSource contact_source = ContactSource::response;
    static constexpr bool pushes = requires { requires Host::pushes; };

    /// \param self   this node, its id in libraft
    /// \param host   must outlive the view
    /// \param slack  by how much a contact may be late: one round trip between nodes
    LibraftView(NodeId self, Host& host, Millis slack)
        : self_(self), slack_(slack), host_(host), loop_(std::this_thread::get_id()) {}

    /// Makes the calling thread the one that may read, for hosts that start their loop later.
    void bind_to_this_thread() noexcept {
        loop_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }

    Group find_group(TopicPartition partition, std::span<const NodeId>) {
        return host_.find_group(partition);
    }

    ReadResult read(const Group& group, GroupState& state) noexcept {
        if (loop_.load(std::memory_order_relaxed) != std::this_thread::get_id())
            return ReadResult::unavailable;
        auto* const core = host_.core(group);
        if (core == nullptr) return ReadResult::unavailable;
        state.epoch = raft_current_term(core);
        state.leading = raft_state(core) == kLeaderState;
        state.leader = state.leading ? self_ : leader_of(core);
        state.quorum = state.leading ? Quorum::held : Quorum::unreported;
        state.end = raft_last_index(core);
        state.durable = core->last_stored;
        state.commit = raft_commit_index(core);
        state.membership = core->configuration_uncommitted_index != 0
                               ? core->configuration_uncommitted_index
                               : core->configuration_committed_index;
        return state.leading ? read_rows(core, host_.contacts(group), state) : ReadResult::ok;
    }

    [[nodiscard]] Millis contact_slack() const noexcept { return slack_; }

private:
    // Enumerators of raft.h, which the library's own binary interface depends on.
    static constexpr int kLeaderState = 3; // RAFT_LEADER
    static constexpr int kVoterRole = 1;   // RAFT_VOTER
    static constexpr std::size_t kMostRows = decltype(GroupState::followers)::static_capacity;

    /// Asked on other nodes only: during a transfer a leader does not name itself.
    template <class Raft>
    static NodeId leader_of(Raft* core) noexcept {
        decltype(core->configuration.servers->id) id = 0;
        const char* address = nullptr;
        raft_leader(core, &id, &address);
        return id == 0 ? kNoNode : static_cast<NodeId>(id);
    }

    template <class Raft>
    ReadResult read_rows(Raft* core, const ContactLog& contacts, GroupState& state) const noexcept {
        for (unsigned i = 0; i < core->configuration.n; ++i) {
            const auto& server = core->configuration.servers[i];
            const auto node = static_cast<NodeId>(server.id);
            if (node == self_) continue;
            if (state.followers.size() == kMostRows)
                return ReadResult::unavailable; // a row left out would look like a removal
            FollowerRow row{.node = node};
            row.kind = server.role == kVoterRole ? ReplicaKind::voter : ReplicaKind::learner;
            const ContactLog::Contact contact = contacts.find(node, state.epoch);
            decltype(raft_last_index(core)) match = 0;
            row.contact = contact.at;
            row.verified = contact.verified && raft_match_index(core, server.id, &match) == 0;
            row.match = row.verified ? match : 0;
            state.followers.push_back(row);
        }
        return ReadResult::ok;
    }

    NodeId self_;
    Millis slack_;
    Host& host_;
    std::atomic<std::thread::id> loop_;
};

} // namespace insync
