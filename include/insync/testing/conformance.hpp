#pragma once

#include <insync/format.hpp>
#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/detail/conformance_elections.hpp>
#include <insync/testing/detail/conformance_isr.hpp>
#include <insync/testing/detail/conformance_messages.hpp>
#include <insync/testing/detail/conformance_reads.hpp>
#include <insync/testing/detail/conformance_run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace insync::testing {

enum class ConformanceOutcome : std::uint8_t {
    ok,
    failed,
    not_applicable, ///< the cluster cannot do it, or the view does not offer it
};

/// What one check came to.
struct ConformanceResult {
    std::string_view check; ///< its name; stays the same from version to version
    ConformanceOutcome outcome = ConformanceOutcome::ok;
    std::string detail;      ///< failed: what was seen; not applicable: why; else empty
    std::string_view advice; ///< failed: what the author of the view should change; else empty
};

namespace detail {

template <ConformanceCluster Cluster>
struct ConformanceCheck {
    std::string_view name;
    void (*run)(ConformanceRun<Cluster>&);
    std::string_view advice;
};

/// The list, in the order in which the results come.
template <ConformanceCluster C>
inline constexpr auto kConformanceChecks = std::to_array<ConformanceCheck<C>>({
    {"leader_not_in_rows", &leader_not_in_rows<C>,
     "leave the view's own node out of the rows; many libraries list it among its peers"},
    {"every_member_has_a_row", &every_member_has_a_row<C>,
     "give each other member of the group one row, also one that was never heard of: "
     "without a row it counts as removed"},
    {"followers_say_nothing", &followers_say_nothing<C>,
     "set `leading` from the library's role, and give rows only while it is set; what is left "
     "of an earlier leadership belongs to nobody"},
    {"epoch_of_the_group", &epoch_of_the_group<C>,
     "fill `epoch` with the library's current term, on every node and at every read"},
    {"nobody_leads_is_said", &nobody_leads_is_said<C>,
     "set `leader` to `kNoNode` while the library knows of no leader, whatever it says instead "
     "(0, -1, the one before), and when this node has stepped down"},
    {"leader_is_of_the_epoch", &leader_is_of_the_epoch<C>,
     "name a leader only for the epoch in which it was heard of; once the term has moved, "
     "nobody leads until one is heard of again"},
    {"unverified_after_election", &unverified_after_election<C>,
     "set `verified` only once the follower has accepted an append of this very epoch"},
    {"stale_match_not_believed", &stale_match_not_believed<C>,
     "keep what proves a match together with its epoch, and forget it when the epoch changes"},
    {"late_answers_verify_nothing", &late_answers_verify_nothing<C>,
     "take an answer's own term with it, and drop the answer where that is not the present "
     "one: what the library's term is when it arrives says nothing"},
    {"heartbeats_verify_nothing", &heartbeats_verify_nothing<C>,
     "set `verified` by accepted appends only; an answered heartbeat, or a flag such as "
     "`recent_active`, is a contact"},
    {"added_again_starts_anew", &added_again_starts_anew<C>,
     "forget what is known of a node when it stops being a member: its match, whether that was "
     "verified, and its contact (`ContactLog::forget`)"},
    {"torn_read_reported", &torn_read_reported<C>,
     "ask for epoch and leader before the rows and again after them; return `torn` if either "
     "has moved"},
    {"end_is_the_log_end", &end_is_the_log_end<C>,
     "fill `end` with the last index of the log, not with what is committed or applied"},
    {"commit_needs_a_majority", &commit_needs_a_majority<C>,
     "fill `commit` with the library's commit index, not with the end of the log"},
    {"durable_is_on_disk", &durable_is_on_disk<C>,
     "fill `durable` with what the log store has flushed, as the library was told, not with "
     "the end of the log"},
    {"match_was_confirmed", &match_was_confirmed<C>,
     "fill `match` with what the follower has confirmed, not with what was sent or comes next"},
    {"contact_within_slack", &contact_within_slack<C>,
     "take contacts from the manager's clock, when an answer arrives or its request left, and "
     "state in `contact_slack()` by how much they may be late"},
    {"contact_not_seeded", &contact_not_seeded<C>,
     "leave `contact` at `kNever` until the follower has answered this leader: many libraries "
     "start a peer's timer with the present"},
    {"contacts_move_after_election", &contacts_move_after_election<C>,
     "note contacts in every epoch in which this node leads, not only in the first"},
    {"votes_are_no_contacts", &votes_are_no_contacts<C>,
     "note answers to appends and heartbeats only: a vote, a pre-vote or a request for one is "
     "no contact, and its term is not that of the leader"},
    {"slack_covers_a_round_trip", &slack_covers_a_round_trip<C>,
     "return the longest round trip from `contact_slack()` where contacts tell when an answer "
     "arrived, an election timeout more for an `election_window`, and 0 only for a `request`"},
    {"learners_not_in_sync", &learners_not_in_sync<C>,
     "give a learner the kind `learner`, however much it holds"},
    {"joiners_not_in_sync", &joiners_not_in_sync<C>,
     "give a replica that is being added the kind `joining` until it may vote"},
    {"leavers_not_in_sync", &leavers_not_in_sync<C>,
     "give a replica that is being removed the kind `leaving`"},
    {"idle_group_stays_in_sync", &idle_group_stays_in_sync<C>,
     "count answered heartbeats as contacts: an idle follower has nothing else to answer"},
    {"dead_follower_ages_out", &dead_follower_ages_out<C>,
     "let a contact move only when the follower answers: not when something is sent to it, "
     "and not to the present because nothing is known"},
    {"lost_quorum_refuses_writes", &lost_quorum_refuses_writes<C>,
     "ask the library at every read whether it leads; where a cut-off leader does not step "
     "down by itself, report `Quorum::unreported` or `Quorum::lost`"},
    {"held_quorum_is_reached", &held_quorum_is_reached<C>,
     "report `Quorum::held` only where leaders are known to step down (raft-rs and etcd: with "
     "`check_quorum`); else `Quorum::unreported`"},
    {"restart_keeps_the_epoch", &restart_keeps_the_epoch<C>,
     "read the term that the library keeps on disk, and nothing that was counted since the "
     "process started"},
    {"version_tells_of_changes", &version_tells_of_changes<C>,
     "change `version(group)` with everything but contacts that a read can say, or leave it "
     "out"},
});

/// The outcome of one check on a cluster of its own.
template <class Factory>
ConformanceResult judge(const auto& check, const Factory& make_cluster) {
    using enum ConformanceOutcome;
    try {
        auto cluster = make_cluster();
        ConformanceRun run{cluster};
        check.run(run);
    } catch (const NotApplicable& reason) {
        return {check.name, not_applicable, reason.why, {}};
    } catch (const Breach& breach) {
        return {check.name, failed, breach.what, check.advice};
    } catch (const BadCluster& fault) {
        return {check.name, failed, fault.what, "this concerns the cluster, not the view"};
    } catch (const std::exception& error) {
        return {check.name, failed, error.what(), "the cluster threw this; it must not"};
    }
    return {check.name, ok, {}, {}};
}

} // namespace detail

