// etcd's raft as a raft_host of the tests (tests/hosts/raft_host.h). No panic leaves a function.
package main

/*
#cgo CFLAGS: -I${SRCDIR}/.. -I${SRCDIR}/../../../include
#include "raft_host.h"
*/
import "C"

import (
	"fmt"
	"sync"
	"unsafe"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

const (
	ok          = int32(C.RAFT_HOST_OK)
	none        = int32(C.RAFT_HOST_NONE)
	refused     = int32(C.RAFT_HOST_REFUSED)
	replaced    = int32(C.RAFT_HOST_REPLACED)
	compacted   = int32(C.RAFT_HOST_COMPACTED)
	down        = int32(C.RAFT_HOST_DOWN)
	badArgument = int32(C.RAFT_HOST_BAD_ARGUMENT)
	panicked    = int32(C.RAFT_HOST_PANIC)

	candidate = uint8(C.INSYNC_RAFT_CANDIDATE)
	leader    = uint8(C.INSYNC_RAFT_LEADER)
	voter     = uint8(C.INSYNC_RAFT_VOTER)
	learner   = uint8(C.INSYNC_RAFT_LEARNER)
	joining   = uint8(C.INSYNC_RAFT_JOINING)
	leaving   = uint8(C.INSYNC_RAFT_LEAVING)
	replicate = uint8(C.INSYNC_RAFT_REPLICATE)
	snapshot  = uint8(C.INSYNC_RAFT_SNAPSHOT)
)

// Go's pointers may not stay in C, so nodes have numbers there.
var (
	nodesLock sync.RWMutex
	nodes     = map[uint64]*node{}
	created   uint64
)

func find(handle uint64) *node {
	nodesLock.RLock()
	defer nodesLock.RUnlock()
	return nodes[handle]
}

// with runs an action on a node; a panic in it ends the node's process, not the test's.
func with(handle C.raft_host_node, action func(n *node) int32) (result C.int32_t) {
	n := find(uint64(handle))
	if n == nil {
		return C.int32_t(badArgument)
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	defer func() {
		if words := recover(); words != nil {
			n.err = fmt.Sprint(words)
			n.crash()
			result = C.int32_t(panicked)
		}
	}()
	return C.int32_t(action(n))
}

// lead runs what only a leader may be asked for.
func (n *node) lead(action func() error) int32 {
	if n.raw != nil && n.now.role != leader {
		n.err = "does not lead"
		return refused
	}
	return n.run(action)
}

func ids(first *C.uint64_t, count C.uint32_t) []uint64 {
	return append([]uint64(nil), unsafe.Slice((*uint64)(first), int(count))...)
}

func bytesOf(data *C.uint8_t, size C.size_t) []byte {
	return C.GoBytes(unsafe.Pointer(data), C.int(size))
}

//export etcd_raft_create
func etcd_raft_create(config *C.raft_host_config) (handle C.raft_host_node) {
	defer func() {
		if recover() != nil {
			handle = 0
		}
	}()
	d := &disk{}
	if config.voter_count > 0 {
		d = bootstrapped(pb.ConfState{
			Voters:   ids(config.voters, config.voter_count),
			Learners: ids(config.learners, config.learner_count),
		})
	}
	n := newNode(raft.Config{
		ID:                 uint64(config.id),
		ElectionTick:       int(config.election_ticks),
		HeartbeatTick:      int(config.heartbeat_ticks),
		CheckQuorum:        config.check_quorum != 0,
		PreVote:            config.pre_vote != 0,
		AsyncStorageWrites: config.async_persistence != 0,
	}, uint64(config.seed), d)
	if n.start() != nil {
		return 0
	}
	nodesLock.Lock()
	defer nodesLock.Unlock()
	created++
	nodes[created] = n
	return C.raft_host_node(created)
}

//export etcd_raft_destroy
func etcd_raft_destroy(handle C.raft_host_node) {
	nodesLock.Lock()
	defer nodesLock.Unlock()
	delete(nodes, uint64(handle))
}

//export etcd_raft_tick
func etcd_raft_tick(handle C.raft_host_node) C.int32_t {
	return with(handle, func(n *node) int32 {
		return n.run(func() error {
			n.raw.Tick()
			return nil
		})
	})
}

//export etcd_raft_campaign
func etcd_raft_campaign(handle C.raft_host_node) C.int32_t {
	return with(handle, func(n *node) int32 {
		return n.run(func() error { return n.raw.Campaign() })
	})
}

//export etcd_raft_transfer
func etcd_raft_transfer(handle C.raft_host_node, to C.uint64_t) C.int32_t {
	return with(handle, func(n *node) int32 {
		return n.lead(func() error {
			n.raw.TransferLeader(uint64(to))
			return nil
		})
	})
}

// appended runs what appends one entry, and says where it went.
func (n *node) appended(at *C.uint64_t, action func() error) int32 {
	index := n.last + 1
	result := n.lead(action)
	if result == ok && at != nil {
		*at = C.uint64_t(index)
	}
	return result
}

//export etcd_raft_propose
func etcd_raft_propose(
	handle C.raft_host_node, data *C.uint8_t, size C.size_t, at *C.uint64_t,
) C.int32_t {
	bytes := bytesOf(data, size)
	return with(handle, func(n *node) int32 {
		return n.appended(at, func() error { return n.raw.Propose(bytes) })
	})
}

func confChange(steps []C.raft_host_change, how C.uint32_t) (pb.ConfChangeV2, bool) {
	var change pb.ConfChangeV2
	types := map[C.uint32_t]pb.ConfChangeType{
		C.RAFT_HOST_ADD_VOTER:   pb.ConfChangeAddNode,
		C.RAFT_HOST_ADD_LEARNER: pb.ConfChangeAddLearnerNode,
		C.RAFT_HOST_REMOVE:      pb.ConfChangeRemoveNode,
	}
	for _, step := range steps {
		what, known := types[step.what]
		if !known || step.id == 0 {
			return change, false
		}
		change.Changes = append(change.Changes,
			pb.ConfChangeSingle{Type: what, NodeID: uint64(step.id)})
	}
	switch {
	case how == C.RAFT_HOST_SIMPLE && len(steps) == 1:
	case how == C.RAFT_HOST_LEAVE_JOINT && len(steps) == 0:
	case how == C.RAFT_HOST_ENTER_JOINT && len(steps) > 0:
		change.Transition = pb.ConfChangeTransitionJointExplicit
	default:
		return change, false
	}
	return change, true
}

//export etcd_raft_change
func etcd_raft_change(
	handle C.raft_host_node, steps *C.raft_host_change, count, how C.uint32_t, at *C.uint64_t,
) C.int32_t {
	change, good := confChange(unsafe.Slice(steps, int(count)), how)
	if !good {
		return C.int32_t(badArgument)
	}
	return with(handle, func(n *node) int32 {
		index := n.last + 1
		result := n.appended(at, func() error { return n.raw.ProposeConfChange(change) })
		for _, entry := range n.fresh {
			if result == ok && entry.Index == index && entry.Type == pb.EntryNormal {
				return replaced
			}
		}
		return result
	})
}

//export etcd_raft_step
func etcd_raft_step(handle C.raft_host_node, data *C.uint8_t, size C.size_t) C.int32_t {
	var message pb.Message
	if message.Unmarshal(bytesOf(data, size)) != nil {
		return C.int32_t(badArgument)
	}
	return with(handle, func(n *node) int32 {
		if message.To != n.config.ID {
			n.err = fmt.Sprintf("a message for node %d", message.To)
			return badArgument
		}
		return n.run(func() error { return n.raw.Step(message) })
	})
}

//export etcd_raft_report_unreachable
func etcd_raft_report_unreachable(handle C.raft_host_node, peer C.uint64_t) C.int32_t {
	return with(handle, func(n *node) int32 {
		return n.run(func() error {
			n.raw.ReportUnreachable(uint64(peer))
			return nil
		})
	})
}

//export etcd_raft_report_snapshot
func etcd_raft_report_snapshot(
	handle C.raft_host_node, peer C.uint64_t, delivered C.uint8_t,
) C.int32_t {
	status := raft.SnapshotFailure
	if delivered != 0 {
		status = raft.SnapshotFinish
	}
	return with(handle, func(n *node) int32 {
		return n.run(func() error {
			n.raw.ReportSnapshot(uint64(peer), status)
			return nil
		})
	})
}

func main() {}
