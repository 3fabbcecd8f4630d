//! The keys by which messages are named and threads are joined, as one commit sees them.
//!
//! Each is looked up once, and what has become of it is written once, when the commit ends, by
//! ascending key: keys are hashes, and in any other order every write would be on another page.

use foldhash::HashMap;

use crate::model::Key;
use crate::store::thread::{self, Joined, Known};
use crate::store::{Db, StoreError};

/// What is known of the keys that this commit has met.
#[derive(Debug, Default)]
pub(super) struct Keys {
    met: HashMap<Key, Met>,
}

#[derive(Clone, Copy, Debug)]
struct Met {
    /// What it is, if it was ever met.
    is: Option<Known>,
    /// What is stored of it.
    stored: Option<Known>,
}

impl Keys {
    /// Looks up keys that will be asked for, all at once.
    pub(super) fn look_ahead(&mut self, db: &Db, mut keys: Vec<Key>) -> Result<(), StoreError> {
        keys.retain(|key| !self.met.contains_key(key));
        keys.sort_unstable();
        keys.dedup();
        let stored = thread::look_up(db, &keys)?;
        let met = keys.into_iter().zip(stored);
        self.met.extend(met.map(|(key, stored)| (key, Met { is: stored, stored })));
        Ok(())
    }

    /// The messages that keys name, by row.
    pub(super) fn messages(&mut self, db: &Db, keys: &[Key]) -> Result<Vec<i64>, StoreError> {
        let mut found = Vec::new();
        for key in keys {
            found.extend(self.get(db, *key)?.and_then(|known| known.message));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Makes one thread of all threads that keys belong to, with those keys in it.
    pub(super) fn join(&mut self, db: &Db, keys: &[Key]) -> Result<Joined, StoreError> {
        let (mut threads, mut missing) = (Vec::new(), Vec::new());
        for key in keys {
            match self.get(db, *key)? {
                Some(Known { thread: Some(thread), .. }) if threads.contains(&thread) => {}
                Some(Known { thread: Some(thread), .. }) => threads.push(thread),
                known => missing.push((*key, known.and_then(|known| known.message))),
            }
        }
        let joined = thread::join(db, threads.into_iter())?;
        for (key, message) in missing {
            self.set(key, Known { thread: Some(joined.thread), message });
        }
        Ok(joined)
    }

    /// Notes that keys name a message, and no other any more.
    pub(super) fn name(&mut self, db: &Db, keys: &[Key], message: i64) -> Result<(), StoreError> {
        for key in keys {
            let thread = self.get(db, *key)?.and_then(|known| known.thread);
            self.set(*key, Known { thread, message: Some(message) });
        }
        Ok(())
    }

    /// Notes that keys name no message any more.
    pub(super) fn unname(&mut self, db: &Db, keys: &[Key]) -> Result<(), StoreError> {
        for key in keys {
            let thread = self.get(db, *key)?.and_then(|known| known.thread);
            self.set(*key, Known { thread, message: None });
        }
        Ok(())
    }

    /// Writes what has become of the keys.
    pub(super) fn flush(&mut self, db: &Db) -> Result<(), StoreError> {
        let mut changed = Vec::new();
        for (key, met) in self.met.iter_mut().filter(|(_, met)| met.is != met.stored) {
            let Some(is) = met.is else { continue };
            met.stored = Some(is);
            changed.push((*key, is));
        }
        changed.sort_unstable_by_key(|(key, _)| *key);
        thread::note(db, &changed)
    }

    fn get(&mut self, db: &Db, key: Key) -> Result<Option<Known>, StoreError> {
        if let Some(met) = self.met.get(&key) {
            return Ok(met.is);
        }
        let stored = thread::look_up(db, &[key])?.pop().flatten();
        self.met.insert(key, Met { is: stored, stored });
        Ok(stored)
    }

    /// Only for keys that were looked up.
    fn set(&mut self, key: Key, is: Known) {
        if let Some(met) = self.met.get_mut(&key) {
            met.is = Some(is);
        }
    }
}
