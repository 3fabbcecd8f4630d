//! The keys that have gathered beside the large table, and which keys that one may hold: most keys of
//! a first sync were never met, and are told to be new without looking at any page.

use foldhash::{HashMap, HashMapExt};

use crate::model::Key;
use crate::store::thread::{Known, some};

/// What is remembered of keys; small, for there are a hundred thousand. Rows are 0 where there is
/// none.
#[derive(Debug)]
pub(in crate::store) struct Recent {
    keys: HashMap<Key, [i64; 2]>,
    /// How often any was noted: so many places they take in the table.
    pub(in crate::store) notes: usize,
    pub(in crate::store) settled: Settled,
}

/// Which keys the large table may hold.
#[derive(Debug)]
pub(in crate::store) enum Settled {
    /// None: it is empty.
    None,
    /// Those that pass.
    Some(Sieve),
    /// Any: nobody has looked.
    Any,
}

impl Recent {
    pub(in crate::store) fn new(settled: Settled) -> Self {
        Self { keys: HashMap::new(), notes: 0, settled }
    }

    /// What was noted last of a key.
    pub(in crate::store) fn get(&self, key: Key) -> Option<Known> {
        let [thread, message] = *self.keys.get(&key)?;
        Some(Known { thread: some(thread), message: some(message) })
    }

    /// Remembers what was noted of a key.
    pub(in crate::store) fn keep(&mut self, key: Key, known: Known) {
        self.notes = self.notes.saturating_add(1);
        self.keys.insert(key, [known.thread.unwrap_or(0), known.message.unwrap_or(0)]);
    }

    /// How many keys there are.
    pub(in crate::store) fn len(&self) -> usize {
        self.keys.len()
    }

    /// All of them by ascending key; none is left.
    pub(in crate::store) fn take(&mut self) -> Vec<(Key, Known)> {
        let mut keys: Vec<Key> = self.keys.keys().copied().collect();
        keys.sort_unstable();
        let all = keys.into_iter().filter_map(|key| Some((key, self.get(key)?))).collect();
        self.keys = HashMap::new();
        self.notes = 0;
        all
    }

    /// Whether the large table may hold a key.
    pub(in crate::store) fn may_be_settled(&self, key: Key) -> bool {
        match &self.settled {
            Settled::None => false,
            Settled::Some(sieve) => sieve.may_hold(key),
            Settled::Any => true,
        }
    }
}

/// A Bloom filter (Bloom 1970) of 2 MiB: of a million keys that it does not hold, it takes one in 300
/// for one that it may hold; of ten million, three in four.
#[derive(Debug)]
pub(in crate::store) struct Sieve(Vec<u64>);

/// Its bits.
const BITS: u64 = 1 << 24;

impl Sieve {
    pub(in crate::store) fn new() -> Self {
        Self(vec![0; 1 << 18])
    }

    pub(in crate::store) fn add(&mut self, key: Key) {
        for (word, bit) in places(key) {
            if let Some(word) = self.0.get_mut(word) {
                *word |= bit;
            }
        }
    }

    fn may_hold(&self, key: Key) -> bool {
        places(key).all(|(word, bit)| self.0.get(word).is_some_and(|word| word & bit != 0))
    }
}

/// A key is a hash already: three parts of it are three hashes.
fn places(key: Key) -> impl Iterator<Item = (usize, u64)> {
    let of = key.0.cast_unsigned();
    let parts = [of, of >> 20, of >> 40].map(|part| usize::try_from(part % BITS).unwrap_or(0));
    parts.into_iter().map(|part| (part / 64, 1 << (part % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sieve_holds_what_was_added_and_little_else() {
        let key = |n: i64| Key::of("key", &[&n.to_be_bytes()]);
        let mut sieve = Sieve::new();
        (0..100_000).for_each(|n| sieve.add(key(n)));
        assert!((0..100_000).all(|n| sieve.may_hold(key(n))));
        let wrong = (100_000..200_000).filter(|n| sieve.may_hold(key(*n))).count();
        assert!(wrong < 100, "{wrong} of 100000");
    }
}
