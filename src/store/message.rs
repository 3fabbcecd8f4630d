//! Messages: one row each, however many mailboxes they were met in.

use rusqlite::{Row, params};

use super::connection::Db;
use super::error::StoreError;
use super::interaction::{MessageTouch, touch_in_thread};
use super::row::{pack, unpack};
use crate::model::{Key, Timestamp};

/// What all copies of a message together say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its thread; `None` for what never made an interaction.
    pub thread: Option<i64>,
    /// When it was written.
    pub at: Timestamp,
    /// Whether that is its own Date.
    pub dated: bool,
    /// Why it makes no interaction, if it makes none.
    pub left_out: Option<String>,
    /// Hash of its subject without prefixes.
    pub subject: Option<Key>,
    /// Whether the subject had a reply's prefix.
    pub reply_subject: bool,
    /// The keys that name it.
    pub keys: Vec<Key>,
    /// The keys it refers to.
    pub references: Vec<Key>,
}

/// Stores a message; gives its row.
///
/// # Errors
/// As every write.
pub fn insert(db: &Db, message: &Message) -> Result<i64, StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO message (thread_id, at, dated, left_out, subject, reply_subject, keys, refs)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            message.thread,
            message.at,
            message.dated,
            message.left_out,
            message.subject,
            message.reply_subject,
            pack(&message.keys),
            pack(&message.references),
        ])?;
    Ok(db.connection.last_insert_rowid())
}

/// The message of that row.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn get(db: &Db, id: i64) -> Result<Message, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT thread_id, at, dated, left_out, subject, reply_subject, keys, refs
         FROM message WHERE id = ?1",
    )?;
    Ok(statement.query_row([id], message)?)
}

/// Stores what one more copy has changed.
///
/// # Errors
/// As every write.
pub fn update(db: &Db, id: i64, message: &Message) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE message SET thread_id = ?2, at = ?3, dated = ?4, left_out = ?5, subject = ?6,
                                reply_subject = ?7, keys = ?8, refs = ?9
             WHERE id = ?1",
        )?
        .execute(params![
            id,
            message.thread,
            message.at,
            message.dated,
            message.left_out,
            message.subject,
            message.reply_subject,
            pack(&message.keys),
            pack(&message.references),
        ])?;
    Ok(())
}

/// Forgets a message that has no interactions and no names any more: it was a copy of another.
///
/// # Errors
/// As every write.
pub fn delete(db: &Db, id: i64) -> Result<(), StoreError> {
    db.connection.prepare_cached("DELETE FROM message WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// A message of a thread with its touches, for linking.
#[derive(Clone, Debug)]
pub struct ThreadMessage {
    /// Row.
    pub id: i64,
    /// What it says.
    pub message: Message,
    /// Its touches.
    pub touches: Vec<MessageTouch>,
}

/// The messages of a thread but those that are left out. One of these is in a thread if a copy of it
/// made interactions, and what else is stored of it is of the copies that came before it was left
/// out: to decide by it would be to decide by the order of arrival.
///
/// # Errors
/// As every read.
pub fn of_thread(db: &Db, thread: i64) -> Result<Vec<ThreadMessage>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT thread_id, message.at, dated, left_out, subject, reply_subject, keys, refs,
                message.id,
                i.id, i.at, direction, kind, audience, linked, line_id, relationship_id, standing,
                counted, parent_at, opens, followed_at
         FROM message LEFT JOIN interaction AS i ON i.message_id = message.id
             LEFT JOIN line ON line.id = line_id
         WHERE thread_id = ?1 AND left_out IS NULL ORDER BY message.id",
    )?;
    let mut rows = statement.query([thread])?;
    let mut found: Vec<ThreadMessage> = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get(8)?;
        let touch = row.get::<_, Option<i64>>(9)?.map(|_| touch_in_thread(row, 9)).transpose()?;
        match found.last_mut().filter(|last| last.id == id) {
            Some(last) => last.touches.extend(touch),
            None => found.push(ThreadMessage {
                id,
                message: message(row)?,
                touches: touch.into_iter().collect(),
            }),
        }
    }
    Ok(found)
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        thread: row.get(0)?,
        at: row.get(1)?,
        dated: row.get(2)?,
        left_out: row.get(3)?,
        subject: row.get(4)?,
        reply_subject: row.get(5)?,
        keys: unpack(row.get_ref(6)?.as_blob()?),
        references: unpack(row.get_ref(7)?.as_blob()?),
    })
}
