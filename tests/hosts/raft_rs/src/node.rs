//! One node: the library's `RawNode`, its disk, what is on the way to the disk and to other nodes.

use std::collections::VecDeque;

use raft::eraftpb::{ConfChange, ConfChangeV2, ConfState, Entry, EntryType, HardState, Message};
use raft::{RawNode, Ready, StateRole};

use crate::abi;
use crate::log::{Base, Log};
use crate::rows;

pub type Raw = RawNode<Log>;

/// What a ready wants on the disk, and what may be sent once it is there.
struct Write {
    number: u64,
    ready: u64,
    hard_state: Option<HardState>,
    entries: Vec<Entry>,
    messages: Vec<Message>,
}

pub struct Node {
    config: raft::Config,
    asynchronous: bool,
    random: u64,
    raw: Option<Raw>,
    pub disk: Log,
    writes: VecDeque<Write>,
    last_write: u64,
    pub outbox: VecDeque<Message>,
    /// The configurations since the snapshot, each with the index that made it.
    confs: Vec<(u64, ConfState)>,
    pub state: abi::State,
    pub peers: Vec<abi::Peer>,
    pub available: bool,
    pub version: u64,
    pub error: String,
}

impl Node {
    pub fn new(config: raft::Config, asynchronous: bool, seed: u64, disk: Log) -> Node {
        Node {
            config,
            asynchronous,
            random: seed,
            raw: None,
            disk,
            writes: VecDeque::new(),
            last_write: 0,
            outbox: VecDeque::new(),
            confs: Vec::new(),
            state: abi::State::default(),
            peers: Vec::new(),
            available: false,
            version: 1,
            error: String::new(),
        }
    }

    pub fn runs(&self) -> bool {
        self.raw.is_some()
    }

    /// The log as the library has it; of a node that is down, as its disk has it.
    pub fn log(&self) -> &Log {
        self.raw.as_ref().map_or(&self.disk, |raw| raw.store())
    }

    pub fn start(&mut self) -> raft::Result<()> {
        self.confs = vec![(self.disk.base.index, self.disk.base.conf.clone())];
        let mut log = self.disk.clone();
        log.applied = log.base.clone();
        self.config.applied = log.base.index;
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let mut raw = RawNode::new(&self.config, log, &logger)?;
        self.settle(&mut raw);
        self.raw = Some(raw);
        self.refresh();
        Ok(())
    }

    pub fn crash(&mut self) {
        self.raw = None;
        self.writes.clear();
        self.outbox.clear();
        self.refresh();
    }

    /// Runs `action` on the library, then takes what that has made ready. If the library panics, it
    /// is dropped with the rest of the process that it stands for.
    pub fn run(&mut self, action: impl FnOnce(&mut Raw) -> raft::Result<i32>) -> i32 {
        let Some(mut raw) = self.raw.take() else {
            return abi::DOWN;
        };
        let result = action(&mut raw).unwrap_or_else(|error| {
            self.error = error.to_string();
            abi::REFUSED
        });
        self.settle(&mut raw);
        self.raw = Some(raw);
        self.refresh();
        result
    }

    fn settle(&mut self, raw: &mut Raw) {
        self.choose_timeout(raw);
        while raw.has_ready() {
            self.take_ready(raw);
            self.choose_timeout(raw);
        }
    }

    /// The library draws election timeouts from a generator that nobody can seed. Its range is left
    /// so wide that it lands beyond ours: where it did, it has drawn again, and we choose instead.
    fn choose_timeout(&mut self, raw: &mut Raw) {
        if raw.raft.randomized_election_timeout() >= 2 * self.config.election_tick {
            self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.random;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let more = (mixed ^ (mixed >> 31)) as usize % self.config.election_tick;
            raw.raft
                .set_randomized_election_timeout(self.config.election_tick + more);
        }
    }

    fn take_ready(&mut self, raw: &mut Raw) {
        let mut ready = raw.ready();
        let has_snapshot = ready.snapshot().get_metadata().index != 0;
        let log = raw.mut_store();
        if has_snapshot {
            log.install(ready.snapshot());
        }
        log.append(ready.entries());
        if let Some(hard_state) = ready.hs() {
            log.hard_state = hard_state.clone();
        }
        self.outbox.extend(ready.take_messages());
        if self.asynchronous {
            self.take_asynchronously(raw, ready, has_snapshot);
        } else {
            self.take_at_once(raw, ready, has_snapshot);
        }
        self.step_down_if_removed(raw);
    }

    fn take_at_once(&mut self, raw: &mut Raw, mut ready: Ready, has_snapshot: bool) {
        if has_snapshot {
            self.disk.install(ready.snapshot());
        }
        self.disk.append(ready.entries());
        self.disk.hard_state = raw.store().hard_state.clone();
        self.outbox.extend(ready.take_persisted_messages());
        let mut committed = ready.take_committed_entries();
        let mut light = raw.advance_append(ready);
        if let Some(commit) = light.commit_index() {
            raw.mut_store().hard_state.commit = commit;
            self.disk.hard_state.commit = commit;
        }
        self.outbox.extend(light.take_messages());
        committed.extend(light.take_committed_entries());
        self.apply(raw, has_snapshot, &committed);
    }

