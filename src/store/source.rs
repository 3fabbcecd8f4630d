//! Sources: what was last read of them, and what went wrong.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::Timestamp;

/// A source's row, as status and the freshness gate need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Row.
    pub id: i64,
    /// The name that the configuration gives.
    pub name: String,
    /// The rep's code.
    pub rep: String,
    /// `imap`, `maildir`, `ics`.
    pub kind: String,
    /// `new`, `ok`, `degraded`, `throttled`, `auth_required`, `misconfigured`, `disabled`.
    pub state: String,
    /// When a pass last read everything there was.
    pub fresh_at: Option<Timestamp>,
    /// When a pass last began.
    pub attempted_at: Option<Timestamp>,
    /// What went wrong last, in words.
    pub error: Option<String>,
}

/// Enters a source or brings it up to date; gives the row.
///
/// # Errors
/// As every write.
pub fn ensure(db: &Db, name: &str, rep: i64, kind: &str) -> Result<i64, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO source (name, rep_id, kind) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET rep_id = excluded.rep_id, kind = excluded.kind,
             state = CASE state WHEN 'disabled' THEN 'new' ELSE state END
         RETURNING id",
    )?;
    Ok(statement.query_row(params![name, rep, kind], |row| row.get(0))?)
}

/// Marks every source as disabled that is none of `kept`: it was taken out of the configuration.
///
/// # Errors
/// As every write.
pub fn disable_others(db: &Db, kept: &[i64]) -> Result<(), StoreError> {
    let kept = serde_json::to_string(kept).unwrap_or_else(|_| "[]".into());
    db.connection.execute(
        "UPDATE source SET state = 'disabled', error = NULL
         WHERE id NOT IN (SELECT value FROM json_each(?1))",
        [kept],
    )?;
    Ok(())
}

/// Records that a pass begins.
///
/// # Errors
/// As every write.
pub fn begin(db: &Db, id: i64, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE source SET attempted_at = ?2 WHERE id = ?1")?
        .execute(params![id, now])?;
    Ok(())
}

/// Records that a pass has read everything. A mailbox that was being read for the first time and
/// was not met any more has gone from the server: nobody waits for the rest of it.
///
/// # Errors
/// As every write.
pub fn succeed(db: &Db, id: i64, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE mailbox SET complete = 1 WHERE source_id = ?1 AND complete = 0")?
        .execute([id])?;
    db.connection
        .prepare_cached(
            "UPDATE source SET state = 'ok', fresh_at = ?2, error = NULL WHERE id = ?1",
        )?
        .execute(params![id, now])?;
    Ok(())
}

/// Records that a pass failed.
///
/// # Errors
/// As every write.
pub fn fail(db: &Db, id: i64, state: &str, error: &str) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE source SET state = ?2, error = ?3 WHERE id = ?1")?
        .execute(params![id, state, error])?;
    Ok(())
}

/// Every source, by name.
///
/// # Errors
/// As every read.
pub fn all(db: &Db) -> Result<Vec<Source>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT source.id, source.name, rep.code, source.kind, source.state, source.fresh_at,
                source.attempted_at, source.error
         FROM source JOIN rep ON rep.id = source.rep_id ORDER BY source.name",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Source {
            id: row.get(0)?,
            name: row.get(1)?,
            rep: row.get(2)?,
            kind: row.get(3)?,
            state: row.get(4)?,
            fresh_at: row.get(5)?,
            attempted_at: row.get(6)?,
            error: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How fresh a rep's sources are, together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The source that was read longest ago; `None` if one was never read through.
    pub oldest: Option<Timestamp>,
    /// Whether a mailbox is being read for the first time, or again after it was renumbered.
    pub backfilling: bool,
}

/// The freshness of a rep's sources; without any source there is nothing fresh.
///
/// # Errors
/// As every read.
pub fn freshness(db: &Db, rep: i64) -> Result<Freshness, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT CASE WHEN count(*) = count(fresh_at) THEN min(fresh_at) END,
                EXISTS (SELECT 1 FROM mailbox JOIN source AS s ON s.id = mailbox.source_id
                        WHERE s.rep_id = ?1 AND s.state <> 'disabled' AND mailbox.complete = 0)
         FROM source WHERE rep_id = ?1 AND state <> 'disabled'",
    )?;
    let found = statement
        .query_row([rep], |row| Ok(Freshness { oldest: row.get(0)?, backfilling: row.get(1)? }))
        .optional()?;
    Ok(found.unwrap_or(Freshness { oldest: None, backfilling: false }))
}
