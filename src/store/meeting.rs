//! Meetings of calendars, occurrence by occurrence.

use std::collections::HashMap;

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Key, Meeting, Timestamp};

/// What names a meeting in its calendar: UID, and where the series' rule put it.
pub type Name = (String, Timestamp);

/// A stored meeting: row and hash of what decides its interactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Row.
    pub id: i64,
    /// Hash.
    pub digest: Key,
}

/// The meetings of an object of a calendar that begin in `from..=to`.
///
/// # Errors
/// As every read.
pub fn between(
    db: &Db,
    mailbox: i64,
    item: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<HashMap<Name, Stored>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT uid, recurrence_at, id, digest FROM meeting
         WHERE mailbox_id = ?1 AND item = ?2 AND starts_at BETWEEN ?3 AND ?4",
    )?;
    let rows = statement.query_map(params![mailbox, item, from, to], |row| {
        Ok(((row.get(0)?, row.get(1)?), Stored { id: row.get(2)?, digest: row.get(3)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a meeting, or what has become of it; gives its row.
///
/// # Errors
/// As every write.
pub fn upsert(
    db: &Db,
    mailbox: i64,
    item: i64,
    meeting: &Meeting,
    digest: Key,
) -> Result<i64, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO meeting (mailbox_id, uid, recurrence_at, starts_at, ends_at, status, digest,
             item)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (mailbox_id, uid, recurrence_at) DO UPDATE SET
             starts_at = excluded.starts_at, ends_at = excluded.ends_at,
             status = excluded.status, digest = excluded.digest, item = excluded.item
         RETURNING id",
    )?;
    let recurrence = meeting.recurrence_at.unwrap_or_default();
    Ok(statement.query_row(
        params![
            mailbox,
            meeting.uid,
            recurrence,
            meeting.starts_at,
            meeting.ends_at,
            meeting.status.code(),
            digest,
            item
        ],
        |row| row.get(0),
    )?)
}

/// Forgets a meeting that has no interactions any more.
///
/// # Errors
/// As every write.
pub fn delete(db: &Db, id: i64) -> Result<(), StoreError> {
    db.connection.prepare_cached("DELETE FROM meeting WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// All meetings of an object of a calendar.
///
/// # Errors
/// As every read.
pub fn of_object(db: &Db, mailbox: i64, item: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT id FROM meeting WHERE mailbox_id = ?1 AND item = ?2")?;
    let rows = statement.query_map([mailbox, item], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