/// Runs every check on the views of a host, each on a cluster of its own, and returns the results
/// in a fixed order. Depends on no test framework: a test asserts `conforms(results)` and prints
/// them.
///
/// It judges what `read` and `version` say. Not judged: pushes (they may be lost without harm), and
/// what several threads do at a time; run a view that locks under a sanitizer as well.
///
/// \param make_cluster  returns a new cluster, which need not be movable: `[] { return Mine{}; }`
///
/// **Example**:
///
///     for (const auto& result : insync::testing::check_conformance([] { return MyCluster{}; }))
///         fmt::print("{}\n", result);
template <std::invocable Factory>
    requires ConformanceCluster<std::invoke_result_t<const Factory&>>
std::vector<ConformanceResult> check_conformance(const Factory& make_cluster) {
    using Cluster = std::invoke_result_t<const Factory&>;
    std::vector<ConformanceResult> results;
    for (const auto& check : detail::kConformanceChecks<Cluster>)
        results.push_back(detail::judge(check, make_cluster));
    return results;
}

/// Whether no check failed. Those that were not applicable say nothing against the view.
[[nodiscard]] inline bool conforms(const std::vector<ConformanceResult>& results) {
    return std::ranges::none_of(results, [](const ConformanceResult& result) {
        return result.outcome == ConformanceOutcome::failed;
    });
}

} // namespace insync::testing

template <>
struct fmt::formatter<insync::testing::ConformanceOutcome> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(insync::testing::ConformanceOutcome outcome, Context& context) const {
        using enum insync::testing::ConformanceOutcome;
        const std::string_view name = outcome == ok       ? "ok"
                                      : outcome == failed ? "FAILED"
                                                          : "not applicable";
        return fmt::formatter<std::string_view>::format(name, context);
    }
};

/// Prints a line, and for a failed check a second one with the advice.
template <>
struct fmt::formatter<insync::testing::ConformanceResult> : insync::detail::PlainFormatter {
    template <class Context>
    auto format(const insync::testing::ConformanceResult& result, Context& context) const {
        auto out = fmt::format_to(context.out(), "{:<14}  {}", result.outcome, result.check);
        if (!result.detail.empty()) out = fmt::format_to(out, ": {}", result.detail);
        if (!result.advice.empty()) out = fmt::format_to(out, "\n{:14}  -> {}", "", result.advice);
        return out;
    }
};
