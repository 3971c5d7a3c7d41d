#pragma once

// A consensus library for examples/write_a_view.cpp and the tests: one Raft group in virtual time,
// small, and with the habits of real libraries that a view must know of.

#include "toy_node.hpp"

#include <insync/consensus_view.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace toy {

/// The nodes of a group on links, disks and a clock of a test's own. A message takes 5 ms; a leader
/// that hears nothing of a majority for 500 ms steps down; nobody stands for election unasked, and
/// who hears of a leader votes for nobody else.
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

    /// A transfer, where there is a leader that it reaches: the others vote at once.
    bool elect(NodeId id) {
        Node& candidate = node(id);
        if (!candidate.up_ || candidate.leading()) return candidate.up_;
        Epoch term = candidate.term_;
        std::vector<Node*> votes;
        std::size_t voters = 0;
        for (auto& [other, member] : members_) {
            if (!is_voter(candidate, other)) continue;
            ++voters;
            if (!reaches(candidate, member) || !reaches(member, candidate)) continue;
            if (newer_log(member, candidate)) continue;
            votes.push_back(&member);
            term = std::max(term, member.term_);
        }
        if (2 * votes.size() <= voters) return false;
        for (Node* const voter : votes) follow(*voter, term + 1, insync::kNoNode);
        candidate.leader_ = id;
        candidate.led_from_ = candidate.next_heartbeat_ = clock_.now();
        candidate.term_start_ = candidate.last_index() + 1;
        for (const Node* const voter : votes)
            if (voter != &candidate) hear(candidate, {voter->id_, Message::Kind::vote, term + 1});
        append(id); // of its own term, so that what earlier ones left can be committed
        return true;
    }

    Index append(NodeId id) {
        Node& leader = node(id);
        leader.log_.push_back(leader.term_);
        flush(leader);
        ++leader.changes_;
        advance_commit(leader);
        wake(leader);
        replicate(leader);
        return leader.last_index();
    }

    void cut(NodeId id) {
        node(id).cut_ = true;
        ++node(id).connection_;
    }
    void heal() {
        for (auto& [id, member] : members_)
            member.cut_ = member.deaf_ = member.appends_lost_ = false;
    }
    void stop(NodeId id) {
        Node& member = node(id);
        member.up_ = false;
        ++member.connection_;
        member.log_.resize(member.durable_);
        member.leader_ = insync::kNoNode; // what is not on its disk
        member.commit_ = 0;
        for (auto& [other, peer] : member.peers_) peer = Peer{.id = other, .kind = peer.kind};
        member.on_answer_ = nullptr;
        member.on_message_ = nullptr;
    }
    void start(NodeId id) { node(id).up_ = true; }

    void set_kind(NodeId id, ReplicaKind kind) {
        change_members([&](Node& member) { member.peers_[id].kind = kind; });
    }
    void remove(NodeId id) {
        stop(id);
        change_members([&](Node& member) { member.peers_.erase(id); });
    }
    /// On an empty disk.
    void add(NodeId id) {
        Node& added = node(id);
        added.term_ = 0;
        added.log_.clear();
        added.durable_ = 0;
        for (const auto& [other, peer] : members_[id == 1 ? 2 : 1].peers_)
            added.peers_[other] = Peer{.id = other, .kind = peer.kind};
        change_members([&](Node& member) { member.peers_[id] = Peer{.id = id}; });
        added.up_ = true;
    }

    void during_read(NodeId id, std::function<void()> action) {
        node(id).set_trace(std::move(action));
    }
    void hold_disk(NodeId id) { node(id).disk_held_ = true; }
    void release_disk(NodeId id) {
        Node& member = node(id);
        member.disk_held_ = false;
        flush(member);
        ++member.changes_;
        if (member.leading()) advance_commit(member);
    }
    void lose_appends(NodeId id) { node(id).appends_lost_ = true; }
    void hold_answers(NodeId id) { node(id).answers_held_ = true; }
    void deliver_answers(NodeId id) {
        node(id).answers_held_ = false;
        for (auto& arrival : std::exchange(held_[id], {}))
            messages_.emplace(clock_.now() + kStep, std::move(arrival));
    }
    /// Nobody answers: they hear of a leader, and it could not hear them.
    void campaign_in_vain(NodeId id) {
        Node& candidate = node(id);
        candidate.cut_ = false;
        candidate.deaf_ = true;
        follow(candidate, candidate.term_ + 1, insync::kNoNode);
        for (auto& [other, member] : members_)
            if (other != id)
                send(candidate, member, [this, id, &to = member, term = candidate.term_] {
                    hear(to, {id, Message::Kind::vote, term});
                });
    }
    void keep_leaders() { leaders_step_down_ = false; }
    /// Groups fall asleep when they have been idle for two heartbeats and all have answered that
    /// they hold everything; an entry, or whatever arrives at the leader, wakes them.
    void let_groups_sleep() { groups_sleep_ = true; }
    /// Whether a message would arrive.
    [[nodiscard]] bool connected(NodeId from, NodeId to) { return reaches(node(from), node(to)); }

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
        if (&from == &to) return from.up_;
        return from.up_ && to.up_ && !from.cut_ && !to.cut_ && !to.deaf_;
    }
    static bool is_voter(const Node& node, NodeId id) {
        const auto found = node.peers_.find(id);
        return found != node.peers_.end() && found->second.kind == ReplicaKind::voter;
    }

    static void follow(Node& node, Epoch term, NodeId leader) {
        if (node.term_ != term || node.leader_ != leader) ++node.changes_;
        node.term_ = term;
        node.leader_ = leader;
        node.asleep_ = false;
    }
    static void flush(Node& node) {
        node.durable_ =
            node.disk_held_ ? std::min(node.durable_, node.last_index()) : node.last_index();
    }
    void hear(Node& node, const Message& message) {
        if (node.asleep_) wake(node);
        if (node.on_message_) node.on_message_(message);
    }
    template <class Change>
    void change_members(const Change& change) {
        for (auto& [id, member] : members_) {
            change(member);
            ++member.membership_;
            ++member.changes_;
        }
    }

    /// Whether `counts` of a majority of the voters, of which the leader is one if `self`.
    template <class Counts>
    static bool majority(const Node& leader, bool self, const Counts& counts) {
        std::size_t voters = 0;
        std::size_t count = 0;
        for (const auto& [id, peer] : leader.peers_) {
            if (peer.kind != ReplicaKind::voter) continue;
            ++voters;
            if (id == leader.id_ ? self : counts(peer)) ++count;
        }
        return 2 * count > voters;
    }
    static void advance_commit(Node& leader) {
        for (Index index = leader.last_index(); index > leader.commit_; --index) {
            if (leader.log_[index - 1] != leader.term_) return;
            const auto holds = [&](const Peer& peer) {
                return peer.term == leader.term_ && peer.match >= index;
            };
            if (!majority(leader, leader.durable_ >= index, holds)) continue;
            leader.commit_ = index;
            ++leader.changes_;
        }
    }

    void wake(Node& leader) {
        leader.led_from_ = clock_.now();
        leader.asleep_ = false;
    }
    [[nodiscard]] bool may_sleep(const Node& leader) const {
        if (!groups_sleep_ || clock_.now() - leader.led_from_ < 2 * kHeartbeat) return false;
        return std::ranges::all_of(leader.peers_, [&](const auto& member) {
            const Peer& peer = member.second;
            return peer.id == leader.id_ ||
                   (peer.term == leader.term_ && peer.match == leader.last_index() &&
                    peer.answered >= leader.led_from_ + kHeartbeat);
        });
    }

    void lead(Node& leader) {
        const TimePoint now = clock_.now();
        leader.asleep_ = leader.asleep_ || may_sleep(leader);
        if (leader.asleep_) return;
        const auto alive = [&](const Peer& peer) {
            return peer.answered_in == leader.term_ && now - peer.answered <= kElection;
        };
        const bool led_long = leaders_step_down_ && now - leader.led_from_ > kElection;
        if (led_long && !majority(leader, true, alive))
            return follow(leader, leader.term_, insync::kNoNode);
        if (now >= leader.next_heartbeat_) replicate(leader);
    }

    void send(Node& from, Node& to, std::function<void()> arrival) {
        if (!reaches(from, to)) return;
        if (from.answers_held_) return held_[from.id_].push_back(std::move(arrival));
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
            if (id != leader.id_ && leader.peers_.contains(id))
                send(leader, member,
                     [this, &leader, &to = member, term = leader.term_, log = leader.log_,
                      commit = leader.commit_] { accept(leader, to, term, log, commit); });
    }
    void accept(Node& leader, Node& to, Epoch term, const std::vector<Epoch>& log, Index commit) {
        if (term < to.term_) // it has stood for election meanwhile, and the leader gives up
            return send(to, leader, [&leader, newer = to.term_] {
                if (newer > leader.term_) follow(leader, newer, insync::kNoNode);
            });
        follow(to, term, leader.id_);
        Message answer{to.id_, Message::Kind::heartbeat_answer, term};
        if (!to.appends_lost_) {
            if (to.log_ != log || to.commit_ != commit) ++to.changes_;
            to.log_ = log;
            to.commit_ = commit;
            flush(to);
            answer.kind = Message::Kind::append_answer;
            answer.match = to.durable_;
        }
        send(to, leader, [this, &leader, answer] { take_answer(leader, answer); });
    }
    void take_answer(Node& leader, const Message& answer) {
        const auto found = leader.peers_.find(answer.from);
        const bool of_this_term = leader.leading() && leader.term_ == answer.term;
        if (of_this_term && found != leader.peers_.end()) {
            Peer& peer = found->second;
            peer.answered = clock_.now();
            peer.answered_in = answer.term;
            if (answer.kind == Message::Kind::append_answer) take_match(leader, peer, answer);
        }
        hear(leader, answer);
    }
    static void take_match(Node& leader, Peer& peer, const Message& answer) {
        if (peer.match != answer.match || peer.term != answer.term) ++leader.changes_;
        peer.match = answer.match;
        peer.term = answer.term;
        advance_commit(leader);
        if (leader.on_answer_) leader.on_answer_(peer.id);
    }

    std::vector<NodeId> nodes_{1, 2, 3};
    insync::testing::ManualClock clock_;
    std::map<NodeId, Node> members_;
    std::multimap<TimePoint, std::function<void()>> messages_;
    std::map<NodeId, std::vector<std::function<void()>>> held_; // by who sent it
    bool leaders_step_down_ = true;
    bool groups_sleep_ = false;
};

} // namespace toy
