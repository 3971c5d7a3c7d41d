#pragma once

#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

namespace insync {

/// What one NuRaft group says by its callback, and the server that says it.
///
/// NuRaft keeps a peer's last index from one term to the next, takes in answers of older terms, and
/// goes on naming the leader of an older term. So nothing of that is asked for: what the peers hold
/// is taken from their answers, each of which carries its own term. The host keeps one of these for
/// each partition, made before the server, and passes on all that `cb_func` is called with:
///
///     using Group = insync::NuraftGroup<nuraft::raft_server, nuraft::req_msg, nuraft::resp_msg>;
///
///     nuraft::raft_server::init_options options;
///     options.raft_callback_ = [&](nuraft::cb_func::Type type, nuraft::cb_func::Param* param) {
///         group.note(type, param, clock.now());
///         return nuraft::cb_func::Ok;
///     };
///     group.open(launcher.init(machine, state, logger, port, asio, params, options));
///
/// What it holds:
/// - a match is what a peer accepted in the term in which this server leads, and no other; an
///   answer that refuses is a contact; one that shows a log shorter than what was accepted takes
///   the match back, as NuRaft lets a server's data be changed while it is away;
/// - a member that was removed is forgotten, so that added again, in the same term too, it starts
///   as one that was never heard of;
/// - the leader of a term is who sent an append of that term;
/// - a term may fall: a server that joins a cluster takes the cluster's, and all begins anew.
///
/// \tparam Server    `nuraft::raft_server`
/// \tparam Request   `nuraft::req_msg`
/// \tparam Response  `nuraft::resp_msg`
/// \par Thread safety
///     Safe. Its lock is held for a look at NuRaft's configuration, which copies one pointer, and
///     for no other call: it may be used in callbacks, which NuRaft makes with its own lock held.
template <class Server, class Request, class Response>
class NuraftGroup {
public:
    NuraftGroup() = default;
    NuraftGroup(const NuraftGroup&) = delete;
    NuraftGroup& operator=(const NuraftGroup&) = delete;

    /// Takes in a call of `cb_func`, whichever it is. NuRaft calls before it has returned the
    /// server as well: this needs none.
    /// \param now  on the time line of the manager's clock
    template <class Type, class Param>
    void note(Type type, const Param* param, TimePoint now) noexcept {
        const void* const what = param != nullptr ? param->ctx : nullptr;
        if (what == nullptr) return;
        const std::lock_guard lock{mutex_};
        if (type == Type::ReceivedAppendEntriesResp)
            note_answer(*static_cast<const Response*>(what), now);
        else if (type == Type::ReceivedAppendEntriesReq)
            note_request(*static_cast<const Request*>(what));
        else if (type == Type::BecomeLeader)
            begin_leading(*static_cast<const std::uint64_t*>(what));
        else if (type == Type::BecomeFollower)
            begin_following(*static_cast<const std::uint64_t*>(what));
        else if (type == Type::NewConfig)
            note_members();
    }

    /// The server runs, and may be read from now on; what peers answer counts from now on.
    void open(std::shared_ptr<Server> server) {
        const std::lock_guard lock{mutex_};
        server_ = std::move(server);
        members_.clear();
        note_members();
    }
    /// It may not be read any more: to be called before it is shut down. A read that is under way
    /// on another thread keeps the object until it is done.
    void close() noexcept {
        std::shared_ptr<Server> gone; // ends with no lock held
        const std::lock_guard lock{mutex_};
        gone = std::exchange(server_, nullptr);
    }

    /// Null unless it is open.
    [[nodiscard]] std::shared_ptr<Server> server() const noexcept {
        const std::lock_guard lock{mutex_};
        return server_;
    }
    /// Fills what is known in `state.epoch`: the leader, and the rows if this node leads.
    /// \return false if there are more members than a state has rows
    bool fill(NodeId self, GroupState& state) const noexcept {
        const std::lock_guard lock{mutex_};
        state.leader = kNoNode;
        if (!state.leading) {
            if (heard_term_ == state.epoch && heard_leader_ != self) state.leader = heard_leader_;
            return true;
        }
        state.leader = self;
        state.membership = config_;
        for (const Member& member : members_) {
            if (member.node == self) continue;
            if (state.followers.size() == decltype(state.followers)::static_capacity) return false;
            FollowerRow row{.node = member.node, .kind = member.kind};
            if (led_term_ == state.epoch) { // else nothing of this term was heard yet
                row.verified = member.verified;
                row.match = member.verified ? member.match : 0;
                row.contact = member.contact;
            }
            state.followers.push_back(row);
        }
        return true;
    }

private:
    struct Member {
        NodeId node = kNoNode;
        ReplicaKind kind = ReplicaKind::voter;
        bool verified = false;
        Index match = 0;
        TimePoint contact = kNever;
    };
    /// More than a state has rows: this node itself, and one that shows that there are too many.
    static constexpr std::size_t kMostMembers =
        decltype(GroupState::followers)::static_capacity + 2;

