#pragma once

// A consensus library for examples/write_a_view.cpp and the tests: one Raft group in virtual time,
// small, and with the habits of real libraries that a view must know of.

#include <insync/consensus_view.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace toy {

using insync::Epoch;
using insync::Index;
using insync::Millis;
using insync::NodeId;
using insync::ReplicaKind;
using insync::TimePoint;

/// What a node remembers of a member of its group, of whatever term that was.
struct Peer {
    NodeId id = insync::kNoNode;
    ReplicaKind kind = ReplicaKind::voter;
    Index match = 0;                     ///< what it held when it last answered
    Epoch term = 0;                      ///< in which it last answered
    TimePoint answered = insync::kNever; ///< when that answer arrived
};

/// One node of the group, as the library shows it.
///
/// A habit to know: `peers` lists the node itself among them; what it says of the others is kept
/// from one leadership to the next; and it is empty on a node that does not lead.
class Node {
public:
    [[nodiscard]] NodeId id() const noexcept { return id_; }
    [[nodiscard]] Epoch term() const noexcept { return term_; }
    [[nodiscard]] NodeId leader() const noexcept { return leader_; }
    [[nodiscard]] bool leading() const noexcept { return leader_ == id_; }
    [[nodiscard]] Index last_index() const noexcept { return log_.size(); }
    [[nodiscard]] Index commit_index() const noexcept { return commit_; }
    /// While leading: the first entry of its term.
    [[nodiscard]] Index term_start() const noexcept { return term_start_; }
    /// Rises with every change of a member's kind.
    [[nodiscard]] std::uint64_t membership() const noexcept { return membership_; }
    [[nodiscard]] std::vector<Peer> peers() const {
        if (const auto trace = std::exchange(on_peers_, nullptr)) trace();
        return leading() ? members() : std::vector<Peer>{};
    }
    /// Who is in the group, with the same remembrances, on any node.
    [[nodiscard]] std::vector<Peer> members() const {
        std::vector<Peer> found;
        for (const auto& [id, peer] : peers_) found.push_back(peer);
        return found;
    }
    /// Rises with everything that the functions above can say, but for the times of answers.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }

    /// Called by the next `peers`, before it answers: for tests of what happens in between.
    void set_trace(std::function<void()> trace) { on_peers_ = std::move(trace); }
    /// Called while leading, after a peer's answer was taken in.
    void set_on_answer(std::function<void(NodeId peer)> call) { on_answer_ = std::move(call); }

private:
    friend class Rig;

    NodeId id_ = insync::kNoNode;
    Epoch term_ = 0;         // on its disk, as the log is
    std::vector<Epoch> log_; // each entry's term
    NodeId leader_ = insync::kNoNode;
    Index commit_ = 0;
    Index term_start_ = 0;
    std::uint64_t membership_ = 1;
    std::map<NodeId, Peer> peers_;
    TimePoint led_from_{};
    TimePoint next_heartbeat_{};
    std::uint64_t changes_ = 0;
    std::uint64_t connection_ = 0; // messages of an earlier one are lost
    bool up_ = true;
    bool cut_ = false;
    mutable std::function<void()> on_peers_;
    std::function<void(NodeId)> on_answer_;
};

/// The nodes of a group on links and a clock of a test's own. A message takes 5 ms; a leader that
/// hears nothing of a majority for 500 ms steps down; nobody stands for election unasked.
class Rig {
public:
    Rig() {
        for (const NodeId id : nodes_) node(id).id_ = id;
        for (const NodeId id : nodes_)
            for (const NodeId peer : nodes_) node(id).peers_[peer].id = peer;
    }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    [[nodiscard]] std::span<const NodeId> nodes() const noexcept { return nodes_; }
    [[nodiscard]] Node& node(NodeId id) { return members_[id]; }
    [[nodiscard]] const insync::testing::ManualClock& clock() const noexcept { return clock_; }
    [[nodiscard]] Millis heartbeat_limit() const noexcept { return kHeartbeat + 4 * kStep; }
    [[nodiscard]] Millis election_limit() const noexcept { return kElection; }
    [[nodiscard]] static constexpr Millis round_trip() noexcept { return 2 * kStep; }

    bool elect(NodeId id) {
        Node& candidate = node(id);
        if (!candidate.up_ || candidate.leading()) return candidate.up_;
        Epoch term = candidate.term_;
        std::vector<Node*> votes;
        std::size_t voters = 0;
        for (auto& [other, member] : members_) {
            if (!is_voter(other)) continue;
            ++voters;
            if (!reaches(candidate, member) || newer_log(member, candidate)) continue;
            votes.push_back(&member);
            term = std::max(term, member.term_);
        }
        if (2 * votes.size() <= voters) return false;
        for (Node* const voter : votes) follow(*voter, term + 1, insync::kNoNode);
        candidate.leader_ = id;
        candidate.led_from_ = candidate.next_heartbeat_ = clock_.now();
        candidate.term_start_ = candidate.last_index() + 1;
        append(id); // of its own term, so that what earlier ones left can be committed
        return true;
    }

    Index append(NodeId id) {
        Node& leader = node(id);
        leader.log_.push_back(leader.term_);
        ++leader.changes_;
        advance_commit(leader);
        replicate(leader);
        return leader.last_index();
    }

