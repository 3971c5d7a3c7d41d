#include "log/record_batch.hpp"
#include "raft/configuration.hpp"
#include "raft/group_state.hpp"

#include <algorithm>

namespace mini_broker {
namespace {

constexpr Term kFirstTerm = 1;

std::string made_directory(Disk& disk, std::string path) {
    disk.make_directory(path);
    const std::size_t slash = path.rfind('/');
    disk.sync_directory(slash == std::string::npos ? std::string(".") : path.substr(0, slash));
    return path;
}

void sync_now(PartitionLog& log) {
    if (const auto sync = log.begin_sync()) {
        sync->work();
        log.end_sync(*sync);
    }
}

} // namespace

RaftGroup::State::State(GroupId group,
                        NodeId node,
                        const std::vector<NodeId>& first_voters,
                        std::string path,
                        const RaftOptions& raft_options,
                        Disk& node_disk,
                        Loop& node_loop,
                        Peers& node_peers,
                        RaftEvents owner_events)
    : id(group),
      self(node),
      directory(made_directory(node_disk, std::move(path))),
      options(raft_options),
      disk(node_disk),
      loop(node_loop),
      peers(node_peers),
      events(std::move(owner_events)),
      log(node_disk, directory + "/log", raft_options.log),
      mark(node_disk, directory) {
    load_or_bootstrap(first_voters);
    reconcile_log();
    sync_now(log); // libraft counts as durable what it starts with
    disk.sync_directory(directory);
    prepare_core();
    try {
        start_core();
    } catch (...) {
        raft_close(&core, nullptr);
        throw;
    }
}

RaftGroup::State::~State() {
    try {
        mark.store(commit);
    } catch (const DiskError&) {
        // Only the mark is lost, and an older one is as true.
    }
    raft_close(&core, nullptr);
}

void RaftGroup::State::load_or_bootstrap(const std::vector<NodeId>& first_voters) {
    const std::optional<std::string> bytes = disk.read_whole(directory + "/meta");
    if (!bytes) {
        bootstrap(first_voters);
    } else {
        std::optional<GroupMeta> loaded = GroupMeta::decode(*bytes);
        if (!loaded) throw DiskError(directory + "/meta is damaged");
        meta = std::move(*loaded);
        voters = voters_of(meta.configuration).value();
        // Alone, a node is made leader without an election and so without a new term. But what it
        // leads from here is another log if the end of the old one was lost: clients must see that.
        if (voters.size() == 1 && voters.front() == self && meta.term < kMostTerm) {
            ++meta.term;
            meta.vote = self;
            save_meta();
        }
    }
}

/// Every node's first entry is the same, so that nobody needs to be told the first configuration.
void RaftGroup::State::bootstrap(const std::vector<NodeId>& first_voters) {
    if (log.last_index() > 1 || log.first_index() != 1)
        throw DiskError(directory + "/meta is missing beside a log that is not new");
    meta.configuration = encode_configuration(first_voters);
    voters = first_voters;
    if (log.last_index() == 0)
        log.append(make_entry(EntryKind::change, kFirstTerm, 0, meta.configuration, 0));
    sync_now(log);
    meta.term = kFirstTerm;
    meta.configuration_index = 1;
    // Of two voters both are needed for everything, so that the other one alone knows it all.
    meta.joining = options.may_have_been_here && voters.size() > 2;
    save_meta();
}

/// Finishes what a crash may have left half done between the file and the log.
void RaftGroup::State::reconcile_log() {
    const Index snapshot = meta.snapshot_index;
    if (snapshot == 0) {
        if (log.first_index() != 1 || log.last_index() < 1)
            throw DiskError(directory + ": the log does not begin with its first entry");
        return;
    }
    const std::optional<Entry> last_dropped = log.entry(snapshot);
    const bool other = last_dropped && last_dropped->term != meta.snapshot_term;
    if (meta.restarting || other || log.last_index() < snapshot) {
        const std::string producers =
            meta.restarting ? disk.read_whole(producers_path()).value_or("") : "";
        log.restart_at(snapshot + 1, meta.snapshot_offset, producers);
        meta.restarting = false;
        save_meta();
        disk.remove(producers_path());
    } else if (log.first_index() > snapshot + 1) {
        throw DiskError(directory + ": entries are missing at the log's start");
    } else {
        log.drop_upto(snapshot);
    }
}

void RaftGroup::State::prepare_core() {
    if (raft_init(&core, nullptr, nullptr, static_cast<raft_id>(self),
                  std::to_string(self).c_str()) != 0)
        throw RaftError("raft_init failed");
    const auto ms = [](Millis time) { return static_cast<unsigned>(time.count()); };
    raft_seed(&core, options.seed);
    raft_set_election_timeout(&core, ms(options.election_timeout));
    raft_set_heartbeat_timeout(&core, ms(options.heartbeat));
    // A snapshot is a few hundred bytes: one that is not confirmed soon is lost.
    raft_set_install_snapshot_timeout(&core, 2 * ms(options.election_timeout));
    raft_set_pre_vote(&core, true);
    update_window();
}

void RaftGroup::State::start_core() {
    // libraft looks at term and kind only, and at the content of configurations.
    std::vector<raft_entry> entries;
    std::vector<std::string> configurations;
    entries.reserve(log.last_index() - log.first_index() + 1);
    log.for_each(log.first_index(), log.last_index(),
                 [&](const Entry& entry, std::string_view payload) {
                     raft_entry& added = entries.emplace_back();
                     added.term = entry.term;
                     added.type = RAFT_COMMAND;
                     if (entry.kind == EntryKind::change) {
                         if (!voters_of(payload))
                             throw DiskError(directory + ": a configuration is damaged");
                         added.type = RAFT_CHANGE;
                         configurations.emplace_back(payload);
                     }
                 });
    std::size_t next = 0;
    for (raft_entry& entry : entries)
        if (entry.type == RAFT_CHANGE) {
            std::string& bytes = configurations[next++];
            entry.buf = raft_buffer{bytes.data(), bytes.size()};
        }
    if (!entries.empty() && entries.back().term > meta.term)
        throw DiskError(directory + "/meta is older than the log");

    delivered = std::max(meta.snapshot_index, log.first_index() - 1);
    raft_snapshot_metadata snapshot{};
    raft_event event{};
    event.type = RAFT_START;
    event.start.term = meta.term;
    event.start.voted_for = static_cast<raft_id>(meta.vote);
    if (meta.snapshot_index != 0) {
        snapshot.index = meta.snapshot_index;
        snapshot.term = meta.snapshot_term;
        snapshot.configuration_index = std::min(meta.configuration_index, meta.snapshot_index);
        snapshot.configuration = decode_configuration(meta.configuration); // libraft's from here
        event.start.metadata = &snapshot;
    }
    event.start.start_index = log.first_index();
    event.start.entries = entries.data();
    event.start.n_entries = static_cast<unsigned>(entries.size());
    high_watermark_index = std::max(meta.snapshot_index, std::min(mark.stored(), log.last_index()));
    high_watermark = offset_after(high_watermark_index);
    pending.commit = high_watermark_index > delivered; // told by the first tick
    step_or_throw(event);
}

} // namespace mini_broker
