//! Nudges made, and silences asked for.

use rusqlite::{Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Nudge, Timestamp};

/// Stores a nudge; gives its row, or `None` if its episode has one already.
///
/// # Errors
/// As every write.
pub fn insert(db: &Db, nudge: &Nudge) -> Result<Option<i64>, StoreError> {
    let reasons = serde_json::to_string(&nudge.reasons).unwrap_or_else(|_| "[]".into());
    let changed = db
        .connection
        .prepare_cached(
            "INSERT INTO nudge (public_id, episode_id, kind, relationship_id, created_at, reasons,
                                body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            nudge.id,
            nudge.episode_id,
            nudge.kind,
            nudge.relationship,
            nudge.created_at,
            reasons,
            nudge.body
        ])?;
    Ok((changed > 0).then(|| db.connection.last_insert_rowid()))
}

/// Notes that an episode is over.
///
/// # Errors
/// As every write.
pub fn resolve(db: &Db, episode: &str, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE nudge SET resolved_at = ?2 WHERE episode_id = ?1 AND resolved_at IS NULL",
        )?
        .execute(params![episode, now])?;
    Ok(())
}

/// How many nudges a rep has had since then.
///
/// # Errors
/// As every read.
pub fn count_since(db: &Db, rep: i64, since: Timestamp) -> Result<u32, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT count(*) FROM nudge JOIN relationship AS r ON r.id = nudge.relationship_id
         WHERE r.rep_id = ?1 AND nudge.created_at > ?2",
    )?;
    Ok(statement.query_row(params![rep, since], |row| row.get(0))?)
}

/// Until when nothing may be said to a rep about a contact: a silence belongs to the contact for
/// which it was asked, and holds for the one that this was merged into.
///
/// # Errors
/// As every read.
pub fn silenced_until(db: &Db, rep: i64, contact: i64) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT max(until_at) FROM address JOIN silence ON silence.contact_id = address.id
         WHERE silence.rep_id = ?1 AND address.contact_id = ?2",
    )?;
    Ok(statement.query_row([rep, contact], |row| row.get(0))?)
}

/// A nudge with its rep's code, for lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The rep's code.
    pub rep: String,
    /// The contact's row.
    pub contact: i64,
    /// The nudge.
    pub nudge: Nudge,
    /// When the relationship recovered.
    pub resolved_at: Option<Timestamp>,
    /// How many endpoints have it, and how many are to get it.
    pub delivered: (u32, u32),
}

/// The nudges made up to `now`, the newest first.
///
/// # Errors
/// As every read.
pub fn list(db: &Db, now: Timestamp, limit: usize) -> Result<Vec<Listed>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT rep.code, r.contact_id, nudge.public_id, nudge.episode_id, nudge.kind, r.id,
                nudge.created_at, nudge.reasons, nudge.body, nudge.resolved_at,
                (SELECT count(*) FROM outbox WHERE nudge_id = nudge.id AND state = 'delivered'),
                (SELECT count(*) FROM outbox WHERE nudge_id = nudge.id)
         FROM nudge JOIN relationship AS r ON r.id = nudge.relationship_id
         JOIN rep ON rep.id = r.rep_id
         WHERE nudge.created_at <= ?1 ORDER BY nudge.created_at DESC, nudge.id LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![now, limit], listed)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let reasons: String = row.get(7)?;
    Ok(Listed {
        rep: row.get(0)?,
        contact: row.get(1)?,
        nudge: Nudge {
            id: row.get(2)?,
            episode_id: row.get(3)?,
            kind: row.get(4)?,
            relationship: row.get(5)?,
            created_at: row.get(6)?,
            reasons: serde_json::from_str(&reasons).unwrap_or_default(),
            body: row.get(8)?,
        },
        resolved_at: row.get(9)?,
        delivered: (row.get(10)?, row.get(11)?),
    })
}
