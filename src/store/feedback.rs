//! What reps have answered to nudges; and the key of the links by which they do.
//!
//! An answer that is taken back stays, with the instant of that: at most one of a nudge is in force.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::feedback::{Feedback, Given, LinkKey, Quiet, Way};
use crate::model::{NudgeKind, Timestamp};

/// An answer in force, with its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Row.
    pub id: i64,
    /// What was answered, and what is kept silent for it.
    pub given: Given,
}

/// Enters an answer to a nudge, by row, to which none is in force; gives its row.
///
/// # Errors
/// As every write.
pub fn insert(
    db: &Db,
    nudge: i64,
    feedback: Feedback,
    way: Way,
    now: Timestamp,
) -> Result<i64, StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO feedback (nudge_id, at, action, days, way) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![nudge, now, feedback.action(), feedback.days(), way.code()])?;
    Ok(db.connection.last_insert_rowid())
}

/// The answer to a nudge, by row, that is in force.
///
/// # Errors
/// As every read.
pub fn in_force(db: &Db, nudge: i64) -> Result<Option<InForce>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT feedback.id, action, days, at, silence.id IS NOT NULL AND ended_at IS NULL, until_at
         FROM feedback LEFT JOIN silence ON silence.feedback_id = feedback.id
         WHERE nudge_id = ?1 AND undone_at IS NULL",
    )?;
    let found = statement.query_row([nudge], |row| {
        let action: String = row.get(1)?;
        let feedback = Feedback::of_action(&action, row.get(2)?)
            .ok_or(rusqlite::types::FromSqlError::InvalidType)?;
        let (lasts, until): (bool, Option<Timestamp>) = (row.get(4)?, row.get(5)?);
        let quiet = match until {
            _ if !lasts => Quiet::Ended,
            Some(until) => Quiet::Until(until),
            None => Quiet::ForGood,
        };
        Ok(InForce { id: row.get(0)?, given: Given { feedback, at: row.get(3)?, quiet } })
    });
    Ok(found.optional()?)
}

/// Which reminder of an episode's nudges of a kind was the last, and until when it is snoozed, if that
/// is the answer to it: to the end of the snooze, or to when somebody ended it.
///
/// # Errors
/// As every read.
pub fn snoozed(
    db: &Db,
    episode: &str,
    kind: NudgeKind,
) -> Result<Option<(u32, Timestamp)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT reminder, coalesce(ended_at, until_at)
         FROM nudge JOIN feedback ON nudge_id = nudge.id AND undone_at IS NULL
         JOIN silence ON feedback_id = feedback.id
         WHERE episode_id = ?1 AND nudge.kind = ?2 AND action = 'snooze'
           AND reminder = (SELECT max(reminder) FROM nudge WHERE episode_id = ?1 AND kind = ?2)",
    )?;
    let found =
        statement.query_row(params![episode, kind.code()], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

/// Takes an answer back.
///
/// # Errors
/// As every write.
pub fn take_back(db: &Db, id: i64, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE feedback SET undone_at = ?2 WHERE id = ?1")?
        .execute(params![id, now])?;
    Ok(())
}

/// The contacts, by row, of whom a rep said that they are the wrong person, and when that was said
/// last; what was taken back by `now` does not count.
///
/// # Errors
/// As every read.
pub fn wrong_persons(db: &Db, now: Timestamp) -> Result<Vec<(i64, Timestamp)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT contact_id, max(at) FROM feedback JOIN nudge ON nudge.id = nudge_id
         JOIN relationship AS r ON r.id = relationship_id
         WHERE action = 'wrong_person' AND at <= ?1 AND (undone_at IS NULL OR undone_at > ?1)
         GROUP BY contact_id ORDER BY contact_id",
    )?;
    let rows = statement.query_map([now], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The key that links are signed with: the one that is kept, else `fresh`, which is kept from now on.
///
/// # Errors
/// As every write.
pub fn link_key(db: &Db, fresh: &LinkKey, now: Timestamp) -> Result<LinkKey, StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO link_key (id, key, made_at) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![fresh.0, now])?;
    let mut statement = db.connection.prepare_cached("SELECT key FROM link_key WHERE id = 1")?;
    Ok(LinkKey(statement.query_row([], |row| row.get(0))?))
}
