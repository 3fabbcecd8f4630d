//! Mail among reps: what `keepwarm path` finds its first step by, and nothing else reads.

use rusqlite::{Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::Timestamp;

pub(super) const SENT: &str = "SELECT colleague.at, audience
     FROM colleague JOIN message ON message.id = message_id
     WHERE from_rep_id = ?1 AND to_rep_id = ?2 AND proven = 1
       AND (left_out IS NULL OR left_out IN ('internal', 'list', 'bulk'))";

/// A message from a rep to another, as one of its copies tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The row of the rep who wrote it.
    pub from: i64,
    /// The row of the rep whom it is to.
    pub to: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Whether that is its own Date.
    pub dated: bool,
    /// To how many people it was addressed.
    pub audience: u32,
    /// Whether it was met where only its writer puts messages, so that nobody else has written it.
    pub proven: bool,
}

/// Notes what one more copy of a message says: the larger audience counts, the earlier time, its own
/// Date before others, and whether any copy proves it.
///
/// # Errors
/// As every write.
pub fn add(db: &Db, message: i64, sent: &Sent) -> Result<(), StoreError> {
    let Sent { from, to, at, dated, audience, proven } = *sent;
    db.connection
        .prepare_cached(
            "INSERT INTO colleague (message_id, from_rep_id, to_rep_id, at, dated, audience, proven)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (message_id, from_rep_id, to_rep_id) DO UPDATE SET
                 at = CASE WHEN excluded.dated > dated
                          OR (excluded.dated = dated AND excluded.at < at)
                      THEN excluded.at ELSE at END,
                 dated = max(dated, excluded.dated),
                 audience = max(audience, excluded.audience),
                 proven = max(proven, excluded.proven)",
        )?
        .execute(params![message, from, to, at, dated, audience, proven])?;
    Ok(())
}

/// Gives what is noted of a message to another, of which it was a copy.
///
/// # Errors
/// As every write.
pub fn absorb(db: &Db, into: i64, from: i64) -> Result<(), StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT from_rep_id, to_rep_id, at, dated, audience, proven
         FROM colleague WHERE message_id = ?1",
    )?;
    let noted = |row: &Row<'_>| {
        Ok(Sent {
            from: row.get(0)?,
            to: row.get(1)?,
            at: row.get(2)?,
            dated: row.get(3)?,
            audience: row.get(4)?,
            proven: row.get(5)?,
        })
    };
    let noted: Vec<Sent> = statement.query_map([from], noted)?.collect::<Result<_, _>>()?;
    for sent in &noted {
        add(db, into, sent)?;
    }
    if !noted.is_empty() {
        db.connection
            .prepare_cached("DELETE FROM colleague WHERE message_id = ?1")?
            .execute([from])?;
    }
    Ok(())
}

/// Whether a message went between any reps.
///
/// # Errors
/// As every read.
pub fn any(db: &Db, message: i64) -> Result<bool, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM colleague WHERE message_id = ?1)")?;
    Ok(statement.query_row([message], |row| row.get(0))?)
}

/// When a rep has written to another, in order, and to how many people: each message once, those that
/// only an inbox knows and those of machines left out.
///
/// # Errors
/// As every read.
pub fn sent(db: &Db, from: i64, to: i64) -> Result<Vec<(Timestamp, u32)>, StoreError> {
    let mut statement = db.connection.prepare_cached(SENT)?;
    let rows = statement.query_map([from, to], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut sent: Vec<(Timestamp, u32)> = rows.collect::<Result<_, _>>()?;
    sent.sort_unstable();
    Ok(sent)
}
