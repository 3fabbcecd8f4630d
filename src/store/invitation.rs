//! Invitations in mail: what was said of the meetings of a rep, message by message.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Key, Timestamp};

/// The most of one UID that is looked at, the latest first: a flood changes nothing but that.
const MOST_ROWS: i64 = 1_000;

/// The same in bytes of text; an answer has some hundred.
const MOST_BYTES: usize = 512 << 10;

/// What one message says of one meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The meeting.
    pub uid: String,
    /// The word for what is done.
    pub method: String,
    /// The version that it speaks of.
    pub sequence: i64,
    /// When it was written.
    pub stamped_at: Timestamp,
    /// iCalendar.
    pub text: String,
}

/// Whether a row is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is.
    Fresh,
    /// It was there.
    Known,
}

/// Stores what the message of that key says to a rep.
///
/// # Errors
/// As every write.
pub fn insert(
    db: &Db,
    rep: i64,
    message: Key,
    digest: Key,
    says: &Invitation,
) -> Result<Stored, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO invitation (rep_id, uid, message, digest, method, sequence, stamped_at, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    )?;
    let changed = statement.execute(params![
        rep,
        says.uid,
        message,
        digest,
        says.method,
        says.sequence,
        says.stamped_at,
        says.text
    ])?;
    Ok(if changed > 0 { Stored::Fresh } else { Stored::Known })
}

/// What was said to a rep of a meeting, the latest first; of very much the latest.
///
/// # Errors
/// As every read.
pub fn of_uid(db: &Db, rep: i64, uid: &str) -> Result<Vec<Invitation>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT uid, method, sequence, stamped_at, text FROM invitation
         WHERE rep_id = ?1 AND uid = ?2 ORDER BY stamped_at DESC, digest DESC LIMIT ?3",
    )?;
    let rows = statement.query_map(params![rep, uid, MOST_ROWS], |row| {
        Ok(Invitation {
            uid: row.get(0)?,
            method: row.get(1)?,
            sequence: row.get(2)?,
            stamped_at: row.get(3)?,
            text: row.get(4)?,
        })
    })?;
    let (mut found, mut bytes) = (Vec::new(), 0usize);
    for row in rows {
        let row = row?;
        bytes = bytes.saturating_add(row.text.len());
        if bytes > MOST_BYTES {
            break;
        }
        found.push(row);
    }
    Ok(found)
}

/// Notes until when a meeting was laid out; `None` for one that is no series.
///
/// # Errors
/// As every write.
pub fn expanded(db: &Db, rep: i64, uid: &str, until: Option<Timestamp>) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE invitation SET expanded_until = ?3
             WHERE rep_id = ?1 AND uid = ?2 AND expanded_until IS NOT ?3",
        )?
        .execute(params![rep, uid, until])?;
    Ok(())
}

/// The series of a rep that were laid out to an instant before `until`, at most `most`.
///
/// # Errors
/// As every read.
pub fn due(db: &Db, rep: i64, until: Timestamp, most: u32) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT DISTINCT uid FROM invitation WHERE rep_id = ?1 AND expanded_until < ?2 LIMIT ?3",
    )?;
    let rows = statement.query_map(params![rep, until, most], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The mailbox in which the meetings of a rep's mail are kept, whichever they were met in: the one
/// that was entered first. `None` while no mail of his is read.
///
/// # Errors
/// As every read.
pub fn mailbox(db: &Db, rep: i64) -> Result<Option<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT mailbox.id FROM source JOIN mailbox ON mailbox.source_id = source.id
         WHERE rep_id = ?1 AND role <> 'calendar' ORDER BY mailbox.id LIMIT 1",
    )?;
    Ok(statement.query_row([rep], |row| row.get(0)).optional()?)
}

/// What was said that holds a text anywhere, whatever its case: rows and texts.
///
/// # Errors
/// As every read.
pub fn holding(db: &Db, text: &str) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT id, text FROM invitation WHERE instr(lower(text), lower(?1)) > 0",
    )?;
    let rows = statement.query_map([text], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps another text of what was said. What names it stays, so that the message is known when it is
/// met again.
///
/// # Errors
/// As every write.
pub fn rewrite(db: &Db, id: i64, text: &str) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE invitation SET text = ?2 WHERE id = ?1")?
        .execute(params![id, text])?;
    Ok(())
}
