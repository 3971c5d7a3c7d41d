package main

import (
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"
)

// A row is one of the leader's progress.
type row struct {
	id, matched  uint64
	confirmed    bool
	member       uint8
	progress     uint8
	recentActive bool
}

// A view is what a read says, but for its rows.
type view struct {
	available  bool
	term       uint64
	leader     uint64
	epochStart uint64
	last       uint64
	persisted  uint64
	committed  uint64
	applied    uint64
	membership uint64
	role       uint8
}

func (n *node) refresh() {
	var now view
	n.spare = n.spare[:0]
	if n.raw != nil {
		now = n.look()
		n.spare = n.lookAtRows(n.spare, now.role == leader)
	}
	quietly := func(a, b row) bool {
		a.recentActive = b.recentActive
		return a == b
	}
	if now != n.now || !slices.EqualFunc(n.spare, n.rows, quietly) {
		n.version++
	}
	n.now = now
	n.rows, n.spare = n.spare, n.rows
}

func (n *node) look() view {
	status := n.raw.BasicStatus()
	now := view{
		available:  true,
		term:       status.Term,
		leader:     status.Lead,
		last:       n.last,
		persisted:  n.persisted(),
		committed:  status.Commit,
		applied:    status.Applied,
		membership: n.confs[len(n.confs)-1].index,
	}
	switch status.RaftState {
	case raft.StateLeader:
		now.role = leader
	case raft.StateCandidate, raft.StatePreCandidate:
		now.role = candidate
	}
	// The entries of a term that a log has stay in it as long as the term lasts.
	if n.now.term == now.term && n.now.epochStart != 0 {
		now.epochStart = n.now.epochStart
	} else {
		now.epochStart = n.startOf(now.term)
	}
	return now
}

// startOf is the index of the first entry of the newest term; 0 if there is none, or if it may be
// part of the snapshot.
func (n *node) startOf(term uint64) uint64 {
	start := uint64(0)
	for index := n.last; index > 0; index-- {
		entry, why := n.find(index)
		if why == compacted && index == n.disk.base.index && n.disk.base.term != term {
			break
		}
		if why != ok {
			return 0
		}
		if entry.Term != term {
			break
		}
		start = index
	}
	return start
}

// persisted is how far the disk has the log as it is now, under what is still queued for it.
func (n *node) persisted() uint64 {
	index := n.disk.last()
	for _, write := range n.writes {
		if entries := write.message.Entries; len(entries) > 0 {
			index = min(index, entries[0].Index-1)
		}
		if snapshot := write.message.Snapshot; snapshot != nil && !raft.IsEmptySnap(*snapshot) {
			index = min(index, n.disk.hardState.Commit)
		}
	}
	return index
}

// Followers have rows of their progress too, which say nothing.
func (n *node) lookAtRows(rows []row, leads bool) []row {
	n.raw.WithProgress(func(id uint64, _ raft.ProgressType, progress tracker.Progress) {
		found := row{
			id:           id,
			matched:      progress.Match,
			confirmed:    leads && progress.Match > 0,
			member:       n.memberOf(id),
			recentActive: progress.RecentActive,
		}
		switch progress.State {
		case tracker.StateReplicate:
			found.progress = replicate
		case tracker.StateSnapshot:
			found.progress = snapshot
		}
		rows = append(rows, found)
	})
	return rows
}

func (n *node) memberOf(id uint64) uint8 {
	state := &n.confs[len(n.confs)-1].state
	stays := slices.Contains(state.Voters, id)
	was := slices.Contains(state.VotersOutgoing, id)
	switch {
	case stays && !was && len(state.VotersOutgoing) > 0:
		return joining
	case stays:
		return voter
	case was:
		return leaving
	}
	return learner
}
