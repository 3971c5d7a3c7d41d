package main

/*
#include "raft_host.h"
*/
import "C"

import (
	"unsafe"

	pb "go.etcd.io/raft/v3/raftpb"
)

var kinds = map[pb.MessageType]C.uint8_t{
	pb.MsgApp:            C.RAFT_HOST_APPEND,
	pb.MsgAppResp:        C.RAFT_HOST_APPEND_RESPONSE,
	pb.MsgHeartbeat:      C.RAFT_HOST_HEARTBEAT,
	pb.MsgHeartbeatResp:  C.RAFT_HOST_HEARTBEAT_RESPONSE,
	pb.MsgVote:           C.RAFT_HOST_VOTE,
	pb.MsgVoteResp:       C.RAFT_HOST_VOTE_RESPONSE,
	pb.MsgPreVote:        C.RAFT_HOST_PRE_VOTE,
	pb.MsgPreVoteResp:    C.RAFT_HOST_PRE_VOTE_RESPONSE,
	pb.MsgSnap:           C.RAFT_HOST_SNAPSHOT,
	pb.MsgTimeoutNow:     C.RAFT_HOST_TIMEOUT_NOW,
	pb.MsgProp:           C.RAFT_HOST_PROPOSE,
	pb.MsgTransferLeader: C.RAFT_HOST_TRANSFER,
}

func describe(message *pb.Message, about *C.raft_host_message) {
	*about = C.raft_host_message{
		from:     C.uint64_t(message.From),
		to:       C.uint64_t(message.To),
		term:     C.uint64_t(message.Term),
		index:    C.uint64_t(message.Index),
		log_term: C.uint64_t(message.LogTerm),
		commit:   C.uint64_t(message.Commit),
		entries:  C.uint32_t(len(message.Entries)),
		kind:     kinds[message.Type],
	}
	if message.Reject {
		about.reject = 1
	}
	if message.Type == pb.MsgSnap && message.Snapshot != nil {
		about.index = C.uint64_t(message.Snapshot.Metadata.Index)
	}
}

//export etcd_raft_next_message
func etcd_raft_next_message(
	handle C.raft_host_node, data *C.uint8_t, capacity C.size_t, size *C.size_t,
	about *C.raft_host_message,
) C.int32_t {
	return with(handle, func(n *node) int32 {
		if len(n.outbox) == 0 {
			return none
		}
		message := &n.outbox[0]
		wanted := message.Size()
		*size = C.size_t(wanted)
		if C.size_t(wanted) > capacity {
			return badArgument
		}
		if _, err := message.MarshalTo(unsafe.Slice((*byte)(data), wanted)); err != nil {
			return badArgument
		}
		if about != nil {
			describe(message, about)
		}
		n.outbox = n.outbox[1:]
		return ok
	})
}

//export etcd_raft_describe
func etcd_raft_describe(data *C.uint8_t, size C.size_t, about *C.raft_host_message) C.int32_t {
	var message pb.Message
	if message.Unmarshal(bytesOf(data, size)) != nil {
		return C.int32_t(badArgument)
	}
	describe(&message, about)
	return C.int32_t(ok)
}
