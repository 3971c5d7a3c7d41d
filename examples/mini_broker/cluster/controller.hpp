#pragma once

#include "cluster/command.hpp"
#include "cluster/image.hpp"
#include "cluster/node_messages.hpp"
#include "io/disk.hpp"
#include "io/loop.hpp"
#include "io/peers.hpp"
#include "raft/raft_group.hpp"
#include "types.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace mini_broker {

/// The metadata of the cluster on this node: its Raft group, the image that follows from the log,
/// and the way of a command from any node to the log.
///
/// A command that any node submits reaches the leader of the metadata group, is proposed, and comes
/// to its result when it is applied. On a node that is not the leader the result is told once this
/// node has applied the command as well: who is told "created" finds it created.
class Controller {
public:
    using Done = std::function<void(const CommandResult&)>;
    /// Called for every change, in order, after the image has it.
    using Changed = std::function<void(const Image::Change&)>;

    Controller(NodeId self,
               std::vector<NodeId> nodes,
               const std::string& directory,
               const RaftOptions& options,
               Disk& disk,
               Loop& loop,
               Peers& peers,
               Changed changed);

    /// Calls `done` once: with the result, or with `request_timed_out` when there is none within
    /// `limit`; then the command may or may not have been applied.
    void submit(Command command, Millis limit, Done done);

    /// The same for a command whose place among others matters: it is proposed once, here, and ends
    /// as `not_coordinator` where this node does not lead until it is applied. Sent again later, it
    /// could undo what came after it.
    void submit_in_order(Command command, Millis limit, Done done);

    /// A frame of the metadata group from another node.
    void receive(NodeId from, std::uint8_t type, std::string_view payload);
    /// To be called every few milliseconds.
    void tick();

    /// Partitions that commands ask for which this node submitted, and which wait.
    [[nodiscard]] std::size_t partitions_underway() const noexcept { return underway_; }
    /// So many commands wait that clients should not add to them.
    [[nodiscard]] bool busy() const noexcept { return pending_.size() >= kMostPending; }

    [[nodiscard]] const Image& image() const noexcept { return image_; }
    [[nodiscard]] RaftGroup& group() noexcept { return group_; }
    [[nodiscard]] const RaftGroup& group() const noexcept { return group_; }

private:
    static constexpr std::size_t kMostPending = 5'000;

    /// Somebody waits for a command of ours.
    struct Pending {
        std::string command;
        TimePoint deadline{};
        TimePoint sent = insync::kNever; ///< to the leader, or proposed
        Done done;
        std::size_t partitions = 0; ///< that it asks for
        bool in_order = false;
        Index index = 0;                     ///< when proposed here, or once the leader has told
        Term term = 0;                       ///< when proposed here
        std::optional<CommandResult> result; ///< told by the leader, not yet applied here
    };
    /// A command of another node's that was proposed here.
    struct Foreign {
        NodeId node = insync::kNoNode;
        std::uint64_t request = 0;
        Term term = 0;
    };

    void applied(const Entry& entry, std::string_view payload);
    void accept(Command command, Millis limit, Done done, bool in_order);
    void send_on(std::uint64_t request, Pending& pending);
    void take_command(NodeId from, const ForwardedCommand& message);
    void take_result(const ForwardedResult& message);
    /// Ends what is over: by its result, by time, by a change of leader.
    void settle();

    NodeId self_;
    Loop& loop_;
    Peers& peers_;
    Changed changed_;
    Image image_;
    Index applied_ = 0;
    std::uint64_t next_request_;
    std::map<std::uint64_t, Pending> pending_;
    std::size_t underway_ = 0; // partitions of these
    std::map<Index, Foreign> foreign_;
    RaftGroup group_; // last: its events reach all of the above
};

} // namespace mini_broker
