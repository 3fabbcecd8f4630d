//! What threads say of messages: who began them, what answers what first, what was followed up.

use rusqlite::{Row, params};

use super::connection::Db;
use super::error::StoreError;
use super::line;
use crate::model::{Interaction, Observed, Timestamp, Turn};

pub(super) const OBSERVED: &str =
    "SELECT at, direction, kind, audience, linked, parent_at, opens, followed_at FROM interaction
     WHERE line_id = ?1 AND at BETWEEN ?2 AND ?3 AND counted = 1
     ORDER BY at DESC, id DESC LIMIT ?4";

pub(super) const UNPLACED: &str = "SELECT i.id, thread_id
     FROM interaction AS i INDEXED BY interaction_unplaced JOIN message ON message.id = message_id
     WHERE opens IS NULL AND message_id IS NOT NULL AND i.id > ?1 AND thread_id IS NOT NULL
     ORDER BY i.id LIMIT ?2";

/// Stores what linking a thread found of a touch.
///
/// # Errors
/// As every write.
pub fn relink(db: &Db, id: i64, linked: bool, counted: bool, turn: Turn) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE interaction SET linked = ?2, counted = ?3, parent_at = ?4, opens = ?5,
                 followed_at = ?6
             WHERE id = ?1",
        )?
        .execute(params![id, linked, counted, turn.parent_at, turn.opens, turn.followed_at])?;
    Ok(())
}

/// The counted interactions of a relationship in `from..=to`, at most the last so many, by time, with
/// what their threads say of them.
///
/// # Errors
/// As every read.
pub fn observed(
    db: &Db,
    relationship: i64,
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> Result<Vec<Observed>, StoreError> {
    let lines = line::of_relationship(db, relationship)?;
    let mut statement = db.connection.prepare_cached(OBSERVED)?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut found: Vec<Observed> = Vec::new();
    // The last line first, so that turning all of it round leaves the lines in order.
    for line in lines.iter().rev() {
        for row in statement.query_map(params![line, from, to, limit], observation)? {
            found.push(row?);
        }
    }
    found.reverse();
    if lines.len() > 1 {
        found.sort_by_key(|observed| observed.interaction.at);
        found.drain(..found.len().saturating_sub(most));
    }
    Ok(found)
}

fn observation(row: &Row<'_>) -> rusqlite::Result<Observed> {
    let interaction = Interaction {
        at: row.get(0)?,
        direction: row.get(1)?,
        kind: row.get(2)?,
        audience: row.get(3)?,
        linked: row.get(4)?,
    };
    Ok(Observed { interaction, turn: turn(row, 5)? })
}

/// What a thread says of a message, from three columns that begin at `first`.
pub(super) fn turn(row: &Row<'_>, first: usize) -> rusqlite::Result<Turn> {
    Ok(Turn {
        parent_at: row.get(first)?,
        opens: row.get(first + 1)?,
        followed_at: row.get(first + 2)?,
    })
}

/// At most `limit` interactions, by row above `after`, of messages whose thread has not said what it
/// says of them; each with the thread.
///
/// # Errors
/// As every read.
pub fn unplaced(db: &Db, after: i64, limit: usize) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut statement = db.connection.prepare_cached(UNPLACED)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map([after, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
