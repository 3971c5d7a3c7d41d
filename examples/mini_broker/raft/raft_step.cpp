#include "log/record_batch.hpp"
#include "raft/configuration.hpp"
#include "raft/group_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace mini_broker {
namespace {

constexpr unsigned kTermOrVote = (RAFT_UPDATE_CURRENT_TERM) | (RAFT_UPDATE_VOTED_FOR);
constexpr unsigned kEntries = (RAFT_UPDATE_ENTRIES);
constexpr unsigned kSnapshot = (RAFT_UPDATE_SNAPSHOT);
constexpr unsigned kMessages = (RAFT_UPDATE_MESSAGES);

constexpr unsigned kLeastWindow = 16;
constexpr unsigned kMostWindow = 65536;

/// What a step has made ours to free, also when a disk fails before it was of use.
class HandedOver {
public:
    explicit HandedOver(raft_update& update) : update_(update) {}
    ~HandedOver() {
        if ((update_.flags & kEntries) != 0) raft_free(update_.entries.batch[0].batch);
        if ((update_.flags & kSnapshot) == 0) return;
        raft_free(update_.snapshot.chunk.base);
        raft_configuration_close(&update_.snapshot.metadata.configuration);
    }
    HandedOver(const HandedOver&) = delete;
    HandedOver& operator=(const HandedOver&) = delete;

private:
    raft_update& update_;
};

} // namespace

std::optional<std::string_view> OfferedEntries::batch_of(const raft_entry& entry) const noexcept {
    const std::less<const raft_entry*> before;
    if (count == 0 || before(&entry, entries) || !before(&entry, entries + count))
        return std::nullopt;
    return batches[&entry - entries];
}

/// \return libraft's code where it refuses; then nothing has changed
int RaftGroup::State::step(raft_event& event, const OfferedEntries& offered) {
    const bool led = leading();
    raft_update update{};
    event.time = static_cast<raft_time>(loop.now().time_since_epoch().count());
    event.capacity = 0;
    if (const int code = raft_step(&core, &event, &update); code != 0) return code;

    const HandedOver handed_over(update);
    // What is sent below may rest on the term and vote, so they are durable first.
    if ((update.flags & kTermOrVote) != 0) {
        meta.term = raft_current_term(&core);
        meta.vote = static_cast<NodeId>(raft_voted_for(&core));
        if (meta.vote != 0) meta.joining = false; // the group is as new as this node: `may_help`
        if (meta.vote == 0) vote_for_leader();
        save_meta();
    }
    if ((update.flags & kEntries) != 0) append_entries(update, offered);
    if (leading() && !led) led_from = log.last_index();
    if ((update.flags & kMessages) != 0) send_messages(update);
    if ((update.flags & kSnapshot) != 0) install_snapshot(update); // steps again: messages are gone

    // An AppendEntries that is late and short makes libraft take its own end for the commit index,
    // though more was known to be committed before.
    commit = std::max<Index>(commit, raft_commit_index(&core));
    core.commit_index = commit;
    if (caught_up_with_its_term()) caught_up = true;
    advance_high_watermark();
    notice_role();
    start_sync();
    return 0;
}

/// Where a leader is known nobody else can be elected, so its followers may as well have voted for
/// it: whoever has forgotten that this term is taken then gets no second majority in it.
void RaftGroup::State::vote_for_leader() {
    const NodeId known = leader();
    if (known == insync::kNoNode) return;
    meta.vote = known;
    core.voted_for = static_cast<raft_id>(known);
}

void RaftGroup::State::step_or_throw(raft_event& event, const OfferedEntries& offered) {
    if (const int code = step(event, offered); code != 0)
        throw RaftError(fmt::format("{}: libraft refuses event {} with code {}: {}", directory,
                                    static_cast<int>(event.type), code, raft_errmsg(&core)));
}

void RaftGroup::State::save_meta() {
    disk.replace(directory + "/meta", meta.encode());
}

void RaftGroup::State::append_entries(const raft_update& update, const OfferedEntries& offered) {
    const Index first = update.entries.index;
    if (first <= log.last_index()) log.truncate_after(first - 1);
    if (first != log.last_index() + 1 || update.entries.n == 0)
        throw RaftError(directory + ": libraft leaves a gap in the log");
    for (unsigned i = 0; i < update.entries.n; ++i) {
        const raft_entry& entry = update.entries.batch[i];
        std::optional<std::string_view> batch = offered.batch_of(entry);
        std::string own;
        if (!batch) { // what a new leader begins with is libraft's own
            own = make_entry(EntryKind::barrier, entry.term, log.end_offset(), {}, loop.wall_ms());
            batch = own;
        }
        log.append(*batch);
        average_size = (average_size * 15 + batch->size()) / 16;
    }
    update_window();
    pending.positions = true;
}

void RaftGroup::State::send_messages(const raft_update& update) {
    for (unsigned i = 0; i < update.messages.n; ++i) send(update.messages.batch[i]);
}

