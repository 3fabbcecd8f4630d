//! What is owed to endpoints, what was tried, and what came of it.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Key, Timestamp};

pub(super) const DUE: &str = "SELECT id, webhook_id, body, attempts, rep_id
     FROM outbox WHERE endpoint_id = ?1 AND state = 'pending' AND next_attempt_at <= ?2
     ORDER BY next_attempt_at, id LIMIT 1";

/// A delivery that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Row.
    pub id: i64,
    /// The webhook's id: a nudge's public id, or that of a digest.
    pub webhook_id: String,
    /// The bytes to send, once they have been written.
    pub body: Option<String>,
    /// How often it has been tried.
    pub attempts: u32,
    /// The row of the rep to whom it speaks.
    pub rep: i64,
}

/// What became of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It has arrived.
    Delivered,
    /// Try again then.
    Again(Timestamp),
    /// It never will.
    Dead,
}

/// Enters an endpoint; gives its row and whether it may be used: the URL (by hash) that answered
/// 410 Gone may not.
///
/// # Errors
/// As every write.
pub fn ensure_endpoint(db: &Db, name: &str, url: Key) -> Result<(i64, bool), StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO endpoint (name) VALUES (?1)
         ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id, gone",
    )?;
    let (id, gone): (i64, Option<Key>) =
        statement.query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if gone == Some(url) {
        return Ok((id, false));
    }
    db.connection.execute("UPDATE endpoint SET gone = NULL, gone_at = NULL WHERE id = ?1", [id])?;
    Ok((id, true))
}

/// Notes that an endpoint's URL answered 410 Gone.
///
/// # Errors
/// As every write.
pub fn disable_endpoint(db: &Db, id: i64, url: Key, now: Timestamp) -> Result<(), StoreError> {
    db.connection.execute(
        "UPDATE endpoint SET gone = ?2, gone_at = ?3 WHERE id = ?1",
        params![id, url, now],
    )?;
    Ok(())
}

/// Owes a message with these nudges (by row) to an endpoint, unless that is gone.
///
/// # Errors
/// As every write.
pub fn insert(
    db: &Db,
    endpoint: i64,
    (webhook_id, rep): (&str, i64),
    nudges: &[i64],
    now: Timestamp,
) -> Result<(), StoreError> {
    let made = db
        .connection
        .prepare_cached(
            "INSERT INTO outbox (endpoint_id, webhook_id, rep_id, made_at, next_attempt_at)
             SELECT id, ?2, ?3, ?4, ?4 FROM endpoint WHERE id = ?1 AND gone IS NULL
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![endpoint, webhook_id, rep, now])?;
    if made == 0 {
        return Ok(());
    }
    let id = db.connection.last_insert_rowid();
    let mut statement = db
        .connection
        .prepare_cached("INSERT INTO outbox_nudge (outbox_id, nudge_id) VALUES (?1, ?2)")?;
    for nudge in nudges {
        statement.execute([id, *nudge])?;
    }
    Ok(())
}

/// The events of a message that still hold, with the public id and the event of each, the one with
/// most at stake first.
///
/// # Errors
/// As every read.
pub fn events(db: &Db, id: i64) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT public_id, body FROM outbox_nudge JOIN nudge ON nudge.id = nudge_id
         WHERE outbox_id = ?1 AND resolved_at IS NULL ORDER BY stake DESC, nudge.id",
    )?;
    let rows = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps what a message says, once it is written.
///
/// # Errors
/// As every write.
pub fn write_body(db: &Db, id: i64, body: &str) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE outbox SET body = ?2 WHERE id = ?1")?
        .execute(params![id, body])?;
    Ok(())
}

/// Notes that there is no more to deliver: nothing of what the message was to say holds.
///
/// # Errors
/// As every write.
pub fn cancel(db: &Db, id: i64, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE outbox SET state = 'cancelled', settled_at = ?2
             WHERE id = ?1 AND state = 'pending'",
        )?
        .execute(params![id, now])?;
    Ok(())
}