    void begin_leading(Epoch term) noexcept {
        led_term_ = term;
        members_.clear();
        note_members();
    }
    /// In a new term, in its own once it stepped down, or in a lower one that it joined.
    void begin_following(Epoch term) noexcept {
        led_term_ = kNoTerm;
        if (term == heard_term_) return;
        heard_term_ = term;
        heard_leader_ = kNoNode;
    }
    /// Its term is no newer than this server's, which took that in before; it may be older.
    void note_request(const Request& request) noexcept {
        if (request.get_term() < heard_term_) return;
        heard_term_ = request.get_term();
        heard_leader_ = request.get_src();
    }
    void note_answer(const Response& answer, TimePoint now) noexcept {
        if (answer.get_term() != led_term_) return;
        for (Member& member : members_) {
            if (member.node != answer.get_src()) continue;
            member.contact = std::max(member.contact, now);
            const Index next = answer.get_next_idx();
            if (answer.get_accepted()) {
                member.verified = true;
                member.match = next == 0 ? 0 : next - 1;
            } else if (next <= member.match) {
                member.verified = false; // where its log ends, whatever it once accepted
            }
        }
    }

    /// Goes through the configuration in force: who stays is remembered, who comes begins anew.
    void note_members() noexcept {
        if (server_ == nullptr) return;
        const auto config = server_->get_config();
        boost::container::static_vector<Member, kMostMembers> members;
        for (const auto& server : config->get_servers()) {
            if (members.size() == members.capacity()) break;
            Member member{.node = server->get_id()};
            for (const Member& known : members_)
                if (known.node == member.node) member = known;
            member.kind = kind_of(*server);
            members.push_back(member);
        }
        members_ = members;
        config_ = config->get_log_idx();
    }
    /// Older versions know no joiners.
    template <class Config>
    static ReplicaKind kind_of(const Config& server) noexcept {
        if constexpr (requires { server.is_new_joiner(); })
            if (server.is_new_joiner()) return ReplicaKind::joining;
        return server.is_learner() ? ReplicaKind::learner : ReplicaKind::voter;
    }

    static constexpr Epoch kNoTerm = ~Epoch{0};

    mutable std::mutex mutex_;
    std::shared_ptr<Server> server_;
    Epoch led_term_ = kNoTerm; // in which this server leads, as it was told
    Epoch heard_term_ = 0;     // of the newest request, or in which it became a follower
    NodeId heard_leader_ = kNoNode;
    std::uint64_t config_ = 0;
    boost::container::static_vector<Member, kMostMembers> members_;
};

/// A host that runs NuRaft, one `nuraft::raft_server` a partition, whose ids are the node ids.
///
/// **You promise**: `find_group(partition)` is the partition's `NuraftGroup`, kept as that says, or
/// null. It outlives the partition in the manager.
template <class H>
concept NuraftHost = requires(H& host, TopicPartition partition, GroupState& state) {
    { host.find_group(partition)->fill(NodeId{}, state) } -> std::same_as<bool>;
    { host.find_group(partition)->server()->get_term() } -> std::convertible_to<Epoch>;
};

/// A NuRaft group as a `ConsensusView`.
///
/// This header includes nothing of NuRaft and needs 3.0 or newer. docs/hosts/nuraft.md says how to
/// embed it and what was run on it; examples/hosts has a host, and the kit's run for your build.
///
/// What is particular to NuRaft:
/// - there is no snapshot of a group, so epoch and leadership are asked before the rest and after;
/// - what is durable is the log store's `last_durable_index()`, by default its end;
/// - `get_committed_log_idx` is what is applied, `get_target_committed_log_idx` what is committed;
/// - a follower that receives a snapshot looks silent, as NuRaft tells of answers to appends only;
/// - a server that leaves is not shown as one, and is a voter until it is gone;
/// - a small group may commit by one copy (`auto_adjust_quorum_for_small_cluster_`) and does not
///   step down, so the quorum is unreported, and the manager derives it from the contacts (S5).
///
/// \par Thread safety
///     Any thread. A read takes no lock of NuRaft: the numbers that it asks for are atomic there.
///     It calls the log store's `next_slot()` and `last_durable_index()`, as NuRaft does from its
///     own threads, with no lock held.
template <NuraftHost Host>
class NuraftView {
public:
    using Group = decltype(std::declval<Host&>().find_group(TopicPartition{}));
    static constexpr ContactSource contact_source = ContactSource::response;

    /// \param self   this node, its server id in NuRaft
    /// \param host   must outlive the view
    /// \param slack  by how much a contact may be late: the longest time from the sending of an
    ///               append to its answer that is still healthy, a flush of the follower's included
    NuraftView(NodeId self, Host& host, Millis slack) : self_(self), slack_(slack), host_(host) {}

    Group find_group(TopicPartition partition, std::span<const NodeId>) {
        return host_.find_group(partition);
    }

    ReadResult read(const Group& group, GroupState& state) noexcept {
        try {
            if (group == nullptr) return ReadResult::unavailable;
            const auto server = group->server();
            if (server == nullptr) return ReadResult::unavailable;
            state.epoch = server->get_term();
            state.leading = server->is_leader();
            if (!group->fill(self_, state)) return ReadResult::unavailable;
            if (state.leading)
                state.epoch_start = server->get_log_idx_at_becoming_leader();
            else if (server->get_leader() < 0)
                state.leader = kNoNode; // silent, or gone
            // The end last: whatever is appended in between, nothing seems to be held beyond it.
            state.applied = server->get_committed_log_idx();
            state.commit = server->get_target_committed_log_idx();
            state.durable = server->get_log_store()->last_durable_index();
            state.end = server->get_last_log_idx();
            const bool moved =
                server->get_term() != state.epoch || server->is_leader() != state.leading;
            return moved ? ReadResult::torn : ReadResult::ok;
        } catch (...) { // the log store is the host's
            return ReadResult::unavailable;
        }
    }

    [[nodiscard]] Millis contact_slack() const noexcept { return slack_; }

private:
    NodeId self_;
    Millis slack_;
    Host& host_;
};

} // namespace insync
