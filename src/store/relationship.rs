//! Relationships: the state that scoring folds, the decay under way, and when to look again.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::relationship::Masses;
use crate::model::{Cadence, Counts, Relationship, Span, Timestamp};

/// A relationship's row.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Row.
    pub id: i64,
    /// The rep's row.
    pub rep: i64,
    /// The contact's row.
    pub contact: i64,
    /// The state.
    pub state: Relationship,
    /// Whether it holds answers that only their subject can link.
    pub loose_replies: bool,
    /// When it fell, or falls if nothing happens, by the nudge's trigger.
    pub falls_at: Option<Timestamp>,
    /// The decay under way.
    pub episode_id: Option<String>,
    /// When the last decay began, under way or over.
    pub episode_at: Option<Timestamp>,
    /// When to look at it next.
    pub due_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, rep_id, contact_id, out_7, out_30, out_120, out_480,
    in_7, in_30, in_120, in_480, sums_at, outbound, inbound, meetings, reciprocations, active_days,
    baseline, baseline_stale, reciprocated_at, first_at, last_outbound_at, last_inbound_at,
    last_meeting_at, folded_at, pending_at, loose_replies, episode_id, episode_at, due_at,
    falls_at, contact_at, exchanges, exchange_day, mean_ln_gap, variance_ln_gap";

/// Finds the relationship of a pair, or makes an empty one; gives its row.
///
/// # Errors
/// As every write.
pub fn ensure(db: &Db, rep: i64, contact: i64) -> Result<i64, StoreError> {
    let found: Option<i64> = db
        .connection
        .prepare_cached("SELECT id FROM relationship WHERE rep_id = ?1 AND contact_id = ?2")?
        .query_row([rep, contact], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    db.connection
        .prepare_cached("INSERT INTO relationship (rep_id, contact_id) VALUES (?1, ?2)")?
        .execute([rep, contact])?;
    Ok(db.connection.last_insert_rowid())
}

/// The relationship of that row.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn get(db: &Db, id: i64) -> Result<Stored, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM relationship WHERE id = ?1");
    Ok(db.connection.prepare_cached(&sql)?.query_row([id], stored)?)
}

/// The relationship of a pair, if there is one.
///
/// # Errors
/// As every read.
pub fn find(db: &Db, rep: i64, contact: i64) -> Result<Option<Stored>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM relationship WHERE rep_id = ?1 AND contact_id = ?2");
    Ok(db.connection.prepare_cached(&sql)?.query_row([rep, contact], stored).optional()?)
}

/// Whether a relationship holds answers that only their subject can link.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn loose_replies(db: &Db, id: i64) -> Result<bool, StoreError> {
    if let Some(known) = db.memo.loose.get(&id) {
        return Ok(known != 0);
    }
    let mut statement =
        db.connection.prepare_cached("SELECT loose_replies FROM relationship WHERE id = ?1")?;
    Ok(db.memo.loose.keep(id, statement.query_row([id], |row| row.get(0))?) != 0)
}

/// Notes that a relationship may hold what another one holds: answers that only their subject can
/// link.
///
/// # Errors
/// As every write.
pub fn inherit_loose_replies(db: &Db, id: i64, from: i64) -> Result<(), StoreError> {
    db.memo.loose.lose(&id);
    db.connection
        .prepare_cached(
            "UPDATE relationship SET loose_replies = 1
             WHERE id = ?1 AND (SELECT loose_replies FROM relationship WHERE id = ?2)",
        )?
        .execute([id, from])?;
    Ok(())
}

/// Every relationship, by row.
///
/// # Errors
/// As every read.
pub fn all(db: &Db) -> Result<Vec<Stored>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM relationship ORDER BY id");
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// At most `limit` relationships that are due at `now`, the longest due first.
///
/// # Errors
/// As every read.
pub fn due(db: &Db, now: Timestamp, limit: usize) -> Result<Vec<Stored>, StoreError> {
    let mut statement = db.connection.prepare_cached(&due_sql())?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![now, limit], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn due_sql() -> String {
    format!("SELECT {COLUMNS} FROM relationship WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2")
}

/// When the next one is due.
///
/// # Errors
/// As every read.
pub fn next_due(db: &Db) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT min(due_at) FROM relationship WHERE due_at IS NOT NULL")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// How many relationships of a rep are established, by at least so many answers, active days and so
/// great a baseline; counted up to `limit`.
///
/// # Errors
/// As every read.
pub fn established(
    db: &Db,
    rep: i64,
    (reciprocations, active_days, baseline): (u32, u32, f64),
    limit: u32,
) -> Result<u32, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM relationship WHERE rep_id = ?1
             AND reciprocations >= ?2 AND active_days >= ?3 AND baseline >= ?4 LIMIT ?5)",
    )?;
    let parameters = params![rep, reciprocations, active_days, baseline, limit];
    Ok(statement.query_row(parameters, |row| row.get(0))?)
}

