#include "raft/raft_group.hpp"

#include "log/record_batch.hpp"
#include "raft/group_state.hpp"

#include <algorithm>
#include <utility>

namespace mini_broker {

RaftGroup::RaftGroup(GroupId id,
                     NodeId self,
                     std::vector<NodeId> voters,
                     std::string directory,
                     const RaftOptions& options,
                     Disk& disk,
                     Loop& loop,
                     Peers& peers,
                     RaftEvents events)
    : state_(std::make_unique<State>(
          id, self, voters, std::move(directory), options, disk, loop, peers, std::move(events))) {}

RaftGroup::~RaftGroup() = default;

std::optional<RaftGroup::Proposed> RaftGroup::propose_records(std::string batch) {
    if (!leading() || raft_transferee(&state_->core) != 0) return std::nullopt;
    const Offset base_offset = state_->log.end_offset();
    set_position(batch, base_offset, state_->meta.term);
    return state_->propose(batch, base_offset);
}

std::optional<RaftGroup::Proposed> RaftGroup::propose_command(std::string_view command) {
    if (!leading() || raft_transferee(&state_->core) != 0) return std::nullopt;
    const Offset base_offset = state_->log.end_offset();
    return state_->propose(make_entry(EntryKind::command, state_->meta.term, base_offset, command,
                                      state_->loop.wall_ms()),
                           base_offset);
}

void RaftGroup::receive(NodeId from, std::uint8_t type, std::string_view payload) {
    if (std::optional<InboundMessage> inbound = decode_message(from, type, payload))
        state_->receive(*inbound);
    state_->notify();
}

void RaftGroup::tick() {
    const TimePoint now = state_->loop.now();
    state_->check_sync();
    if (state_->meta.joining) state_->end_joining();
    if (raft_timeout(&state_->core) <= static_cast<raft_time>(now.time_since_epoch().count())) {
        raft_event event{};
        event.type = RAFT_TIMEOUT;
        state_->step_or_throw(event);
    }
    state_->mark.store_if_due(state_->commit, now);
    state_->notify();
}

void RaftGroup::transfer_to(NodeId node) {
    if (!leading() || node <= 0) return;
    raft_event event{};
    event.type = RAFT_TRANSFER;
    event.transfer.server_id = static_cast<raft_id>(node);
    (void)state_->step(event); // refused for a node that is no other voter, or while one goes on
    state_->notify();
}

void RaftGroup::apply_retention() {
    state_->apply_retention();
    state_->notify();
}

void RaftGroup::applied_upto(Index index) noexcept {
    state_->delivered = std::max(state_->delivered, index);
}

GroupId RaftGroup::id() const noexcept {
    return state_->id;
}
bool RaftGroup::leading() const noexcept {
    return state_->leading();
}
bool RaftGroup::joining() const noexcept {
    return state_->meta.joining;
}
NodeId RaftGroup::leader() const noexcept {
    return state_->leader();
}
Term RaftGroup::term() const noexcept {
    return raft_current_term(&state_->core);
}
Index RaftGroup::commit_index() const noexcept {
    return state_->commit;
}
Index RaftGroup::last_index() const noexcept {
    return state_->log.last_index();
}

bool RaftGroup::caught_up_with_its_term() const noexcept {
    return state_->caught_up_with_its_term();
}

bool RaftGroup::caught_up_since_opened() const noexcept {
    return state_->caught_up;
}

Index RaftGroup::readable_index() const noexcept {
    return state_->high_watermark_index;
}

Offset RaftGroup::high_watermark() const noexcept {
    return state_->high_watermark;
}
const std::vector<NodeId>& RaftGroup::voters() const noexcept {
    return state_->voters;
}
PartitionLog& RaftGroup::log() noexcept {
    return state_->log;
}
const PartitionLog& RaftGroup::log() const noexcept {
    return state_->log;
}
raft* RaftGroup::core() noexcept {
    return &state_->core;
}
const insync::ContactLog& RaftGroup::contacts() const noexcept {
    return state_->contacts;
}

} // namespace mini_broker
