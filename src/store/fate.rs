//! Meetings that did not come about, as each copy of them in calendars and invitations tells it.

use rusqlite::{Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Fate, Timestamp};

// A contact asked at several addresses is told of once, and not at all if one of them was met.
pub(super) const BETWEEN: &str =
    "SELECT meeting.id, meeting.rep_id, uid, recurrence_at, fate.at, what
    FROM line JOIN fate ON line_id = line.id JOIN meeting ON meeting.id = meeting_id
    WHERE relationship_id = ?1 AND fate.at BETWEEN ?2 AND ?3
        AND NOT EXISTS (SELECT 1 FROM interaction AS i JOIN line AS of ON of.id = i.line_id
            WHERE i.meeting_id = meeting.id AND standing = 0
                AND of.relationship_id = line.relationship_id)";

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

/// Stores what a copy of a meeting says of each line; what it said before is forgotten.
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
    for (line, fate) in told {
        db.connection
            .prepare_cached(
                "INSERT INTO fate (meeting_id, line_id, at, what) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![meeting, line, at, fate])?;
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
    let mut found = rows.collect::<Result<Vec<Told>, _>>()?;
    found.sort_by_key(|told| (told.meeting, told.fate));
    found.dedup_by_key(|told| told.meeting);
    Ok(found)
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
