#pragma once

#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/explain.hpp>
#include <insync/isr_rules.hpp>
#include <insync/isr_set.hpp>
#include <insync/types.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace insync::detail {

/// Base of the formatters below: none takes a format specification.
struct PlainFormatter {
    constexpr auto parse(fmt::format_parse_context& context) const { return context.begin(); }
};

template <class Out>
Out format_nodes(Out out, std::span<const NodeId> nodes) {
    out = fmt::format_to(out, "[");
    for (std::size_t i = 0; i < nodes.size(); ++i)
        out = fmt::format_to(out, "{}{}", i == 0 ? "" : ", ", nodes[i]);
    return fmt::format_to(out, "]");
}

} // namespace insync::detail

/// Prints the members: `[1, 2, 3]`.
template <>
struct fmt::formatter<insync::IsrSet> : insync::detail::PlainFormatter {
    template <class Context>
    auto format(const insync::IsrSet& set, Context& context) const {
        return insync::detail::format_nodes(context.out(), set.members());
    }
};

template <>
struct fmt::formatter<insync::Result> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(insync::Result result, Context& context) const {
        return fmt::formatter<std::string_view>::format(insync::to_string(result), context);
    }
};

template <>
struct fmt::formatter<insync::WaitResult> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(insync::WaitResult result, Context& context) const {
        return fmt::formatter<std::string_view>::format(insync::to_string(result), context);
    }
};

/// Prints `my-topic-0 [1, 2, 3] -> [1, 2] (epoch 4, version 7, lag)`.
template <>
struct fmt::formatter<insync::IsrChange> : insync::detail::PlainFormatter {
    template <class Context>
    auto format(const insync::IsrChange& change, Context& context) const {
        return fmt::format_to(context.out(), "{}-{} {} -> {} (epoch {}, version {}, {})",
                              change.topic, change.partition, change.before, change.after,
                              change.after.epoch(), change.after.version(),
                              insync::to_string(change.cause));
    }
};

/// Prints the reason in one sentence, for instance
/// `replica 3 is out of the ISR: 12000 entries behind, limit 10000 (epoch 4)`.
template <>
struct fmt::formatter<insync::Explanation> : insync::detail::PlainFormatter {
    template <class Context>
    auto format(const insync::Explanation& why, Context& context) const {
        auto out = fmt::format_to(context.out(), "replica {} is {} the ISR: ", why.node,
                                  why.member ? "in" : "out of");
        out = reason(why, out);
        out = fmt::format_to(out, " (epoch {})", why.epoch);
        if (!why.epoch_fell) return out;
        return fmt::format_to(out, "; its group is in an older epoch now: register it anew");
    }

private:
    static bool is_last_known(insync::ReplicaState state) {
        using insync::ReplicaState;
        return state == ReplicaState::as_registered || state == ReplicaState::as_published ||
               state == ReplicaState::as_decided;
    }
    /// On a node that does not lead: whose word it is, and who leads now.
    template <class Out>
    static Out last_known(const insync::Explanation& why, Out out) {
        using insync::ReplicaState;
        if (why.state == ReplicaState::as_published && why.leader != insync::kNoNode &&
            !why.leader_ahead)
            return fmt::format_to(out, "so replica {} published it", why.leader);
        const std::string_view word =
            why.state == ReplicaState::as_registered ? "so it began, and nothing was published yet"
            : why.state == ReplicaState::as_decided  ? "so this node decided while it led"
                                                     : "so it was last published";
        if (why.leader == insync::kNoNode)
            return fmt::format_to(out, "{}; no leader is known", word);
        return fmt::format_to(out, "{}; replica {} leads", word, why.leader);
    }

    template <class Out>
    static Out not_confirmed(insync::Index at_least, Out out) {
        out = fmt::format_to(out, "what it holds is not confirmed in this epoch");
        return at_least == 0 ? out : fmt::format_to(out, ", at least {} entries behind", at_least);
    }

    template <class Out>
    static Out reason(const insync::Explanation& why, Out out) {
        using insync::ReplicaState;
        using insync::Verdict;
        if (why.state == ReplicaState::leader) return fmt::format_to(out, "it leads");
        if (is_last_known(why.state)) return last_known(why, out);
        if (why.state == ReplicaState::not_a_member)
            return fmt::format_to(out, "its consensus group has no such member");
        if (why.verdict == Verdict::not_eligible)
            return fmt::format_to(out, "a learner, joining or leaving replica cannot be in sync");
        if (why.verdict == Verdict::lag_entries)
            return fmt::format_to(out, "{} entries behind, limit {}", why.lag.entries.value_or(0),
                                  why.limits.entries);
        if (why.verdict == Verdict::lag_ms)
            return fmt::format_to(out, "not caught up for {} ms, limit {} ms", why.lag.time.count(),
                                  why.limits.time.count());
        if (why.state == ReplicaState::grace)
            return fmt::format_to(out, "in grace, not confirmed since the leader changed {} ms ago",
                                  why.lag.time.count());
        if (why.verdict == Verdict::not_confirmed)
            return not_confirmed(why.lag.entries_at_least, out);
        if (why.state == ReplicaState::held_out)
            return fmt::format_to(out, "held out by hand or by flap damping");
        return fmt::format_to(out, "{} entries and {} ms behind, within {} and {} ms",
                              why.lag.entries.value_or(0), why.lag.time.count(), why.limits.entries,
                              why.limits.time.count());
    }
};
