//! What is owed to endpoints, what was tried, and what came of it.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Span, Timestamp};

pub(super) const DUE: &str =
    "SELECT id, webhook_id, body, attempts, rep_id, replayed_at IS NOT NULL
     FROM outbox WHERE endpoint_id = ?1 AND state = 'pending' AND next_attempt_at <= ?2
     ORDER BY next_attempt_at, id LIMIT 1";

/// For how long what was cancelled may be owed again: then it is old news.
const NEWS: Span = Span::from_hours(24);

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
    /// Whether somebody asked for it to be sent once more.
    pub replayed: bool,
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

/// Owes again what was cancelled, for an answer or a silence of `since` that does not hold any more, of
/// what a rep was to be told about a contact and still holds: unless that is a day ago, it has arrived
/// before, or somebody dropped it.
///
/// # Errors
/// As every write.
pub fn revive(
    db: &Db,
    (rep, contact): (i64, i64),
    since: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE outbox SET state = 'pending', next_attempt_at = ?4, settled_at = NULL
             WHERE state = 'cancelled' AND dropped_at IS NULL AND settled_at >= ?3
               AND id IN (SELECT outbox_id FROM outbox_nudge JOIN nudge ON nudge.id = nudge_id
                          JOIN relationship AS r ON r.id = relationship_id
                          WHERE r.rep_id = ?1 AND r.contact_id = ?2 AND resolved_at IS NULL)
               AND NOT EXISTS (SELECT 1 FROM attempt
                               WHERE outbox_id = outbox.id AND verdict = 'delivered')",
        )?
        .execute(params![rep, contact, since.max(now - NEWS), now])?;
    Ok(())
}

