//! Threads: sets of messages joined by every id they have or refer to, in any order of arrival.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::Key;

pub(super) const REF: &str = "SELECT thread_id, message_id FROM thread_ref WHERE hash = ?1";

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
    let mut statement = db.connection.prepare_cached(REF)?;
    let known = |row: &Row<'_>| Ok(Known { thread: row.get(0)?, message: row.get(1)? });
    keys.iter().map(|key| Ok(statement.query_row([key], known).optional()?)).collect()
}

/// Enters keys that were never met; fastest in ascending order.
///
/// # Errors
/// As every write.
pub fn enter(db: &Db, keys: &[(Key, Known)]) -> Result<(), StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO thread_ref (hash, thread_id, message_id) VALUES (?1, ?2, ?3)",
    )?;
    for (key, known) in keys {
        statement.execute(params![key, known.thread, known.message])?;
    }
    Ok(())
}

/// Stores what is known now of keys that were met before.
///
/// # Errors
/// As every write.
pub fn update(db: &Db, keys: &[(Key, Known)]) -> Result<(), StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("UPDATE thread_ref SET thread_id = ?2, message_id = ?3 WHERE hash = ?1")?;
    for (key, known) in keys {
        statement.execute(params![key, known.thread, known.message])?;
    }
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
