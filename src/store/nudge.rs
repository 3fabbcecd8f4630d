//! Nudges made, and how far they have come.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Nudge, NudgeKind, NudgeState, Resolution, Timestamp};

/// Stores a nudge, written or not; gives its row, or `None` if its episode has one already.
///
/// # Errors
/// As every write.
pub fn insert(db: &Db, nudge: &Nudge) -> Result<Option<i64>, StoreError> {
    let reasons = serde_json::to_string(&nudge.reasons).unwrap_or_else(|_| "[]".into());
    let changed = db
        .connection
        .prepare_cached(
            "INSERT INTO nudge (public_id, episode_id, kind, reminder, relationship_id, created_at,
                                reasons, body, stake, state, release_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            nudge.id,
            nudge.episode_id,
            nudge.kind.code(),
            nudge.reminder,
            nudge.relationship,
            nudge.created_at,
            reasons,
            nudge.body,
            nudge.stake,
            nudge.state.code(),
            nudge.release_at,
        ])?;
    Ok((changed > 0).then(|| db.connection.last_insert_rowid()))
}

/// Notes that there is no more to say of an episode; what waited to be said never is.
///
/// # Errors
/// As every write.
pub fn resolve(db: &Db, episode: &str, why: Resolution, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE nudge SET resolved_at = ?2, resolved_by = ?3,
                              state = iif(state = 'waiting', 'cancelled', state)
             WHERE episode_id = ?1 AND resolved_at IS NULL",
        )?
        .execute(params![episode, now, why.code()])?;
    Ok(())
}

/// Lets hold again what was resolved for that reason at that instant; what had waited to be said
/// then waits again.
///
/// # Errors
/// As every write.
pub fn unresolve(
    db: &Db,
    episode: &str,
    (why, at): (Resolution, Timestamp),
) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE nudge SET resolved_at = NULL, resolved_by = NULL,
                              state = iif(state = 'cancelled', 'waiting', state)
             WHERE episode_id = ?1 AND resolved_at = ?2 AND resolved_by = ?3",
        )?
        .execute(params![episode, at, why.code()])?;
    Ok(())
}

/// The public id that begins as what was typed does, if it is the only one.
///
/// # Errors
/// As every read.
pub fn beginning_with(db: &Db, typed: &str) -> Result<Option<String>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT public_id FROM nudge WHERE substr(public_id, 1, length(?1)) = ?1 LIMIT 2",
    )?;
    let rows = statement.query_map([typed], |row| row.get(0))?;
    let mut found: Vec<String> = rows.collect::<Result<_, _>>()?;
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// A nudge as the steps after the decision need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// Its row.
    pub id: i64,
    /// Its rep's row.
    pub rep: i64,
    /// Its contact's row.
    pub contact: i64,
    /// The nudge.
    pub nudge: Nudge,
}

const OPEN: &str = "SELECT nudge.id, r.rep_id, r.contact_id, public_id, nudge.episode_id, kind,
            r.id, created_at, reasons, body, stake, state, release_at, reminder
     FROM nudge JOIN relationship AS r ON r.id = nudge.relationship_id";

