#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulation {

/// What must have come about somewhere in a run of many worlds, or the run has shown nothing.
enum class Mark : std::uint8_t {
    leader_alone,
    below_min_and_back,
    leads_again,
    skipped_epochs,
    two_leaders,
    stalled_sweep,
    lossy_restart_of_member,
    all_lost_power,
    committed,
    not_enough_replicas,
    not_leader,
    timed_out,
    unconfirmed_member,
    watermark_held_by_joiner,
    failed_read,
    frozen_view,
    clock_went_back,
    clock_jumped,
    publish_lost,
    stale_set,
    former_leader_shrank,
    membership_changed,
    came_back_empty,
    late_answer,
    epoch_fell,
    fell_unnoticed,
    leader_ahead,
    busy_and_calm,
    born_with_dead,
    dead_without_grace,
    dead_joined,
    moved_by_hand,
    callback_threw,
    refused_push,
    model_compared,
    converged,
    count
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Mark::count)> kMarkNames{
    "the leader was alone in its ISR",
    "an ISR fell below min ISR and came back",
    "a node led, lost it, and led again",
    "epochs were skipped",
    "two nodes led in their own opinion",
    "a sweep came late",
    "a member lost unflushed entries",
    "all nodes lost power",
    "a wait ended as committed",
    "a wait ended for want of replicas",
    "a wait ended with the leadership",
    "a wait timed out",
    "a member was in grace, unconfirmed",
    "a member joined below the high watermark",
    "a read of the view failed",
    "a view stood still",
    "a clock went back",
    "a clock jumped ahead",
    "a decision was lost on its way",
    "a published set was marked stale",
    "a former leader's members fell out",
    "the members of a group changed",
    "a member was removed and came back with nothing",
    "an answer of an older epoch reached a leader",
    "an epoch fell when a node joined",
    "an epoch fell, and the host did not say so yet",
    "a leader was named that was ahead of the set",
    "most reads failed while all was well",
    "a partition was made while a replica was dead",
    "a dead member of an inherited ISR had no grace",
    "a replica joined that was taken for dead",
    "a replica was moved by hand",
    "a callback threw",
    "a push was refused",
    "the naive model was compared",
    "a world converged after healing",
};

/// What the worlds of one run add up to.
struct Totals {
    std::uint64_t worlds = 0;
    std::uint64_t partition_ms = 0;
    std::uint64_t elections = 0;
    std::uint64_t shrinks = 0;
    std::uint64_t expands = 0;
    std::uint64_t lossy_restarts = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t choices = 0; ///< verdicts that the rules leave open, of the naive model
    std::uint64_t failed_allocations = 0;
    std::array<std::uint64_t, kMarkNames.size()> marks{};

    Totals& operator+=(const Totals& other) noexcept {
        worlds += other.worlds;
        partition_ms += other.partition_ms;
        elections += other.elections;
        shrinks += other.shrinks;
        expands += other.expands;
        lossy_restarts += other.lossy_restarts;
        acknowledged += other.acknowledged;
        choices += other.choices;
        failed_allocations += other.failed_allocations;
        for (std::size_t i = 0; i < marks.size(); ++i) marks[i] += other.marks[i];
        return *this;
    }
};

/// How one world ended, and how it came to that.
struct Verdict {
    std::string rule; ///< the violated one; empty if all was well
    std::string what;
    std::uint64_t hash = 0; ///< of all that was decided, and when
    std::vector<std::string> trace;

    [[nodiscard]] bool ok() const noexcept { return rule.empty(); }
};

/// Where all parts of one world report to. It keeps the first violation.
class Report {
public:
    Report(Totals& totals, bool traces) : totals_(totals), traces_(traces) {}

    [[nodiscard]] Totals& totals() noexcept { return totals_; }
    [[nodiscard]] bool failed() const noexcept { return !verdict_.ok(); }
    [[nodiscard]] Verdict& verdict() noexcept { return verdict_; }
    void reach(Mark mark) noexcept { ++totals_.marks[static_cast<std::size_t>(mark)]; }
    void set_now(std::int64_t now_ms) noexcept { now_ms_ = now_ms; }

    template <class... Args>
    void note(fmt::format_string<Args...> format, Args&&... args) {
        if (!traces_) return;
        Line& line = lines_[written_++ % lines_.size()];
        const auto time = fmt::format_to_n(line.begin(), line.size(), "{:9} ms  ", now_ms_);
        const auto room = line.size() - time.size;
        const auto text = fmt::format_to_n(time.out, room, format, std::forward<Args>(args)...);
        *(text.size < room ? text.out : line.end() - 1) = '\0';
    }
    /// The last notes.
    [[nodiscard]] std::vector<std::string> trace() const {
        std::vector<std::string> lines;
        const std::size_t kept = std::min(written_, lines_.size());
        for (std::size_t i = written_ - kept; i < written_; ++i)
            lines.emplace_back(lines_[i % lines_.size()].data());
        return lines;
    }
    template <class... Args>
    void fail(std::string_view rule, fmt::format_string<Args...> format, Args&&... args) {
        if (failed()) return;
        verdict_.rule = rule;
        verdict_.what =
            fmt::format("at {} ms: {}", now_ms_, fmt::format(format, std::forward<Args>(args)...));
    }
    void mix(std::uint64_t value) noexcept {
        verdict_.hash = (verdict_.hash ^ value) * 0x9e37'79b9'7f4a'7c15;
        verdict_.hash ^= verdict_.hash >> 29;
    }

private:
    Totals& totals_;
    // Of fixed size, so that a run that is traced allocates as one that is not.
    using Line = std::array<char, 240>;
    std::array<Line, 80> lines_{};
    std::size_t written_ = 0;
    bool traces_;
    std::int64_t now_ms_ = 0;
    Verdict verdict_;
};

} // namespace simulation
