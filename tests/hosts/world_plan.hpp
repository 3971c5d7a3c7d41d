#pragma once

#include "hosts/hosted_view.hpp"
#include "hosts/raft_cluster.hpp"

#include <insync/config.hpp>
#include <insync/testing/byte_tape.hpp>
#include <insync/types.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hosts {

using insync::testing::ByteTape;
using Tape = std::vector<std::uint8_t>;

/// What one world is made of, drawn from its tape before anything happens.
struct Plan {
    ClusterOptions cluster;
    insync::IsrConfig config;
    Millis slack{0};
    Millis load_gap{0};     ///< between two acks=all requests
    Millis wait{0};         ///< how long one waits
    bool reassigns = false; ///< who is removed from the group is not assigned meanwhile
    bool observes = false;  ///< the broker observes whenever its library has done something

    static Plan draw(ByteTape& tape);
};

inline Plan Plan::draw(ByteTape& tape) {
    const auto one_of = [&](const auto& values) { return values[tape.below(std::size(values))]; };
    Plan plan;
    plan.cluster.seed = tape.byte();
    plan.cluster.voters = one_of(std::array<std::size_t, 6>{3, 3, 3, 5, 4, 2});
    plan.cluster.spares = tape.chance(30) ? 1 : 0;
    plan.cluster.check_quorum = !tape.chance(40);
    plan.cluster.pre_vote = !tape.chance(40);
    plan.cluster.async_persistence = !tape.chance(25);
    insync::IsrConfig& config = plan.config;
    config.max_lag_ms = Millis{one_of(std::array<int, 3>{1000, 600, 2000})};
    config.check_interval_ms = config.max_lag_ms / one_of(std::array<int, 3>{10, 5, 3});
    config.max_lag_entries = one_of(std::array<Index, 3>{10'000, 20, 100});
    config.min_insync_replicas = static_cast<int>(one_of(std::array<int, 4>{2, 1, 2, 3}));
    config.quorum_contact_ms = Millis{300};
    // Messages are late by at most this: longer ones come in late() of faults.
    plan.slack = Millis{120};
    plan.load_gap = Millis{one_of(std::array<int, 4>{40, 15, 100, 400})};
    plan.wait = config.max_lag_ms / one_of(std::array<int, 3>{1, 4, 1});
    plan.reassigns = tape.chance(40);
    plan.observes = tape.chance(50);
    return plan;
}

/// What must have come about somewhere in a run of many worlds, or it has shown little.
enum class Mark : std::uint8_t {
    committed,
    not_enough_replicas,
    not_leader,
    timed_out,
    two_leaders,
    leads_again,
    lost_writes,
    not_durable,
    removed,
    lives_again,
    returns_in_one_epoch,
    demoted,
    joint,
    transferred,
    compacted,
    paused,
    failed_reads,
    stalled_sweep,
    unconfirmed_member,
    former_self,
    converged,
    count
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Mark::count)> kMarkNames{
    "a wait ended as committed",
    "a wait ended for want of replicas",
    "a wait ended as its leader was none any more",
    "a wait timed out",
    "two nodes led in their own opinion",
    "a node led again",
    "a crash lost what was not on the disk",
    "a leader's end was not durable yet",
    "a member was removed",
    "a member was added again with an empty disk",
    "a member was removed and added again in one epoch",
    "a voter became a learner",
    "a joint change was under way",
    "leadership was transferred",
    "a log was compacted",
    "a process stood still",
    "reads of a view failed",
    "a sweep came late",
    "a member was in grace, unconfirmed",
    "a message of a member's former self was dropped",
    "a world converged after healing",
};

/// What many worlds add up to.
struct Totals {
    std::uint64_t worlds = 0;
    std::uint64_t virtual_ms = 0;
    std::uint64_t steps = 0;
    std::uint64_t elections = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t verified = 0; ///< rows that were held against the disks
    std::array<std::uint64_t, kMarkNames.size()> marks{};
};

/// What went wrong in one world; nothing if `rule` is empty.
struct Verdict {
    std::string rule;
    std::string what;
    std::uint64_t hash = 0; ///< of what happened, for the same world is the same each time
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
    void set_now(TimePoint now) noexcept { now_ = now; }

    template <class... Args>
    void note(fmt::format_string<Args...> format, Args&&... args) {
        if (!traces_ || failed()) return;
        verdict_.trace.push_back(fmt::format("{:8} ms  {}", milliseconds(),
                                             fmt::format(format, std::forward<Args>(args)...)));
    }
    template <class... Args>
    void fail(std::string_view rule, fmt::format_string<Args...> format, Args&&... args) {
        if (failed()) return;
        verdict_.rule = rule;
        verdict_.what = fmt::format("at {} ms: {}", milliseconds(),
                                    fmt::format(format, std::forward<Args>(args)...));
    }
    void mix(std::uint64_t value) noexcept {
        verdict_.hash = (verdict_.hash ^ value) * 0x9e37'79b9'7f4a'7c15;
        verdict_.hash ^= verdict_.hash >> 29;
    }

private:
    [[nodiscard]] Millis::rep milliseconds() const noexcept {
        return now_.time_since_epoch().count() - kStart.time_since_epoch().count();
    }

    Totals& totals_;
    bool traces_;
    TimePoint now_{};
    Verdict verdict_;
};

/// What is wrong with the brokers of a run, for tests that want to see it found.
struct WorldMistakes {
    Mistake view = Mistake::none;
    bool notes_everything = false;
    bool never_forgets = false;
};

} // namespace hosts
