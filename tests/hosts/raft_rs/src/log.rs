//! A log with its hard state and snapshot: what a disk holds, and what the library reads.

use raft::eraftpb::{ConfState, Entry, EntryType, HardState, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

use crate::abi;

/// A snapshot holds a configuration and nothing else: the tests' state machine is the log itself.
#[derive(Clone, Default)]
pub struct Base {
    pub index: u64,
    pub term: u64,
    pub conf: ConfState,
}

#[derive(Clone, Default)]
pub struct Log {
    pub hard_state: HardState,
    pub base: Base,
    entries: Vec<Entry>,
    /// What a snapshot for another node would say.
    pub applied: Base,
}

impl Log {
    /// The disk of a first member: as after a snapshot of what never was.
    pub fn bootstrap(conf: ConfState) -> Log {
        let mut hard_state = HardState::default();
        hard_state.set_term(1);
        hard_state.set_commit(1);
        let base = Base {
            index: 1,
            term: 1,
            conf,
        };
        Log {
            hard_state,
            applied: base.clone(),
            base,
            entries: Vec::new(),
        }
    }

    pub fn last(&self) -> u64 {
        self.base.index + self.entries.len() as u64
    }

    pub fn get(&self, index: u64) -> Option<&Entry> {
        let at = index.checked_sub(self.base.index + 1)?;
        self.entries.get(at as usize)
    }

    pub fn term_of(&self, index: u64) -> Option<u64> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        self.get(index).map(|entry| entry.get_term())
    }

    pub fn append(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        assert!(
            first.index > self.base.index && first.index <= self.last() + 1,
            "a gap in the log"
        );
        self.entries
            .truncate((first.index - self.base.index - 1) as usize);
        self.entries.extend_from_slice(entries);
    }

    pub fn install(&mut self, snapshot: &Snapshot) {
        let about = snapshot.get_metadata();
        self.base = Base {
            index: about.index,
            term: about.term,
            conf: about.get_conf_state().clone(),
        };
        self.entries.clear();
        self.raise_hard_state();
    }

    /// Forgets the entries up to `base.index`, which it must hold.
    pub fn compact(&mut self, base: Base) {
        self.entries
            .drain(..(base.index - self.base.index) as usize);
        self.base = base;
        self.raise_hard_state();
    }

    /// A commit index below the snapshot is one that the library refuses to start with.
    fn raise_hard_state(&mut self) {
        let hard_state = &mut self.hard_state;
        hard_state.commit = hard_state.commit.max(self.base.index);
        hard_state.term = hard_state.term.max(self.base.term);
    }

    /// Index of the first entry of `term`; 0 if there is none, or its start was compacted away.
    pub fn start_of(&self, term: u64) -> u64 {
        let later = self
            .entries
            .iter()
            .rev()
            .take_while(|entry| entry.term > term)
            .count();
        let count = self
            .entries
            .iter()
            .rev()
            .skip(later)
            .take_while(|e| e.term == term)
            .count();
        let first = self.last() - later as u64 - count as u64 + 1;
        let hidden = first == self.base.index + 1 && self.base.term == term;
        if count == 0 || hidden {
            0
        } else {
            first
        }
    }

    pub fn describe(&self, index: u64) -> std::result::Result<abi::EntryInfo, i32> {
        if index != 0 && index <= self.base.index {
            return Err(abi::COMPACTED);
        }
        let entry = self.get(index).ok_or(abi::NONE)?;
        Ok(abi::EntryInfo {
            index,
            term: entry.term,
            hash: fnv1a(entry.get_data()),
            size: entry.get_data().len() as u32,
            change: (entry.get_entry_type() != EntryType::EntryNormal) as u8,
            ..Default::default()
        })
    }
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Storage for Log {
    /// The library applies the log again from the snapshot on, so the configuration is that one's.
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState::new(
            self.hard_state.clone(),
            self.base.conf.clone(),
        ))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low <= self.base.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        let at = |index: u64| (index - self.base.index - 1) as usize;
        let mut found = self.entries[at(low)..at(high)].to_vec();
        raft::util::limit_size(&mut found, max_size.into());
        Ok(found)
    }

    fn term(&self, index: u64) -> Result<u64> {
        let missing = if index < self.base.index {
            StorageError::Compacted
        } else {
            StorageError::Unavailable
        };
        self.term_of(index).ok_or(Error::Store(missing))
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.base.index + 1)
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, request_index: u64, _: u64) -> Result<Snapshot> {
        if self.applied.index < request_index || self.applied.index == 0 {
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        let mut snapshot = Snapshot::default();
        let about = snapshot.mut_metadata();
        about.index = self.applied.index;
        about.term = self.applied.term;
        about.set_conf_state(self.applied.conf.clone());
        Ok(snapshot)
    }
}