    fn take_asynchronously(&mut self, raw: &mut Raw, mut ready: Ready, has_snapshot: bool) {
        let number = ready.number();
        let snapshot = has_snapshot.then(|| ready.snapshot().clone());
        let write = Write {
            number: self.last_write + 1,
            ready: number,
            hard_state: ready.hs().cloned(),
            entries: ready.take_entries(),
            messages: ready.take_persisted_messages(),
        };
        let committed = ready.take_committed_entries();
        raw.advance_append_async(ready);
        let empty =
            write.hard_state.is_none() && write.entries.is_empty() && write.messages.is_empty();
        if let Some(snapshot) = snapshot {
            // A snapshot may be applied only once it is on the disk, and is written at once.
            self.write_until(raw, self.last_write);
            self.disk.install(&snapshot);
            self.disk.append(&write.entries);
            self.disk.hard_state = raw.store().hard_state.clone();
            self.outbox.extend(write.messages);
            raw.on_persist_ready(number);
        } else if !empty {
            self.last_write = write.number;
            self.writes.push_back(write);
        } else if let Some(last) = self.writes.back_mut() {
            last.ready = number;
        } else {
            raw.on_persist_ready(number);
        }
        self.apply(raw, has_snapshot, &committed);
    }

    fn apply(&mut self, raw: &mut Raw, has_snapshot: bool, committed: &[Entry]) {
        if has_snapshot {
            let base = raw.store().base.clone();
            self.confs = vec![(base.index, base.conf.clone())];
            raw.mut_store().applied = base;
        }
        for entry in committed {
            let change = match entry.get_entry_type() {
                EntryType::EntryNormal => None,
                EntryType::EntryConfChange => parse::<ConfChange>(entry).map(|c| raft_v2(&c)),
                EntryType::EntryConfChangeV2 => parse::<ConfChangeV2>(entry),
            };
            // One that the library cannot apply, it can apply nowhere: the group goes on without.
            if let Some(Ok(conf)) = change.map(|change| raw.apply_conf_change(&change)) {
                self.confs.push((entry.index, conf));
            }
            let conf = self
                .confs
                .last()
                .map(|(_, conf)| conf.clone())
                .unwrap_or_default();
            raw.mut_store().applied = Base {
                index: entry.index,
                term: entry.term,
                conf,
            };
        }
        raw.advance_apply();
    }

    /// A leader that has applied its own removal has no progress of its own any more, and the
    /// library panics when it next looks for what is committed.
    fn step_down_if_removed(&mut self, raw: &mut Raw) {
        if raw.raft.state == StateRole::Leader && !raw.raft.promotable() {
            let term = raw.raft.term;
            raw.raft.become_follower(term, raft::INVALID_ID);
        }
    }

    pub fn newest_write(&self) -> u64 {
        self.writes.back().map_or(0, |write| write.number)
    }

    pub fn persist(&mut self, number: u64) -> i32 {
        let Some(mut raw) = self.raw.take() else {
            return abi::DOWN;
        };
        self.write_until(&mut raw, number);
        self.settle(&mut raw);
        self.raw = Some(raw);
        self.refresh();
        abi::OK
    }

    fn write_until(&mut self, raw: &mut Raw, number: u64) {
        while self
            .writes
            .front()
            .is_some_and(|write| write.number <= number)
        {
            let Some(write) = self.writes.pop_front() else {
                return;
            };
            self.disk.append(&write.entries);
            if let Some(hard_state) = write.hard_state {
                self.disk.hard_state = hard_state;
            }
            self.outbox.extend(write.messages);
            raw.on_persist_ready(write.ready);
        }
    }

    pub fn compact(&mut self, index: u64) -> i32 {
        let Some(raw) = self.raw.as_mut() else {
            return abi::DOWN;
        };
        let log = raw.mut_store();
        if index <= log.base.index {
            return abi::COMPACTED;
        }
        let on_disk = self.disk.term_of(index);
        let (true, Some(term)) = (index <= log.applied.index, log.term_of(index)) else {
            return abi::NONE;
        };
        if on_disk != Some(term) {
            return abi::NONE;
        }
        let older = self
            .confs
            .iter()
            .rposition(|(at, _)| *at <= index)
            .unwrap_or(0);
        self.confs.drain(..older);
        let base = Base {
            index,
            term,
            conf: self.confs[0].1.clone(),
        };
        log.compact(base.clone());
        self.disk.compact(base);
        abi::OK
    }

    /// The configuration, and the index that made it.
    fn current(&self) -> (u64, &ConfState) {
        let (index, conf) = &self.confs[self.confs.len() - 1];
        (*index, conf)
    }

    fn refresh(&mut self) {
        let (state, peers) = match &self.raw {
            Some(raw) => {
                let (membership, conf) = self.current();
                (
                    rows::state_of(raw, membership, &self.state),
                    rows::peers_of(raw, conf),
                )
            }
            None => (abi::State::default(), Vec::new()),
        };
        let quiet = |peers: &[abi::Peer]| -> Vec<abi::Peer> {
            peers
                .iter()
                .map(|peer| abi::Peer {
                    recent_active: 0,
                    ..*peer
                })
                .collect()
        };
        let available = self.raw.is_some();
        if available != self.available
            || state != self.state
            || (peers != self.peers && quiet(&peers) != quiet(&self.peers))
        {
            self.version += 1;
        }
        self.available = available;
        self.state = state;
        self.peers = peers;
    }
}

fn parse<M: protobuf::Message>(entry: &Entry) -> Option<M> {
    M::parse_from_bytes(entry.get_data()).ok()
}

fn raft_v2(change: &ConfChange) -> ConfChangeV2 {
    use raft::eraftpb::ConfChangeSingle;
    let mut single = ConfChangeSingle::default();
    single.set_change_type(change.get_change_type());
    single.node_id = change.node_id;
    let mut wide = ConfChangeV2::default();
    wide.mut_changes().push(single);
    wide
}
