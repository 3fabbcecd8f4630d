//! Meetings of calendars and invitations, occurrence by occurrence and copy by copy.

use std::collections::HashMap;

use rusqlite::{Row, params};

use super::connection::Db;
use super::error::StoreError;
use super::interaction::{MessageTouch, touch};
use super::mailbox::UNREAD_CALENDARS;
use crate::model::{Key, Meeting, Timestamp, Version};

pub(super) const RIVALS: &str =
    "SELECT meeting.id, recurrence_at, starts_at, sequence, modified_at,
        item, mailbox.role = 'calendar', mailbox.name, source.name
    FROM meeting JOIN mailbox ON mailbox.id = mailbox_id JOIN source ON source.id = source_id
    WHERE meeting.rep_id = ?1 AND uid = ?2 AND recurrence_at = ?3";

pub(super) const COPIES: &str =
    "SELECT meeting.id, recurrence_at, starts_at, sequence, modified_at,
        item, mailbox.role = 'calendar', mailbox.name, source.name,
        i.id, i.at, direction, i.kind, audience, linked, line_id, relationship_id, standing, counted
    FROM meeting JOIN mailbox ON mailbox.id = mailbox_id JOIN source ON source.id = source_id
    LEFT JOIN interaction AS i ON i.meeting_id = meeting.id LEFT JOIN line ON line.id = line_id
    WHERE meeting.rep_id = ?1 AND uid = ?2 ORDER BY recurrence_at, meeting.id";

// By name, for the index of all meetings' interactions would do too, and all of them be looked at.
pub(super) const ANY_UNANSWERED: &str = "SELECT EXISTS (
        SELECT 1 FROM interaction INDEXED BY interaction_unanswered
        WHERE meeting_id IS NOT NULL AND standing > 0)";

pub(super) const UNANSWERED: &str = "SELECT i.id, i.at, direction, i.kind, audience, linked,
        line_id, relationship_id, standing, counted,
        meeting.id, meeting.rep_id, uid, recurrence_at, starts_at, ends_at,
        EXISTS (SELECT 1 FROM interaction AS other JOIN line AS of ON of.id = other.line_id
            WHERE other.meeting_id = i.meeting_id AND other.standing = 0
                AND of.relationship_id = line.relationship_id)
    FROM line JOIN interaction AS i ON i.line_id = line.id JOIN meeting ON meeting.id = i.meeting_id
    WHERE relationship_id = ?1 AND i.meeting_id IS NOT NULL AND standing > 0";

/// What names a meeting in its object: UID, and where the series' rule put it.
pub type Name = (String, Timestamp);

/// A stored meeting: row and hash of what decides its interactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Row.
    pub id: i64,
    /// Hash.
    pub digest: Key,
}

/// Where a meeting stands: whose, in which mailbox and which object of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The rep's row.
    pub rep: i64,
    /// The mailbox's row.
    pub mailbox: i64,
    /// The object; 0 for a calendar that is read as a whole.
    pub item: i64,
}

/// The meetings of an object of a calendar that begin in `from..to`.
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
         WHERE mailbox_id = ?1 AND item = ?2 AND starts_at >= ?3 AND starts_at < ?4",
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
pub fn upsert(db: &Db, place: Place, meeting: &Meeting, digest: Key) -> Result<i64, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO meeting (rep_id, mailbox_id, item, uid, recurrence_at, starts_at, ends_at,
             status, sequence, modified_at, digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (mailbox_id, item, uid, recurrence_at) DO UPDATE SET
             starts_at = excluded.starts_at, ends_at = excluded.ends_at,
             status = excluded.status, sequence = excluded.sequence,
             modified_at = excluded.modified_at, digest = excluded.digest
         RETURNING id",
    )?;
    Ok(statement.query_row(
        params![
            place.rep,
            place.mailbox,
            place.item,
            meeting.uid,
            meeting.recurrence_at.unwrap_or_default(),
            meeting.starts_at,
            meeting.ends_at,
            meeting.status.code(),
            meeting.version.sequence,
            meeting.version.modified_at,
            digest,
        ],
        |row| row.get(0),
    )?)
}

