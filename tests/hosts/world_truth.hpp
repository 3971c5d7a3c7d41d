#pragma once

#include "hosts/raft_cluster.hpp"
#include "hosts/world_plan.hpp"

#include <insync/isr_set.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace hosts {

/// What is true of all nodes together, whatever anybody believes: who led when, what is on the
/// disks, who answered whom.
class Truth {
public:
    Truth(RaftCluster& cluster, Report& report) : cluster_(cluster), report_(report) {}

    /// Takes in what a node's library has just done, and judges that.
    void note(NodeId id, const Shown& shown);
    void note_answer(NodeId at, const Mail& mail) {
        Answer& last = heard_[{at, mail.from}];
        if (mail.about.term < last.term) return; // it was late
        last = {mail.about.term, mail.from_life, cluster_.now()};
    }
    void note_acknowledged(Epoch epoch, Index index) {
        Index& highest = acknowledged_[epoch];
        highest = std::max(highest, index);
    }

    [[nodiscard]] NodeId leader_of(Epoch epoch) const {
        const auto leader = leaders_.find(epoch);
        return leader == leaders_.end() ? kNoNode : leader->second;
    }
    /// Whether the leader of a set has led in its epoch, or, where it is ahead, in a newer one.
    [[nodiscard]] bool may_be_named(const insync::IsrSet& set) const {
        if (set.leader() == kNoNode || set.epoch() == 0) return true;
        if (!set.leader_ahead()) return leader_of(set.epoch()) == set.leader();
        return std::any_of(leaders_.upper_bound(set.epoch()), leaders_.end(),
                           [&](const auto& led) { return led.second == set.leader(); });
    }
    /// When a leader last took in an answer of a member, in this epoch and in its present life.
    [[nodiscard]] TimePoint heard(NodeId at, NodeId of, Epoch epoch) const {
        const auto last = heard_.find({at, of});
        if (last == heard_.end() || last->second.term != epoch ||
            last->second.life != cluster_.life_known(at, of))
            return insync::kNever;
        return last->second.when;
    }
    /// Whether a node has on its disk, at `index`, the entry of that term.
    [[nodiscard]] bool holds(NodeId id, Index index, Epoch term) const;
    /// Whether a node has on its disk what the leader's log has at `index`, and so all before it.
    [[nodiscard]] bool holds_as(NodeId id, Index index, NodeId leader) const;
    [[nodiscard]] Epoch disk_term(NodeId id) const { return disk(id).term; }
    /// Whether what `by` believes of `of` may be out of date through no fault of its own: `of` has
    /// entered a later term, or was removed by a leader that `by` has not heard of.
    [[nodiscard]] bool is_beyond(NodeId by, NodeId of, Epoch epoch) const {
        return disk_term(of) > epoch || cluster_.life_known(by, of) != cluster_.node(of).life;
    }
    /// Where the log of a leader ended then; 0 if it did not lead yet, in this epoch.
    [[nodiscard]] Index end_at(NodeId id, Epoch epoch, TimePoint when) const;
    /// The same entry is never found committed twice: true of the library, or nothing is shown.
    void check_acknowledged(NodeId id) const;

private:
    struct Answer {
        Epoch term = 0;
        unsigned life = 0;
        TimePoint when = insync::kNever;
    };
    struct Ends {
        Epoch epoch = 0;
        std::deque<std::pair<TimePoint, Index>> ends;
    };
    [[nodiscard]] raft_host_disk disk(NodeId id) const {
        raft_host_disk found{};
        (void)cluster_.library().disk(cluster_.node(id).raft, &found);
        return found;
    }
    void note_commit(NodeId id, Index index);

    RaftCluster& cluster_;
    Report& report_;
    std::map<Epoch, NodeId> leaders_;
    std::map<Index, Epoch> committed_;
    std::map<NodeId, Index> seen_commit_;
    std::map<std::pair<NodeId, NodeId>, Answer> heard_;
    std::map<NodeId, Ends> ends_;
    std::map<Epoch, Index> acknowledged_;
};

inline bool Truth::holds(NodeId id, Index index, Epoch term) const {
    const raft_host_disk on = disk(id);
    if (index == 0 || index > on.last) return index == 0;
    if (index < on.first) return true; // in a snapshot, and so committed
    raft_host_entry entry{};
    return cluster_.library().disk_entry(cluster_.node(id).raft, index, &entry) == RAFT_HOST_OK &&
           entry.term == term;
}

inline bool Truth::holds_as(NodeId id, Index index, NodeId leader) const {
    raft_host_entry entry{};
    const int found = cluster_.library().entry(cluster_.node(leader).raft, index, &entry);
    if (found == RAFT_HOST_COMPACTED) return disk(id).last >= index;
    return index == 0 || (found == RAFT_HOST_OK && holds(id, index, entry.term));
}

inline void Truth::note(NodeId id, const Shown& shown) {
    const insync_raft_state& state = shown.state;
    report_.mix(state.term << 20 ^ state.last << 8 ^ state.role ^ state.committed << 40);
    if (state.committed != seen_commit_[id]) note_commit(id, state.committed);
    if (!shown.leads()) return;
    const auto [leader, is_new] = leaders_.emplace(state.term, id);
    if (is_new) {
        ++report_.totals().elections;
        report_.note("node {} leads in term {}", id, state.term);
    }
    if (leader->second != id)
        report_.fail("raft", "nodes {} and {} both lead in term {}", leader->second, id,
                     state.term);
    Ends& ends = ends_[id];
    if (ends.epoch != state.term) ends = {state.term, {}};
    if (ends.ends.empty() || ends.ends.back().second != state.last)
        ends.ends.emplace_back(cluster_.now(), state.last);
    if (state.persisted < state.last) report_.reach(Mark::not_durable);
}

inline void Truth::note_commit(NodeId id, Index index) {
    seen_commit_[id] = index;
    raft_host_entry entry{};
    if (cluster_.library().entry(cluster_.node(id).raft, index, &entry) != RAFT_HOST_OK) return;
    const auto [known, is_new] = committed_.emplace(index, entry.term);
    if (known->second != entry.term)
        report_.fail("raft", "node {} has committed entry {} of term {}; it was of term {}", id,
                     index, entry.term, known->second);
}

inline Index Truth::end_at(NodeId id, Epoch epoch, TimePoint when) const {
    const auto ends = ends_.find(id);
    if (ends == ends_.end() || ends->second.epoch != epoch) return 0;
    Index end = 0;
    for (const auto& [since, index] : ends->second.ends)
        if (since <= when) end = index;
    return end;
}

inline void Truth::check_acknowledged(NodeId id) const {
    for (const auto& [epoch, index] : acknowledged_)
        if (!holds(id, index, epoch))
            report_.fail("S6",
                         "all is well again, and node {} lacks entry {} of epoch {}, which "
                         "was acknowledged",
                         id, index, epoch);
}

} // namespace hosts
