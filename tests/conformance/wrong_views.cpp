#include "conformance/wrong_views.hpp"

using namespace std::chrono_literals;

namespace insync_test {

namespace {

Spoil rows_of_earlier_leadership(toy::Rig&, toy::Node&) {
    return [rows = decltype(GroupState::followers){}](ReadResult&, GroupState& state) mutable {
        if (state.leading) rows = state.followers;
        state.followers = rows;
    };
}

/// A leader that returns seems to go on in its old epoch.
Spoil epoch_cached_by_leader(toy::Rig&, toy::Node&) {
    return [epochs = std::map<NodeId, insync::Epoch>{}](ReadResult&, GroupState& state) mutable {
        if (state.leader != insync::kNoNode)
            state.epoch = epochs.emplace(state.leader, state.epoch).first->second;
    };
}

/// As the library's own table of peers, which nobody clears.
Spoil matches_kept_over_epochs(toy::Rig&, toy::Node&) {
    return [matches = std::map<NodeId, insync::Index>{}](ReadResult&, GroupState& state) mutable {
        for (FollowerRow& row : state.followers) {
            if (row.verified) matches[row.node] = row.match;
            const auto found = matches.find(row.node);
            if (found == matches.end()) continue;
            row.verified = true;
            row.match = found->second;
        }
    };
}

Spoil torn_believed(toy::Rig&, toy::Node&) {
    return [](ReadResult& result, GroupState&) { result = ReadResult::ok; };
}

/// As a timer that starts when the leader begins to send to a follower.
Spoil contacts_seeded_at_election(toy::Rig& rig, toy::Node&) {
    struct Leadership {
        insync::Epoch epoch = 0;
        TimePoint since{};
    };
    return [&rig, seen = Leadership{}](ReadResult&, GroupState& state) mutable {
        if (seen.epoch != state.epoch) seen = {state.epoch, rig.clock().now()};
        for (FollowerRow& row : state.followers) row.contact = std::max(row.contact, seen.since);
    };
}

/// Heartbeats are not answered by entries.
Spoil only_entries_are_contacts(toy::Rig&, toy::Node&) {
    struct Seen {
        insync::Index match = 0;
        TimePoint contact = insync::kNever;
    };
    return [seen = std::map<NodeId, Seen>{}](ReadResult&, GroupState& state) mutable {
        for (FollowerRow& row : state.followers) {
            Seen& last = seen[row.node];
            if (last.match != row.match) last = {row.match, row.contact};
            row.contact = last.contact;
        }
    };
}

/// The role is learnt from callbacks, and stepping down without a successor has none.
Spoil leads_until_another_does(toy::Rig&, toy::Node&) {
    return [last = GroupState{}](ReadResult& result, GroupState& state) mutable {
        if (result == ReadResult::ok && state.leading) last = state;
        if (state.leader == insync::kNoNode && last.leading) {
            state = last;
            state.quorum = insync::Quorum::held;
        }
    };
}

Spoil epoch_counted_since_start(toy::Rig&, toy::Node& node) {
    return [start = node.term()](ReadResult&, GroupState& state) { state.epoch -= start; };
}

Spoil nothing(toy::Rig&, toy::Node&) {
    return [](ReadResult&, GroupState&) {};
}

void add_row_for_the_leader(GroupState& state) {
    if (state.leading)
        state.followers.push_back({.node = state.leader, .verified = true, .match = state.end});
}
void leave_out_silent_members(GroupState& state) {
    auto& rows = state.followers;
    const auto silent = [](const FollowerRow& row) { return row.contact == insync::kNever; };
    rows.erase(std::remove_if(rows.begin(), rows.end(), silent), rows.end());
}
void verify(FollowerRow& row, const GroupState&, TimePoint) {
    row.verified = true;
}
void match_what_was_sent(FollowerRow& row, const GroupState& state, TimePoint) {
    row.match = row.verified ? state.end : 0;
}
void stamp_late(FollowerRow& row, const GroupState&, TimePoint now) {
    if (row.contact != insync::kNever) row.contact = std::min(now, row.contact + 160ms);
}
void take_forgotten_for_present(FollowerRow& row, const GroupState&, TimePoint now) {
    const bool answered = row.contact != insync::kNever;
    if (answered && insync::saturating_age(now, row.contact) > 1s) row.contact = now;
}

} // namespace

std::vector<Mistake> mistakes() {
    return {
        {"leader_among_rows", "leader_not_in_rows", always(add_row_for_the_leader)},
        {"silent_member_left_out", "every_member_has_a_row", always(leave_out_silent_members)},
        {"rows_of_earlier_leadership", "followers_say_nothing", rows_of_earlier_leadership},
        {"epoch_cached_by_leader", "epoch_of_the_group", epoch_cached_by_leader},
        {"always_verified", "unverified_after_election", each_row(verify)},
        {"matches_kept_over_epochs", "stale_match_not_believed", matches_kept_over_epochs},
        {"torn_believed", "torn_read_reported", torn_believed},
        {"end_is_commit", "end_is_the_log_end",
         always([](GroupState& state) { state.end = state.durable = state.commit; })},
        {"commit_is_end", "commit_needs_a_majority",
         always([](GroupState& state) { state.commit = state.end; })},
        {"match_is_what_was_sent", "match_was_confirmed", each_row(match_what_was_sent)},
        {"contacts_stamped_late", "contact_within_slack", each_row(stamp_late)},
        {"contacts_seeded_at_election", "contact_not_seeded", contacts_seeded_at_election},
        {"learner_taken_for_voter", "learners_not_in_sync", taken_for_voter(ReplicaKind::learner)},
        {"joiner_taken_for_voter", "joiners_not_in_sync", taken_for_voter(ReplicaKind::joining)},
        {"leaver_taken_for_voter", "leavers_not_in_sync", taken_for_voter(ReplicaKind::leaving)},
        {"only_entries_are_contacts", "idle_group_stays_in_sync", only_entries_are_contacts},
        {"forgotten_taken_for_present", "dead_follower_ages_out",
         each_row(take_forgotten_for_present)},
        {"leads_until_another_does", "lost_quorum_refuses_writes", leads_until_another_does},
        {"epoch_counted_since_start", "restart_keeps_the_epoch", epoch_counted_since_start},
        {"version_ignores_the_log", "version_tells_of_changes", nothing,
         [](const toy::Node& node) { return node.term(); }},
    };
}

} // namespace insync_test
