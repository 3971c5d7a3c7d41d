#pragma once

#include <insync/types.hpp>

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <cstddef>

namespace insync {

/// When the members of one group last answered their leader, which few libraries tell themselves.
///
/// The host keeps one beside each group and notes what arrives, *after* the library has taken it in
/// (that may end the leadership that the answer was meant for). With libraft:
///
///     if (raft_state(r) == RAFT_LEADER && result.term == raft_current_term(r))
///         log.note_append_result(from, result.term, result.rejected == 0, now);
///
/// Invariant: everything in it belongs to one term, the newest that was noted.
///
/// \par Thread safety
///     None: one thread, or a lock around it.
class ContactLog {
public:
    struct Contact {
        TimePoint at = kNever;
        bool verified = false; ///< an answer accepted what was sent, so that its match is known
    };

    /// A server answered an AppendEntries of `term`.
    ///
    /// A rejection proves that the server is alive and follows, not what it holds: libraft's match
    /// for it, say, is still the 0 that every follower starts a term with.
    /// \param accepted  `rejected == 0` in the result
    /// \param now       on the time line of the manager's clock
    void note_append_result(NodeId node, Epoch term, bool accepted, TimePoint now) noexcept {
        if (term < term_) return;
        if (term > term_) {
            entries_.clear();
            term_ = term;
        }
        Entry& entry = entry_of(node);
        entry.contact.at = std::max(entry.contact.at, now);
        entry.contact.verified = entry.contact.verified || accepted;
    }

    /// What is known of a server in `term`: nothing, if no answer of that very term came from it.
    [[nodiscard]] Contact find(NodeId node, Epoch term) const noexcept {
        if (term == term_)
            for (const Entry& entry : entries_)
                if (entry.node == node) return entry.contact;
        return {};
    }

private:
    struct Entry {
        NodeId node = kNoNode;
        Contact contact;
    };
    static constexpr std::size_t kCapacity = 2 * kMaxReplicas;

    Entry& entry_of(NodeId node) noexcept {
        for (Entry& entry : entries_)
            if (entry.node == node) return entry;
        if (entries_.size() < kCapacity) {
            entries_.push_back(Entry{node, {}});
            return entries_.back();
        }
        // Servers that were removed within the term linger; the one silent for longest is one.
        Entry& oldest = *std::min_element(
            entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.contact.at < b.contact.at; });
        oldest = Entry{node, {}};
        return oldest;
    }

    Epoch term_ = 0;
    boost::container::static_vector<Entry, kCapacity> entries_;
};

} // namespace insync
