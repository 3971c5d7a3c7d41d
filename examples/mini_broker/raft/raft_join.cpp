// A node that has lost its disk has forgotten its votes and entries that others count on. It comes
// back as a follower only, until a leader has given it again what it may have acknowledged.
#include "raft/group_state.hpp"

#include <algorithm>
#include <utility>

namespace mini_broker {

namespace {

/// Of a group in which nobody has led yet: every node begins in term 1, with the configuration as
/// the first entry.
constexpr Term kFirstElection = 2;
constexpr Index kNewLog = 1;

} // namespace

/// Whether this node, while it is joining, may send or heed a message. In a group in which nothing
/// has happened yet it may elect: there is nothing that it could have lost. That the other one is
/// without its disk too is what nobody can tell; so only one at a time may be replaced.
bool RaftGroup::State::may_help(const raft_message& message) const {
    if (!meta.joining) return true;
    switch (message.type) {
    case RAFT_REQUEST_VOTE:
        return message.request_vote.term <= kFirstElection &&
               message.request_vote.last_log_index <= kNewLog;
    case RAFT_REQUEST_VOTE_RESULT: return message.request_vote_result.term <= kFirstElection;
    default: return message.type != RAFT_TIMEOUT_NOW;
    }
}

/// Whether a candidate must have lost its disk: it asks for the vote that it has got already, or to
/// begin with the first election, in which this node has voted.
bool RaftGroup::State::has_forgotten(const raft_request_vote& args) const {
    if (meta.vote == 0 || args.term > meta.term) return false;
    const bool again = args.term == meta.term &&
                       static_cast<raft_id>(meta.vote) == args.candidate_id && !args.pre_vote;
    return again || args.term <= kFirstElection;
}

/// Notes what must be held to have joined. What this node's former self had sent is over after an
/// election time-out, also votes; what the leader knows to be committed then is all that may have
/// been acknowledged by this node before.
void RaftGroup::State::follow(const raft_message& heard) {
    const raft_append_entries& args = heard.append_entries;
    const auto from = static_cast<NodeId>(heard.server_id);
    if (args.term != meta.term) return; // an old leader's
    const TimePoint now = loop.now();
    if (following.leader != from || following.term != args.term)
        following = {from, args.term, now, {}, false};
    if (!following.wanted && args.leader_commit != kNotKnown &&
        insync::saturating_age(now, following.since) >= 2 * options.election_timeout)
        following.wanted = args.leader_commit;
}

/// Ends joining once that is held, and the owner has acted on it: its turn is between two ticks.
/// So a node that has joined the metadata's group has opened all partitions that it may have lost.
void RaftGroup::State::end_joining() {
    if (!following.wanted || std::min(commit, log.durable_index()) < *following.wanted) return;
    if (!std::exchange(following.held, true)) return;
    meta.joining = false;
    save_meta();
}

/// Whether a follower's answer says that it holds fewer entries than it has confirmed to this
/// leader. libraft counts on those for as long as the term lasts, so another term is needed: the
/// answer is dropped, and leadership goes to the best of the other followers. Where there is none,
/// this node soon has no majority left, and steps down by itself.
bool RaftGroup::State::has_lost_entries(const raft_message& answer) {
    if (answer.type != RAFT_APPEND_ENTRIES_RESULT || !leading()) return false;
    const raft_append_entries_result& result = answer.append_entries_result;
    raft_index confirmed = 0;
    if (result.rejected == 0 || result.term != meta.term ||
        raft_match_index(&core, answer.server_id, &confirmed) != 0 ||
        result.last_log_index >= confirmed)
        return false;
    const auto follower = static_cast<NodeId>(answer.server_id);
    pending.losses.push_back({follower, confirmed, result.last_log_index});
    raft_event event{};
    event.type = RAFT_TRANSFER;
    raft_index most = 0;
    for (const NodeId voter : voters) {
        raft_index match = 0;
        if (voter == self || voter == follower) continue;
        if (raft_match_index(&core, static_cast<raft_id>(voter), &match) != 0 || match <= most)
            continue;
        most = match;
        event.transfer.server_id = static_cast<raft_id>(voter);
    }
    if (most != 0) (void)step(event); // refused while one goes on
    return true;
}

} // namespace mini_broker
