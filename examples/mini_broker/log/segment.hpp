#pragma once

#include "io/disk.hpp"
#include "log/file_window.hpp"
#include "log/producers.hpp"
#include "log/record_batch.hpp"
#include "log/segment_index.hpp"
#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mini_broker {

/// An entry as its header tells of it.
struct ScannedEntry {
    Located at;
    BatchHeader header;
};

/// What the entry after the last one must be like.
struct NextEntry {
    Index index = 1;
    std::uint64_t position = 0;
    Offset offset = 0;
    Term least_term = 0;
};

/// The entry whose header (and, of a control batch, one byte more) these bytes begin with; nothing
/// where they cannot be the next entry of a log.
[[nodiscard]] std::optional<ScannedEntry> read_entry(std::string_view bytes,
                                                     const NextEntry& next) noexcept;

/// One file of a log, and what is known of it.
///
/// The last segment of a log is open: it grows. Of a closed one only the summary stays in memory;
/// the file handle and the block index come when they are needed, and may be let go of again once
/// its sidecar is written.
class Segment {
public:
    using Visit = std::function<void(const ScannedEntry&)>;

    /// An open segment; what its file holds already is not known before `recover`.
    Segment(Disk& disk, const std::string& directory, Index first, Offset first_offset);
    /// A closed one that has a sidecar.
    Segment(Disk& disk, const std::string& directory, SegmentSummary summary);

    [[nodiscard]] static std::string file_name(Index first);
    [[nodiscard]] static std::string sidecar_name(Index first);

    [[nodiscard]] const SegmentSummary& summary() const noexcept { return summary_; }
    [[nodiscard]] NextEntry next_entry(Term least_term) const noexcept;
    [[nodiscard]] const std::shared_ptr<File>& file() const noexcept { return file_; }

    /// Reads the file from its beginning, CRCs and all, up to the first batch that is not whole.
    /// \return whether all of the file is whole
    bool recover(Term least_term, const Visit& visit);
    void append(std::string_view batch, const ScannedEntry& entry);
    /// Drops what is not before `end`, durably. Reads the headers of what stays.
    void truncate(Index end, const Visit& visit);
    /// No more will be appended.
    void close(std::string producers);

    [[nodiscard]] bool has_sidecar() const noexcept { return has_sidecar_; }
    /// Only once the file is durable.
    void write_sidecar();
    /// Before the file may change again.
    void remove_sidecar();
    /// The file too.
    void remove();
    /// The producers' state at the end of a closed segment.
    [[nodiscard]] Producers producers() const;

    [[nodiscard]] bool loaded() const noexcept { return file_ != nullptr; }
    void load();
    void unload();

    // What follows needs a segment that is loaded.

    /// The entry `index`, which must be in the segment.
    [[nodiscard]] Located find(Index index) const;
    /// The first entry that ends beyond `offset`; there must be one.
    [[nodiscard]] Located find_offset(Offset offset) const;
    /// The first records, up to `last`, with a time stamp of at least `timestamp`.
    [[nodiscard]] std::optional<Located> find_timestamp(std::int64_t timestamp, Index last) const;
    /// The newest time stamp of the records up to `last`, else -1.
    [[nodiscard]] std::int64_t newest_timestamp(Index last) const;
    /// `visit` from entry `first` on, until it returns false or the segment ends.
    void walk(Index first, const std::function<bool(const Located&)>& visit) const;
    /// Appends `size` bytes of the file to `into`.
    void read(std::uint64_t position, std::uint64_t size, std::string& into) const;
    /// Throws that the segment is not what it was.
    [[noreturn]] void damaged(std::string_view what) const;

private:
    /// A place from which headers can be read one after another.
    struct From {
        Index index = 0;
        std::uint64_t position = 0;
    };
    [[nodiscard]] From nearest(Index index) const noexcept;
    [[nodiscard]] From from(const Block* block) const noexcept;
    void read_headers(From from,
                      std::size_t ahead,
                      const std::function<bool(const ScannedEntry&)>& visit) const;
    void take_in(const ScannedEntry& entry);

    Disk& disk_;
    std::string path_;
    std::string sidecar_path_;
    SegmentSummary summary_;
    BlockIndex index_;
    std::shared_ptr<File> file_;
    std::string producers_; // at the end, until the sidecar has it
    bool has_sidecar_ = false;
    mutable From last_found_; // whoever reads on from here finds it at once
};

} // namespace mini_broker