    void cut(NodeId id) {
        node(id).cut_ = true;
        ++node(id).connection_;
    }
    void heal() {
        for (auto& [id, member] : members_) member.cut_ = false;
    }
    void stop(NodeId id) {
        Node& member = node(id);
        member.up_ = false;
        ++member.connection_;
        member.leader_ = insync::kNoNode; // what is not on its disk
        member.commit_ = 0;
        for (auto& [other, peer] : member.peers_) peer = Peer{.id = other, .kind = peer.kind};
        member.on_answer_ = nullptr;
    }
    void start(NodeId id) { node(id).up_ = true; }

    void set_kind(NodeId id, ReplicaKind kind) {
        for (auto& [other, member] : members_) {
            member.peers_[id].kind = kind;
            ++member.membership_;
            ++member.changes_;
        }
    }
    void during_read(NodeId id, std::function<void()> action) {
        node(id).set_trace(std::move(action));
    }

    void advance(Millis span) {
        const TimePoint end = clock_.now() + span;
        while (clock_.now() < end) {
            clock_.advance(std::min(kStep, end - clock_.now()));
            deliver();
            for (auto& [id, member] : members_)
                if (member.leading()) lead(member);
        }
    }

private:
    static constexpr Millis kStep{5};
    static constexpr Millis kHeartbeat{50};
    static constexpr Millis kElection{500};

    static bool newer_log(const Node& x, const Node& y) {
        const auto last = [](const Node& n) { return n.log_.empty() ? 0 : n.log_.back(); };
        return std::pair{last(x), x.log_.size()} > std::pair{last(y), y.log_.size()};
    }
    static bool reaches(const Node& from, const Node& to) {
        return from.up_ && to.up_ && (&from == &to || (!from.cut_ && !to.cut_));
    }
    [[nodiscard]] bool is_voter(NodeId id) {
        return members_.begin()->second.peers_[id].kind == ReplicaKind::voter;
    }

    static void follow(Node& node, Epoch term, NodeId leader) {
        if (node.term_ != term || node.leader_ != leader) ++node.changes_;
        node.term_ = term;
        node.leader_ = leader;
    }

    /// How many voters there are whose peer entry `holds`, against all of them.
    template <class Holds>
    bool majority(Node& leader, const Holds& holds) {
        std::size_t voters = 0;
        std::size_t count = 0;
        for (const auto& [id, peer] : leader.peers_) {
            if (peer.kind != ReplicaKind::voter) continue;
            ++voters;
            if (id == leader.id_ || (peer.term == leader.term_ && holds(peer))) ++count;
        }
        return 2 * count > voters;
    }
    void advance_commit(Node& leader) {
        for (Index index = leader.last_index(); index > leader.commit_; --index) {
            if (leader.log_[index - 1] != leader.term_) return;
            if (!majority(leader, [&](const Peer& peer) { return peer.match >= index; })) continue;
            leader.commit_ = index;
            ++leader.changes_;
        }
    }

    void lead(Node& leader) {
        const TimePoint now = clock_.now();
        const auto alive = [&](const Peer& peer) { return now - peer.answered <= kElection; };
        if (now - leader.led_from_ > kElection && !majority(leader, alive))
            return follow(leader, leader.term_, insync::kNoNode);
        if (now >= leader.next_heartbeat_) replicate(leader);
    }

    void send(Node& from, Node& to, std::function<void()> arrival) {
        if (!reaches(from, to)) return;
        messages_.emplace(clock_.now() + kStep, [&from, &to, x = from.connection_,
                                                 y = to.connection_, arrival = std::move(arrival)] {
            const bool same = x == from.connection_ && y == to.connection_;
            if (same && reaches(from, to)) arrival();
        });
    }
    void deliver() {
        while (!messages_.empty() && messages_.begin()->first <= clock_.now()) {
            const auto arrival = std::move(messages_.begin()->second);
            messages_.erase(messages_.begin());
            arrival();
        }
    }

    void replicate(Node& leader) {
        leader.next_heartbeat_ = clock_.now() + kHeartbeat;
        for (auto& [id, member] : members_)
            if (id != leader.id_)
                send(leader, member,
                     [this, &leader, &to = member, term = leader.term_, log = leader.log_,
                      commit = leader.commit_] { accept(leader, to, term, log, commit); });
    }
    void accept(Node& leader, Node& to, Epoch term, const std::vector<Epoch>& log, Index commit) {
        if (term < to.term_) return;
        follow(to, term, leader.id_);
        if (to.log_ != log || to.commit_ != commit) ++to.changes_;
        to.log_ = log;
        to.commit_ = commit;
        send(to, leader, [this, &leader, from = to.id_, term, match = to.last_index()] {
            take_answer(leader, from, term, match);
        });
    }
    void take_answer(Node& leader, NodeId from, Epoch term, Index match) {
        if (!leader.leading() || leader.term_ != term) return;
        Peer& peer = leader.peers_[from];
        if (peer.match != match || peer.term != term) ++leader.changes_;
        peer.match = match;
        peer.term = term;
        peer.answered = clock_.now();
        advance_commit(leader);
        if (leader.on_answer_) leader.on_answer_(from);
    }

    std::vector<NodeId> nodes_{1, 2, 3};
    insync::testing::ManualClock clock_;
    std::map<NodeId, Node> members_;
    std::multimap<TimePoint, std::function<void()>> messages_;
};

} // namespace toy