/// libraft denies a pre-vote in the candidate's own words, also where it is of a term long over.
/// With a longer log, and a third node gone, that candidate would ask in vain for ever: it must
/// hear how far the terms have come.
raft_message RaftGroup::State::with_own_term(raft_message message) const {
    if (message.type == RAFT_REQUEST_VOTE_RESULT && message.request_vote_result.pre_vote &&
        !message.request_vote_result.vote_granted)
        message.request_vote_result.term =
            std::max<Term>(message.request_vote_result.term, meta.term);
    return message;
}

void RaftGroup::State::send(const raft_message& message) {
    if (!may_help(message)) return;
    std::string* const out = peers.outbox(static_cast<NodeId>(message.server_id));
    if (out == nullptr) return;
    const FrameWriter frame(*out, id, static_cast<std::uint8_t>(message.type));
    if (message.type != RAFT_APPEND_ENTRIES) {
        encode_message(with_own_term(message),
                       {meta.configuration, meta.snapshot_offset, log.producers_at_start()}, *out);
        return;
    }
    raft_message limited = message;
    const Index first = message.append_entries.prev_log_index + 1;
    const unsigned count = entries_that_fit(first, message.append_entries.n_entries);
    limited.append_entries.n_entries = count;
    if (message.append_entries.leader_commit < led_from)
        limited.append_entries.leader_commit = kNotKnown;
    encode_message(limited, {}, *out);
    if (count != 0) log.read_entries(first, first + count - 1, *out);
}

/// libraft's window counts entries, which may be of any size. The rest of a message that is cut is
/// asked for again as if it had been lost.
unsigned RaftGroup::State::entries_that_fit(Index first, unsigned count) const {
    if (count <= 1 || average_size * count <= options.window_bytes / 16) return count;
    std::size_t bytes = 0;
    unsigned fit = 0;
    while (fit < count) {
        const std::optional<Entry> entry = log.entry(first + fit);
        if (!entry) throw RaftError(directory + ": an entry to be sent is not in the log");
        bytes += entry->size;
        if (fit != 0 && bytes > options.window_bytes) break;
        ++fit;
    }
    return fit;
}

/// The leader's log begins behind all that this node holds, so its log begins anew there.
void RaftGroup::State::install_snapshot(raft_update& update) {
    const raft_snapshot_metadata snapshot = update.snapshot.metadata;
    meta.snapshot_index = snapshot.index;
    meta.snapshot_term = snapshot.term;
    meta.configuration_index = snapshot.configuration_index;
    const SnapshotContent content =
        decode_snapshot_content(
            {static_cast<const char*>(update.snapshot.chunk.base), update.snapshot.chunk.len})
            .value();
    meta.snapshot_offset = content.next_offset;
    meta.configuration = content.configuration;
    const std::string producers{content.producers};
    // First, for a crash before the log has begun anew: `reconcile_log` needs it then.
    disk.replace(producers_path(), producers);
    voters = voters_of(meta.configuration).value();
    meta.restarting = true;
    save_meta();
    log.restart_at(meta.snapshot_index + 1, meta.snapshot_offset, producers);
    ++restarts;
    meta.restarting = false;
    save_meta();
    disk.remove(producers_path());
    delivered = std::max(delivered, meta.snapshot_index);

    raft_event event{};
    event.type = RAFT_PERSISTED_SNAPSHOT;
    event.persisted_snapshot.metadata = snapshot;
    // The configuration is libraft's again.
    raft_configuration_init(&update.snapshot.metadata.configuration);
    event.persisted_snapshot.offset = 0;
    event.persisted_snapshot.last = true;
    step_or_throw(event);
}

NodeId RaftGroup::State::leader() noexcept {
    if (leading()) return self; // during a transfer libraft names nobody, but nobody else leads
    // A new term leaves libraft with the leader of the one before, until an append of the new one
    // has matched. Whoever voted for that leader now would vote against the one that is coming.
    if (raft_state(&core) != RAFT_FOLLOWER || core.follower_state.match == 0)
        return insync::kNoNode;
    raft_id node = 0;
    const char* address = nullptr;
    raft_leader(&core, &node, &address);
    return node == 0 ? insync::kNoNode : static_cast<NodeId>(node);
}

void RaftGroup::State::notice_role() {
    const Seen now{leading(), leader(), raft_current_term(&core)};
    if (now == seen) return;
    seen = now;
    pending.role = true;
}

void RaftGroup::State::update_window() {
    const std::uint64_t average = std::max<std::uint64_t>(average_size, kBatchHeader);
    const auto entries = static_cast<unsigned>(
        std::clamp<std::uint64_t>(options.window_bytes / average, kLeastWindow, kMostWindow));
    if (core.max_inflight_entries != entries) raft_set_max_inflight_entries(&core, entries);
}

} // namespace mini_broker
