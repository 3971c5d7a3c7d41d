#include "raft/configuration.hpp"
#include "raft/group_state.hpp"

#include <algorithm>
#include <chrono>

namespace mini_broker {
namespace {

constexpr Index kDeliveredAtOnce = 512;

struct Delivery {
    Entry entry;
    std::string payload;
};

} // namespace

void RaftGroup::State::start_sync() {
    if (syncing) return;
    std::optional<PartitionLog::Sync> begun = log.begin_sync();
    if (!begun) return;
    syncing = true;
    sync_began = loop.now();
    struct Timed {
        PartitionLog::Sync sync;
        std::chrono::nanoseconds took{};
    };
    const auto timed = std::make_shared<Timed>(Timed{std::move(*begun), {}});
    loop.in_background(
        [timed] {
            const auto began = std::chrono::steady_clock::now();
            timed->sync.work();
            timed->took = std::chrono::steady_clock::now() - began;
        },
        [this, timed, restarts_before = restarts, group = std::weak_ptr<bool>(alive)] {
            if (group.expired()) return;
            if (events.synced) events.synced(timed->took);
            finish_sync(timed->sync, restarts_before);
        });
}

/// A disk that neither works nor fails would leave the node alive and useless.
void RaftGroup::State::check_sync() const {
    constexpr Millis kLongest{30'000};
    if (syncing && insync::saturating_age(loop.now(), sync_began) > kLongest)
        throw DiskError(directory + ": a sync of the log has not returned for 30 seconds");
}

void RaftGroup::State::finish_sync(const PartitionLog::Sync& sync, std::uint64_t restarts_before) {
    syncing = false;
    const bool durable = log.end_sync(sync) && restarts == restarts_before;
    if (durable && sync.upto > core.last_stored && sync.upto <= log.last_index()) {
        raft_event event{};
        event.type = RAFT_PERSISTED_ENTRIES;
        event.persisted_entries.index = sync.upto;
        pending.positions = true;
        step_or_throw(event);
    }
    start_sync();
    notify();
}

Offset RaftGroup::State::offset_after(Index index) const {
    if (index == meta.snapshot_index) return meta.snapshot_offset;
    if (index == log.last_index()) return log.end_offset();
    const std::optional<Entry> entry = log.entry(index);
    if (!entry) throw RaftError(directory + ": a committed entry is not in the log");
    return entry->next_offset;
}

void RaftGroup::State::advance_high_watermark() {
    if (commit > delivered) pending.commit = true;
    if (commit <= high_watermark_index) return;
    high_watermark_index = commit;
    high_watermark = std::max(high_watermark, offset_after(commit));
    pending.commit = true;
}

/// Tells the owner what has happened. A callback may propose, which steps again: what that brings
/// is told by the same loop, so that steps and callbacks never nest.
void RaftGroup::State::notify() {
    if (notifying) return;
    notifying = true;
    const std::unique_ptr<bool, void (*)(bool*)> done(&notifying,
                                                      [](bool* flag) { *flag = false; });
    for (bool told = true; told;) {
        told = false;
        if (std::exchange(pending.role, false)) {
            told = true;
            if (events.role_changed) events.role_changed();
        }
        if (std::exchange(pending.commit, false)) {
            told = true;
            deliver_committed();
            if (events.commit_moved) events.commit_moved();
        }
        if (std::exchange(pending.positions, false) && leading()) {
            told = true;
            if (events.positions_moved) events.positions_moved();
        }
        for (const PendingEvents::Loss& loss : std::exchange(pending.losses, {})) {
            told = true;
            if (events.entries_lost) events.entries_lost(loss.follower, loss.confirmed, loss.held);
        }
        for (const auto& [follower, match] : std::exchange(pending.answers, {})) {
            told = true;
            if (events.answered && leading()) events.answered(follower, match);
        }
    }
}

void RaftGroup::State::deliver_committed() {
    std::vector<Delivery> batch;
    // After a restart more is known to be committed than libraft knows before it hears of a leader.
    const auto known = [this] { return std::max(commit, high_watermark_index); };
    while (delivered < known()) {
        // The log is not read while callbacks run: they may append to it.
        batch.clear();
        const Index last = std::min(known(), delivered + kDeliveredAtOnce);
        log.for_each(delivered + 1, last, [&](const Entry& entry, std::string_view payload) {
            batch.push_back({entry, std::string(payload)});
        });
        for (const Delivery& delivery : batch) {
            if (delivery.entry.index <= delivered) continue; // its owner said so meanwhile
            delivered = delivery.entry.index;
            if (delivery.entry.kind == EntryKind::change)
                configuration_committed(delivery.entry.index, delivery.payload);
            if (events.committed) events.committed(delivery.entry, delivery.payload);
        }
        delivered = std::max(delivered, last);
    }
}

void RaftGroup::State::configuration_committed(Index index, std::string_view configuration) {
    if (index <= meta.configuration_index) return;
    meta.configuration_index = index;
    meta.configuration = configuration;
    voters = voters_of(meta.configuration).value();
    save_meta();
    raft_event event{};
    event.type = RAFT_CONFIGURATION;
    event.configuration.index = index;
    event.configuration.conf = decode_configuration(configuration);
    step_or_throw(event);
}

void RaftGroup::State::apply_retention() {
    const Index limit = std::min({commit, delivered, Index{core.last_stored}});
    const Index upto = log.expired_upto(loop.wall_ms(), limit);
    if (upto <= meta.snapshot_index) return;
    const std::optional<Entry> last = log.entry(upto);
    if (!last) throw RaftError(directory + ": an entry that has expired is not in the log");
    meta.snapshot_index = upto;
    meta.snapshot_term = last->term;
    meta.snapshot_offset = last->next_offset;
    save_meta();
    log.drop_upto(upto);
    raft_event event{};
    event.type = RAFT_SNAPSHOT;
    event.snapshot.metadata.index = upto;
    event.snapshot.metadata.term = last->term;
    event.snapshot.metadata.configuration_index = std::min(meta.configuration_index, upto);
    event.snapshot.metadata.configuration = decode_configuration(meta.configuration);
    event.snapshot.trailing = 0;
    step_or_throw(event);
}

/// \param batch  whole, with its offset and term set
std::optional<RaftGroup::Proposed> RaftGroup::State::propose(std::string_view batch,
                                                             Offset base_offset) {
    raft_entry entry{};
    entry.term = meta.term;
    entry.type = RAFT_COMMAND;
    entry.buf = raft_buffer{const_cast<char*>(batch.data()), batch.size()};
    entry.batch = raft_malloc(1); // libraft wants something to free
    raft_event event{};
    event.type = RAFT_SUBMIT;
    event.submit.entries = &entry;
    event.submit.n = 1;
    if (const int code = step(event, {&entry, &batch, 1}); code != 0) {
        raft_free(entry.batch);
        if (code == RAFT_NOTLEADER) return std::nullopt;
        throw RaftError(directory + ": libraft refuses an entry");
    }
    const Proposed proposed{log.last_index(), entry.term, base_offset};
    notify();
    return proposed;
}

} // namespace mini_broker
