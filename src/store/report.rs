//! Counts of the whole database, for status, the demo and metrics.

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use crate::model::Timestamp;

/// What the database holds as of an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages, each once.
    pub messages: i64,
    /// Meetings that have begun, each once a rep however many copies there are.
    pub meetings: i64,
    /// Interactions that count.
    pub interactions: i64,
    /// Pairs of rep and contact with an interaction that counts.
    pub relationships: i64,
    /// People outside the organisation, with an interaction that counts.
    pub contacts: i64,
    /// Items put aside.
    pub quarantined: i64,
    /// Nudges made.
    pub nudges: i64,
}

/// Counts everything dated up to `now`.
///
/// # Errors
/// As every read.
pub fn totals(db: &Db, now: Timestamp) -> Result<Totals, StoreError> {
    Ok(db.connection.query_row(
        "SELECT (SELECT count(*) FROM message WHERE at <= ?1),
                (SELECT count(*) FROM (SELECT 1 FROM meeting WHERE starts_at <= ?1
                                      GROUP BY rep_id, uid, recurrence_at)),
                (SELECT count(*) FROM interaction WHERE counted = 1 AND at <= ?1),
                (SELECT count(DISTINCT relationship_id) FROM line WHERE EXISTS (
                     SELECT 1 FROM interaction WHERE line_id = line.id
                     AND counted = 1 AND at <= ?1)),
                (SELECT count(DISTINCT contact_id) FROM line
                 JOIN address ON address.id = address_id WHERE EXISTS (
                     SELECT 1 FROM interaction WHERE line_id = line.id
                     AND counted = 1 AND at <= ?1)),
                (SELECT count(*) FROM quarantine),
                (SELECT count(*) FROM nudge WHERE created_at <= ?1)",
        params![now],
        |row| {
            Ok(Totals {
                messages: row.get(0)?,
                meetings: row.get(1)?,
                interactions: row.get(2)?,
                relationships: row.get(3)?,
                contacts: row.get(4)?,
                quarantined: row.get(5)?,
                nudges: row.get(6)?,
            })
        },
    )?)
}

/// How much the database holds, by statements that are cheap enough to be run every few seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Messages, each once.
    pub messages: i64,
    /// Interactions that count, up to when each relationship was last folded.
    pub interactions: i64,
    /// Nudges made.
    pub nudges: i64,
    /// Items put aside.
    pub quarantined: i64,
}

/// Counts what there is, whenever it is dated.
///
/// # Errors
/// As every read.
pub fn sizes(db: &Db) -> Result<Sizes, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT (SELECT count(*) FROM message),
                (SELECT coalesce(sum(outbound + inbound + meetings), 0) FROM relationship),
                (SELECT count(*) FROM nudge),
                (SELECT count(*) FROM quarantine)",
    )?;
    Ok(statement.query_row([], |row| {
        Ok(Sizes {
            messages: row.get(0)?,
            interactions: row.get(1)?,
            nudges: row.get(2)?,
            quarantined: row.get(3)?,
        })
    })?)
}

/// How many messages make no interaction, by reason, the most first.
///
/// # Errors
/// As every read.
pub fn left_out(db: &Db, now: Timestamp) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT reason, count(*) AS n FROM (
             SELECT left_out AS reason FROM message WHERE left_out IS NOT NULL AND at <= ?1
             UNION ALL
             SELECT CASE min(standing) WHEN 1 THEN 'unverified' ELSE 'unproven' END
             FROM interaction WHERE message_id IS NOT NULL AND at <= ?1
             GROUP BY message_id HAVING max(counted) = 0
         ) GROUP BY reason ORDER BY n DESC, reason",
    )?;
    let rows = statement.query_map([now], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What SQLite finds wrong with the file: its pages, its indexes and its references. Empty if
/// nothing is; at most ten lines. Reads all of it.
///
/// # Errors
/// As every read.
pub fn integrity(db: &Db) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection.prepare("PRAGMA integrity_check(10)")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found = rows.collect::<Result<Vec<_>, _>>()?;
    found.retain(|line| line != "ok");
    let mut statement = db.connection.prepare("PRAGMA foreign_key_check")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    for table in rows.take(10) {
        found.push(format!("a row of {} refers to one that is not there", table?));
    }
    Ok(found)
}

/// Proves that the database can be written, without changing it.
///
/// # Errors
/// As every write.
pub fn probe_write(db: &Db) -> Result<(), StoreError> {
    let version: i64 = db.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    // The same number again: a page is written all the same.
    Ok(db.connection.pragma_update(None, "user_version", version)?)
}
