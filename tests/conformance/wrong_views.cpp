#include "conformance/wrong_views.hpp"

#include <insync/adapters/contact_log.hpp>

#include <set>

using namespace std::chrono_literals;

namespace insync_test {

namespace {

bool has_row(const GroupState& state, NodeId node) {
    return std::ranges::count(state.followers, node, &FollowerRow::node) > 0;
}

Spoil rows_of_earlier_leadership(toy::Rig&, toy::Node&) {
    return [rows = decltype(GroupState::followers){}](ReadResult&, GroupState& state) mutable {
        if (state.leading) rows = state.followers;
        state.followers = rows;
    };
}

/// Whoever is a member when the node is elected is taken for one that follows.
Spoil verified_by_election(toy::Rig&, toy::Node&) {
    struct Leadership {
        insync::Epoch epoch = 0;
        std::set<NodeId> members;
    };
    return [seen = Leadership{}](ReadResult&, GroupState& state) mutable {
        if (seen.epoch != state.epoch) {
            seen = {state.epoch, {}};
            for (const FollowerRow& row : state.followers) seen.members.insert(row.node);
        }
        if (state.leading)
            std::erase_if(seen.members, [&](NodeId node) { return !has_row(state, node); });
        for (FollowerRow& row : state.followers)
            row.verified = row.verified || seen.members.contains(row.node);
    };
}

/// A leader that returns seems to go on in its old epoch.
Spoil epoch_cached_by_leader(toy::Rig&, toy::Node&) {
    return [epochs = std::map<NodeId, insync::Epoch>{}](ReadResult&, GroupState& state) mutable {
        if (state.leader != insync::kNoNode)
            state.epoch = epochs.emplace(state.leader, state.epoch).first->second;
    };
}

/// As the library's own table of peers, which nobody clears while they are members.
Spoil matches_kept_over_epochs(toy::Rig&, toy::Node&) {
    return [matches = std::map<NodeId, insync::Index>{}](ReadResult&, GroupState& state) mutable {
        if (state.leading)
            std::erase_if(matches, [&](const auto& kept) { return !has_row(state, kept.first); });
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

/// A former leader that knows of no other takes itself for it.
Spoil names_itself_after_stepping_down(toy::Rig&, toy::Node& node) {
    return [self = node.id(), led = insync::Epoch{0}](ReadResult&, GroupState& state) mutable {
        if (state.leading) led = state.epoch;
        if (state.leader == insync::kNoNode && led == state.epoch && led != 0) state.leader = self;
    };
}

/// The leader is remembered until another one is heard of.
Spoil leader_of_the_term_before(toy::Rig&, toy::Node&) {
    struct Heard {
        insync::Epoch epoch = 0;
        NodeId leader = insync::kNoNode;
    };
    return [last = Heard{}](ReadResult&, GroupState& state) mutable {
        if (state.leader != insync::kNoNode) last = {state.epoch, state.leader};
        if (last.epoch < state.epoch) state.leader = last.leader;
    };
}

/// An answer is stamped with the library's term when it arrives.
Spoil late_answers_believed(toy::Rig& rig, toy::Node& node) {
    using Answers = std::map<NodeId, std::pair<insync::Epoch, FollowerRow>>;
    const auto answers = std::make_shared<Answers>();
    node.set_on_message([answers, &rig, &node](const toy::Message& message) {
        if (message.kind != toy::Message::Kind::append_answer || !node.leading()) return;
        auto& [epoch, row] = (*answers)[message.from];
        epoch = node.term();
        row = {.verified = true, .match = message.match, .contact = rig.clock().now()};
    });
    return [answers](ReadResult&, GroupState& state) {
        std::erase_if(*answers, [&](const auto& kept) { return !has_row(state, kept.first); });
        for (FollowerRow& row : state.followers) {
            const auto found = answers->find(row.node);
            if (found == answers->end() || found->second.first != state.epoch) continue;
            row.verified = true;
            row.match = found->second.second.match;
            row.contact = found->second.second.contact;
        }
    };
}

/// A contact in this epoch is the proof of a match.
Spoil verified_by_heartbeats(toy::Rig&, toy::Node&) {
    return [](ReadResult&, GroupState& state) {
        for (FollowerRow& row : state.followers) row.verified = row.contact != insync::kNever;
    };
}

/// What was learnt in an epoch holds for all of it.
Spoil verified_for_the_epoch(toy::Rig&, toy::Node&) {
    return [verified = std::set<std::pair<insync::Epoch, NodeId>>{}](ReadResult&,
                                                                     GroupState& state) mutable {
        for (FollowerRow& row : state.followers) {
            if (row.verified) verified.emplace(state.epoch, row.node);
            row.verified = verified.contains({state.epoch, row.node});
        }
    };
}

/// A member that is new to the leader is marked as alive before it has said a word.
Spoil added_is_taken_for_alive(toy::Rig& rig, toy::Node&) {
    struct Seen {
        insync::Epoch epoch = 0;
        std::set<NodeId> members;
        std::map<NodeId, TimePoint> added;
    };
    return [&rig, seen = Seen{}](ReadResult&, GroupState& state) mutable {
        const bool first = seen.epoch != state.epoch;
        if (first) seen = {state.epoch, {}, {}};
        std::erase_if(seen.members, [&](NodeId node) { return !has_row(state, node); });
        for (FollowerRow& row : state.followers) {
            if (seen.members.insert(row.node).second && !first)
                seen.added[row.node] = rig.clock().now();
            if (const auto at = seen.added.find(row.node); at != seen.added.end())
                row.contact = std::max(row.contact, at->second);
        }
    };
}

/// The table of contacts belongs to the term in which this node led for the first time.
Spoil contacts_of_the_first_term(toy::Rig&, toy::Node&) {
    return [first = insync::Epoch{0}, kept = std::map<NodeId, TimePoint>{}](
               ReadResult&, GroupState& state) mutable {
        if (state.leading && first == 0) first = state.epoch;
        for (FollowerRow& row : state.followers) {
            if (state.epoch == first) kept[row.node] = row.contact;
            if (state.epoch != first) row.contact = kept[row.node];
        }
    };
}

/// Whatever arrives in the present term or a later one.
Spoil votes_are_contacts(toy::Rig& rig, toy::Node& node) {
    const auto heard = std::make_shared<std::map<NodeId, TimePoint>>();
    node.set_on_message([heard, &rig, &node](const toy::Message& message) {
        if (message.term >= node.term()) (*heard)[message.from] = rig.clock().now();
    });
    return [heard](ReadResult&, GroupState& state) {
        for (FollowerRow& row : state.followers)
            if (heard->contains(row.node)) row.contact = heard->at(row.node);
    };
}

/// A log of contacts that begins anew with each term that it sees, votes' too.
Spoil votes_begin_a_term(toy::Rig& rig, toy::Node& node) {
    const auto log = std::make_shared<insync::ContactLog>();
    node.set_on_message([log, &rig](const toy::Message& message) {
        const bool accepted = message.kind == toy::Message::Kind::append_answer;
        log->note_append_result(message.from, message.term, accepted, rig.clock().now());
    });
    return [log](ReadResult&, GroupState& state) {
        for (FollowerRow& row : state.followers)
            row.contact = std::min(row.contact, log->find(row.node, state.epoch).at);
    };
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
        {"zero_is_nobody", "nobody_leads_is_said", always([](GroupState& state) {
             if (state.leader == insync::kNoNode) state.leader = 0;
         })},
        {"names_itself_after_stepping_down", "nobody_leads_is_said",
         names_itself_after_stepping_down},
        {"leader_of_the_term_before", "leader_is_of_the_epoch", leader_of_the_term_before},
        {"verified_by_election", "unverified_after_election", verified_by_election},
        {"matches_kept_over_epochs", "stale_match_not_believed", matches_kept_over_epochs},
        {"late_answers_believed", "late_answers_verify_nothing", late_answers_believed},
        {"verified_by_heartbeats", "heartbeats_verify_nothing", verified_by_heartbeats},
        {"verified_for_the_epoch", "added_again_starts_anew", verified_for_the_epoch},
        {"added_is_taken_for_alive", "added_again_starts_anew", added_is_taken_for_alive},
        {"torn_believed", "torn_read_reported", torn_believed},
        {"end_is_commit", "end_is_the_log_end",
         always([](GroupState& state) { state.end = state.durable = state.commit; })},
        {"commit_is_end", "commit_needs_a_majority",
         always([](GroupState& state) { state.commit = state.end; })},
        {"durable_is_end", "durable_is_on_disk",
         always([](GroupState& state) { state.durable = state.end; })},
        {"match_is_what_was_sent", "match_was_confirmed", each_row(match_what_was_sent)},
        {"contacts_stamped_late", "contact_within_slack", each_row(stamp_late)},
        {"contacts_seeded_at_election", "contact_not_seeded", contacts_seeded_at_election},
        {"contacts_of_the_first_term", "contacts_move_after_election", contacts_of_the_first_term},
        {"votes_are_contacts", "votes_are_no_contacts", votes_are_contacts},
        {"votes_begin_a_term", "votes_are_no_contacts", votes_begin_a_term},
        {"no_slack", "slack_covers_a_round_trip", nothing, nullptr, 0ms},
        {"half_a_round_trip_of_slack", "slack_covers_a_round_trip", nothing, nullptr,
         toy::Rig::round_trip() / 2},
        {"learner_taken_for_voter", "learners_not_in_sync", taken_for_voter(ReplicaKind::learner)},
        {"joiner_taken_for_voter", "joiners_not_in_sync", taken_for_voter(ReplicaKind::joining)},
        {"leaver_taken_for_voter", "leavers_not_in_sync", taken_for_voter(ReplicaKind::leaving)},
        {"only_entries_are_contacts", "idle_group_stays_in_sync", only_entries_are_contacts},
        {"forgotten_taken_for_present", "dead_follower_ages_out",
         each_row(take_forgotten_for_present)},
        {"leads_until_another_does", "lost_quorum_refuses_writes", leads_until_another_does},
        {"quorum_always_held", "held_quorum_is_reached", always([](GroupState& state) {
             if (state.leading) state.quorum = insync::Quorum::held;
         })},
        {"epoch_counted_since_start", "restart_keeps_the_epoch", epoch_counted_since_start},
        {"version_ignores_the_log", "version_tells_of_changes", nothing,
         [](const toy::Node& node) { return node.term(); }},
    };
}

} // namespace insync_test
