//! `raft_c.h` and `raft_host.h`, declaration by declaration.

use std::os::raw::c_char;

pub const ABI: u32 = 1;
pub const FOLLOWER: u8 = 0;
pub const CANDIDATE: u8 = 1;
pub const LEADER: u8 = 2;
pub const VOTER: u8 = 0;
pub const LEARNER: u8 = 1;
pub const JOINING: u8 = 2;
pub const LEAVING: u8 = 3;
pub const PROBE: u8 = 0;
pub const REPLICATE: u8 = 1;
pub const SNAPSHOT: u8 = 2;
pub const UNAVAILABLE: i32 = -1;
pub const BROKEN: i32 = -2;

#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    pub id: u64,
    pub term: u64,
    pub leader: u64,
    pub epoch_start: u64,
    pub last: u64,
    pub persisted: u64,
    pub committed: u64,
    pub applied: u64,
    pub membership: u64,
    pub role: u8,
    pub check_quorum: u8,
    pub reserved: [u8; 6],
}

#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Peer {
    pub id: u64,
    pub matched: u64,
    pub confirmed: u8,
    pub member: u8,
    pub progress: u8,
    pub recent_active: u8,
    pub reserved: [u8; 4],
}

#[repr(C)]
pub struct Reader {
    pub abi: u32,
    pub reserved: u32,
    pub read: unsafe extern "C" fn(u64, *mut State, *mut Peer, u32) -> i32,
    pub version: unsafe extern "C" fn(u64) -> u64,
}

pub const OK: i32 = 0;
pub const NONE: i32 = 1;
pub const REFUSED: i32 = 2;
pub const REPLACED: i32 = 3;
pub const COMPACTED: i32 = 4;
pub const DOWN: i32 = 5;
pub const BAD_ARGUMENT: i32 = 6;
pub const PANIC: i32 = 7;

#[repr(C)]
pub struct Config {
    pub id: u64,
    pub voters: *const u64,
    pub learners: *const u64,
    pub voter_count: u32,
    pub learner_count: u32,
    pub election_ticks: u32,
    pub heartbeat_ticks: u32,
    pub seed: u64,
    pub check_quorum: u8,
    pub pre_vote: u8,
    pub async_persistence: u8,
    pub reserved: [u8; 5],
}

pub const KIND_OTHER: u8 = 0;
pub const KIND_APPEND: u8 = 1;
pub const KIND_APPEND_RESPONSE: u8 = 2;
pub const KIND_HEARTBEAT: u8 = 3;
pub const KIND_HEARTBEAT_RESPONSE: u8 = 4;
pub const KIND_VOTE: u8 = 5;
pub const KIND_VOTE_RESPONSE: u8 = 6;
pub const KIND_PRE_VOTE: u8 = 7;
pub const KIND_PRE_VOTE_RESPONSE: u8 = 8;
pub const KIND_SNAPSHOT: u8 = 9;
pub const KIND_TIMEOUT_NOW: u8 = 10;
pub const KIND_PROPOSE: u8 = 11;
pub const KIND_TRANSFER: u8 = 12;

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct About {
    pub from: u64,
    pub to: u64,
    pub term: u64,
    pub index: u64,
    pub log_term: u64,
    pub commit: u64,
    pub entries: u32,
    pub kind: u8,
    pub reject: u8,
    pub reserved: [u8; 2],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct EntryInfo {
    pub index: u64,
    pub term: u64,
    pub hash: u64,
    pub size: u32,
    pub change: u8,
    pub durable: u8,
    pub reserved: [u8; 2],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct DiskInfo {
    pub term: u64,
    pub vote: u64,
    pub commit: u64,
    pub first: u64,
    pub last: u64,
}

pub const ADD_VOTER: u32 = 0;
pub const ADD_LEARNER: u32 = 1;
pub const REMOVE: u32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Step {
    pub id: u64,
    pub what: u32,
    pub reserved: u32,
}

pub const SIMPLE: u32 = 0;
pub const ENTER_JOINT: u32 = 1;
pub const LEAVE_JOINT: u32 = 2;

type Node = u64;

#[repr(C)]
pub struct Host {
    pub name: *const c_char,
    pub reader: *const Reader,
    pub create: unsafe extern "C" fn(*const Config) -> Node,
    pub destroy: unsafe extern "C" fn(Node),
    pub tick: unsafe extern "C" fn(Node) -> i32,
    pub campaign: unsafe extern "C" fn(Node) -> i32,
    pub transfer: unsafe extern "C" fn(Node, u64) -> i32,
    pub propose: unsafe extern "C" fn(Node, *const u8, usize, *mut u64) -> i32,
    pub change: unsafe extern "C" fn(Node, *const Step, u32, u32, *mut u64) -> i32,
    pub step: unsafe extern "C" fn(Node, *const u8, usize) -> i32,
    pub report_unreachable: unsafe extern "C" fn(Node, u64) -> i32,
    pub report_snapshot: unsafe extern "C" fn(Node, u64, u8) -> i32,
    pub next_message: unsafe extern "C" fn(Node, *mut u8, usize, *mut usize, *mut About) -> i32,
    pub describe: unsafe extern "C" fn(*const u8, usize, *mut About) -> i32,
    pub newest_write: unsafe extern "C" fn(Node) -> u64,
    pub persist: unsafe extern "C" fn(Node, u64) -> i32,
    pub crash: unsafe extern "C" fn(Node) -> i32,
    pub restart: unsafe extern "C" fn(Node) -> i32,
    pub wipe: unsafe extern "C" fn(Node) -> i32,
    pub compact: unsafe extern "C" fn(Node, u64) -> i32,
    pub entry: unsafe extern "C" fn(Node, u64, *mut EntryInfo) -> i32,
    pub disk: unsafe extern "C" fn(Node, *mut DiskInfo) -> i32,
    pub disk_entry: unsafe extern "C" fn(Node, u64, *mut EntryInfo) -> i32,
    pub last_error: unsafe extern "C" fn(Node, *mut c_char, usize) -> usize,
}

// What it points to is constant.
unsafe impl Sync for Host {}
