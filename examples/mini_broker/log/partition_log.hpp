#pragma once

#include "io/disk.hpp"
#include "log/producers.hpp"
#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

struct LogOptions {
    std::uint64_t segment_bytes = 64u << 20;
    std::int64_t retention_bytes = -1; ///< of the whole log; -1 for no limit
    std::int64_t retention_ms = -1;    ///< by a segment's newest time stamp; -1 for no limit
};

/// One entry of the log: one record batch.
struct Entry {
    Index index = 0;
    Term term = 0;
    EntryKind kind = EntryKind::records;
    Offset base_offset = 0; ///< of its first record; entries that are no records have none
    Offset next_offset = 0; ///< base_offset + number of records
    std::uint32_t size = 0; ///< bytes, header included
};

/// One group's log: segment files of Kafka record batches that *are* the Raft log.
///
/// Raft's index counts batches, Kafka's offset counts records; entries that are no records (Raft's
/// own, the metadata's commands) are control batches with no record, so they take no offset. What
/// is on disk is what goes to followers and, but for those, to consumers.
///
/// Memory does not grow with the log: an index entry every few KiB of file. Entries are appended to
/// the page cache; durable is what a `sync` covered.
///
/// \par Thread safety
///     One thread, but for the function that `begin_sync` returns.
class PartitionLog {
public:
    /// Opens or makes the log in a directory. Checks every CRC of the last segment and cuts the log
    /// at the first batch that is not whole. Throws `DiskError`.
    PartitionLog(Disk& disk, std::string directory, const LogOptions& options);
    ~PartitionLog();
    PartitionLog(const PartitionLog&) = delete;
    PartitionLog& operator=(const PartitionLog&) = delete;

    /// The first index in the log; one more than the last where the log is empty.
    [[nodiscard]] Index first_index() const noexcept;
    [[nodiscard]] Index last_index() const noexcept;
    /// The first offset that a consumer may read, and the one that the next record will have.
    [[nodiscard]] Offset start_offset() const noexcept;
    [[nodiscard]] Offset end_offset() const noexcept;
    [[nodiscard]] std::uint64_t size_bytes() const noexcept;

    /// Appends one whole batch, whose base offset must be `end_offset()` and whose leader epoch is
    /// its term.
    void append(std::string_view batch);
    /// Drops every entry after `index`.
    void truncate_after(Index index);
    /// Empties the log; the next entry will be `next_index`, at `next_offset`. `producers`,
    /// encoded, are those of what was before it. Durable on return.
    void restart_at(Index next_index, Offset next_offset, std::string producers = {});

    /// Nothing where the entry is not, or no longer, in the log.
    [[nodiscard]] std::optional<Entry> entry(Index index) const;
    /// The entry that holds the record at `offset`, or the next records after it.
    [[nodiscard]] std::optional<Entry> entry_of(Offset offset) const;
    /// `visit(entry, payload of a change or command, else empty)` for `first` to `last`, in order.
    void for_each(Index first,
                  Index last,
                  const std::function<void(const Entry&, std::string_view)>& visit) const;
    /// Appends the bytes of whole entries `first` to `last` to `into`, as they are on disk.
    void read_entries(Index first, Index last, std::string& into) const;
    /// Appends whole record batches from the one that holds `offset` to `into`, of entries up to
    /// `last`, at most `max_bytes` but at least one batch. What is no records is left out.
    void read_records(Offset offset, Index last, std::size_t max_bytes, std::string& into) const;
    /// Bytes from the batch that holds `offset` to the end of the log, whatever they are.
    [[nodiscard]] std::uint64_t bytes_from(Offset offset) const;

    struct Timestamped {
        std::int64_t timestamp = -1;
        Offset offset = -1;
        Term term = 0;
    };
    /// The first batch, up to `last`, whose newest time stamp is at least `timestamp`.
    [[nodiscard]] Timestamped find_timestamp(std::int64_t timestamp, Index last) const;
    /// The batch with the newest time stamp of all, up to `last`.
    [[nodiscard]] Timestamped newest_timestamp(Index last) const;
    /// The largest term that is at most `term`, and the offset at which it ends; -1 if unknown.
    struct TermEnd {
        std::int64_t term = -1;
        Offset end = -1;
    };
    [[nodiscard]] TermEnd end_of_term(Term term) const;

    /// What idempotent producers wrote, up to the end of the log.
    [[nodiscard]] const Producers& producers() const noexcept;
    /// The same, encoded, for what was dropped from its start; empty where nothing was.
    [[nodiscard]] const std::string& producers_at_start() const noexcept;

    /// The last index that a `sync` has covered.
    [[nodiscard]] Index durable_index() const noexcept;
    struct Sync {
        std::function<void()> work; ///< on any thread
        Index upto = 0;
        std::uint64_t truncations = 0;
    };
    /// What would make the log durable up to its present end; nothing when it is already.
    [[nodiscard]] std::optional<Sync> begin_sync();
    /// After `work` has returned. \return whether `upto` is durable now: not if the log was
    /// truncated meanwhile
    bool end_sync(const Sync& sync);

    /// The last index that retention lets go of, at most `limit`; whole segments only, never the
    /// last one. 0 for none.
    [[nodiscard]] Index expired_upto(std::int64_t wall_ms, Index limit) const;
    /// Drops whole segments that end at or before `index`.
    void drop_upto(Index index);
    void set_retention(std::int64_t bytes, std::int64_t ms) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace mini_broker
