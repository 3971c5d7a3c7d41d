#pragma once

#include "io/disk.hpp"
#include "io/loop.hpp"
#include "io/peers.hpp"
#include "log/partition_log.hpp"
#include "raft/raft_api.hpp"
#include "raft/raft_error.hpp"
#include "types.hpp"

#include <insync/adapters/libraft.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

struct RaftOptions {
    Millis heartbeat{300};
    Millis election_timeout{1500}; ///< drawn between this and twice this
    std::uint32_t seed = 0;        ///< of those draws; different on every node and for every group
    std::size_t window_bytes = 4u << 20; ///< sent to one follower before it has answered
    LogOptions log;
    /// A group that is not on this disk may have been: see `GroupMeta::joining`.
    bool may_have_been_here = false;
};

/// What a group tells its owner, on the loop's thread, after the step that caused it.
struct RaftEvents {
    /// Entries up to the commit index, each once and in order; after a restart from the first in
    /// the log, or from where `applied_upto` said.
    std::function<void(const Entry&, std::string_view payload)> committed;
    /// The commit index moved, after `committed` was called for all of them.
    std::function<void()> commit_moved;
    /// Who leads, the term, or whether this node leads may have changed.
    std::function<void()> role_changed;
    /// While leading: the log's end or what of it is durable here has moved.
    std::function<void()> positions_moved;
    /// While leading: a follower answered, and holds entries up to `match` (0: not known).
    std::function<void(NodeId follower, Index match)> answered;
    /// While leading: a follower holds fewer entries than it had confirmed. Its disk was replaced,
    /// or does not keep what it was told to.
    std::function<void(NodeId follower, Index confirmed, Index held)> entries_lost = {};
    /// A sync of the log has taken so long.
    std::function<void(std::chrono::nanoseconds)> synced = {};
};

/// One Raft group on this node: libraft as a pure core, its log, and what of it must be durable.
///
/// libraft keeps no entry: the log's files are the Raft log, and an AppendEntries is read from
/// them. Term, vote and configuration are durable before a message of the step that set them
/// leaves. One sync of the log is under way at a time and covers all that came meanwhile.
///
/// Everything throws `DiskError`; then the node must stop. A step that libraft refuses in a way
/// that only a defect explains throws `RaftError`, with the same consequence.
///
/// \par Thread safety
///     The loop's thread only.
class RaftGroup {
public:
    /// Opens what is in `directory`, or begins a group of `voters`: the same list, in the same
    /// order, on every node. A group that is not destroyed must not outlive disk, loop and peers.
    RaftGroup(GroupId id,
              NodeId self,
              std::vector<NodeId> voters,
              std::string directory,
              const RaftOptions& options,
              Disk& disk,
              Loop& loop,
              Peers& peers,
              RaftEvents events);
    ~RaftGroup();
    RaftGroup(const RaftGroup&) = delete;
    RaftGroup& operator=(const RaftGroup&) = delete;

    struct Proposed {
        Index index = 0;
        Term term = 0;
        Offset base_offset = 0;
    };
    /// Appends a record batch of a client, which must be whole and checked; sets its base offset
    /// and leader epoch. Nothing when this node does not lead, or hands leadership over just now.
    [[nodiscard]] std::optional<Proposed> propose_records(std::string batch);
    /// Appends a command of the metadata group.
    [[nodiscard]] std::optional<Proposed> propose_command(std::string_view command);

    /// Takes in the payload of a Raft frame; what is malformed is dropped.
    void receive(NodeId from, std::uint8_t type, std::string_view payload);
    /// To be called every few milliseconds: elections, heartbeats.
    void tick();
    /// Hands leadership to another voter, if this node leads. It may come to nothing.
    void transfer_to(NodeId node);
    /// Lets go of the log's oldest segments that retention allows and that are committed.
    void apply_retention();
    /// The owner needs no `committed` for entries up to here after a restart.
    void applied_upto(Index index) noexcept;

    [[nodiscard]] GroupId id() const noexcept;
    [[nodiscard]] bool leading() const noexcept;
    /// Whether this node votes for nobody yet, as what it held may have been lost with its disk.
    [[nodiscard]] bool joining() const noexcept;
    /// Who leads the current term; `kNoNode` if that is not known.
    [[nodiscard]] NodeId leader() const noexcept;
    [[nodiscard]] Term term() const noexcept;
    [[nodiscard]] Index commit_index() const noexcept;
    [[nodiscard]] Index last_index() const noexcept;
    /// While leading: its first own entry is committed, so that the commit index is not behind what
    /// earlier leaders acknowledged.
    [[nodiscard]] bool caught_up_with_its_term() const noexcept;
    /// All that was committed when the group was opened is known to be so by now: a leader has said
    /// so since, or this node has led. Stays true. A leader that is none any more, and does not
    /// know it yet, is believed.
    [[nodiscard]] bool caught_up_since_opened() const noexcept;
    /// The newest entry that is known to be committed, also right after a restart; that of
    /// `high_watermark`.
    [[nodiscard]] Index readable_index() const noexcept;
    /// The end of what is committed, as an offset: consumers see what is below it. Never falls
    /// while the node runs, nor over an orderly restart. After a crash it may begin where it was a
    /// second before, and without power at the log's start, until the group has a leader: what is
    /// below it is committed in any case.
    [[nodiscard]] Offset high_watermark() const noexcept;
    [[nodiscard]] const std::vector<NodeId>& voters() const noexcept;
    [[nodiscard]] PartitionLog& log() noexcept;
    [[nodiscard]] const PartitionLog& log() const noexcept;

    /// What `insync::LibraftView` reads (`raft/view.hpp`).
    [[nodiscard]] raft* core() noexcept;
    [[nodiscard]] const insync::ContactLog& contacts() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace mini_broker
