#pragma once

#include "io/disk.hpp"
#include "types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mini_broker {

/// Where a log begins: a small file beside its segments, replaced as a whole.
///
/// It is what makes dropping safe: first it says where the log begins, then files go. Those of a
/// lower index that a crash has left are removed at the next opening.
struct LogStart {
    Index index = 1;
    Offset offset = 0;
    /// No segment counts: the log is to be empty, and whoever finds it so removes them.
    bool emptying = false;
    std::string producers; ///< their state before the first entry, encoded; or nothing

    /// Throws `DiskError` if what is there is damaged.
    [[nodiscard]] static LogStart read(Disk& disk, const std::string& directory);
    void write(Disk& disk, const std::string& directory) const;
};

} // namespace mini_broker
