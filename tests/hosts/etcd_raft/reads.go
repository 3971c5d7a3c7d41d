package main

/*
#include "raft_host.h"
*/
import "C"

import (
	"unsafe"

	pb "go.etcd.io/raft/v3/raftpb"
)

//export etcd_raft_read
func etcd_raft_read(
	group C.insync_raft_group, state *C.insync_raft_state, peers *C.insync_raft_peer,
	capacity C.uint32_t,
) C.int32_t {
	n := find(uint64(group))
	if n == nil {
		return C.INSYNC_RAFT_BROKEN
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	now := &n.now
	if !now.available {
		return C.INSYNC_RAFT_UNAVAILABLE
	}
	*state = C.insync_raft_state{
		id:           C.uint64_t(n.config.ID),
		term:         C.uint64_t(now.term),
		leader:       C.uint64_t(now.leader),
		epoch_start:  C.uint64_t(now.epochStart),
		last:         C.uint64_t(now.last),
		persisted:    C.uint64_t(now.persisted),
		committed:    C.uint64_t(now.committed),
		applied:      C.uint64_t(now.applied),
		membership:   C.uint64_t(now.membership),
		role:         C.uint8_t(now.role),
		check_quorum: number(n.config.CheckQuorum),
	}
	rows := unsafe.Slice(peers, min(len(n.rows), int(capacity)))
	for at := range rows {
		found := &n.rows[at]
		rows[at] = C.insync_raft_peer{
			id:            C.uint64_t(found.id),
			matched:       C.uint64_t(found.matched),
			confirmed:     number(found.confirmed),
			member:        C.uint8_t(found.member),
			progress:      C.uint8_t(found.progress),
			recent_active: number(found.recentActive),
		}
	}
	return C.int32_t(len(n.rows))
}

func number(truth bool) C.uint8_t {
	if truth {
		return 1
	}
	return 0
}

//export etcd_raft_version
func etcd_raft_version(group C.insync_raft_group) C.uint64_t {
	n := find(uint64(group))
	if n == nil {
		return 0
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return C.uint64_t(n.version)
}

//export etcd_raft_newest_write
func etcd_raft_newest_write(handle C.raft_host_node) C.uint64_t {
	var newest uint64
	with(handle, func(n *node) int32 {
		newest = n.newestWrite()
		return ok
	})
	return C.uint64_t(newest)
}

//export etcd_raft_persist
func etcd_raft_persist(handle C.raft_host_node, number C.uint64_t) C.int32_t {
	return with(handle, func(n *node) int32 { return n.persist(uint64(number)) })
}

//export etcd_raft_crash
func etcd_raft_crash(handle C.raft_host_node) C.int32_t {
	return with(handle, func(n *node) int32 {
		if n.raw == nil {
			return down
		}
		n.crash()
		return ok
	})
}

//export etcd_raft_restart
func etcd_raft_restart(handle C.raft_host_node) C.int32_t {
	return with(handle, func(n *node) int32 {
		if n.raw != nil {
			n.err = "it runs"
			return down
		}
		if err := n.start(); err != nil {
			n.err = err.Error()
			return refused
		}
		return ok
	})
}

//export etcd_raft_wipe
func etcd_raft_wipe(handle C.raft_host_node) C.int32_t {
	return with(handle, func(n *node) int32 {
		if n.raw != nil {
			n.err = "it runs"
			return down
		}
		n.disk = &disk{}
		return ok
	})
}

//export etcd_raft_compact
func etcd_raft_compact(handle C.raft_host_node, index C.uint64_t) C.int32_t {
	return with(handle, func(n *node) int32 { return n.compact(uint64(index)) })
}

func entryOf(entry *pb.Entry, durable bool) C.raft_host_entry {
	return C.raft_host_entry{
		index:   C.uint64_t(entry.Index),
		term:    C.uint64_t(entry.Term),
		hash:    C.uint64_t(hashOf(entry.Data)),
		size:    C.uint32_t(len(entry.Data)),
		change:  number(entry.Type != pb.EntryNormal),
		durable: number(durable),
	}
}

//export etcd_raft_entry
func etcd_raft_entry(
	handle C.raft_host_node, index C.uint64_t, out *C.raft_host_entry,
) C.int32_t {
	return with(handle, func(n *node) int32 {
		entry, why := n.find(uint64(index))
		if why == ok {
			*out = entryOf(entry, n.disk.termOf(entry.Index) == entry.Term)
		}
		return why
	})
}

//export etcd_raft_disk_entry
func etcd_raft_disk_entry(
	handle C.raft_host_node, index C.uint64_t, out *C.raft_host_entry,
) C.int32_t {
	return with(handle, func(n *node) int32 {
		entry, why := n.findOnDisk(uint64(index))
		if why == ok {
			*out = entryOf(entry, true)
		}
		return why
	})
}

//export etcd_raft_disk
func etcd_raft_disk(handle C.raft_host_node, out *C.raft_host_disk) C.int32_t {
	return with(handle, func(n *node) int32 {
		*out = C.raft_host_disk{
			term:   C.uint64_t(n.disk.hardState.Term),
			vote:   C.uint64_t(n.disk.hardState.Vote),
			commit: C.uint64_t(n.disk.hardState.Commit),
			first:  C.uint64_t(n.disk.base.index + 1),
			last:   C.uint64_t(n.disk.last()),
		}
		return ok
	})
}

//export etcd_raft_last_error
func etcd_raft_last_error(handle C.raft_host_node, text *C.char, capacity C.size_t) C.size_t {
	size := 0
	with(handle, func(n *node) int32 {
		if capacity > 0 {
			room := unsafe.Slice((*byte)(unsafe.Pointer(text)), int(capacity))
			size = copy(room[:len(room)-1], n.err)
			room[size] = 0
		}
		return ok
	})
	return C.size_t(size)
}
