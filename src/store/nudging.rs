//! What nudging as a whole goes by: since when, whether the clock was believed, and which reps are told
//! nothing for the time being.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Span, Timestamp};

/// The one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nudging {
    /// When the first decision was taken.
    pub began_at: Timestamp,
    /// When somebody said that nudges may be sent.
    pub enabled_at: Option<Timestamp>,
    /// When the clock was last believed, if it ever was.
    pub trusted_at: Option<Timestamp>,
    /// The last message stored then, by row.
    pub trusted_message: i64,
    /// When it was found to have jumped, and by how much, while it is not believed.
    pub jumped: Option<(Timestamp, Span)>,
    /// When accounts and contacts who have moved were last looked at.
    pub reviewed_at: Option<Timestamp>,
}

/// A rep who is told nothing for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The rep's row.
    pub rep: i64,
    /// The rep's code.
    pub code: String,
    /// Since when.
    pub held_at: Timestamp,
    /// So many relationships decay …
    pub decaying: u32,
    /// … of so many that are established, as far as they were counted.
    pub established: u32,
    /// Until when they go all the same.
    pub allowed_until: Option<Timestamp>,
}

/// The row, if there was a decision yet.
///
/// # Errors
/// As every read.
pub fn get(db: &Db) -> Result<Option<Nudging>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT began_at, enabled_at, trusted_at, trusted_message, jumped_at, jumped_by_ms,
                reviewed_at FROM nudging",
    )?;
    Ok(statement.query_row([], nudging).optional()?)
}

/// The row, made now if there is none.
///
/// # Errors
/// As every write.
pub fn ensure(db: &Db, now: Timestamp) -> Result<Nudging, StoreError> {
    if let Some(found) = get(db)? {
        return Ok(found);
    }
    db.connection.execute(
        "INSERT INTO nudging (id, began_at, trusted_message) VALUES (1, ?1, ?2)",
        params![now, last_message(db)?],
    )?;
    get(db)?.ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
}

/// Notes that nudges may be sent.
///
/// # Errors
/// As every write.
pub fn enable(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    ensure(db, now)?;
    db.connection.execute("UPDATE nudging SET enabled_at = ?1", [now])?;
    Ok(())
}

/// Notes that the clock is believed.
///
/// # Errors
/// As every write.
pub fn trust(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    db.connection.execute(
        "UPDATE nudging SET trusted_at = ?1, trusted_message = ?2, jumped_at = NULL,
                            jumped_by_ms = NULL",
        params![now, last_message(db)?],
    )?;
    Ok(())
}

/// Notes that it is not.
///
/// # Errors
/// As every write.
pub fn distrust(db: &Db, now: Timestamp, by: Span) -> Result<(), StoreError> {
    db.connection.execute(
        "UPDATE nudging SET jumped_at = ?1, jumped_by_ms = ?2",
        params![now, by.millis()],
    )?;
    Ok(())
}

/// Notes that accounts and contacts who have moved were looked at.
///
/// # Errors
/// As every write.
pub fn reviewed(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    db.connection.execute("UPDATE nudging SET reviewed_at = ?1", [now])?;
    Ok(())
}

/// When the messages were that were stored after that row, at most `limit`, the last ones first.
///
/// # Errors
/// As every read.
pub fn messages_after(db: &Db, row: i64, limit: u32) -> Result<Vec<Timestamp>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT at FROM message WHERE id > ?1 ORDER BY id DESC LIMIT ?2")?;
    let rows = statement.query_map(params![row, limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn last_message(db: &Db) -> Result<i64, StoreError> {
    let mut statement = db.connection.prepare_cached("SELECT coalesce(max(id), 0) FROM message")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Every hold, by rep.
///
/// # Errors
/// As every read.
pub fn holds(db: &Db) -> Result<Vec<Hold>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT rep_id, code, held_at, decaying, established, allowed_until
         FROM hold JOIN rep ON rep.id = rep_id ORDER BY code",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Hold {
            rep: row.get(0)?,
            code: row.get(1)?,
            held_at: row.get(2)?,
            decaying: row.get(3)?,
            established: row.get(4)?,
            allowed_until: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Tells a rep nothing from now on; gives whether that is new.
///
/// # Errors
/// As every write.
pub fn hold(
    db: &Db,
    rep: i64,
    (decaying, established): (u32, u32),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let known: bool = db
        .connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM hold WHERE rep_id = ?1)")?
        .query_row([rep], |row| row.get(0))?;
    db.connection
        .prepare_cached(
            "INSERT INTO hold (rep_id, held_at, found_at, decaying, established)
             VALUES (?1, ?2, ?2, ?3, ?4)
             ON CONFLICT (rep_id) DO UPDATE SET found_at = excluded.found_at,
                 decaying = excluded.decaying, established = excluded.established",
        )?
        .execute(params![rep, now, decaying, established])?;
    Ok(!known)
}

/// Ends a hold.
///
/// # Errors
/// As every write.
pub fn lift(db: &Db, rep: i64) -> Result<(), StoreError> {
    db.connection.prepare_cached("DELETE FROM hold WHERE rep_id = ?1")?.execute([rep])?;
    Ok(())
}

/// Lets the decays of held reps go until then, of one (by row) or of all; gives how many reps that is.
///
/// # Errors
/// As every write.
pub fn allow(db: &Db, rep: Option<i64>, until: Timestamp) -> Result<usize, StoreError> {
    Ok(db.connection.execute(
        "UPDATE hold SET allowed_until = ?2 WHERE ?1 IS NULL OR rep_id = ?1",
        params![rep, until],
    )?)
}

fn nudging(row: &Row<'_>) -> rusqlite::Result<Nudging> {
    let (at, by): (Option<Timestamp>, Option<i64>) = (row.get(4)?, row.get(5)?);
    Ok(Nudging {
        began_at: row.get(0)?,
        enabled_at: row.get(1)?,
        trusted_at: row.get(2)?,
        trusted_message: row.get(3)?,
        jumped: at.zip(by.map(Span::from_millis)),
        reviewed_at: row.get(6)?,
    })
}
