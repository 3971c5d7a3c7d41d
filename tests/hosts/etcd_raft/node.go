package main

import (
	"math"
	"sync"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// A write is what a ready wants on the disk, and what may be sent once it is there.
type write struct {
	number  uint64
	message pb.Message // a MsgStorageAppend
}

// A node is the library's RawNode, its disk, what is on the way to the disk and to other nodes.
type node struct {
	mutex  sync.Mutex
	config raft.Config
	seed   uint64
	raw    *raft.RawNode // nil: it has crashed
	disk   *disk

	writes    []write
	lastWrite uint64
	outbox    []pb.Message
	last      uint64 // the library shows its last index nowhere
	confs     []conf
	fresh     []pb.Entry // what the call under way has appended

	now     view
	rows    []row
	spare   []row // the memory of the rows before
	version uint64
	err     string
}

// A conf is a configuration, and the index that made it.
type conf struct {
	index uint64
	state pb.ConfState
}

func newNode(config raft.Config, seed uint64, d *disk) *node {
	config.MaxSizePerMsg = 1 << 16
	config.MaxCommittedSizePerReady = math.MaxUint64
	config.MaxInflightMsgs = 256
	config.StepDownOnRemoval = true
	config.Logger = logger
	return &node{config: config, seed: seed, disk: d, version: 1}
}

func (n *node) start() error {
	n.disk.applied = n.disk.base
	n.last = n.disk.last()
	n.confs = []conf{{n.disk.base.index, n.disk.base.conf}}
	n.config.Storage = n.disk
	n.config.Applied = n.disk.base.index
	defer chosen.lend(&n.seed)()
	raw, err := raft.NewRawNode(&n.config)
	if err != nil {
		return err
	}
	n.raw = raw
	n.settle()
	return nil
}

func (n *node) crash() {
	n.raw = nil
	n.writes = nil
	n.outbox = nil
	n.refresh()
}

// run calls the library, then takes what that has made ready.
func (n *node) run(action func() error) int32 {
	if n.raw == nil {
		return down
	}
	defer chosen.lend(&n.seed)()
	n.fresh = n.fresh[:0]
	err := action()
	n.settle()
	if err != nil {
		n.err = err.Error()
		return refused
	}
	return ok
}

func (n *node) settle() {
	for n.raw.HasReady() {
		ready := n.raw.Ready()
		if !raft.IsEmptySnap(ready.Snapshot) {
			n.last = ready.Snapshot.Metadata.Index
			n.confs = []conf{{n.last, ready.Snapshot.Metadata.ConfState}}
		}
		if count := len(ready.Entries); count > 0 {
			n.last = ready.Entries[count-1].Index
			n.fresh = append(n.fresh, ready.Entries...)
		}
		if n.config.AsyncStorageWrites {
			n.takeAsynchronously(ready)
		} else {
			n.takeAtOnce(ready)
		}
	}
	n.refresh()
}

func (n *node) takeAtOnce(ready raft.Ready) {
	if !raft.IsEmptySnap(ready.Snapshot) {
		n.disk.install(&ready.Snapshot)
	}
	n.disk.append(ready.Entries)
	if !raft.IsEmptyHardState(ready.HardState) {
		n.disk.hardState = ready.HardState
	}
	n.outbox = append(n.outbox, ready.Messages...)
	n.apply(ready.CommittedEntries)
	n.raw.Advance(ready)
}

func (n *node) takeAsynchronously(ready raft.Ready) {
	for _, message := range ready.Messages {
		switch message.To {
		case raft.LocalAppendThread:
			// What nobody waits for need not be queued; but nothing overtakes what is.
			if len(message.Responses) == 0 && len(n.writes) == 0 {
				n.put(message)
				continue
			}
			n.lastWrite++
			n.writes = append(n.writes, write{n.lastWrite, message})
		case raft.LocalApplyThread:
			n.apply(message.Entries)
			n.deliver(message.Responses)
		default:
			n.outbox = append(n.outbox, message)
		}
	}
}

// put makes a MsgStorageAppend durable.
func (n *node) put(message pb.Message) {
	if message.Snapshot != nil && !raft.IsEmptySnap(*message.Snapshot) {
		n.disk.install(message.Snapshot)
	}
	n.disk.append(message.Entries)
	state := pb.HardState{Term: message.Term, Vote: message.Vote, Commit: message.Commit}
	if !raft.IsEmptyHardState(state) {
		n.disk.hardState = state
	}
	n.deliver(message.Responses)
}

func (n *node) deliver(responses []pb.Message) {
	for _, response := range responses {
		if response.To == n.config.ID {
			// It refuses what a newer term has made void.
			_ = n.raw.Step(response)
		} else {
			n.outbox = append(n.outbox, response)
		}
	}
}

func (n *node) apply(entries []pb.Entry) {
	for _, entry := range entries {
		if change := changeOf(entry); change != nil {
			state := n.raw.ApplyConfChange(change)
			n.confs = append(n.confs, conf{entry.Index, *state})
		}
		n.disk.applied = base{entry.Index, entry.Term, n.confs[len(n.confs)-1].state}
	}
}

func changeOf(entry pb.Entry) pb.ConfChangeI {
	switch entry.Type {
	case pb.EntryConfChange:
		var change pb.ConfChange
		if change.Unmarshal(entry.Data) == nil {
			return change
		}
	case pb.EntryConfChangeV2:
		var change pb.ConfChangeV2
		if change.Unmarshal(entry.Data) == nil {
			return change
		}
	}
	return nil
}

func (n *node) newestWrite() uint64 {
	if len(n.writes) == 0 {
		return 0
	}
	return n.writes[len(n.writes)-1].number
}

func (n *node) persist(number uint64) int32 {
	return n.run(func() error {
		for len(n.writes) > 0 && n.writes[0].number <= number {
			message := n.writes[0].message
			n.writes = n.writes[1:]
			n.put(message)
		}
		return nil
	})
}

func (n *node) compact(index uint64) int32 {
	switch {
	case n.raw == nil:
		return down
	case index <= n.disk.base.index:
		return compacted
	case index > n.disk.applied.index || index > n.disk.last():
		return none
	}
	for len(n.confs) > 1 && n.confs[1].index <= index {
		n.confs = n.confs[1:]
	}
	n.disk.compact(base{index, n.disk.termOf(index), n.confs[0].state})
	return ok
}

// find looks an entry of the log up, as the library has it: what is on the disk, under what is
// queued for it. The second result is what RAFT_HOST says if there is none.
func (n *node) find(index uint64) (*pb.Entry, int32) {
	for at := len(n.writes) - 1; at >= 0; at-- {
		message := &n.writes[at].message
		if count := len(message.Entries); count > 0 && index >= message.Entries[0].Index {
			if index > message.Entries[count-1].Index {
				return nil, none
			}
			return &message.Entries[index-message.Entries[0].Index], ok
		}
		if message.Snapshot != nil && !raft.IsEmptySnap(*message.Snapshot) {
			if index <= message.Snapshot.Metadata.Index {
				return nil, compacted
			}
			return nil, none
		}
	}
	return n.findOnDisk(index)
}

func (n *node) findOnDisk(index uint64) (*pb.Entry, int32) {
	if index != 0 && index <= n.disk.base.index {
		return nil, compacted
	}
	if entry := n.disk.find(index); entry != nil {
		return entry, ok
	}
	return nil, none
}
