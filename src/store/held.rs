//! Meetings as people are told of them, and as nudges ask for them: those that count, and how many a
//! calendar has.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Kind, MeetingStatus, Standing, Timestamp};

/// A meeting of a relationship that counts, now or when it has been held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it began, or begins.
    pub starts_at: Timestamp,
    /// When it ended, or ends.
    pub ends_at: Timestamp,
    /// When it counts from.
    pub at: Timestamp,
    /// How many people besides the rep were asked to come.
    pub audience: u32,
    /// Whether both accepted; else the contact has only written about then.
    pub accepted: bool,
}

/// The meetings of a relationship that count at `now`, by time.
///
/// # Errors
/// As every read.
pub fn all(db: &Db, relationship: i64, now: Timestamp) -> Result<Vec<Held>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT starts_at, ends_at, i.at, audience, standing = 0
         FROM line JOIN interaction AS i ON i.line_id = line.id
             JOIN meeting ON meeting.id = i.meeting_id
         WHERE relationship_id = ?1 AND i.at <= ?2 AND counted = 1 ORDER BY i.at, i.id",
    )?;
    let rows = statement.query_map(params![relationship, now], held_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The next meeting with a contact that is not over at `now`: one that both have accepted. An
/// invitation without an answer is no sign of life.
///
/// # Errors
/// As every read.
pub fn next(db: &Db, relationship: i64, now: Timestamp) -> Result<Option<Held>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT starts_at, ends_at, i.at, audience, standing = 0
         FROM line JOIN interaction AS i ON i.line_id = line.id
             JOIN meeting ON meeting.id = i.meeting_id
         WHERE relationship_id = ?1 AND i.at > ?2 AND counted = 1 AND i.kind = ?3
             AND standing = ?4
         ORDER BY starts_at, i.id LIMIT 1",
    )?;
    let parameters = params![relationship, now, Kind::Meeting, Standing::Sound];
    Ok(statement.query_row(parameters, held_row).optional()?)
}

/// When the last meeting of a relationship that was over at `now` began, and whether its series has
/// others.
///
/// # Errors
/// As every read.
pub fn last(
    db: &Db,
    relationship: i64,
    now: Timestamp,
) -> Result<Option<(Timestamp, bool)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT starts_at, EXISTS (
             SELECT 1 FROM meeting AS other WHERE other.rep_id = meeting.rep_id
             AND other.uid = meeting.uid AND other.recurrence_at <> meeting.recurrence_at)
         FROM line JOIN interaction AS i ON i.line_id = line.id
             JOIN meeting ON meeting.id = i.meeting_id
         WHERE relationship_id = ?1 AND i.at <= ?2 AND counted = 1
         ORDER BY i.at DESC, i.id DESC LIMIT 1",
    )?;
    let found =
        statement.query_row(params![relationship, now], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

fn held_row(row: &Row<'_>) -> rusqlite::Result<Held> {
    Ok(Held {
        starts_at: row.get(0)?,
        ends_at: row.get(1)?,
        at: row.get(2)?,
        audience: row.get(3)?,
        accepted: row.get(4)?,
    })
}

/// How many meetings are stored of a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// All of them, cancelled ones too.
    pub meetings: i64,
    /// Those that have not begun and were not cancelled.
    pub ahead: i64,
}

/// How many meetings are stored of each mailbox of a source that has some, by the mailbox's name.
///
/// # Errors
/// As every read.
pub fn stored(db: &Db, source: i64, now: Timestamp) -> Result<HashMap<String, Stored>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT name, count(*), sum(starts_at > ?2 AND status <> ?3)
         FROM mailbox JOIN meeting ON meeting.mailbox_id = mailbox.id
         WHERE source_id = ?1 GROUP BY mailbox.id",
    )?;
    let parameters = params![source, now, MeetingStatus::Cancelled.code()];
    let rows = statement.query_map(parameters, |row| {
        Ok((row.get(0)?, Stored { meetings: row.get(1)?, ahead: row.get(2)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
