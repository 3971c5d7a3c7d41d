#pragma once

// One node of the consensus library of toy_raft.hpp: what a view may ask.

#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <cstdint>
#include <functional>
#include <map>
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
    Index match = 0;                     ///< what it held when it last accepted an append
    Epoch term = 0;                      ///< in which that was
    TimePoint answered = insync::kNever; ///< when its last answer arrived, to a heartbeat or append
    Epoch answered_in = 0;               ///< the term of that answer
};

/// What arrives at a node from a peer, whatever its term.
struct Message {
    enum class Kind : std::uint8_t { append_answer, heartbeat_answer, vote };

    NodeId from = insync::kNoNode;
    Kind kind = Kind::append_answer;
    Epoch term = 0;
    Index match = 0; ///< of an append's answer
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
    [[nodiscard]] Index durable_index() const noexcept { return durable_; }
    [[nodiscard]] Index commit_index() const noexcept { return commit_; }
    /// While leading: the first entry of its term.
    [[nodiscard]] Index term_start() const noexcept { return term_start_; }
    /// The leader sends nothing, and nobody minds: all hold everything.
    [[nodiscard]] bool asleep() const noexcept { return asleep_; }
    /// Rises with every change of a member, or of its kind.
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
    /// Called while leading, after a peer's answer to an append was taken in.
    void set_on_answer(std::function<void(NodeId peer)> call) { on_answer_ = std::move(call); }
    /// Called for all that arrives from a peer of its own accord or as an answer, after it was
    /// taken in, or was ignored because it is of another term.
    void set_on_message(std::function<void(const Message&)> call) { on_message_ = std::move(call); }

private:
    friend class Rig;

    NodeId id_ = insync::kNoNode;
    Epoch term_ = 0;         // on its disk, as the log is up to `durable_`
    std::vector<Epoch> log_; // each entry's term
    Index durable_ = 0;
    NodeId leader_ = insync::kNoNode;
    Index commit_ = 0;
    Index term_start_ = 0;
    std::uint64_t membership_ = 1;
    std::map<NodeId, Peer> peers_;
    TimePoint led_from_{}; // or when it last woke up
    bool asleep_ = false;
    TimePoint next_heartbeat_{};
    std::uint64_t changes_ = 0;
    std::uint64_t connection_ = 0; // messages of an earlier one are lost
    bool up_ = true;
    bool cut_ = false;
    bool deaf_ = false; // what is sent to it is lost
    bool disk_held_ = false;
    bool appends_lost_ = false; // but heartbeats arrive
    bool answers_held_ = false; // what it sends stays on its way
    mutable std::function<void()> on_peers_;
    std::function<void(NodeId)> on_answer_;
    std::function<void(const Message&)> on_message_;
};

} // namespace toy