/// How many established relationships have fallen in `fell`, its last instant included, are in no episode
/// and are looked at before `until`; by rep.
///
/// # Errors
/// As every read.
pub fn decaying(
    db: &Db,
    fell: (Timestamp, Timestamp),
    until: Timestamp,
    (reciprocations, active_days, baseline): (u32, u32, f64),
) -> Result<Vec<(i64, u32)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT rep_id, count(*) FROM relationship INDEXED BY relationship_by_due
         WHERE due_at <= ?3 AND falls_at > ?1 AND falls_at <= ?2 AND episode_id IS NULL
             AND reciprocations >= ?4 AND active_days >= ?5 AND baseline >= ?6
         GROUP BY rep_id",
    )?;
    let parameters = params![fell.0, fell.1, until, reciprocations, active_days, baseline];
    let rows = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The relationships that other reps have with a contact, by row.
///
/// # Errors
/// As every read.
pub fn of_others(db: &Db, contact: i64, rep: i64) -> Result<Vec<Stored>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM relationship WHERE id IN (
             SELECT relationship_id FROM address JOIN line ON line.address_id = address.id
             WHERE address.contact_id = ?1 AND line.rep_id <> ?2)"
    );
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([contact, rep], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The relationships that anybody has with a contact, by row.
///
/// # Errors
/// As every read.
pub fn of_contact(db: &Db, contact: i64) -> Result<Vec<Stored>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM relationship WHERE id IN (
             SELECT relationship_id FROM address JOIN line ON line.address_id = address.id
             WHERE address.contact_id = ?1)"
    );
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([contact], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes a relationship due at `at`, unless it is earlier.
///
/// # Errors
/// As every write.
pub fn look_at(db: &Db, id: i64, at: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE relationship SET due_at = ?2 WHERE id = ?1 AND (due_at IS NULL OR due_at > ?2)",
        )?
        .execute(params![id, at])?;
    Ok(())
}

/// Makes due at `now` what a rep's relationships have due within `wait` from then: what held them
/// up may have passed.
///
/// # Errors
/// As every write.
pub fn hasten(db: &Db, rep: i64, now: Timestamp, wait: Span) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE relationship INDEXED BY relationship_by_due SET due_at = ?2
             WHERE due_at > ?2 AND due_at <= ?3 AND rep_id = ?1",
        )?
        .execute(params![rep, now, now + wait])?;
    Ok(())
}

/// The episode of decay that a relationship is in, if it is in one.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn episode(db: &Db, id: i64) -> Result<Option<String>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT episode_id FROM relationship WHERE id = ?1")?;
    Ok(statement.query_row([id], |row| row.get(0))?)
}

/// Makes due at `now` what a rep has with a contact, both by row: something that is not in its state
/// has changed.
///
/// # Errors
/// As every write.
pub fn look_again(db: &Db, rep: i64, contact: i64, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE relationship SET due_at = ?3
             WHERE rep_id = ?1 AND contact_id = ?2 AND coalesce(due_at, ?3 + 1) > ?3",
        )?
        .execute(params![rep, contact, now])?;
    Ok(())
}

/// Leaves a relationship to be folded from its log: until then it is due only for what it held
/// of the future. `loose_reply`: it got an answer that only its subject can link.
///
/// # Errors
/// As every write.
pub fn mark_stale(db: &Db, id: i64, loose_reply: bool) -> Result<(), StoreError> {
    let is_noted = !loose_reply || db.memo.loose.get(&id) == Some(1);
    if is_noted && db.memo.stale.get(&id).is_some() {
        return Ok(());
    }
    db.connection
        .prepare_cached(
            "UPDATE relationship
             SET baseline_stale = 1, due_at = pending_at, loose_replies = max(loose_replies, ?2)
             WHERE id = ?1 AND (baseline_stale = 0 OR loose_replies < ?2)",
        )?
        .execute(params![id, loose_reply])?;
    db.memo.stale.keep(id, 1);
    if loose_reply {
        db.memo.loose.keep(id, 1);
    }
    Ok(())
}

