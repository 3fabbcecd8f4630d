//! Silences: about whom nothing is said to a rep, until when, and for what.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{NudgeKind, Timestamp};

/// As good as never: the last instant that RFC 3339 can write. A silence for good lasts till then
/// for those who reckon with instants.
pub const FOREVER: Timestamp = Timestamp::from_seconds(253_402_300_799);

pub(super) const UNTIL: &str = "SELECT max(coalesce(until_at, ?4))
     FROM address JOIN silence ON silence.contact_id = address.id
     WHERE silence.rep_id = ?1 AND address.contact_id = ?2 AND coalesce(kind, ?5) = ?5
       AND made_at <= ?3 AND (ended_at IS NULL OR ended_at > ?3)";

/// What is asked to be kept silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct New<'a> {
    /// The rep's row.
    pub rep: i64,
    /// The contact's row.
    pub contact: i64,
    /// About which kind of nudges; `None` is about all.
    pub kind: Option<NudgeKind>,
    /// Until when; `None` is for good.
    pub until: Option<Timestamp>,
    /// For what: the action of an answer, or `command`.
    pub reason: &'a str,
    /// The row of the answer that it follows from.
    pub feedback: Option<i64>,
}

/// A silence in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Row, which is never used again.
    pub id: i64,
    /// The rep's code.
    pub rep: String,
    /// The row of the contact for which it was asked, which may be part of another one by now.
    pub contact: i64,
    /// About which kind of nudges, by its code; `None` is about all.
    pub kind: Option<String>,
    /// When it was asked for.
    pub made_at: Timestamp,
    /// Until when; `None` is for good.
    pub until: Option<Timestamp>,
    /// For what: the action of an answer, or `command`.
    pub reason: String,
}

/// Begins a silence; gives its row.
///
/// # Errors
/// As every write.
pub fn begin(db: &Db, new: &New<'_>, now: Timestamp) -> Result<i64, StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO silence (rep_id, contact_id, kind, made_at, until_at, reason, feedback_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            new.rep,
            new.contact,
            new.kind.map(NudgeKind::code),
            now,
            new.until,
            new.reason,
            new.feedback
        ])?;
    Ok(db.connection.last_insert_rowid())
}

/// Until when no nudge of a kind may be said to a rep about a contact, as of `now`: a silence belongs to the
/// contact for which it was asked, and holds for the one that this was merged into. The longest
/// counts.
///
/// # Errors
/// As every read.
pub fn until(
    db: &Db,
    (rep, contact): (i64, i64),
    kind: NudgeKind,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.connection.prepare_cached(UNTIL)?;
    Ok(statement.query_row(params![rep, contact, now, FOREVER, kind.code()], |row| row.get(0))?)
}

/// Every silence in force at `now`, in the order of their making.
///
/// # Errors
/// As every read.
pub fn in_force(db: &Db, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT silence.id, rep.code, contact_id, kind, made_at, until_at, reason
         FROM silence JOIN rep ON rep.id = rep_id
         WHERE made_at <= ?1 AND coalesce(until_at, ?1 + 1) > ?1
           AND (ended_at IS NULL OR ended_at > ?1)
         ORDER BY silence.id",
    )?;
    let rows = statement.query_map([now], silence)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The silence of that row, if it is in force at `now`, with the rep's row.
///
/// # Errors
/// As every read.
pub fn find(db: &Db, id: i64, now: Timestamp) -> Result<Option<(i64, Silence)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT silence.id, rep.code, contact_id, kind, made_at, until_at, reason, rep_id
         FROM silence JOIN rep ON rep.id = rep_id
         WHERE silence.id = ?2 AND made_at <= ?1 AND coalesce(until_at, ?1 + 1) > ?1
           AND (ended_at IS NULL OR ended_at > ?1)",
    )?;
    let found = statement.query_row(params![now, id], |row| Ok((row.get(7)?, silence(row)?)));
    Ok(found.optional()?)
}

/// Ends a silence.
///
/// # Errors
/// As every write.
pub fn end(db: &Db, id: i64, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE silence SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL")?
        .execute(params![id, now])?;
    Ok(())
}

/// Ends what is kept silent for an answer, by the answer's row.
///
/// # Errors
/// As every write.
pub fn end_of(db: &Db, feedback: i64, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE silence SET ended_at = ?2 WHERE feedback_id = ?1 AND ended_at IS NULL",
        )?
        .execute(params![feedback, now])?;
    Ok(())
}

fn silence(row: &Row<'_>) -> rusqlite::Result<Silence> {
    Ok(Silence {
        id: row.get(0)?,
        rep: row.get(1)?,
        contact: row.get(2)?,
        kind: row.get(3)?,
        made_at: row.get(4)?,
        until: row.get(5)?,
        reason: row.get(6)?,
    })
}
