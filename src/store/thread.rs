//! Threads: sets of messages joined by every id they have or refer to, in any order of arrival.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::Key;

pub(super) const MESSAGE_OF: &str = "SELECT message_id FROM thread_ref WHERE hash = ?1";

/// The messages that the keys name, by row.
///
/// # Errors
/// As every read.
pub fn messages_of(db: &Db, keys: &[Key]) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(MESSAGE_OF)?;
    let mut found = Vec::new();
    for key in keys {
        let message: Option<Option<i64>> =
            statement.query_row([key], |row| row.get(0)).optional()?;
        found.extend(message.flatten());
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What joining keys to one thread came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The thread.
    pub thread: i64,
    /// Whether one of the keys was known, so that other messages may be in it.
    pub known: bool,
}

/// Makes one thread of all threads that the keys belong to, with those keys in it.
///
/// # Errors
/// As every write.
pub fn join(db: &Db, keys: &[Key]) -> Result<Joined, StoreError> {
    let mut roots: Vec<i64> = Vec::new();
    let mut missing: Vec<Key> = Vec::new();
    let mut statement =
        db.connection.prepare_cached("SELECT thread_id FROM thread_ref WHERE hash = ?1")?;
    for key in keys {
        match statement.query_row([key], |row| row.get::<_, Option<i64>>(0)).optional()? {
            Some(Some(thread)) => {
                let root = root(db, thread)?;
                if !roots.contains(&root) {
                    roots.push(root);
                }
            }
            Some(None) | None => missing.push(*key),
        }
    }
    let known = !roots.is_empty();
    let thread = match roots.iter().min() {
        Some(first) => *first,
        None => insert(db)?,
    };
    for other in roots.into_iter().filter(|root| *root != thread) {
        merge(db, other, thread)?;
    }
    let mut insert = db.connection.prepare_cached(
        "INSERT INTO thread_ref (hash, thread_id) VALUES (?1, ?2)
         ON CONFLICT (hash) DO UPDATE SET thread_id = excluded.thread_id",
    )?;
    for key in missing {
        insert.execute(params![key, thread])?;
    }
    Ok(Joined { thread, known })
}

/// Notes that the keys name a message, and no other any more.
///
/// # Errors
/// As every write.
pub fn name(db: &Db, keys: &[Key], message: i64) -> Result<(), StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO thread_ref (hash, message_id) VALUES (?1, ?2)
         ON CONFLICT (hash) DO UPDATE SET message_id = excluded.message_id",
    )?;
    for key in keys {
        statement.execute(params![key, message])?;
    }
    Ok(())
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
