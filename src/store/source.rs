//! Sources: what was last read of them, and what went wrong.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Condition, SourceState, Timestamp};

/// A source's row, as status and metrics need it.
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
    /// How reading it goes.
    pub condition: Condition,
    /// When a pass last read everything there was.
    pub fresh_at: Option<Timestamp>,
    /// When a pass last began.
    pub attempted_at: Option<Timestamp>,
    /// What went wrong last, in words.
    pub error: Option<String>,
}

/// Enters a source or brings it up to date; gives the row. One that comes back to the configuration
/// begins anew.
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
        "UPDATE source SET state = 'disabled', error = NULL, failures = 0, refusals = 0,
             retry_at = NULL, failed_at = NULL, fingerprint = NULL
         WHERE id NOT IN (SELECT value FROM json_each(?1))",
        [kept],
    )?;
    Ok(())
}

/// How reading a source goes, and what went wrong last.
///
/// # Errors
/// As every read.
pub fn condition(db: &Db, id: i64) -> Result<(Condition, Option<String>), StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT state, failures, refusals, retry_at, failed_at, fingerprint, error
         FROM source WHERE id = ?1",
    )?;
    Ok(statement.query_row([id], |row| Ok((condition_at(row, 0)?, row.get(6)?)))?)
}

/// The row of the source of that name, if it is read.
///
/// # Errors
/// As every read.
pub fn find(db: &Db, name: &str) -> Result<Option<i64>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT id FROM source WHERE name = ?1 AND state <> 'disabled'")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

/// Records that a pass begins; one over a source that was never read through is a long one.
///
/// # Errors
/// As every write.
pub fn begin(db: &Db, id: i64, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE source SET attempted_at = ?2,
                 state = CASE state WHEN 'new' THEN 'syncing' ELSE state END
             WHERE id = ?1",
        )?
        .execute(params![id, now])?;
    Ok(())
}

/// Records that a pass has more to read than it could in one piece. Whatever it read, it was let in.
///
/// # Errors
/// As every write.
pub fn catching_up(db: &Db, id: i64) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE source SET state = 'syncing', retry_at = NULL, refusals = 0 WHERE id = ?1",
        )?
        .execute([id])?;
    Ok(())
}

/// Records that a pass begun at `now` has read everything. A mailbox that was being read for the
/// first time and was not met any more has gone from the server: nobody waits for the rest of it.
///
/// # Errors
/// As every write.
pub fn succeed(db: &Db, id: i64, condition: &Condition, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE mailbox SET complete = 1, total = coalesce(seen_count, total)
             WHERE source_id = ?1 AND complete = 0",
        )?
        .execute([id])?;
    db.connection
        .prepare_cached("UPDATE source SET fresh_at = ?2, error = NULL WHERE id = ?1")?
        .execute(params![id, now])?;
    set_condition(db, id, condition)
}

/// Records that a pass or a connection failed, with the reason in words.
///
/// # Errors
/// As every write.
pub fn fail(db: &Db, id: i64, condition: &Condition, error: &str) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE source SET error = ?2 WHERE id = ?1")?
        .execute(params![id, error])?;
    set_condition(db, id, condition)
}

/// Records how reading a source goes, and leaves what went wrong last as it is.
///
/// # Errors
/// As every write.
pub fn set_condition(db: &Db, id: i64, condition: &Condition) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE source SET state = ?2, failures = ?3, refusals = ?4, retry_at = ?5,
                 failed_at = ?6, fingerprint = ?7
             WHERE id = ?1",
        )?
        .execute(params![
            id,
            condition.state,
            condition.failures,
            condition.refusals,
            condition.retry_at,
            condition.failed_at,
            condition.fingerprint
        ])?;
    Ok(())
}

/// Every source, by name.
///
/// # Errors
/// As every read.
pub fn all(db: &Db) -> Result<Vec<Source>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT source.state, failures, refusals, retry_at, failed_at, fingerprint,
                source.id, source.name, rep.code, source.kind, fresh_at, attempted_at, error
         FROM source JOIN rep ON rep.id = source.rep_id ORDER BY source.name",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Source {
            condition: condition_at(row, 0)?,
            id: row.get(6)?,
            name: row.get(7)?,
            rep: row.get(8)?,
            kind: row.get(9)?,
            fresh_at: row.get(10)?,
            attempted_at: row.get(11)?,
            error: row.get(12)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The condition in six columns from `first` on.
fn condition_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Condition> {
    Ok(Condition {
        state: row.get::<_, SourceState>(first)?,
        failures: row.get(first + 1)?,
        refusals: row.get(first + 2)?,
        retry_at: row.get(first + 3)?,
        failed_at: row.get(first + 4)?,
        fingerprint: row.get(first + 5)?,
    })
}

/// How fresh a rep's sources are, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
