#pragma once

#include "io/disk.hpp"
#include "types.hpp"

#include <memory>
#include <string>

namespace mini_broker {

/// How far the log was known to be committed, kept over a restart so that the high watermark does
/// not begin again at the log's start.
///
/// Written without a sync, at most once a second and at the end: a process that is killed loses
/// that second, a machine without power what its kernel had not written yet. What is read is
/// always true, only old.
class CommitMark {
public:
    CommitMark(Disk& disk, const std::string& directory);

    /// The newest that is on disk; 0 for none.
    [[nodiscard]] Index stored() const noexcept { return stored_; }
    void store_if_due(Index commit, TimePoint now);
    void store(Index commit);

private:
    void begin_anew(Index commit);

    Disk& disk_;
    std::string path_;
    std::shared_ptr<File> file_;
    Index stored_ = 0;
    TimePoint due_ = TimePoint::min();
};

} // namespace mini_broker