/// Puts a delivery off until then; that is no try.
///
/// # Errors
/// As every write.
pub fn postpone(db: &Db, id: i64, until: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE outbox SET next_attempt_at = ?2 WHERE id = ?1")?
        .execute(params![id, until])?;
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
                replayed: row.get(5)?,
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

/// Makes due what an endpoint is to get after `at_last` only, though it was made before `now`: a clock
/// that ran ahead has been put right. Gives how many that are.
///
/// # Errors
/// As every write.
pub fn hasten(
    db: &Db,
    endpoint: i64,
    at_last: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreError> {
    Ok(db
        .connection
        .prepare_cached(
            "UPDATE outbox SET next_attempt_at = ?3
             WHERE endpoint_id = ?1 AND state = 'pending' AND next_attempt_at > ?2 AND made_at <= ?3",
        )?
        .execute(params![endpoint, at_last, now])?)
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

/// Gives up what an endpoint has been owed since before `since`; gives how many that were.
///
/// # Errors
/// As every write.
pub fn give_up(
    db: &Db,
    endpoint: i64,
    since: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreError> {
    Ok(db
        .connection
        .prepare_cached(
            "UPDATE outbox SET state = 'dead', settled_at = ?3
             WHERE endpoint_id = ?1 AND state = 'pending'
                   AND max(made_at, ifnull(replayed_at, 0)) < ?2",
        )?
        .execute(params![endpoint, since, now])?)
}

/// Which deliveries somebody means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Those of this webhook id; of any if there is none.
    pub webhook_id: Option<String>,
    /// Those to this endpoint, by row; to any if there is none.
    pub endpoint: Option<i64>,
}

/// Owes once more, from the first try on, what is chosen, or of it only what was given up. What was
/// cancelled before anything was written is not: there is nothing to send. Gives for each endpoint, by
/// name, how many that are.
///
/// # Errors
/// As every write.
pub fn replay(
    db: &Db,
    chosen: &Chosen,
    only_dead: bool,
    now: Timestamp,
) -> Result<Vec<(String, u32)>, StoreError> {
    const WHICH: &str = "(?1 IS NULL OR webhook_id = ?1) AND (?2 IS NULL OR endpoint_id = ?2)
         AND iif(?3, state = 'dead', state <> 'cancelled' OR body IS NOT NULL)";
    let which = params![chosen.webhook_id, chosen.endpoint, only_dead];
    let counted = by_endpoint(db, WHICH, which)?;
    db.connection
        .prepare_cached(&format!(
            "UPDATE outbox SET state = 'pending', attempts = 0, next_attempt_at = ?4,
                               replayed_at = ?4, settled_at = NULL, dropped_at = NULL
             WHERE {WHICH}"
        ))?
        .execute(params![chosen.webhook_id, chosen.endpoint, only_dead, now])?;
    Ok(counted)
}

/// Notes that what is chosen, and has not arrived, never shall. Gives for each endpoint, by name, how
/// many that are.
///
/// # Errors
/// As every write.
pub fn drop(db: &Db, chosen: &Chosen, now: Timestamp) -> Result<Vec<(String, u32)>, StoreError> {
    const WHICH: &str = "(?1 IS NULL OR webhook_id = ?1) AND (?2 IS NULL OR endpoint_id = ?2)
         AND state IN ('pending', 'dead')";
    let counted = by_endpoint(db, WHICH, params![chosen.webhook_id, chosen.endpoint])?;
    db.connection
        .prepare_cached(&format!(
            "UPDATE outbox SET state = 'cancelled', settled_at = ?3, dropped_at = ?3 WHERE {WHICH}"
        ))?
        .execute(params![chosen.webhook_id, chosen.endpoint, now])?;
    Ok(counted)
}

fn by_endpoint(
    db: &Db,
    which: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<(String, u32)>, StoreError> {
    let mut statement = db.connection.prepare_cached(&format!(
        "SELECT endpoint.name, count(*) FROM outbox JOIN endpoint ON endpoint.id = endpoint_id
         WHERE {which} GROUP BY endpoint.id ORDER BY endpoint.name"
    ))?;
    let rows = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deliveries by what has become of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be made.
    pub pending: u32,
    /// Arrived.
    pub delivered: u32,
    /// Given up.
    pub dead: u32,
    /// Never made, for there was no more to say.
    pub cancelled: u32,
    /// Since when the oldest of those to be made is owed.
    pub oldest_at: Option<Timestamp>,
}

/// How many deliveries made up to `now` there are.
///
/// # Errors
/// As every read.
pub fn counts(db: &Db, now: Timestamp) -> Result<Counts, StoreError> {
    Ok(db.connection.query_row(
        "SELECT count(*) FILTER (WHERE state = 'pending'),
                count(*) FILTER (WHERE state = 'delivered'),
                count(*) FILTER (WHERE state = 'dead'),
                count(*) FILTER (WHERE state = 'cancelled'),
                min(made_at) FILTER (WHERE state = 'pending')
         FROM outbox WHERE made_at <= ?1",
        [now],
        |row| {
            Ok(Counts {
                pending: row.get(0)?,
                delivered: row.get(1)?,
                dead: row.get(2)?,
                cancelled: row.get(3)?,
                oldest_at: row.get(4)?,
            })
        },
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

/// A delivery as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The webhook's id.
    pub webhook_id: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// The rep's code.
    pub rep: String,
    /// `pending`, `delivered`, `dead` or `cancelled`.
    pub state: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it is tried again, while it is pending.
    pub next_attempt_at: Option<Timestamp>,
    /// When it arrived, was given up or was cancelled.
    pub settled_at: Option<Timestamp>,
    /// What came of the last try, in words.
    pub verdict: Option<String>,
}

/// The deliveries made up to `now` in these states, all if there are none, the newest first.
///
/// # Errors
/// As every read.
pub fn list(
    db: &Db,
    states: &[&str],
    endpoint: Option<&str>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Listed>, StoreError> {
    let states = serde_json::to_string(states).unwrap_or_default();
    let mut statement = db.connection.prepare_cached(
        "SELECT webhook_id, endpoint.name, rep.code, outbox.state, made_at, attempts,
                iif(outbox.state = 'pending', next_attempt_at, NULL), settled_at,
                (SELECT verdict FROM attempt WHERE outbox_id = outbox.id ORDER BY id DESC LIMIT 1)
         FROM outbox JOIN endpoint ON endpoint.id = endpoint_id JOIN rep ON rep.id = rep_id
         WHERE made_at <= ?1 AND (?2 IS NULL OR endpoint.name = ?2)
               AND (?3 = '[]' OR outbox.state IN (SELECT value FROM json_each(?3)))
         ORDER BY made_at DESC, outbox.id DESC LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![now, endpoint, states, limit], |row| {
        Ok(Listed {
            webhook_id: row.get(0)?,
            endpoint: row.get(1)?,
            rep: row.get(2)?,
            state: row.get(3)?,
            made_at: row.get(4)?,
            attempts: row.get(5)?,
            next_attempt_at: row.get(6)?,
            settled_at: row.get(7)?,
            verdict: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
