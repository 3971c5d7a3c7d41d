#pragma once

#include "io/disk.hpp"
#include "log/log_start.hpp"
#include "log/partition_log.hpp"
#include "log/producers.hpp"
#include "log/segment.hpp"
#include "log/tail.hpp"
#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

/// The parts of a log, for those who open, write and read it.
struct PartitionLog::State {
    State(Disk& disk_, std::string directory_, const LogOptions& options_);

    Disk& disk;
    std::string directory;
    LogOptions options;
    LogStart start;
    std::vector<std::unique_ptr<Segment>> segments; ///< in order; the last one is open
    Tail tail;
    Producers producers;
    Index durable = 0;
    std::uint64_t truncations = 0;
    /// The first entry of the newest segment whose name may not be durable yet.
    std::optional<Index> unsynced_name;

    [[nodiscard]] Segment& open_segment() const noexcept { return *segments.back(); }
    [[nodiscard]] Index first_index() const noexcept { return segments.front()->summary().first; }
    [[nodiscard]] Index last_index() const noexcept { return open_segment().summary().end - 1; }
    [[nodiscard]] bool holds(Index index) const noexcept {
        return index >= first_index() && index <= last_index();
    }
    [[nodiscard]] Term last_term() const noexcept;
    /// Those before segment `position`.
    [[nodiscard]] Producers producers_before(std::size_t position) const;

    /// The segment that holds an entry or a record's offset; there must be one. Loaded.
    [[nodiscard]] std::size_t position_of(Index index) const noexcept;
    Segment& segment_of(Index index);
    Segment& segment_of_offset(Offset offset);
    Segment& loaded(Segment& segment);
    [[nodiscard]] Located find(Index index);

    void take_in(const ScannedEntry& entry);
    void roll();
    void truncate_after(Index index);
    void restart_at(Index next_index, Offset next_offset, std::string known);
    void drop_before_segment(std::size_t position);
    void remove_segments_from(std::size_t position);

private:
    void open();
    void remove_all_files();
    [[nodiscard]] std::vector<Index> segments_on_disk();
    void open_segments(const std::vector<Index>& firsts);
    [[nodiscard]] bool open_closed(Index first, const Segment* before);
    [[nodiscard]] bool recover(Index first, const Segment* before);
    void settle(Segment& segment, bool whole);
    [[nodiscard]] bool sidecar_from(const std::vector<Index>& firsts, std::size_t position);
    void remove_files_from(const std::vector<Index>& firsts, std::size_t position);
    void add_empty_segment(Index first, Offset first_offset);

    std::deque<Segment*> recently_loaded_; // closed ones, the latest last
};

} // namespace mini_broker
