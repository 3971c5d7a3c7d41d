//! The library's messages and changes of membership, in the words of `raft_host.h`.

use raft::eraftpb::{ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2};
use raft::eraftpb::{Message, MessageType};

use crate::abi;

pub fn conf_change(steps: &[abi::Step], how: u32) -> Option<ConfChangeV2> {
    let mut change = ConfChangeV2::default();
    for step in steps {
        let mut single = ConfChangeSingle::default();
        single.node_id = step.id;
        single.set_change_type(match step.what {
            abi::ADD_VOTER => ConfChangeType::AddNode,
            abi::ADD_LEARNER => ConfChangeType::AddLearnerNode,
            abi::REMOVE => ConfChangeType::RemoveNode,
            _ => return None,
        });
        change.mut_changes().push(single);
    }
    match (how, steps.len()) {
        (abi::SIMPLE, 1) | (abi::LEAVE_JOINT, 0) => {}
        (abi::ENTER_JOINT, 1..) => change.set_transition(ConfChangeTransition::Explicit),
        _ => return None,
    }
    steps
        .iter()
        .all(|step| step.id != raft::INVALID_ID)
        .then_some(change)
}

pub fn about(message: &Message) -> abi::About {
    let kind = match message.get_msg_type() {
        MessageType::MsgAppend => abi::KIND_APPEND,
        MessageType::MsgAppendResponse => abi::KIND_APPEND_RESPONSE,
        MessageType::MsgHeartbeat => abi::KIND_HEARTBEAT,
        MessageType::MsgHeartbeatResponse => abi::KIND_HEARTBEAT_RESPONSE,
        MessageType::MsgRequestVote => abi::KIND_VOTE,
        MessageType::MsgRequestVoteResponse => abi::KIND_VOTE_RESPONSE,
        MessageType::MsgRequestPreVote => abi::KIND_PRE_VOTE,
        MessageType::MsgRequestPreVoteResponse => abi::KIND_PRE_VOTE_RESPONSE,
        MessageType::MsgSnapshot => abi::KIND_SNAPSHOT,
        MessageType::MsgTimeoutNow => abi::KIND_TIMEOUT_NOW,
        MessageType::MsgPropose => abi::KIND_PROPOSE,
        MessageType::MsgTransferLeader => abi::KIND_TRANSFER,
        _ => abi::KIND_OTHER,
    };
    let index = match kind {
        abi::KIND_SNAPSHOT => message.get_snapshot().get_metadata().index,
        _ => message.index,
    };
    abi::About {
        from: message.from,
        to: message.to,
        term: message.term,
        index,
        log_term: message.log_term,
        commit: message.commit,
        entries: message.get_entries().len() as u32,
        kind,
        reject: message.reject as u8,
        ..Default::default()
    }
}
