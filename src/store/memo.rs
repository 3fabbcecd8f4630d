//! Rows that the writer has found by what names them, so that it need not look for them again with
//! every commit: in a large database that is the better part of storing a message.
//!
//! Only what is there and stays: whoever deletes such a row, or gives it another name, forgets all.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;

/// Rows of each kind that are remembered, some 5 MB of them; when there are more, all are forgotten.
const MOST: usize = 50_000;

/// What one connection remembers.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Contacts by their addresses.
    pub(super) contacts: Rows<Box<str>>,
    /// Relationships by rep and contact.
    pub(super) relationships: Rows<(i64, i64)>,
    /// How many keys have gathered beside the large table at most, once they were counted.
    pub(super) recent_keys: Cell<Option<i64>>,
}

/// Rows of one kind.
#[derive(Debug)]
pub(super) struct Rows<K>(RefCell<HashMap<K, i64>>);

impl Memo {
    /// Forgets everything: a transaction was rolled back, and with it perhaps rows remembered here.
    pub(super) fn forget(&self) {
        self.contacts.0.borrow_mut().clear();
        self.relationships.0.borrow_mut().clear();
        self.recent_keys.set(None);
    }
}

impl<K> Default for Rows<K> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Hash + Eq> Rows<K> {
    /// The row of that name, if it is remembered.
    pub(super) fn get<Q>(&self, name: &Q) -> Option<i64>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.borrow().get(name).copied()
    }

    /// Remembers a row, and gives it on.
    pub(super) fn keep(&self, name: K, row: i64) -> i64 {
        let mut rows = self.0.borrow_mut();
        if rows.len() >= MOST {
            rows.clear();
        }
        rows.insert(name, row);
        row
    }
}
