#pragma once

#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace insync::testing {

/// Entries side by side that were appended in one epoch, from `first` to where the next begin.
struct LogRun {
    Epoch epoch = 0;
    Index first = 0;
};

/// Entries under way from one log to another: those from the first run's first to `last`.
struct LogEntries {
    static constexpr std::size_t kMostRuns = 3;
    boost::container::static_vector<LogRun, kMostRuns> runs;
    Index last = 0;
};

/// A Raft log without its payload. An entry is known by its index and epoch; what it says is
/// nobody's concern here. Entries up to `durable` survive a loss of power.
///
/// Invariant: epochs never fall along the log; `durable <= end`.
class SimulatedLog {
public:
    [[nodiscard]] Index end() const noexcept { return end_; }
    [[nodiscard]] Index durable() const noexcept { return durable_; }
    [[nodiscard]] Epoch last_epoch() const noexcept { return epoch_at(end_); }

    /// The epoch of an entry; 0 where there is none.
    [[nodiscard]] Epoch epoch_at(Index index) const noexcept {
        if (index == 0 || index > end_) return 0;
        for (std::size_t i = runs_.size(); i > 0; --i)
            if (runs_[i - 1].first <= index) return runs_[i - 1].epoch;
        return 0;
    }
    /// Whether this very entry is here; index 0 is in every log.
    [[nodiscard]] bool holds(Index index, Epoch epoch) const noexcept {
        return index == 0 || (index <= end_ && epoch_at(index) == epoch);
    }
    /// The last index up to which both logs are the same.
    [[nodiscard]] Index agrees_until(const SimulatedLog& other) const noexcept {
        Index index = std::min(end_, other.end_);
        while (index > 0 && epoch_at(index) != other.epoch_at(index))
            index = std::max(run_start(index), other.run_start(index)) - 1;
        return index;
    }

    void append(Epoch epoch, Index count = 1) {
        if (count == 0) return;
        if (runs_.empty() || runs_.back().epoch != epoch) runs_.push_back({epoch, end_ + 1});
        end_ += count;
    }

    /// What follows `after`, as much of it as one message carries.
    [[nodiscard]] LogEntries entries_after(Index after) const {
        LogEntries entries;
        entries.last = end_;
        for (const LogRun& run : runs_) {
            if (run_end(run) <= after) continue;
            if (entries.runs.size() == LogEntries::kMostRuns) {
                entries.last = run.first - 1;
                break;
            }
            entries.runs.push_back({run.epoch, std::max(run.first, after + 1)});
        }
        return entries;
    }

    /// Takes in what a leader sent; its entries win over others at the same place.
    /// \pre this log holds the entry before the first of them
    void take(const LogEntries& entries) {
        for (std::size_t i = 0; i < entries.runs.size(); ++i) {
            const LogRun& run = entries.runs[i];
            const bool is_last = i + 1 == entries.runs.size();
            const Index last = is_last ? entries.last : entries.runs[i + 1].first - 1;
            for (Index at = run.first; at <= last;) {
                if (at > end_) {
                    append(run.epoch, last - end_);
                    break;
                }
                if (epoch_at(at) != run.epoch) {
                    truncate(at - 1);
                    continue;
                }
                at = run_last(at) + 1;
            }
        }
    }

    /// What was written up to this entry has reached the disk; without effect if the entry was
    /// exchanged meanwhile.
    void flush(Index index, Epoch epoch) noexcept {
        if (holds(index, epoch)) durable_ = std::max(durable_, index);
    }
    void flush_all() noexcept { durable_ = end_; }
    /// Loses what had not reached the disk.
    void lose_power() { truncate(durable_); }

    /// Where the entries of an entry's epoch begin.
    [[nodiscard]] Index run_start(Index index) const noexcept {
        for (std::size_t i = runs_.size(); i > 0; --i)
            if (runs_[i - 1].first <= index) return runs_[i - 1].first;
        return 0;
    }

private:
    [[nodiscard]] Index run_end(const LogRun& run) const noexcept {
        return &run == &runs_.back() ? end_ : (&run + 1)->first - 1;
    }
    [[nodiscard]] Index run_last(Index index) const noexcept {
        for (std::size_t i = runs_.size(); i > 0; --i)
            if (runs_[i - 1].first <= index) return run_end(runs_[i - 1]);
        return end_;
    }
    void truncate(Index last) {
        end_ = std::min(end_, last);
        durable_ = std::min(durable_, end_);
        while (!runs_.empty() && runs_.back().first > end_) runs_.pop_back();
    }

    std::vector<LogRun> runs_;
    Index end_ = 0;
    Index durable_ = 0;
};

} // namespace insync::testing
