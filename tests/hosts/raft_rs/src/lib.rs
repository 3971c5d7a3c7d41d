//! tikv's raft-rs as a `raft_host` of the tests. No panic leaves a function of the table.

mod abi;
mod log;
mod messages;
mod node;
mod rows;

use std::os::raw::c_char;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protobuf::Message as _;
use raft::eraftpb::{ConfState, EntryType, Message};
use raft::SnapshotStatus;

use log::Log;
use messages::{about, conf_change};
use node::{Node, Raw};

type Handle = u64;

/// # Safety
/// `handle` is 0 or came from `create` and was not destroyed.
unsafe fn lock<'a>(handle: Handle) -> Option<MutexGuard<'a, Node>> {
    let node = (handle as *const Mutex<Node>).as_ref()?;
    Some(node.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs `action` on a node; a panic in it is the end of the node's process, not of the test's.
unsafe fn with(handle: Handle, action: impl FnOnce(&mut Node) -> i32) -> i32 {
    let Some(mut node) = lock(handle) else {
        return abi::BAD_ARGUMENT;
    };
    catch_unwind(AssertUnwindSafe(|| action(&mut node))).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        node.error = words.unwrap_or_else(|| "a panic without words".to_string());
        node.crash();
        abi::PANIC
    })
}

unsafe fn view<'a, T>(data: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        &[]
    } else {
        slice::from_raw_parts(data, count)
    }
}

unsafe extern "C" fn create(config: *const abi::Config) -> Handle {
    let Some(config) = config.as_ref() else {
        return 0;
    };
    if config.id == raft::INVALID_ID {
        return 0;
    }
    let mut conf = ConfState::default();
    conf.voters = view(config.voters, config.voter_count as usize).to_vec();
    conf.learners = view(config.learners, config.learner_count as usize).to_vec();
    let election_ticks = config.election_ticks as usize;
    let own = raft::Config {
        id: config.id,
        election_tick: election_ticks,
        heartbeat_tick: config.heartbeat_ticks as usize,
        // What the library draws is as good as never what a node chooses: Node::choose_timeout.
        min_election_tick: election_ticks,
        max_election_tick: 1 << 40,
        check_quorum: config.check_quorum != 0,
        pre_vote: config.pre_vote != 0,
        max_size_per_msg: 1 << 16,
        ..Default::default()
    };
    let disk = if conf.voters.is_empty() {
        Log::default()
    } else {
        Log::bootstrap(conf)
    };
    let mut node = Node::new(own, config.async_persistence != 0, config.seed, disk);
    match catch_unwind(AssertUnwindSafe(|| node.start())) {
        Ok(Ok(())) => Box::into_raw(Box::new(Mutex::new(node))) as Handle,
        _ => 0,
    }
}

unsafe extern "C" fn destroy(handle: Handle) {
    if handle != 0 {
        drop(Box::from_raw(handle as *mut Mutex<Node>));
    }
}

unsafe extern "C" fn tick(handle: Handle) -> i32 {
    with(handle, |node| {
        node.run(|raw| Ok(raw.tick()).map(|_| abi::OK))
    })
}

unsafe extern "C" fn campaign(handle: Handle) -> i32 {
    with(handle, |node| {
        node.run(|raw| {
            // Without a configuration nobody is missing for a majority, and the library panics.
            if !raw.raft.promotable() {
                return Err(raft::Error::ConfigInvalid("no voter".to_string()));
            }
            raw.campaign().map(|_| abi::OK)
        })
    })
}

/// What only a leader may be asked for.
fn lead(node: &mut Node, action: impl FnOnce(&mut Raw) -> raft::Result<i32>) -> i32 {
    if node.runs() && node.state.role != abi::LEADER {
        node.error = "does not lead".to_string();
        return abi::REFUSED;
    }
    node.run(action)
}

unsafe extern "C" fn transfer(handle: Handle, to: u64) -> i32 {
    with(handle, |node| {
        lead(node, |raw| {
            raw.transfer_leader(to);
            Ok(abi::OK)
        })
    })
}

unsafe extern "C" fn propose(handle: Handle, data: *const u8, size: usize, at: *mut u64) -> i32 {
    let data = view(data, size).to_vec();
    with(handle, |node| {
        lead(node, |raw| {
            raw.propose(Vec::new(), data)?;
            if let Some(at) = at.as_mut() {
                *at = raw.raft.raft_log.last_index();
            }
            Ok(abi::OK)
        })
    })
}

unsafe extern "C" fn change(
    handle: Handle,
    steps: *const abi::Step,
    count: u32,
    how: u32,
    at: *mut u64,
) -> i32 {
    let Some(change) = conf_change(view(steps, count as usize), how) else {
        return abi::BAD_ARGUMENT;
    };
    with(handle, |node| {
        lead(node, |raw| {
            raw.propose_conf_change(Vec::new(), change)?;
            let log = &raw.raft.raft_log;
            let taken = log.unstable_entries().last().map_or(false, |entry| {
                entry.get_entry_type() != EntryType::EntryNormal
            });
            if let Some(at) = at.as_mut() {
                *at = log.last_index();
            }
            Ok(if taken { abi::OK } else { abi::REPLACED })
        })
    })
}

unsafe extern "C" fn step(handle: Handle, data: *const u8, size: usize) -> i32 {
    let Ok(message) = Message::parse_from_bytes(view(data, size)) else {
        return abi::BAD_ARGUMENT;
    };
    with(handle, |node| {
        if node.runs() && node.state.id != message.to {
            node.error = format!("a message for node {}", message.to);
            return abi::BAD_ARGUMENT;
        }
        node.run(|raw| raw.step(message).map(|_| abi::OK))
    })
}

