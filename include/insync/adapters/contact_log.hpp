#pragma once

#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <cstddef>

namespace insync {

/// When the members of one group last answered their leader, which few libraries tell themselves.
///
/// The host keeps one beside each group and notes what arrives, *after* the library has taken it in
/// (that may end the leadership that the answer was meant for):
///
///     if (raft.leading()) {
///         log.lead(raft.term());
///         if (m.type == AppendResponse) log.note_append_result(m.from, m.term, !m.reject, now);
///         if (m.type == HeartbeatResponse) log.note_heartbeat_result(m.from, m.term, now);
///     }
///
/// Nothing else is noted. **Votes and pre-votes are no contacts**: who grants one follows nobody,
/// and a pre-vote carries a term that nobody has entered.
///
/// Invariant: everything in it belongs to one term. Once `lead` was called it is the term named
/// there, so that an answer of a newer one, which no leader of this term is sent, changes nothing;
/// without `lead` it is the newest that was noted.
///
/// \par Thread safety
///     None: one thread, or a lock around it.
/// \par Complexity
///     Linear in the members of the group. Nothing is allocated.
class ContactLog {
public:
    struct Contact {
        TimePoint at = kNever;
        bool verified = false; ///< an append was accepted, so that the library's match is known
    };

    /// This node leads in `term`: what is noted of any other is ignored. Called again in the same
    /// term it changes nothing, so that a host may call it before each note; another term, a lower
    /// one too, forgets everything.
    void lead(Epoch term) noexcept {
        led_ = true;
        if (term != term_) begin(term);
    }

    /// A server answered an append (in Raft an AppendEntries) of `term`.
    ///
    /// A rejection proves that the server is alive and follows, not what it holds: the library's
    /// match for it is still the 0, say, that every follower starts a term with.
    /// \param term      what the answer carries, not what the library's term is by now
    /// \param accepted  whether it took what was sent
    /// \param now       on the time line of the manager's clock
    void note_append_result(NodeId node, Epoch term, bool accepted, TimePoint now) noexcept {
        if (Entry* const entry = heard_of(node, term, now))
            entry->contact.verified = entry->contact.verified || accepted;
    }

    /// A server answered a heartbeat of `term`, in libraries that answer these apart from appends:
    /// it is alive and follows, which proves nothing of a match. Where a heartbeat is an append
    /// without entries, checked against the log as they all are, its answer is an append's.
    void note_heartbeat_result(NodeId node, Epoch term, TimePoint now) noexcept {
        heard_of(node, term, now);
    }

    /// A member was removed: what it answered is nobody's any more, and what is on the way from it
    /// counts for nothing, until `admit` or another term. Without this a server that is removed and
    /// added again in one term, with an empty disk, goes on as verified.
    void forget(NodeId node) noexcept { entry_of(node).forgotten = true; }

    /// A member that was forgotten is one again. It starts never heard of and unverified. For one
    /// that was not forgotten it changes nothing, so that a host may admit all of a configuration;
    /// a term that began since its removal has forgotten that too, so say `forget` of a newcomer
    /// first.
    ///
    /// An answer from before its removal that arrives only now cannot be told from one of its new
    /// life: close the connection to a server when it is removed, or give it another id. (A library
    /// without such a guard takes that answer's match for true, too.)
    void admit(NodeId node) noexcept {
        for (Entry& entry : entries_)
            if (entry.node == node && entry.forgotten) entry = Entry{.node = node};
    }

    /// What is known of a server in `term`: nothing, if no answer of that very term came from it.
    [[nodiscard]] Contact find(NodeId node, Epoch term) const noexcept {
        if (term == term_)
            for (const Entry& entry : entries_)
                if (entry.node == node) return entry.forgotten ? Contact{} : entry.contact;
        return {};
    }

private:
    struct Entry {
        NodeId node = kNoNode;
        Contact contact = {};
        bool forgotten = false;
    };
    static constexpr std::size_t kCapacity = 2 * kMaxReplicas;

    void begin(Epoch term) noexcept {
        entries_.clear();
        term_ = term;
    }

    /// \return null if the answer is of no concern
    Entry* heard_of(NodeId node, Epoch term, TimePoint now) noexcept {
        if (led_ ? term != term_ : term < term_) return nullptr;
        if (term != term_) begin(term);
        Entry& entry = entry_of(node);
        entry.contact.at = std::max(entry.contact.at, now);
        return &entry;
    }

    Entry& entry_of(NodeId node) noexcept {
        for (Entry& entry : entries_)
            if (entry.node == node) return entry;
        if (entries_.size() < kCapacity) {
            entries_.push_back(Entry{.node = node});
            return entries_.back();
        }
        // Servers that were removed within the term linger; the one silent for longest is one.
        Entry& oldest = *std::min_element(
            entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.contact.at < b.contact.at; });
        oldest = Entry{.node = node};
        return oldest;
    }

    Epoch term_ = 0;
    bool led_ = false; ///< `lead` says what the term is
    boost::container::static_vector<Entry, kCapacity> entries_;
};

} // namespace insync