/// At most `limit` rows, above `after`, whose baseline must be folded from the log.
///
/// # Errors
/// As every read.
pub fn stale(db: &Db, after: i64, limit: usize) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT id FROM relationship WHERE baseline_stale = 1 AND id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![after, limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a relationship's state. The index by `due_at` is touched only if that has moved.
///
/// # Errors
/// As every write.
pub fn save(db: &Db, row: &Stored) -> Result<(), StoreError> {
    db.memo.stale.lose(&row.id);
    db.memo.loose.lose(&row.id);
    let state = &row.state;
    let [out_7, out_30, out_120, out_480] = state.masses.outbound;
    let [in_7, in_30, in_120, in_480] = state.masses.inbound;
    db.connection
        .prepare_cached(
            "UPDATE relationship SET out_7 = ?2, out_30 = ?3, out_120 = ?4, out_480 = ?5,
                 in_7 = ?6, in_30 = ?7, in_120 = ?8, in_480 = ?9, sums_at = ?10, outbound = ?11,
                 inbound = ?12, meetings = ?13, reciprocations = ?14, active_days = ?15,
                 baseline = ?16, baseline_stale = ?17, reciprocated_at = ?18, first_at = ?19,
                 last_outbound_at = ?20, last_inbound_at = ?21, last_meeting_at = ?22,
                 folded_at = ?23, pending_at = ?24, loose_replies = ?25, falls_at = ?26,
                 episode_id = ?27, episode_at = ?28, contact_at = ?29, exchanges = ?30,
                 exchange_day = ?31, mean_ln_gap = ?32, variance_ln_gap = ?33
             WHERE id = ?1",
        )?
        .execute(params![
            row.id,
            out_7,
            out_30,
            out_120,
            out_480,
            in_7,
            in_30,
            in_120,
            in_480,
            state.masses.at,
            state.counts.outbound,
            state.counts.inbound,
            state.counts.meetings,
            state.counts.reciprocations,
            state.counts.active_days,
            state.baseline,
            state.baseline_stale,
            state.reciprocated_at,
            state.first_at,
            state.last_outbound_at,
            state.last_inbound_at,
            state.last_meeting_at,
            state.folded_at,
            state.pending_at,
            row.loose_replies,
            row.falls_at,
            row.episode_id,
            row.episode_at,
            state.cadence.contact_at,
            state.cadence.exchanges,
            state.cadence.exchange_day,
            state.cadence.mean_ln_gap,
            state.cadence.variance_ln_gap,
        ])?;
    look_next(db, row.id, row.due_at)
}

/// Stores the episode that a relationship is in, since when, and when it is due; nothing else of it.
///
/// # Errors
/// As every write.
pub fn begin_episode(db: &Db, row: &Stored) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE relationship SET episode_id = ?2, episode_at = ?3, due_at = ?4 WHERE id = ?1",
        )?
        .execute(params![row.id, row.episode_id, row.episode_at, row.due_at])?;
    Ok(())
}

/// Stores when a relationship is due, and nothing else of it.
///
/// # Errors
/// As every write.
pub fn look_next(db: &Db, id: i64, due_at: Option<Timestamp>) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE relationship SET due_at = ?2 WHERE id = ?1 AND due_at IS NOT ?2")?
        .execute(params![id, due_at])?;
    Ok(())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        rep: row.get(1)?,
        contact: row.get(2)?,
        state: Relationship {
            masses: Masses {
                outbound: [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?],
                inbound: [row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?],
                at: row.get(11)?,
            },
            counts: Counts {
                outbound: row.get(12)?,
                inbound: row.get(13)?,
                meetings: row.get(14)?,
                reciprocations: row.get(15)?,
                active_days: row.get(16)?,
            },
            cadence: Cadence {
                contact_at: row.get(31)?,
                exchanges: row.get(32)?,
                exchange_day: row.get(33)?,
                mean_ln_gap: row.get(34)?,
                variance_ln_gap: row.get(35)?,
            },
            baseline: row.get(17)?,
            baseline_stale: row.get(18)?,
            reciprocated_at: row.get(19)?,
            first_at: row.get(20)?,
            last_outbound_at: row.get(21)?,
            last_inbound_at: row.get(22)?,
            last_meeting_at: row.get(23)?,
            folded_at: row.get(24)?,
            pending_at: row.get(25)?,
        },
        loose_replies: row.get(26)?,
        episode_id: row.get(27)?,
        episode_at: row.get(28)?,
        due_at: row.get(29)?,
        falls_at: row.get(30)?,
    })
}