unsafe extern "C" fn report_unreachable(handle: Handle, peer: u64) -> i32 {
    with(handle, |node| {
        node.run(|raw| {
            raw.report_unreachable(peer);
            Ok(abi::OK)
        })
    })
}

unsafe extern "C" fn report_snapshot(handle: Handle, peer: u64, delivered: u8) -> i32 {
    let status = if delivered != 0 {
        SnapshotStatus::Finish
    } else {
        SnapshotStatus::Failure
    };
    with(handle, |node| {
        node.run(|raw| {
            raw.report_snapshot(peer, status);
            Ok(abi::OK)
        })
    })
}

unsafe extern "C" fn next_message(
    handle: Handle,
    data: *mut u8,
    capacity: usize,
    size: *mut usize,
    says: *mut abi::About,
) -> i32 {
    with(handle, |node| {
        let Some(message) = node.outbox.front() else {
            return abi::NONE;
        };
        let Ok(bytes) = message.write_to_bytes() else {
            return abi::BAD_ARGUMENT;
        };
        *size = bytes.len();
        if bytes.len() > capacity {
            return abi::BAD_ARGUMENT;
        }
        data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        if let Some(says) = says.as_mut() {
            *says = about(message);
        }
        node.outbox.pop_front();
        abi::OK
    })
}

unsafe extern "C" fn describe(data: *const u8, size: usize, says: *mut abi::About) -> i32 {
    match Message::parse_from_bytes(view(data, size)) {
        Ok(message) => {
            *says = about(&message);
            abi::OK
        }
        Err(_) => abi::BAD_ARGUMENT,
    }
}

unsafe extern "C" fn newest_write(handle: Handle) -> u64 {
    lock(handle).map_or(0, |node| node.newest_write())
}

unsafe extern "C" fn persist(handle: Handle, number: u64) -> i32 {
    with(handle, |node| node.persist(number))
}

unsafe extern "C" fn crash(handle: Handle) -> i32 {
    with(handle, |node| {
        if !node.runs() {
            return abi::DOWN;
        }
        node.crash();
        abi::OK
    })
}

unsafe extern "C" fn restart(handle: Handle) -> i32 {
    with(handle, |node| {
        if node.runs() {
            node.error = "it runs".to_string();
            return abi::DOWN;
        }
        match node.start() {
            Ok(()) => abi::OK,
            Err(error) => {
                node.error = error.to_string();
                abi::REFUSED
            }
        }
    })
}

unsafe extern "C" fn wipe(handle: Handle) -> i32 {
    with(handle, |node| {
        if node.runs() {
            node.error = "it runs".to_string();
            return abi::DOWN;
        }
        node.disk = Log::default();
        abi::OK
    })
}

unsafe extern "C" fn compact(handle: Handle, index: u64) -> i32 {
    with(handle, |node| node.compact(index))
}

unsafe extern "C" fn entry(handle: Handle, index: u64, out: *mut abi::EntryInfo) -> i32 {
    with(handle, |node| match node.log().describe(index) {
        Ok(mut found) => {
            found.durable = (node.disk.term_of(index) == Some(found.term)) as u8;
            *out = found;
            abi::OK
        }
        Err(why) => why,
    })
}

unsafe extern "C" fn disk(handle: Handle, out: *mut abi::DiskInfo) -> i32 {
    with(handle, |node| {
        let disk = &node.disk;
        *out = abi::DiskInfo {
            term: disk.hard_state.term,
            vote: disk.hard_state.vote,
            commit: disk.hard_state.commit,
            first: disk.base.index + 1,
            last: disk.last(),
        };
        abi::OK
    })
}

unsafe extern "C" fn disk_entry(handle: Handle, index: u64, out: *mut abi::EntryInfo) -> i32 {
    with(handle, |node| match node.disk.describe(index) {
        Ok(found) => {
            *out = abi::EntryInfo {
                durable: 1,
                ..found
            };
            abi::OK
        }
        Err(why) => why,
    })
}

unsafe extern "C" fn last_error(handle: Handle, text: *mut c_char, capacity: usize) -> usize {
    let Some(node) = lock(handle) else { return 0 };
    let size = node.error.len().min(capacity.saturating_sub(1));
    if capacity > 0 {
        text.copy_from_nonoverlapping(node.error.as_ptr() as *const c_char, size);
        *text.add(size) = 0;
    }
    size
}

unsafe extern "C" fn read(
    handle: Handle,
    state: *mut abi::State,
    peers: *mut abi::Peer,
    capacity: u32,
) -> i32 {
    let Some(node) = lock(handle) else {
        return abi::BROKEN;
    };
    if !node.available {
        return abi::UNAVAILABLE;
    }
    *state = node.state;
    let fitting = node.peers.len().min(capacity as usize);
    if fitting > 0 {
        peers.copy_from_nonoverlapping(node.peers.as_ptr(), fitting);
    }
    node.peers.len() as i32
}

unsafe extern "C" fn version(handle: Handle) -> u64 {
    lock(handle).map_or(0, |node| node.version)
}

static READER: abi::Reader = abi::Reader {
    abi: abi::ABI,
    reserved: 0,
    read,
    version,
};

static HOST: abi::Host = abi::Host {
    name: b"raft-rs 0.7.0\0".as_ptr() as *const c_char,
    reader: &READER,
    create,
    destroy,
    tick,
    campaign,
    transfer,
    propose,
    change,
    step,
    report_unreachable,
    report_snapshot,
    next_message,
    describe,
    newest_write,
    persist,
    crash,
    restart,
    wipe,
    compact,
    entry,
    disk,
    disk_entry,
    last_error,
};

#[no_mangle]
pub extern "C" fn raft_rs_host() -> *const abi::Host {
    &HOST
}
