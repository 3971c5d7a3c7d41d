#pragma once

#include "log/record_batch.hpp"
#include "raft/commit_mark.hpp"
#include "raft/group_meta.hpp"
#include "raft/message.hpp"
#include "raft/raft_group.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mini_broker {

/// Entries that go into a step: libraft's view of them, and the batches they are.
struct OfferedEntries {
    const raft_entry* entries = nullptr;
    const std::string_view* batches = nullptr;
    std::size_t count = 0;

    /// The batch of an entry that libraft hands back; nothing if it is not one of these.
    [[nodiscard]] std::optional<std::string_view> batch_of(const raft_entry& entry) const noexcept;
};

/// In place of the commit index where a leader does not know all that earlier ones have committed,
/// as it has committed nothing in its own term: whoever waits for all of that waits on.
constexpr Index kNotKnown = 0;

/// What the owner is still to be told.
struct PendingEvents {
    bool role = false;
    bool positions = false;
    bool commit = false;
    std::vector<std::pair<NodeId, Index>> answers;
    struct Loss {
        NodeId follower = insync::kNoNode;
        Index confirmed = 0;
        Index held = 0;
    };
    std::vector<Loss> losses;
};

struct RaftGroup::State {
    State(GroupId group,
          NodeId node,
          const std::vector<NodeId>& first_voters,
          std::string path,
          const RaftOptions& raft_options,
          Disk& node_disk,
          Loop& node_loop,
          Peers& node_peers,
          RaftEvents owner_events);
    ~State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    // raft_open.cpp: from disk to a core that runs.
    void load_or_bootstrap(const std::vector<NodeId>& first_voters);
    void bootstrap(const std::vector<NodeId>& first_voters);
    void reconcile_log();
    /// The producers' state of a snapshot, while it is being installed.
    [[nodiscard]] std::string producers_path() const { return directory + "/producers"; }
    void prepare_core();
    void start_core();

    // raft_step.cpp: the only caller of `raft_step`, and what must follow from a step.
    int step(raft_event& event, const OfferedEntries& offered = {});
    void step_or_throw(raft_event& event, const OfferedEntries& offered = {});
    void save_meta();
    void vote_for_leader();
    void append_entries(const raft_update& update, const OfferedEntries& offered);
    void send_messages(const raft_update& update);
    void send(const raft_message& message);
    [[nodiscard]] raft_message with_own_term(raft_message message) const;
    unsigned entries_that_fit(Index first, unsigned count) const;
    void install_snapshot(raft_update& update);
    void notice_role();
    void update_window();

    // raft_receive.cpp
    void receive(InboundMessage& inbound);
    bool acceptable(const InboundMessage& inbound) const;
    bool offsets_continue(const InboundMessage& inbound) const;
    void skip_what_was_dropped(InboundMessage& inbound) const;
    void note_answer(const InboundMessage& inbound);
    void note_commit_of_leader(const raft_append_entries& args);

    // raft_join.cpp: a node that has lost its disk.
    [[nodiscard]] bool may_help(const raft_message& message) const;
    [[nodiscard]] bool has_forgotten(const raft_request_vote& args) const;
    void follow(const raft_message& heard);
    void end_joining();
    bool has_lost_entries(const raft_message& answer);

    // raft_progress.cpp: durability, what is committed, retention.
    void start_sync();
    void check_sync() const;
    void finish_sync(const PartitionLog::Sync& sync, std::uint64_t restarts_before);
    void advance_high_watermark();
    void notify();
    void deliver_committed();
    void configuration_committed(Index index, std::string_view configuration);
    [[nodiscard]] Offset offset_after(Index index) const;
    void apply_retention();
    std::optional<Proposed> propose(std::string_view batch, Offset base_offset);

    [[nodiscard]] bool leading() const noexcept { return core.state == RAFT_LEADER; }
    [[nodiscard]] bool caught_up_with_its_term() const noexcept {
        return leading() && commit >= led_from;
    }
    [[nodiscard]] NodeId leader() noexcept;

    const GroupId id;
    const NodeId self;
    std::vector<NodeId> voters;
    const std::string directory;
    const RaftOptions options;
    Disk& disk;
    Loop& loop;
    Peers& peers;
    RaftEvents events;

    PartitionLog log;
    CommitMark mark;
    GroupMeta meta;
    raft core{};
    insync::ContactLog contacts;

    Index commit = 0;    ///< libraft's, but for its lapses
    Index delivered = 0; ///< up to where the owner was told, or needs not be
    Index high_watermark_index = 0;
    Offset high_watermark = 0;
    Index led_from =
        0; ///< while leading: once this is committed, so is all that leaders before did
    bool caught_up = false; ///< with what was committed when this was opened
    bool syncing = false;
    TimePoint sync_began{};     ///< meaningless unless syncing
    std::uint64_t restarts = 0; ///< how often the log began anew
    std::uint64_t average_size = 0;

    /// While joining: whom this node follows, since when, and what it must hold to have joined.
    struct Following {
        NodeId leader = insync::kNoNode;
        Term term = 0;
        TimePoint since{};
        std::optional<Index> wanted;
        bool held = false; ///< was so at an earlier tick
    } following;

    PendingEvents pending;
    bool notifying = false;
    struct Seen {
        bool leading = false;
        NodeId leader = insync::kNoNode;
        Term term = 0;
        bool operator==(const Seen&) const = default;
    } seen;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

} // namespace mini_broker
