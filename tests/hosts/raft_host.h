/*
 * How the tests drive a consensus library: one node of one group, on a disk, links and a time that
 * the test holds. raft_rs/ and etcd_raft/ each hand out one table of these functions; both can be
 * linked into one program.
 *
 * A node's handle is also its `insync_raft_group`. Each function may be called on any thread (a
 * lock each node), and none of them unwinds: a panic of the library is RAFT_HOST_PANIC, and the
 * node then is as if it had crashed.
 *
 * Every call takes what the library has ready, at once: messages go into the node's outbox, entries
 * and hard states onto its disk, or, with `async_persistence`, into its queue of writes, and
 * committed entries are applied.
 *
 * The group starts as from a snapshot with index 1 and term 1, as both libraries want it, so that a
 * node with an empty disk is sent a snapshot. A node that restarts applies its log again from its
 * snapshot on.
 */
#pragma once

#include <insync/adapters/raft_c.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t raft_host_node; /* 0 is none */

/* What calls return. */
#define RAFT_HOST_OK 0
#define RAFT_HOST_NONE 1         /* there is no such thing: no message, no entry */
#define RAFT_HOST_REFUSED 2      /* the library refused: not the leader, a transfer is under way */
#define RAFT_HOST_REPLACED 3     /* a change of membership became an empty entry: one is pending */
#define RAFT_HOST_COMPACTED 4    /* the entry is part of the snapshot */
#define RAFT_HOST_DOWN 5         /* the node has crashed, or it has not (restart, wipe) */
#define RAFT_HOST_BAD_ARGUMENT 6 /* not a node, id 0, bytes that are no message */
#define RAFT_HOST_PANIC 7        /* the library panicked: `last_error` has its words */

typedef struct raft_host_config {
    uint64_t id; /* not 0 */
    const uint64_t*
        voters; /* the group's first members; none: this node joins with an empty disk */
    const uint64_t* learners;
    uint32_t voter_count;
    uint32_t learner_count;
    uint32_t election_ticks;  /* elections start after election_ticks to 2 * election_ticks - 1 */
    uint32_t heartbeat_ticks; /* less than that */
    uint64_t seed;            /* of that choice; the same calls then do the same */
    uint8_t check_quorum;
    uint8_t pre_vote;
    uint8_t async_persistence; /* 0: on the disk at once */
    uint8_t reserved[5];       /* 0 */
} raft_host_config;

/* `raft_host_message::kind` */
#define RAFT_HOST_OTHER 0u
#define RAFT_HOST_APPEND 1u
#define RAFT_HOST_APPEND_RESPONSE 2u
#define RAFT_HOST_HEARTBEAT 3u
#define RAFT_HOST_HEARTBEAT_RESPONSE 4u
#define RAFT_HOST_VOTE 5u
#define RAFT_HOST_VOTE_RESPONSE 6u
#define RAFT_HOST_PRE_VOTE 7u
#define RAFT_HOST_PRE_VOTE_RESPONSE 8u
#define RAFT_HOST_SNAPSHOT 9u     /* if it is lost, `report_snapshot`: the leader waits for ever */
#define RAFT_HOST_TIMEOUT_NOW 10u /* a transfer: "campaign now" */
#define RAFT_HOST_PROPOSE 11u     /* a follower's proposal, on its way to the leader */
#define RAFT_HOST_TRANSFER 12u    /* a follower's wish for a transfer, on its way to the leader */

/* What a message says, for tests that look into it. */
typedef struct raft_host_message {
    uint64_t from;
    uint64_t to;
    uint64_t term;  /* 0 in proposals and wishes */
    uint64_t index; /* append: what precedes its entries; its response: what is held, or, of a
                       rejection, what was rejected; snapshot: its index */
    uint64_t log_term;
    uint64_t commit;
    uint32_t entries; /* how many it carries */
    uint8_t kind;
    uint8_t reject; /* of a response */
    uint8_t reserved[2];
} raft_host_message;

typedef struct raft_host_entry {
    uint64_t index;
    uint64_t term;
    uint64_t hash;   /* FNV-1a, 64 bits, of its bytes */
    uint32_t size;   /* of its bytes; 0: empty, as each leader's first one is */
    uint8_t change;  /* 1: a change of membership */
    uint8_t durable; /* 1: on the disk, and this very entry */
    uint8_t reserved[2];
} raft_host_entry;