/// Forgets a meeting that has no interactions any more.
///
/// # Errors
/// As every write.
pub fn delete(db: &Db, id: i64) -> Result<(), StoreError> {
    db.connection.prepare_cached("DELETE FROM fate WHERE meeting_id = ?1")?.execute([id])?;
    db.connection.prepare_cached("DELETE FROM meeting WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// The meetings of an object of a calendar that begin at `from` or later: rows and UIDs.
///
/// # Errors
/// As every read.
pub fn of_object(
    db: &Db,
    mailbox: i64,
    item: i64,
    from: Timestamp,
) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT id, uid FROM meeting WHERE mailbox_id = ?1 AND item = ?2 AND starts_at >= ?3",
    )?;
    let rows =
        statement.query_map(params![mailbox, item, from], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The meetings that are not over at `now` in calendars that are not read any more: rows, reps and
/// UIDs.
///
/// # Errors
/// As every read.
pub fn ahead_of_unread(db: &Db, now: Timestamp) -> Result<Vec<(i64, i64, String)>, StoreError> {
    let mut statement = db.connection.prepare_cached(&format!(
        "SELECT id, rep_id, uid FROM meeting WHERE mailbox_id IN ({UNREAD_CALENDARS})
             AND ends_at > ?1"
    ))?;
    let rows = statement.query_map([now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A copy of a meeting with its interactions.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    /// Row.
    pub id: i64,
    /// Where the series' rule put it.
    pub recurrence_at: Timestamp,
    /// When it begins.
    pub starts_at: Timestamp,
    /// Which version of the event it is.
    pub version: Version,
    /// The object that it stands in.
    pub item: i64,
    /// Whether its mailbox is a calendar; else it was put together from mail.
    pub in_calendar: bool,
    /// Its mailbox's name.
    pub mailbox: String,
    /// Its source's name.
    pub source: String,
    /// Its interactions.
    pub touches: Vec<MessageTouch>,
}

/// Every copy that a rep has of what a UID names, occurrence by occurrence.
///
/// # Errors
/// As every read.
pub fn copies(db: &Db, rep: i64, uid: &str) -> Result<Vec<Copy>, StoreError> {
    let mut statement = db.connection.prepare_cached(COPIES)?;
    let mut rows = statement.query(params![rep, uid])?;
    let mut found: Vec<Copy> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let touch = row.get::<_, Option<i64>>(9)?.map(|_| touch(row, 9)).transpose()?;
        match found.last_mut().filter(|last| last.id == id) {
            Some(last) => last.touches.extend(touch),
            None => found.push(copy(row, touch)?),
        }
    }
    Ok(found)
}

/// The copies of one occurrence that a rep has, without their interactions.
///
/// # Errors
/// As every read.
pub fn rivals(
    db: &Db,
    rep: i64,
    uid: &str,
    recurrence_at: Timestamp,
) -> Result<Vec<Copy>, StoreError> {
    let mut statement = db.connection.prepare_cached(RIVALS)?;
    let rows = statement.query_map(params![rep, uid, recurrence_at], |row| copy(row, None))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn copy(row: &Row<'_>, touch: Option<MessageTouch>) -> rusqlite::Result<Copy> {
    Ok(Copy {
        id: row.get(0)?,
        recurrence_at: row.get(1)?,
        starts_at: row.get(2)?,
        version: Version { sequence: row.get(3)?, modified_at: row.get(4)? },
        item: row.get(5)?,
        in_calendar: row.get(6)?,
        mailbox: row.get(7)?,
        source: row.get(8)?,
        touches: touch.into_iter().collect(),
    })
}

/// A meeting to which a contact was asked and did not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Unanswered {
    /// Its interaction with that contact.
    pub touch: MessageTouch,
    /// Row.
    pub id: i64,
    /// The rep's row.
    pub rep: i64,
    /// The UID.
    pub uid: String,
    /// Where the series' rule put it.
    pub recurrence_at: Timestamp,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Whether the contact has accepted it at another address.
    pub accepted: bool,
}

/// Whether there is any such meeting.
///
/// # Errors
/// As every read.
pub fn any_unanswered(db: &Db) -> Result<bool, StoreError> {
    let mut statement = db.connection.prepare_cached(ANY_UNANSWERED)?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The relationships that have such a meeting among the copies of a UID.
///
/// # Errors
/// As every read.
pub fn without_answer(db: &Db, rep: i64, uid: &str) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT DISTINCT relationship_id
         FROM meeting JOIN interaction ON interaction.meeting_id = meeting.id
             JOIN line ON line.id = line_id
         WHERE meeting.rep_id = ?1 AND uid = ?2 AND standing > 0",
    )?;
    let rows = statement.query_map(params![rep, uid], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those of a relationship.
///
/// # Errors
/// As every read.
pub fn unanswered(db: &Db, relationship: i64) -> Result<Vec<Unanswered>, StoreError> {
    let mut statement = db.connection.prepare_cached(UNANSWERED)?;
    let rows = statement.query_map([relationship], |row| {
        Ok(Unanswered {
            touch: touch(row, 0)?,
            id: row.get(10)?,
            rep: row.get(11)?,
            uid: row.get(12)?,
            recurrence_at: row.get(13)?,
            starts_at: row.get(14)?,
            ends_at: row.get(15)?,
            accepted: row.get(16)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
