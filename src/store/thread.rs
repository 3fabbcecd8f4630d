//! Threads: sets of messages joined by every id they have or refer to, in any order of arrival.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::Key;

pub(super) const RECENT: &str = "SELECT thread_id, message_id FROM recent_ref WHERE hash = ?1";
pub(super) const SETTLED: &str = "SELECT thread_id, message_id FROM thread_ref WHERE hash = ?1";

/// Keys that gather before they move to the large table: what each commit of a backfill writes
/// anew, against how often all of the large table is written.
const MOST_RECENT: i64 = 100_000;

/// Keys in so many of the numbers that there are move at once.
const SLICE: usize = 1 << 58;

/// What is stored of a key that names or is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its thread, which may have been merged into another.
    pub thread: Option<i64>,
    /// The message that it names.
    pub message: Option<i64>,
}

/// What is stored of each of some keys, if it was met before; fastest in ascending order.
///
/// # Errors
/// As every read.
pub fn look_up(db: &Db, keys: &[Key]) -> Result<Vec<Option<Known>>, StoreError> {
    let mut recent = db.connection.prepare_cached(RECENT)?;
    let mut settled = db.connection.prepare_cached(SETTLED)?;
    let known = |row: &Row<'_>| Ok(Known { thread: row.get(0)?, message: row.get(1)? });
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        found.push(match recent.query_row([key], known).optional()? {
            None => settled.query_row([key], known).optional()?,
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
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO recent_ref (hash, thread_id, message_id) VALUES (?1, ?2, ?3)
         ON CONFLICT (hash) DO UPDATE SET
             thread_id = excluded.thread_id, message_id = excluded.message_id",
    )?;
    for (key, known) in keys {
        statement.execute(params![key, known.thread, known.message])?;
    }
    // Counting reads all of them, which is too much for every message: those noted since then are
    // added, though some were there before.
    let noted = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let mut most = db.memo.recent_keys.get().map(|most| most.saturating_add(noted));
    if most.is_none_or(|most| most >= MOST_RECENT) {
        let count = count_recent(db)?;
        if count >= MOST_RECENT {
            move_over(db)?;
        }
        most = Some(if count >= MOST_RECENT { 0 } else { count });
    }
    db.memo.recent_keys.set(most);
    Ok(())
}

fn count_recent(db: &Db) -> Result<i64, StoreError> {
    let mut count = db.connection.prepare_cached("SELECT count(*) FROM recent_ref")?;
    Ok(count.query_row([], |row| row.get(0))?)
}

/// Moves what has gathered to the large table, slice by slice: what a statement has written before
/// it ends is kept in memory as it was.
fn move_over(db: &Db) -> Result<(), StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO thread_ref (hash, thread_id, message_id)
             SELECT hash, thread_id, message_id FROM recent_ref
             WHERE hash BETWEEN ?1 AND ?2 ORDER BY hash
             ON CONFLICT (hash) DO UPDATE SET
                 thread_id = excluded.thread_id, message_id = excluded.message_id",
    )?;
    for first in (i64::MIN..=i64::MAX).step_by(SLICE) {
        statement.execute([first, first.saturating_add_unsigned(SLICE as u64 - 1)])?;
    }
    db.connection.execute_batch("DELETE FROM recent_ref")?;
    Ok(())
}

/// What joining keys to one thread came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The thread.
    pub thread: i64,
    /// What it was made of.
    pub from: From,
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
    for other in roots.into_iter().filter(|root| *root != thread) {
        merge(db, other, thread)?;
    }
    Ok(Joined { thread, from })
}

/// The thread that is left of one that may have been merged.
///
/// # Errors
/// As every read.
pub fn root(db: &Db, thread: i64) -> Result<i64, StoreError> {
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
    Ok(db.connection.last_insert_rowid())
}

fn merge(db: &Db, from: i64, into: i64) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE thread SET merged_into = ?2 WHERE id = ?1")?
        .execute(params![from, into])?;
    db.connection
        .prepare_cached("UPDATE message SET thread_id = ?2 WHERE thread_id = ?1")?
        .execute(params![from, into])?;
    Ok(())
}
