//! Endpoints: which there are, which are gone, and how they have been doing.

use rusqlite::{Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Key, Timestamp};

/// How an endpoint has been doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Tries in a row that failed for its sake.
    pub failures: u32,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
    /// What the last of them met, in words.
    pub error: Option<String>,
    /// It is left alone until then.
    pub held_until: Option<Timestamp>,
}

/// An endpoint as status and metrics tell of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The name that the configuration gives, or gave.
    pub name: String,
    /// When its URL answered 410 Gone, if it did.
    pub gone_at: Option<Timestamp>,
    /// How it has been doing.
    pub condition: Condition,
    /// How many deliveries it is owed.
    pub pending: u32,
    /// Since when it is owed the oldest.
    pub oldest_at: Option<Timestamp>,
    /// How many were given up.
    pub dead: u32,
}

/// Enters an endpoint; gives its row and whether it may be used: the URL (by hash) that answered
/// 410 Gone may not. Of another URL than before nothing bad is known.
///
/// # Errors
/// As every write.
pub fn ensure(db: &Db, name: &str, url: Key) -> Result<(i64, bool), StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO endpoint (name, url) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id, url, gone",
    )?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (id, before, gone): (i64, Option<Key>, Option<Key>) =
        statement.query_row(params![name, url], row)?;
    if before != Some(url) {
        set_condition(db, id, &Condition::default())?;
        db.connection.execute("UPDATE endpoint SET url = ?2 WHERE id = ?1", params![id, url])?;
    }
    if gone == Some(url) {
        return Ok((id, false));
    }
    db.connection.execute("UPDATE endpoint SET gone = NULL, gone_at = NULL WHERE id = ?1", [id])?;
    Ok((id, true))
}

/// The row of the endpoint of that name.
///
/// # Errors
/// As every read.
pub fn find(db: &Db, name: &str) -> Result<Option<i64>, StoreError> {
    use rusqlite::OptionalExtension as _;
    let mut statement = db.connection.prepare_cached("SELECT id FROM endpoint WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

/// Notes that an endpoint's URL answered 410 Gone.
///
/// # Errors
/// As every write.
pub fn disable(db: &Db, id: i64, url: Key, now: Timestamp) -> Result<(), StoreError> {
    db.connection.execute(
        "UPDATE endpoint SET gone = ?2, gone_at = ?3 WHERE id = ?1",
        params![id, url, now],
    )?;
    Ok(())
}

/// How an endpoint has been doing.
///
/// # Errors
/// As every read.
pub fn condition(db: &Db, id: i64) -> Result<Condition, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT failures, failing_since, error, held_until FROM endpoint WHERE id = ?1",
    )?;
    Ok(statement.query_row([id], |row| condition_at(row, 0))?)
}

/// Notes how an endpoint has been doing.
///
/// # Errors
/// As every write.
pub fn set_condition(db: &Db, id: i64, condition: &Condition) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE endpoint SET failures = ?2, failing_since = ?3, error = ?4, held_until = ?5
             WHERE id = ?1",
        )?
        .execute(params![
            id,
            condition.failures,
            condition.failing_since,
            condition.error,
            condition.held_until,
        ])?;
    Ok(())
}

/// Ends a wait: the endpoint is tried once more at once. Gives whether there was one.
///
/// # Errors
/// As every write.
pub fn release(db: &Db, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    let released = db
        .connection
        .prepare_cached("UPDATE endpoint SET held_until = ?2 WHERE id = ?1 AND held_until > ?2")?
        .execute(params![id, now])?;
    Ok(released > 0)
}

/// Every endpoint that there ever was, by name, with what it is owed as of `now`.
///
/// # Errors
/// As every read.
pub fn all(db: &Db, now: Timestamp) -> Result<Vec<Endpoint>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT name, gone_at, failures, failing_since, error, held_until,
                count(outbox.id) FILTER (WHERE outbox.state = 'pending'),
                min(made_at) FILTER (WHERE outbox.state = 'pending'),
                count(outbox.id) FILTER (WHERE outbox.state = 'dead')
         FROM endpoint LEFT JOIN outbox ON endpoint_id = endpoint.id AND made_at <= ?1
         GROUP BY endpoint.id ORDER BY name",
    )?;
    let rows = statement.query_map([now], |row| {
        Ok(Endpoint {
            name: row.get(0)?,
            gone_at: row.get(1)?,
            condition: condition_at(row, 2)?,
            pending: row.get(6)?,
            oldest_at: row.get(7)?,
            dead: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn condition_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Condition> {
    Ok(Condition {
        failures: row.get(first)?,
        failing_since: row.get(first + 1)?,
        error: row.get(first + 2)?,
        held_until: row.get(first + 3)?,
    })
}
