#include "raft/configuration.hpp"
#include "raft/group_state.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace mini_broker {
namespace {

void* allocate(std::size_t size) {
    void* const memory = raft_malloc(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

/// `install_snapshot` reads it back.
raft_buffer pack(const SnapshotContent& content) {
    const std::string bytes = encode(content);
    void* const memory = allocate(bytes.size());
    std::memcpy(memory, bytes.data(), bytes.size());
    return {memory, bytes.size()};
}

constexpr char kNoAddress[] = ""; // links are found by node id

} // namespace

void RaftGroup::State::receive(InboundMessage& inbound) {
    raft_message& message = inbound.message;
    if (!acceptable(inbound) || has_lost_entries(message)) return;
    message.server_address = kNoAddress;
    OfferedEntries offered;
    if (message.type == RAFT_APPEND_ENTRIES) {
        skip_what_was_dropped(inbound);
        if (!offsets_continue(inbound)) return;
        offered = {inbound.entries.data(), inbound.batches.data(), inbound.entries.size()};
        if (message.append_entries.n_entries != 0) {
            // libraft frees what `batch` points to, but never looks into it: the bytes stay where
            // they are, and this stands in for them.
            void* const stand_in = allocate(1);
            for (raft_entry& entry : inbound.entries) entry.batch = stand_in;
        }
    } else if (message.type == RAFT_INSTALL_SNAPSHOT) {
        message.install_snapshot.conf = decode_configuration(inbound.snapshot.configuration);
        message.install_snapshot.data = pack(inbound.snapshot);
    }
    raft_event event{};
    event.type = RAFT_RECEIVE;
    event.receive.message = &message;
    step_or_throw(event, offered);
    if (meta.joining && message.type == RAFT_APPEND_ENTRIES) follow(message);
    if (message.type == RAFT_APPEND_ENTRIES) note_commit_of_leader(message.append_entries);
    if (message.type == RAFT_APPEND_ENTRIES_RESULT) note_answer(inbound);
}

/// What libraft takes for granted of a message, and only asserts.
bool RaftGroup::State::acceptable(const InboundMessage& inbound) const {
    const raft_message& message = inbound.message;
    const auto from = static_cast<NodeId>(message.server_id);
    if (from == self || std::find(voters.begin(), voters.end(), from) == voters.end()) return false;
    if (!may_help(message)) return false;
    const bool rival = leading(); // of the same term there can be no other leader
    switch (message.type) {
    case RAFT_APPEND_ENTRIES:
        if (rival && message.append_entries.term == meta.term) return false;
        return true;
    case RAFT_INSTALL_SNAPSHOT: {
        const raft_install_snapshot& args = message.install_snapshot;
        if (rival && args.term == meta.term) return false;
        if (args.last_index > commit || args.last_index <= meta.snapshot_index) return true;
        // Of what is committed there is only one version.
        const std::optional<Entry> ours = log.entry(args.last_index);
        return ours && ours->term == args.last_term;
    }
    case RAFT_REQUEST_VOTE: {
        return message.request_vote.candidate_id == message.server_id &&
               !has_forgotten(message.request_vote);
    }
    default: return true;
    }
}

/// Whether the first of the entries begins at the offset where the one before it ends. Where this
/// node has another entry there, or none, libraft refuses them all, and the leader must hear that.
bool RaftGroup::State::offsets_continue(const InboundMessage& inbound) const {
    const raft_append_entries& args = inbound.message.append_entries;
    if (args.n_entries == 0 || args.prev_log_index > log.last_index()) return true;
    const std::ptrdiff_t at = args.entries - inbound.entries.data();
    const auto first = parse_header(inbound.batches[static_cast<std::size_t>(at)]);
    if (first && first->base_offset == offset_after(args.prev_log_index)) return true;
    const std::optional<Entry> before = log.entry(args.prev_log_index);
    return before && before->term != args.prev_log_term;
}

/// A leader may go back to entries that this node has dropped, and that it has therefore, as they
/// are committed. libraft would refuse them for ever: it looks for the entry before.
void RaftGroup::State::skip_what_was_dropped(InboundMessage& inbound) const {
    raft_append_entries& args = inbound.message.append_entries;
    if (args.prev_log_index >= meta.snapshot_index) return;
    const Index known = meta.snapshot_index - args.prev_log_index;
    const auto skipped = static_cast<unsigned>(std::min<Index>(known, args.n_entries));
    args.entries += skipped;
    args.n_entries -= skipped;
    args.prev_log_index = meta.snapshot_index;
    args.prev_log_term = meta.snapshot_term;
}

void RaftGroup::State::note_answer(const InboundMessage& inbound) {
    const raft_append_entries_result& result = inbound.message.append_entries_result;
    if (!leading() || result.term != raft_current_term(&core)) return;
    const auto from = static_cast<NodeId>(inbound.message.server_id);
    contacts.note_append_result(from, result.term, result.rejected == 0, loop.now());
    raft_index match = 0;
    if (contacts.find(from, result.term).verified)
        raft_match_index(&core, inbound.message.server_id, &match);
    pending.answers.emplace_back(from, match);
}

void RaftGroup::State::note_commit_of_leader(const raft_append_entries& args) {
    if (args.term != meta.term || args.leader_commit == kNotKnown) return;
    if (args.leader_commit <= commit) caught_up = true;
}

} // namespace mini_broker
