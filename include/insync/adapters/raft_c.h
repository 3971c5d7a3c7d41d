/*
 * What a host of tikv's raft-rs or etcd's raft tells insync, over the C interface of its language.
 *
 * Neither library is C, so a C++ broker has a wrapper of its own around it: a Rust staticlib, a Go
 * c-archive. That wrapper fills the structs below from one moment of one group, and hands out an
 * `insync_raft_reader`; adapters/raft_c.hpp makes a view of it. docs/hosts/ has a page for each
 * library. Everything is filled with the library's own words; what has to be doubted in them, the
 * adapter doubts.
 *
 * Plain C11 and C++. All functions may be called on any thread, also several at a time for one
 * group (the wrapper locks), and none of them blocks on a disk or a network.
 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* It is C: NOLINTBEGIN(modernize-use-using, readability-identifier-naming) */

/* Changes when a struct below does: a wrapper built for another one is refused. */
#define INSYNC_RAFT_ABI 1u

/* One partition's group, as the wrapper names it: a pointer or a number of its own. 0 is none. */
typedef uint64_t insync_raft_group;

/* `insync_raft_state::role`. A pre-candidate is a candidate. */
#define INSYNC_RAFT_FOLLOWER 0u
#define INSYNC_RAFT_CANDIDATE 1u
#define INSYNC_RAFT_LEADER 2u

/* `insync_raft_peer::member`: what the applied configuration says of it. Without joint changes of
 * membership there are voters and learners only. */
#define INSYNC_RAFT_VOTER 0u
#define INSYNC_RAFT_LEARNER 1u /* in `learners` */
#define INSYNC_RAFT_JOINING 2u /* joint: in `voters`, not in `voters_outgoing` */
#define INSYNC_RAFT_LEAVING \
    3u /* joint: in `voters_outgoing`, not in `voters`; a voter that becomes
                                  a learner (`learners_next`) is one too */

/* `insync_raft_peer::progress`: how the leader sends to it. */
#define INSYNC_RAFT_PROBE 0u
#define INSYNC_RAFT_REPLICATE 1u
#define INSYNC_RAFT_SNAPSHOT 2u

/* A group at one moment. */
typedef struct insync_raft_state {
    uint64_t id;          /* this node's own, never 0 */
    uint64_t term;        /* the current term, on every node and in every role */
    uint64_t leader;      /* who leads in `term` as far as this node knows; 0 is nobody */
    uint64_t epoch_start; /* index of the first entry of `term` in this node's log; 0: it has none,
                             or the wrapper does not know */
    uint64_t last;        /* last index of this node's log, written to its disk or not */
    uint64_t persisted;   /* last index that is on its disk, in the log as it is now: an entry that
                             was replaced by a write still under way does not count */
    uint64_t committed;   /* the library's commit index */
    uint64_t applied;     /* last index handed to the state machine */
    uint64_t membership;  /* index of the last applied change of membership, or another number that
                             rises with each of them */
    uint8_t role;         /* INSYNC_RAFT_FOLLOWER, _CANDIDATE or _LEADER */
    uint8_t check_quorum; /* 1: a leader without its quorum steps down by itself (`check_quorum`,
                             `CheckQuorum` is set); 0: it goes on for ever */
    uint8_t reserved[6];  /* 0 */
} insync_raft_state;

/* One row of the leader's progress. */
typedef struct insync_raft_peer {
    uint64_t id;       /* its node, never 0 */
    uint64_t matched;  /* `matched`, `Match`: 0 in a new term, until it accepts an append in it */
    uint8_t confirmed; /* 1: it accepted an append of this very term since it has this row, so
                              that `matched` is what it holds; both libraries: `matched > 0` */
    uint8_t member;    /* INSYNC_RAFT_VOTER and so on */
    uint8_t progress;  /* INSYNC_RAFT_PROBE, _REPLICATE or _SNAPSHOT */
    uint8_t recent_active; /* `recent_active`, `RecentActive`: set also on a member that was just
                              added and never heard of; no proof of anything */
    uint8_t reserved[4];   /* 0 */
} insync_raft_peer;

/* Instead of a count of peers: the group is not open, or is stopping, or its lock is busy. */
#define INSYNC_RAFT_UNAVAILABLE (-1)
/* The library panicked, or the handle is none. Told apart for logs only. */
#define INSYNC_RAFT_BROKEN (-2)

/* What a wrapper hands out, once for all of its groups; must outlive the view. */
typedef struct insync_raft_reader {
    uint32_t abi;      /* INSYNC_RAFT_ABI */
    uint32_t reserved; /* 0 */

    /* Fills `*state`, and `peers[0 .. min(count, capacity))` in any order, from one moment: no
     * step, tick or ready of the group comes between. Returns how many rows the group has, which
     * may be more than `capacity`; or INSYNC_RAFT_UNAVAILABLE or _BROKEN, and then fills nothing.
     * A row of the node itself, and rows on a node that does not lead, may be there or not.
     * Must not throw, panic or unwind into the caller. */
    int32_t (*read)(insync_raft_group group,
                    insync_raft_state* state,
                    insync_raft_peer* peers,
                    uint32_t capacity);

    /* A number that is another one whenever `read` would say something else than before: after any
     * change of the state, of a row but for its `recent_active`, and between available and not. A
     * wrapper that does not count returns a new number at every call. */
    uint64_t (*version)(insync_raft_group group);
} insync_raft_reader;

/* NOLINTEND(modernize-use-using, readability-identifier-naming) */

#ifdef __cplusplus
} /* extern "C" */
#endif
