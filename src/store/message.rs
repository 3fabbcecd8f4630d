//! Messages: one row each, however many mailboxes they were met in.

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use super::row::{pack, unpack};
use crate::model::{Key, Timestamp};

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage<'a> {
    /// Its thread; `None` for what makes no interaction.
    pub thread: Option<i64>,
    /// When it was written.
    pub at: Timestamp,
    /// Whether that is its own Date.
    pub dated: bool,
    /// Whether it was met where only the rep puts messages.
    pub proven: bool,
    /// Why it makes no interaction, if it makes none.
    pub left_out: Option<&'static str>,
    /// Hash of its subject without prefixes.
    pub subject: Option<Key>,
    /// Whether the subject had a reply's prefix.
    pub reply_subject: bool,
    /// The keys that name it.
    pub keys: &'a [Key],
    /// The keys it refers to.
    pub references: &'a [Key],
}

/// A stored message, as far as meeting it again needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Row.
    pub id: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Whether that is its own Date.
    pub dated: bool,
    /// Whether a copy was met where only the rep puts messages.
    pub proven: bool,
    /// Whether it makes no interaction.
    pub left_out: bool,
    /// Its thread.
    pub thread: Option<i64>,
}

/// Stores a message; gives its row.
///
/// # Errors
/// As every write.
pub fn insert(db: &Db, message: &NewMessage<'_>) -> Result<i64, StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO message (thread_id, at, dated, proven, left_out, subject, reply_subject,
                                  has_references, keys, refs)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            message.thread,
            message.at,
            message.dated,
            message.proven,
            message.left_out,
            message.subject,
            message.reply_subject,
            !message.references.is_empty(),
            pack(message.keys),
            pack(message.references),
        ])?;
    Ok(db.connection.last_insert_rowid())
}

/// The message of that row.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn get(db: &Db, id: i64) -> Result<Stored, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT id, at, dated, proven, left_out IS NOT NULL, thread_id FROM message WHERE id = ?1",
    )?;
    Ok(statement.query_row([id], |row| {
        Ok(Stored {
            id: row.get(0)?,
            at: row.get(1)?,
            dated: row.get(2)?,
            proven: row.get(3)?,
            left_out: row.get(4)?,
            thread: row.get(5)?,
        })
    })?)
}

/// Notes that a copy was met where only the rep puts messages.
///
/// # Errors
/// As every write.
pub fn prove(db: &Db, id: i64) -> Result<(), StoreError> {
    db.connection.prepare_cached("UPDATE message SET proven = 1 WHERE id = ?1")?.execute([id])?;
    db.connection
        .prepare_cached(
            "UPDATE interaction SET standing = 0 WHERE message_id = ?1 AND standing = 2",
        )?
        .execute([id])?;
    Ok(())
}

/// Notes an earlier receipt of a message that has no usable Date.
///
/// # Errors
/// As every write.
pub fn redate(db: &Db, id: i64, at: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE message SET at = ?2 WHERE id = ?1")?
        .execute(params![id, at])?;
    db.connection
        .prepare_cached("UPDATE interaction SET at = ?2 WHERE message_id = ?1")?
        .execute(params![id, at])?;
    Ok(())
}

/// Takes a message's interactions back: another copy of it says why it should have none.
///
/// # Errors
/// As every write.
pub fn leave_out(db: &Db, id: i64, reason: &str) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE message SET left_out = ?2 WHERE id = ?1")?
        .execute(params![id, reason])?;
    db.connection.prepare_cached("DELETE FROM interaction WHERE message_id = ?1")?.execute([id])?;
    Ok(())
}

/// Adds a reference that only the subject tells.
///
/// # Errors
/// As every write.
pub fn add_reference(db: &Db, id: i64, key: Key) -> Result<(), StoreError> {
    let mut references: Vec<u8> = db
        .connection
        .prepare_cached("SELECT refs FROM message WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    references.extend(pack(&[key]));
    db.connection
        .prepare_cached("UPDATE message SET refs = ?2 WHERE id = ?1")?
        .execute(params![id, references])?;
    Ok(())
}

/// Notes another key that names a message: a copy under another Message-ID.
///
/// # Errors
/// As every write.
pub fn add_key(db: &Db, id: i64, key: Key) -> Result<(), StoreError> {
    let mut known = keys(db, id)?;
    if !known.contains(&key) {
        known.push(key);
        db.connection
            .prepare_cached("UPDATE message SET keys = ?2 WHERE id = ?1")?
            .execute(params![id, pack(&known)])?;
    }
    Ok(())
}

/// The keys that name a message, its own first.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn keys(db: &Db, id: i64) -> Result<Vec<Key>, StoreError> {
    let mut statement = db.connection.prepare_cached("SELECT keys FROM message WHERE id = ?1")?;
    Ok(statement.query_row([id], |row| Ok(unpack(row.get_ref(0)?.as_blob()?)))?)
}

/// A message of a thread, for linking.
#[derive(Clone, Debug)]
pub struct ThreadMessage {
    /// Row.
    pub id: i64,
    /// The keys that name it.
    pub keys: Vec<Key>,
    /// The keys it refers to.
    pub references: Vec<Key>,
}

/// The messages of a thread.
///
/// # Errors
/// As every read.
pub fn of_thread(db: &Db, thread: i64) -> Result<Vec<ThreadMessage>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT id, keys, refs FROM message WHERE thread_id = ?1")?;
    let rows = statement.query_map([thread], |row| {
        Ok(ThreadMessage {
            id: row.get(0)?,
            keys: unpack(row.get_ref(1)?.as_blob()?),
            references: unpack(row.get_ref(2)?.as_blob()?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
