//! Rows that the writer has found by what names them, so that it need not look for them again with
//! every commit: in a large database that is the better part of storing a message.
//!
//! Only what is there and stays: whoever deletes such a row, or gives it another name, forgets all.

mod recent;

use std::cell::{Cell, RefCell};
use std::hash::Hash;
use std::sync::Arc;

use foldhash::HashMap;

use super::erased::Hashes;

pub(super) use self::recent::{Recent, Settled, Sieve};

/// Rows of each kind that are remembered, a few MB of them; when there are more, all are forgotten.
const MOST: usize = 100_000;

/// What one connection remembers.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Rows of addresses.
    pub(super) addresses: Rows<Box<str>, i64>,
    /// Lines, each with its relationship, by rep and address.
    pub(super) lines: Rows<(i64, i64), (i64, i64)>,
    /// The newest instants at which addresses were named, or earlier ones.
    pub(super) named: Rows<i64, i64>,
    /// Names that addresses are known to have had, by address and name.
    pub(super) names: Rows<(i64, i64), ()>,
    /// Relationships known to be left to be folded.
    pub(super) stale: Rows<i64, i64>,
    /// Whether relationships hold answers that only their subject can link.
    pub(super) loose: Rows<i64, i64>,
    /// The threads that are left of threads.
    pub(super) roots: Rows<i64, i64>,
    /// The keys that have gathered beside the large table, once one was asked for.
    pub(super) recent: RefCell<Option<Recent>>,
    /// Who was erased, once it was asked for.
    pub(super) erased: RefCell<Option<Option<Arc<Hashes>>>>,
    /// SQLite's number of what other connections have written, when it was asked for last.
    pub(super) data_version: Cell<Option<i64>>,
    /// How many rows had been changed over this connection when its transaction began.
    pub(super) changed_before: Cell<Option<u64>>,
}

/// Rows of one kind, or what stands in one of their columns.
#[derive(Debug)]
pub(super) struct Rows<K, V>(RefCell<HashMap<K, V>>);

impl Memo {
    /// Forgets everything: a transaction was rolled back, and with it perhaps rows remembered here.
    pub(super) fn forget(&self) {
        self.addresses.clear();
        self.lines.clear();
        self.named.clear();
        self.names.clear();
        self.stale.clear();
        self.loose.clear();
        self.roots.clear();
        *self.recent.borrow_mut() = None;
        *self.erased.borrow_mut() = None;
    }
}

impl<K, V> Default for Rows<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Hash + Eq, V: Copy> Rows<K, V> {
    /// The row of that name, if it is remembered.
    pub(super) fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.borrow().get(name).copied()
    }

    /// Remembers a row, and gives it on.
    pub(super) fn keep(&self, name: K, row: V) -> V {
        let mut rows = self.0.borrow_mut();
        if rows.len() >= MOST {
            rows.clear();
        }
        rows.insert(name, row);
        row
    }

    /// Forgets one.
    pub(super) fn lose(&self, name: &K) {
        self.0.borrow_mut().remove(name);
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}
