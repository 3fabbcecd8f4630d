//! Threads: sets of messages joined by every id they have or refer to, in any order of arrival.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use super::memo::{Recent, Settled, Sieve};
use super::row::{pack, unpack};
use crate::model::Key;

pub(super) const SETTLED: &str = "SELECT thread_id, message_id FROM thread_ref WHERE hash = ?1";

/// Keys that gather before they move to the large table: what is remembered of them and read when a
/// writer begins, against how often all of the large table is written.
const MOST_RECENT: usize = 100_000;

/// What is stored of a key that names or is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its thread, which may have been merged into another.
    pub thread: Option<i64>,
    /// The message that it names.
    pub message: Option<i64>,
}

/// What is stored of each of some keys, if it was met before; fastest in ascending order. Only for
/// the writer.
///
/// # Errors
/// As every read.
pub fn look_up(db: &Db, keys: &[Key]) -> Result<Vec<Option<Known>>, StoreError> {
    let mut memo = db.memo.recent.borrow_mut();
    let recent = recent(db, &mut memo)?;
    let mut settled = db.connection.prepare_cached(SETTLED)?;
    let known = |row: &Row<'_>| Ok(Known { thread: row.get(0)?, message: row.get(1)? });
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        found.push(match recent.get(*key) {
            None if recent.may_be_settled(*key) => settled.query_row([key], known).optional()?,
            known => known,
        });
    }
    Ok(found)
}

/// Stores what is known now of keys; fastest in ascending order.
///
/// # Errors
/// As every write.
pub fn note(db: &Db, keys: &[(Key, Known)]) -> Result<(), StoreError> {
    let mut memo = db.memo.recent.borrow_mut();
    let recent = recent(db, &mut memo)?;
    if !keys.is_empty() {
        let noted: Vec<Key> = keys.iter().flat_map(|(key, known)| noted(*key, *known)).collect();
        db.connection
            .prepare_cached("INSERT INTO recent_ref (keys) VALUES (?1)")?
            .execute([pack(&noted)])?;
        keys.iter().for_each(|(key, known)| recent.keep(*key, *known));
    }
    if recent.len() >= MOST_RECENT || recent.notes >= 2 * MOST_RECENT {
        move_over(db, recent)?;
    }
    Ok(())
}

/// The keys that have gathered, read if they are not remembered.
fn recent<'a>(db: &Db, memo: &'a mut Option<Recent>) -> Result<&'a mut Recent, StoreError> {
    if let Some(recent) = memo {
        return Ok(recent);
    }
    let is_empty = "SELECT NOT EXISTS (SELECT 1 FROM thread_ref)";
    let is_empty = db.connection.query_row(is_empty, [], |row| row.get(0))?;
    let mut recent = Recent::new(if is_empty { Settled::None } else { Settled::Any });
    let mut statement = db.connection.prepare_cached("SELECT keys FROM recent_ref ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let keys = unpack(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?);
        for [key, thread, message] in keys.as_chunks().0 {
            recent.keep(*key, Known { thread: some(thread.0), message: some(message.0) });
        }
    }
    Ok(memo.insert(recent))
}

/// What is written down of a key: itself, its thread and the message that it names.
fn noted(key: Key, known: Known) -> [Key; 3] {
    [key, Key(known.thread.unwrap_or(0)), Key(known.message.unwrap_or(0))]
}

/// A row, which is 0 where there is none.
pub(in crate::store) fn some(row: i64) -> Option<i64> {
    (row != 0).then_some(row)
}

/// Moves what has gathered to the large table.
fn move_over(db: &Db, recent: &mut Recent) -> Result<(), StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO thread_ref (hash, thread_id, message_id) VALUES (?1, ?2, ?3)
         ON CONFLICT (hash) DO UPDATE SET
             thread_id = excluded.thread_id, message_id = excluded.message_id",
    )?;
    if let Settled::Any = recent.settled {
        recent.settled = Settled::Some(sift(db)?);
    }
    if let Settled::None = recent.settled {
        recent.settled = Settled::Some(Sieve::new());
    }
    let mut forget = db.connection.prepare_cached("DELETE FROM thread_ref WHERE hash = ?1")?;
    for (key, known) in recent.take() {
        if known == (Known { thread: None, message: None }) {
            // Of what it named and where it was referred to nothing is left.
            forget.execute([key])?;
            continue;
        }
        statement.execute(params![key, known.thread, known.message])?;
        if let Settled::Some(sieve) = &mut recent.settled {
            sieve.add(key);
        }
    }
    db.connection.execute_batch("DELETE FROM recent_ref")?;
    Ok(())
}

/// A sieve of all keys of the large table.
fn sift(db: &Db) -> Result<Sieve, StoreError> {
    let mut sieve = Sieve::new();
    let mut statement = db.connection.prepare_cached("SELECT hash FROM thread_ref")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        sieve.add(row.get(0)?);
    }
    Ok(sieve)
}

/// What joining keys to one thread came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The thread.
    pub thread: i64,
    /// What it was made of.
    pub from: From,
    /// If it was several, the threads that were left of them.
    pub several: Vec<i64>,
}

/// What a thread was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Nothing: no other message is in it.
    Nothing,
    /// It was there.
    One,
    /// Several that were there.
    Several,
}

/// Makes one thread of threads, or a new one if there are none.
///
/// # Errors
/// As every write.
pub fn join(db: &Db, threads: impl Iterator<Item = i64>) -> Result<Joined, StoreError> {
    let mut roots: Vec<i64> = Vec::new();
    for thread in threads {
        let root = root(db, thread)?;
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    let from = match roots.len() {
        0 => From::Nothing,
        1 => From::One,
        _ => From::Several,
    };
    let thread = match roots.iter().min() {
        Some(first) => *first,
        None => insert(db)?,
    };
    for other in roots.iter().filter(|root| **root != thread) {
        merge(db, *other, thread)?;
    }
    let several = if from == From::Several { roots } else { Vec::new() };
    Ok(Joined { thread, from, several })
}

/// The thread that is left of one that may have been merged.
///
/// # Errors
/// As every read.
pub fn root(db: &Db, thread: i64) -> Result<i64, StoreError> {
    if let Some(known) = db.memo.roots.get(&thread) {
        return Ok(known);
    }
    Ok(db.memo.roots.keep(thread, find_root(db, thread)?))
}

fn find_root(db: &Db, thread: i64) -> Result<i64, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT merged_into FROM thread WHERE id = ?1")?;
    let mut root = thread;
    while let Some(Some(next)) =
        statement.query_row([root], |row| row.get::<_, Option<i64>>(0)).optional()?
    {
        root = next;
    }
    Ok(root)
}

fn insert(db: &Db) -> Result<i64, StoreError> {
    db.connection.prepare_cached("INSERT INTO thread (merged_into) VALUES (NULL)")?.execute([])?;
    let thread = db.connection.last_insert_rowid();
    Ok(db.memo.roots.keep(thread, thread))
}

fn merge(db: &Db, from: i64, into: i64) -> Result<(), StoreError> {
    // Others may have been merged into it before.
    db.memo.roots.clear();
    db.connection
        .prepare_cached("UPDATE thread SET merged_into = ?2 WHERE id = ?1")?
        .execute(params![from, into])?;
    db.connection
        .prepare_cached("UPDATE message SET thread_id = ?2 WHERE thread_id = ?1")?
        .execute(params![from, into])?;
    Ok(())
}
