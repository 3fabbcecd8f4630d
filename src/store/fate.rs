//! Meetings that did not come about, as each copy of them in calendars and invitations tells it.

use rusqlite::{Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Fate, Timestamp};

pub(super) const BETWEEN: &str = "SELECT meeting.id, rep_id, uid, recurrence_at, fate.at, what
    FROM fate JOIN meeting ON meeting.id = meeting_id
    WHERE relationship_id = ?1 AND fate.at BETWEEN ?2 AND ?3";

/// What one copy of a meeting says of one that did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The copy's row.
    pub meeting: i64,
    /// The rep's row.
    pub rep: i64,
    /// The UID.
    pub uid: String,
    /// Where the series' rule put it.
    pub recurrence_at: Timestamp,
    /// When it would have ended.
    pub at: Timestamp,
    /// By whose doing.
    pub fate: Fate,
}

/// Stores what a copy of a meeting says of each relationship; what it said before is forgotten.
///
/// # Errors
/// As every write.
pub fn replace(
    db: &Db,
    meeting: i64,
    at: Timestamp,
    told: &[(i64, Fate)],
) -> Result<(), StoreError> {
    db.connection.prepare_cached("DELETE FROM fate WHERE meeting_id = ?1")?.execute([meeting])?;
    for (relationship, fate) in told {
        db.connection
            .prepare_cached(
                "INSERT INTO fate (meeting_id, relationship_id, at, what) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![meeting, relationship, at, fate])?;
    }
    Ok(())
}

/// What is told of a relationship's meetings that would have ended in `from..=to`: once by
/// each copy of a meeting.
///
/// # Errors
/// As every read.
pub fn between(
    db: &Db,
    relationship: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Told>, StoreError> {
    let mut statement = db.connection.prepare_cached(BETWEEN)?;
    let rows = statement.query_map(params![relationship, from, to], told)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn told(row: &Row<'_>) -> rusqlite::Result<Told> {
    Ok(Told {
        meeting: row.get(0)?,
        rep: row.get(1)?,
        uid: row.get(2)?,
        recurrence_at: row.get(3)?,
        at: row.get(4)?,
        fate: row.get(5)?,
    })
}
