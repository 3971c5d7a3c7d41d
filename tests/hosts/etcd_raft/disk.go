package main

import (
	"hash/fnv"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// A base is what a snapshot says: a configuration and nothing else, as the tests' state machine is
// the log itself.
type base struct {
	index, term uint64
	conf        pb.ConfState
}

// A disk is what a node finds when it starts: what reached it before the last crash.
type disk struct {
	hardState pb.HardState
	base      base
	entries   []pb.Entry
	applied   base // what a snapshot for another node would say; no part of the disk itself
}

// bootstrapped is the disk of a first member: as after a snapshot of what never was.
func bootstrapped(conf pb.ConfState) *disk {
	start := base{index: 1, term: 1, conf: conf}
	return &disk{hardState: pb.HardState{Term: 1, Commit: 1}, base: start, applied: start}
}

func (d *disk) last() uint64 { return d.base.index + uint64(len(d.entries)) }

func (d *disk) find(index uint64) *pb.Entry {
	if index <= d.base.index || index > d.last() {
		return nil
	}
	return &d.entries[index-d.base.index-1]
}

// termOf answers 0 where the disk has nothing.
func (d *disk) termOf(index uint64) uint64 {
	if index == d.base.index {
		return d.base.term
	}
	if entry := d.find(index); entry != nil {
		return entry.Term
	}
	return 0
}

func (d *disk) append(entries []pb.Entry) {
	if len(entries) == 0 {
		return
	}
	first := entries[0].Index
	if first <= d.base.index || first > d.last()+1 {
		panic("a gap in the log")
	}
	kept := first - d.base.index - 1
	d.entries = append(d.entries[:kept:kept], entries...)
}

func (d *disk) install(snapshot *pb.Snapshot) {
	about := snapshot.Metadata
	d.base = base{about.Index, about.Term, about.ConfState}
	d.applied = d.base
	d.entries = nil
	d.raiseHardState()
}

// compact forgets the entries up to the new base, which it must hold.
func (d *disk) compact(to base) {
	d.entries = append([]pb.Entry(nil), d.entries[to.index-d.base.index:]...)
	d.base = to
	d.raiseHardState()
}

// A commit index below the snapshot is one that the library refuses to start with.
func (d *disk) raiseHardState() {
	d.hardState.Commit = max(d.hardState.Commit, d.base.index)
	d.hardState.Term = max(d.hardState.Term, d.base.term)
}

func hashOf(data []byte) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write(data)
	return hash.Sum64()
}

// The rest is raft.Storage.

// InitialState has the snapshot's configuration: from there on the log is applied again.
func (d *disk) InitialState() (pb.HardState, pb.ConfState, error) {
	return d.hardState, d.base.conf, nil
}

func (d *disk) Entries(lo, hi, maxSize uint64) ([]pb.Entry, error) {
	if lo <= d.base.index {
		return nil, raft.ErrCompacted
	}
	if hi > d.last()+1 {
		return nil, raft.ErrUnavailable
	}
	var found []pb.Entry
	size := uint64(0)
	for _, entry := range d.entries[lo-d.base.index-1 : hi-d.base.index-1] {
		size += uint64(entry.Size())
		if len(found) > 0 && size > maxSize {
			break
		}
		found = append(found, entry)
	}
	return found, nil
}

func (d *disk) Term(index uint64) (uint64, error) {
	switch {
	case index < d.base.index:
		return 0, raft.ErrCompacted
	case index > d.last():
		return 0, raft.ErrUnavailable
	}
	return d.termOf(index), nil
}

func (d *disk) LastIndex() (uint64, error) { return d.last(), nil }

func (d *disk) FirstIndex() (uint64, error) { return d.base.index + 1, nil }

func (d *disk) Snapshot() (pb.Snapshot, error) {
	if d.applied.index == 0 {
		return pb.Snapshot{}, raft.ErrSnapshotTemporarilyUnavailable
	}
	return pb.Snapshot{Metadata: pb.SnapshotMetadata{
		Index: d.applied.index, Term: d.applied.term, ConfState: d.applied.conf,
	}}, nil
}