/// What waits and may be said at `now`, with most at stake first.
///
/// # Errors
/// As every read.
pub fn releasable(db: &Db, now: Timestamp) -> Result<Vec<Open>, StoreError> {
    let sql = format!("{OPEN} WHERE state = 'waiting' AND release_at <= ?1 ORDER BY stake DESC, 1");
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([now], open)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The nudge of that public id.
///
/// # Errors
/// As every read.
pub fn find(db: &Db, public_id: &str) -> Result<Option<Open>, StoreError> {
    let sql = format!("{OPEN} WHERE public_id = ?1");
    Ok(db.connection.prepare_cached(&sql)?.query_row([public_id], open).optional()?)
}

/// What was said to a rep of a relationship and still holds, or waits to be said; the oldest first.
///
/// # Errors
/// As every read.
pub fn unresolved(db: &Db, relationship: i64) -> Result<Vec<Open>, StoreError> {
    let sql =
        format!("{OPEN} WHERE relationship_id = ?1 AND resolved_at IS NULL ORDER BY created_at, 1");
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([relationship], open)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was said of one kind and still holds, or waits to be said.
///
/// # Errors
/// As every read.
pub fn unresolved_of(db: &Db, kind: NudgeKind) -> Result<Vec<Open>, StoreError> {
    let sql = format!("{OPEN} WHERE kind = ?1 AND resolved_at IS NULL ORDER BY nudge.id");
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([kind.code()], open)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many wait to be said.
///
/// # Errors
/// As every read.
pub fn waiting(db: &Db) -> Result<u32, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT count(*) FROM nudge WHERE state = 'waiting'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// When the next one that waits may be said.
///
/// # Errors
/// As every read.
pub fn next_release(db: &Db) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT min(release_at) FROM nudge WHERE state = 'waiting'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Notes how far a nudge has come, and when that was; or when it may be said, if it still waits.
///
/// # Errors
/// As every write.
pub fn advance(db: &Db, id: i64, state: NudgeState, at: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE nudge SET state = ?2, release_at = ?3 WHERE id = ?1")?
        .execute(params![id, state.code(), at])?;
    Ok(())
}

/// Notes that there was no room for a nudge, and until when it waits on; gives since when there was none.
///
/// # Errors
/// As every write.
pub fn put_off(
    db: &Db,
    id: i64,
    until: Timestamp,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "UPDATE nudge SET release_at = ?2, short_at = coalesce(short_at, ?3) WHERE id = ?1
         RETURNING short_at",
    )?;
    Ok(statement.query_row(params![id, until, now], |row| row.get(0))?)
}

/// Says a nudge that waits anew, of what holds now.
///
/// # Errors
/// As every write.
pub fn rewrite(db: &Db, id: i64, nudge: &Nudge) -> Result<(), StoreError> {
    let reasons = serde_json::to_string(&nudge.reasons).unwrap_or_else(|_| "[]".into());
    db.connection
        .prepare_cached("UPDATE nudge SET reasons = ?2, body = ?3, stake = ?4 WHERE id = ?1")?
        .execute(params![id, reasons, nudge.body, nudge.stake])?;
    Ok(())
}

/// Resolves what of an episode was never said; gives whether something of it was.
///
/// # Errors
/// As every write.
pub fn resolve_unsaid(db: &Db, episode: &str, now: Timestamp) -> Result<bool, StoreError> {
    const UNSAID: &str = "state = 'waiting' OR state = 'released' AND EXISTS (
            SELECT 1 FROM outbox_nudge WHERE nudge_id = nudge.id) AND NOT EXISTS (
            SELECT 1 FROM outbox_nudge JOIN outbox ON outbox.id = outbox_id
            WHERE nudge_id = nudge.id AND (attempts > 0 OR outbox.state <> 'pending'))";
    let sql = format!(
        "UPDATE nudge SET resolved_at = ?2, resolved_by = 'recovered',
                          state = iif(state = 'waiting', 'cancelled', state)
         WHERE episode_id = ?1 AND resolved_at IS NULL AND ({UNSAID})"
    );
    db.connection.prepare_cached(&sql)?.execute(params![episode, now])?;
    let mut statement = db.connection.prepare_cached(
        "SELECT count(*) = 0 OR EXISTS (
             SELECT 1 FROM nudge WHERE episode_id = ?1 AND resolved_by IS NOT 'recovered')
         FROM nudge WHERE episode_id = ?1",
    )?;
    Ok(statement.query_row([episode], |row| row.get(0))?)
}

/// The nudges of one kind made since then.
///
/// # Errors
/// As every read.
pub fn of_kind_since(db: &Db, kind: NudgeKind, since: Timestamp) -> Result<Vec<Open>, StoreError> {
    let sql = format!("{OPEN} WHERE created_at > ?2 AND kind = ?1 ORDER BY nudge.id");
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![kind.code(), since], open)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many nudges a rep was given, or would have been but for the comparison, since then.
///
/// # Errors
/// As every read.
pub fn said_since(db: &Db, rep: i64, since: Timestamp, now: Timestamp) -> Result<u32, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT count(*) FROM nudge INDEXED BY nudge_by_release
         CROSS JOIN relationship AS r ON r.id = nudge.relationship_id
         WHERE state IN ('released', 'held_back') AND release_at > ?2 AND release_at <= ?3
             AND r.rep_id = ?1",
    )?;
    Ok(statement.query_row(params![rep, since, now], |row| row.get(0))?)
}

/// So many nudges of one kind have come so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The kind's word.
    pub kind: String,
    /// The state's word.
    pub state: String,
    /// By what they were resolved, if they were.
    pub resolved_by: Option<String>,
    /// How many.
    pub count: u32,
}