/* A disk, as a node that started on it would find it. */
typedef struct raft_host_disk {
    uint64_t term;
    uint64_t vote; /* 0: none in this term */
    uint64_t commit;
    uint64_t first; /* index of the first entry; all before it is in the snapshot */
    uint64_t last;  /* of the last entry or the snapshot; 0: the disk is empty */
} raft_host_disk;

/* One step of a change of membership. */
#define RAFT_HOST_ADD_VOTER 0u
#define RAFT_HOST_ADD_LEARNER 1u
#define RAFT_HOST_REMOVE 2u
typedef struct raft_host_change {
    uint64_t id;
    uint32_t what;
    uint32_t reserved;
} raft_host_change;

/* `raft_host::change`, how. */
#define RAFT_HOST_SIMPLE 0u      /* one step; takes effect as one, when it is applied */
#define RAFT_HOST_ENTER_JOINT 1u /* any number; both configurations count until LEAVE_JOINT */
#define RAFT_HOST_LEAVE_JOINT 2u /* no steps */

typedef struct raft_host {
    const char* name;                 /* "raft-rs 0.7.0" */
    const insync_raft_reader* reader; /* what a broker would use */

    /* A node that runs, on a new disk; 0 if the config is wrong. */
    raft_host_node (*create)(const raft_host_config* config);
    void (*destroy)(raft_host_node node);

    int32_t (*tick)(raft_host_node node);
    /* With check_quorum the votes of those that hear a leader are not to be had: transfer. */
    int32_t (*campaign)(raft_host_node node);
    int32_t (*transfer)(raft_host_node node, uint64_t to);
    /* On the leader only. `index`, if not null: where the entry went. */
    int32_t (*propose)(raft_host_node node, const uint8_t* data, size_t size, uint64_t* index);
    int32_t (*change)(raft_host_node node,
                      const raft_host_change* steps,
                      uint32_t count,
                      uint32_t how,
                      uint64_t* index);
    /* Takes in what another node's `next_message` gave. */
    int32_t (*step)(raft_host_node node, const uint8_t* data, size_t size);
    int32_t (*report_unreachable)(raft_host_node node, uint64_t peer);
    int32_t (*report_snapshot)(raft_host_node node, uint64_t peer, uint8_t delivered);

    /* Moves the oldest message of the outbox to `data`, its size to `size`; RAFT_HOST_NONE if there
     * is none. If `capacity` is too small nothing is moved, `size` says what it takes, and the
     * answer is RAFT_HOST_BAD_ARGUMENT. `about` may be null. A crash empties the outbox. */
    int32_t (*next_message)(raft_host_node node,
                            uint8_t* data,
                            size_t capacity,
                            size_t* size,
                            raft_host_message* about);
    /* What the bytes of a message say. */
    int32_t (*describe)(const uint8_t* data, size_t size, raft_host_message* about);

    /* Number of the newest write that is queued; 0: all is on the disk. Numbers rise. */
    uint64_t (*newest_write)(raft_host_node node);
    /* All writes up to `number` reach the disk, in their order, and the library is told. */
    int32_t (*persist)(raft_host_node node, uint64_t number);

    /* Ends the process: what is queued for the disk is lost. Reads are INSYNC_RAFT_UNAVAILABLE. */
    int32_t (*crash)(raft_host_node node);
    /* Starts it again on its disk, whatever it was before; its handle stays. */
    int32_t (*restart)(raft_host_node node);
    /* Gives a crashed node an empty disk: after `restart` it is a node that joins. */
    int32_t (*wipe)(raft_host_node node);

    /* Replaces what was applied up to `index` by a snapshot, on the disk too. */
    int32_t (*compact)(raft_host_node node, uint64_t index);

    /* These answer for crashed nodes as well: then the log is what the disk has. */
    int32_t (*entry)(raft_host_node node, uint64_t index, raft_host_entry* out);
    int32_t (*disk)(raft_host_node node, raft_host_disk* out);
    int32_t (*disk_entry)(raft_host_node node, uint64_t index, raft_host_entry* out);

    /* Words about the last call that failed, with a 0 at the end; returns their length. */
    size_t (*last_error)(raft_host_node node, char* text, size_t capacity);
} raft_host;

const raft_host* raft_rs_host(void);
const raft_host* etcd_raft_host(void);

#ifdef __cplusplus
} /* extern "C" */
#endif
