//! What the library says of itself, in the words of `raft_c.h`.

use raft::eraftpb::ConfState;
use raft::{ProgressState, StateRole};

use crate::abi;
use crate::node::Raw;

pub fn state_of(raw: &Raw, membership: u64, before: &abi::State) -> abi::State {
    let raft = &raw.raft;
    // The entries of a term that a log has stay in it as long as the term lasts.
    let known = before.term == raft.term && before.epoch_start != 0;
    abi::State {
        id: raft.id,
        term: raft.term,
        leader: raft.leader_id,
        epoch_start: if known {
            before.epoch_start
        } else {
            raw.store().start_of(raft.term)
        },
        last: raft.raft_log.last_index(),
        persisted: raft.raft_log.persisted,
        committed: raft.raft_log.committed,
        applied: raft.raft_log.applied(),
        membership,
        role: match raft.state {
            StateRole::Follower => abi::FOLLOWER,
            StateRole::Candidate | StateRole::PreCandidate => abi::CANDIDATE,
            StateRole::Leader => abi::LEADER,
        },
        check_quorum: raft.check_quorum as u8,
        ..Default::default()
    }
}

/// Followers have rows of their progress too, which say nothing.
pub fn peers_of(raw: &Raw, conf: &ConfState) -> Vec<abi::Peer> {
    let leading = raw.raft.state == StateRole::Leader;
    let rows = raw.raft.prs().iter().map(|(&id, progress)| abi::Peer {
        id,
        matched: progress.matched,
        confirmed: (leading && progress.matched > 0) as u8,
        member: member_of(conf, id),
        progress: match progress.state {
            ProgressState::Probe => abi::PROBE,
            ProgressState::Replicate => abi::REPLICATE,
            ProgressState::Snapshot => abi::SNAPSHOT,
        },
        recent_active: progress.recent_active as u8,
        ..Default::default()
    });
    let mut peers: Vec<abi::Peer> = rows.collect();
    peers.sort_unstable_by_key(|peer| peer.id);
    peers
}

fn member_of(conf: &ConfState, id: u64) -> u8 {
    let joint = !conf.voters_outgoing.is_empty();
    match (
        conf.voters.contains(&id),
        conf.voters_outgoing.contains(&id),
    ) {
        (true, false) if joint => abi::JOINING,
        (true, _) => abi::VOTER,
        (false, true) => abi::LEAVING,
        (false, false) => abi::LEARNER,
    }
}