/// How many nudges made up to `now` there are, by kind, state and resolution; those too that have gone
/// since.
///
/// # Errors
/// As every read.
pub fn counts(db: &Db, now: Timestamp) -> Result<Vec<Counted>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT kind, state, resolved_by, count(*) FROM (
             SELECT kind, state, resolved_by, created_at FROM nudge
             UNION ALL SELECT kind, state, resolved_by, created_at FROM past_nudge)
         WHERE created_at <= ?1
         GROUP BY kind, state, resolved_by ORDER BY kind, state, resolved_by",
    )?;
    let rows = statement.query_map([now], |row| {
        Ok(Counted {
            kind: row.get(0)?,
            state: row.get(1)?,
            resolved_by: row.get(2)?,
            count: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A nudge that was sent, or would have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The relationship's row.
    pub relationship: i64,
    /// When.
    pub at: Timestamp,
    /// `Released` or `HeldBack`.
    pub state: NudgeState,
    /// Whether the contact came back in time, where that was noted.
    pub came_back: Option<bool>,
}

/// The first words about decays that were sent, or would have been, up to `until`; those too that have
/// gone since, whose relationship is nobody's (0).
///
/// # Errors
/// As every read.
pub fn cases(db: &Db, until: Timestamp) -> Result<Vec<Case>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT relationship_id, release_at, state = 'held_back', came_back, id FROM nudge
         WHERE state IN ('released', 'held_back') AND release_at <= ?1 AND kind = 'decay'
             -- What was sent before anything was held back has no stake.
             AND reminder = 0 AND stake > 0
         UNION ALL SELECT 0, release_at, state = 'held_back', came_back, id FROM past_nudge
         WHERE came_back IS NOT NULL AND release_at <= ?1
         ORDER BY release_at, id",
    )?;
    let rows = statement.query_map([until], |row| {
        let held_back: bool = row.get(2)?;
        let state = if held_back { NudgeState::HeldBack } else { NudgeState::Released };
        Ok(Case { relationship: row.get(0)?, at: row.get(1)?, state, came_back: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes of a case whether the contact came back in time.
///
/// # Errors
/// As every write.
pub fn measured(db: &Db, of: &Case) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE nudge SET came_back = ?3 WHERE relationship_id = ?1 AND release_at = ?2
                 AND kind = 'decay' AND reminder = 0",
        )?
        .execute(params![of.relationship, of.at, of.came_back])?;
    Ok(())
}

/// How many decays a rep was told of, or is to be, since then.
///
/// # Errors
/// As every read.
pub fn decays_since(db: &Db, rep: i64, since: Timestamp) -> Result<u32, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT count(*) FROM nudge INDEXED BY nudge_by_time
         CROSS JOIN relationship AS r ON r.id = nudge.relationship_id
         WHERE created_at > ?2 AND kind = 'decay' AND reminder = 0 AND state <> 'observed'
             AND r.rep_id = ?1",
    )?;
    Ok(statement.query_row(params![rep, since], |row| row.get(0))?)
}

/// The last nudge of an episode, of that kind.
///
/// # Errors
/// As every read.
pub fn last_of(db: &Db, episode: &str, kind: NudgeKind) -> Result<Option<Open>, StoreError> {
    let sql = format!(
        "{OPEN} WHERE nudge.episode_id = ?1 AND kind = ?2 AND resolved_at IS NULL
         ORDER BY reminder DESC LIMIT 1"
    );
    let mut statement = db.connection.prepare_cached(&sql)?;
    Ok(statement.query_row([episode, kind.code()], open).optional()?)
}

/// Notes that there is no more to say of one nudge.
///
/// # Errors
/// As every write.
pub fn resolve_one(db: &Db, id: i64, why: Resolution, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "UPDATE nudge SET resolved_at = ?2, resolved_by = ?3,
                              state = iif(state = 'waiting', 'cancelled', state)
             WHERE id = ?1 AND resolved_at IS NULL",
        )?
        .execute(params![id, now, why.code()])?;
    Ok(())
}

fn open(row: &Row<'_>) -> rusqlite::Result<Open> {
    let reasons: String = row.get(8)?;
    let (kind, state): (String, String) = (row.get(5)?, row.get(11)?);
    Ok(Open {
        id: row.get(0)?,
        rep: row.get(1)?,
        contact: row.get(2)?,
        nudge: Nudge {
            id: row.get(3)?,
            episode_id: row.get(4)?,
            kind: NudgeKind::of_code(&kind).unwrap_or(NudgeKind::Decay),
            reminder: row.get(13)?,
            relationship: row.get(6)?,
            created_at: row.get(7)?,
            reasons: serde_json::from_str(&reasons).unwrap_or_default(),
            body: row.get(9)?,
            stake: row.get(10)?,
            state: NudgeState::of_code(&state).unwrap_or(NudgeState::Cancelled),
            release_at: row.get(12)?,
        },
    })
}

/// A nudge with its rep's code, for lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The rep's code.
    pub rep: String,
    /// The contact's row.
    pub contact: i64,
    /// The nudge.
    pub nudge: Nudge,
    /// When there was no more to say, and why.
    pub resolved: Option<(Timestamp, String)>,
    /// How many endpoints have it, and how many are to get it.
    pub delivered: (u32, u32),
}

/// The nudges made up to `now`, the newest first.
///
/// # Errors
/// As every read.
pub fn list(db: &Db, now: Timestamp, limit: usize) -> Result<Vec<Listed>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT nudge.id, r.rep_id, r.contact_id, public_id, nudge.episode_id, kind, r.id,
                created_at, reasons, nudge.body, stake, nudge.state, release_at, reminder,
                rep.code, resolved_at, resolved_by,
                (SELECT count(*) FROM outbox_nudge JOIN outbox ON outbox.id = outbox_id
                 WHERE nudge_id = nudge.id AND outbox.state = 'delivered'),
                (SELECT count(*) FROM outbox_nudge WHERE nudge_id = nudge.id)
         FROM nudge JOIN relationship AS r ON r.id = nudge.relationship_id
         JOIN rep ON rep.id = r.rep_id
         WHERE created_at <= ?1 ORDER BY created_at DESC, nudge.id LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![now, limit], listed)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let Open { contact, nudge, .. } = open(row)?;
    let (at, why): (Option<Timestamp>, Option<String>) = (row.get(15)?, row.get(16)?);
    Ok(Listed {
        rep: row.get(14)?,
        contact,
        nudge,
        resolved: at.zip(why),
        delivered: (row.get(17)?, row.get(18)?),
    })
}