/// Notes of every message that waits, and of which nothing holds any more, that there is no more to
/// deliver; `episode` is what there is no more to say of.
///
/// # Errors
/// As every write.
pub fn cancel_resolved(db: &Db, episode: &str, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE outbox SET state = 'cancelled', settled_at = ?2
             WHERE state = 'pending'
               AND id IN (SELECT outbox_id FROM outbox_nudge JOIN nudge ON nudge.id = nudge_id
                          WHERE episode_id = ?1)
               AND NOT EXISTS (SELECT 1 FROM outbox_nudge JOIN nudge ON nudge.id = nudge_id
                               WHERE outbox_id = outbox.id AND resolved_at IS NULL)",
        )?
        .execute(params![episode, now])?;
    Ok(())
}

/// The delivery that an endpoint is owed first, if one is due.
///
/// # Errors
/// As every read.
pub fn due(db: &Db, endpoint: i64, now: Timestamp) -> Result<Option<Due>, StoreError> {
    let mut statement = db.connection.prepare_cached(DUE)?;
    Ok(statement
        .query_row(params![endpoint, now], |row| {
            Ok(Due {
                id: row.get(0)?,
                webhook_id: row.get(1)?,
                body: row.get(2)?,
                attempts: row.get(3)?,
                rep: row.get(4)?,
            })
        })
        .optional()?)
}

/// When an endpoint is owed something next.
///
/// # Errors
/// As every read.
pub fn next_due(db: &Db, endpoint: i64) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT min(next_attempt_at) FROM outbox WHERE endpoint_id = ?1 AND state = 'pending'",
    )?;
    Ok(statement.query_row([endpoint], |row| row.get(0))?)
}

/// One try of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// The delivery's row.
    pub outbox: i64,
    /// When it began.
    pub at: Timestamp,
    /// What came of it, in words.
    pub verdict: &'a str,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// How long it took.
    pub took_ms: i64,
}

/// Records a try and what follows from it.
///
/// # Errors
/// As every write.
pub fn record(db: &Db, attempt: &Attempt<'_>, settled: &Settled) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO attempt (outbox_id, at, verdict, status, took_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            attempt.outbox,
            attempt.at,
            attempt.verdict,
            attempt.status,
            attempt.took_ms
        ])?;
    let (state, next, settled_at) = match settled {
        Settled::Delivered => ("delivered", attempt.at, Some(attempt.at)),
        Settled::Again(at) => ("pending", *at, None),
        Settled::Dead => ("dead", attempt.at, Some(attempt.at)),
    };
    db.connection
        .prepare_cached(
            "UPDATE outbox SET attempts = attempts + 1, state = ?2, next_attempt_at = ?3,
                               settled_at = ?4 WHERE id = ?1",
        )?
        .execute(params![attempt.outbox, state, next, settled_at])?;
    Ok(())
}

/// How many deliveries made up to `now` are pending, delivered and dead.
///
/// # Errors
/// As every read.
pub fn counts(db: &Db, now: Timestamp) -> Result<(u32, u32, u32), StoreError> {
    Ok(db.connection.query_row(
        "SELECT count(*) FILTER (WHERE state = 'pending'),
                count(*) FILTER (WHERE state = 'delivered'),
                count(*) FILTER (WHERE state = 'dead')
         FROM outbox WHERE made_at <= ?1",
        [now],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?)
}

/// To which rep (by code) messages were owed, and when, in order.
///
/// # Errors
/// As every read.
pub fn made(db: &Db) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT code, made_at FROM outbox JOIN rep ON rep.id = rep_id ORDER BY outbox.id",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An endpoint as status and metrics tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The name that the configuration gives, or gave.
    pub name: String,
    /// When its URL answered 410 Gone, if it did.
    pub gone_at: Option<Timestamp>,
}

/// Every endpoint that there ever was, by name.
///
/// # Errors
/// As every read.
pub fn endpoints(db: &Db) -> Result<Vec<Endpoint>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT name, gone_at FROM endpoint ORDER BY name")?;
    let rows =
        statement.query_map([], |row| Ok(Endpoint { name: row.get(0)?, gone_at: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
