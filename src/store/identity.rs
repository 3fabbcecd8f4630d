//! What was said of addresses, as it is kept: changes, and the pairs of addresses that each joins or
//! keeps apart. Nothing of it is deleted but with an address; what is taken back says when.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::Timestamp;
use crate::model::identity::{Said, SaidBy, Saying};

/// A change, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub id: i64,
    /// When it was said.
    pub at: Timestamp,
    /// By whom.
    pub by: SaidBy,
    /// What.
    pub saying: Saying,
    /// Why, in words.
    pub evidence: String,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
}

/// Enters a change of pairs of addresses, by row; gives its number.
///
/// # Errors
/// As every write.
pub fn insert(
    db: &Db,
    (by, saying): (SaidBy, Saying),
    pairs: &[(i64, i64)],
    evidence: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO identity_change (at, said_by, what, evidence) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![now, by.code(), saying.code(), evidence])?;
    let change = db.connection.last_insert_rowid();
    for (a, b) in pairs {
        db.connection
            .prepare_cached(
                "INSERT INTO identity_pair (change_id, a_id, b_id) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO NOTHING",
            )?
            .execute([change, *a, *b])?;
    }
    Ok(change)
}

/// Takes a change back; gives whether there was one to take back.
///
/// # Errors
/// As every write.
pub fn undo(db: &Db, change: i64, now: Timestamp) -> Result<bool, StoreError> {
    let changed = db
        .connection
        .prepare_cached(
            "UPDATE identity_change SET undone_at = ?2 WHERE id = ?1 AND undone_at IS NULL",
        )?
        .execute(params![change, now])?;
    Ok(changed > 0)
}

/// What holds of an address, by row.
///
/// # Errors
/// As every read.
pub fn said_of(db: &Db, address: i64) -> Result<Vec<Said<i64>>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT said_by, change_id, what, a_id, b_id
         FROM (SELECT change_id, a_id, b_id FROM identity_pair WHERE a_id = ?1
               UNION SELECT change_id, a_id, b_id FROM identity_pair WHERE b_id = ?1)
         JOIN identity_change ON identity_change.id = change_id
         WHERE undone_at IS NULL ORDER BY change_id, a_id, b_id",
    )?;
    let rows = statement.query_map([address], |row| {
        Ok(Said {
            by: by(row, 0)?,
            change: row.get(1)?,
            saying: saying(row, 2)?,
            a: row.get(3)?,
            b: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether that was ever said of a pair of addresses, also if it was taken back.
///
/// # Errors
/// As every read.
pub fn was_said(db: &Db, by: SaidBy, a: i64, b: i64) -> Result<bool, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT EXISTS (
             SELECT 1 FROM identity_pair JOIN identity_change ON identity_change.id = change_id
             WHERE said_by = ?1 AND ((a_id = ?2 AND b_id = ?3) OR (a_id = ?3 AND b_id = ?2)))",
    )?;
    Ok(statement.query_row(params![by.code(), a, b], |row| row.get(0))?)
}

/// Notes that a change was taken back because it left the file of people: it may come again.
///
/// # Errors
/// As every write.
pub fn left_the_file(db: &Db, change: i64) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE identity_change SET left_file = 1 WHERE id = ?1")?
        .execute([change])?;
    Ok(())
}

/// Whether the admin has taken back by a command that a pair of addresses is one person.
///
/// # Errors
/// As every read.
pub fn was_taken_back(db: &Db, by: SaidBy, a: i64, b: i64) -> Result<bool, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT EXISTS (
             SELECT 1 FROM identity_pair JOIN identity_change ON identity_change.id = change_id
             WHERE said_by = ?1 AND what = 'merge' AND undone_at IS NOT NULL AND left_file = 0
                 AND ((a_id = ?2 AND b_id = ?3) OR (a_id = ?3 AND b_id = ?2)))",
    )?;
    Ok(statement.query_row(params![by.code(), a, b], |row| row.get(0))?)
}

/// The addresses of a change, by row.
///
/// # Errors
/// As every read.
pub fn addresses(db: &Db, change: i64) -> Result<BTreeSet<i64>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT a_id, b_id FROM identity_pair WHERE change_id = ?1")?;
    let mut found = BTreeSet::new();
    let mut rows = statement.query([change])?;
    while let Some(row) = rows.next()? {
        found.extend([row.get::<_, i64>(0)?, row.get(1)?]);
    }
    Ok(found)
}

/// The number of a change, and the rows of two addresses that it holds together.
pub type Holding = (i64, (i64, i64));

/// The pairs that one kind of word holds together at present.
///
/// # Errors
/// As every read.
pub fn holding(db: &Db, by: SaidBy) -> Result<Vec<Holding>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT change_id, a_id, b_id FROM identity_pair
         JOIN identity_change ON identity_change.id = change_id
         WHERE said_by = ?1 AND undone_at IS NULL ORDER BY change_id, a_id, b_id",
    )?;
    let rows =
        statement.query_map([by.code()], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A change.
///
/// # Errors
/// As every read.
pub fn get(db: &Db, change: i64) -> Result<Option<Change>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT id, at, said_by, what, evidence, undone_at FROM identity_change WHERE id = ?1",
    )?;
    Ok(statement.query_row([change], row_of).optional()?)
}

/// All changes up to `now`, the newest first.
///
/// # Errors
/// As every read.
pub fn all(db: &Db, now: Timestamp, limit: usize) -> Result<Vec<Change>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT id, at, said_by, what, evidence, undone_at FROM identity_change
         WHERE at <= ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![now, limit], row_of)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets what was said of an address, and changes that say nothing any more.
///
/// # Errors
/// As every write.
pub fn forget(db: &Db, address: i64) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("DELETE FROM identity_pair WHERE a_id = ?1 OR b_id = ?1")?
        .execute([address])?;
    db.connection
        .prepare_cached(
            "DELETE FROM identity_change
             WHERE NOT EXISTS (SELECT 1 FROM identity_pair WHERE change_id = identity_change.id)",
        )?
        .execute([])?;
    Ok(())
}

fn row_of(row: &Row<'_>) -> rusqlite::Result<Change> {
    Ok(Change {
        id: row.get(0)?,
        at: row.get(1)?,
        by: by(row, 2)?,
        saying: saying(row, 3)?,
        evidence: row.get(4)?,
        undone_at: row.get(5)?,
    })
}

fn by(row: &Row<'_>, column: usize) -> rusqlite::Result<SaidBy> {
    let known = SaidBy::from_code(row.get_ref(column)?.as_str()?);
    known.ok_or_else(|| rusqlite::types::FromSqlError::InvalidType.into())
}

fn saying(row: &Row<'_>, column: usize) -> rusqlite::Result<Saying> {
    let known = Saying::from_code(row.get_ref(column)?.as_str()?);
    known.ok_or_else(|| rusqlite::types::FromSqlError::InvalidType.into())
}

/// Notes that a message to one address was answered from another.
///
/// # Errors
/// As every write.
pub fn answered_from(db: &Db, written: i64, answered: i64) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO answered_from (written_id, answered_id) VALUES (?1, ?2)
             ON CONFLICT DO NOTHING",
        )?
        .execute([written, answered])?;
    Ok(())
}

/// The pairs of addresses, written to and answered from, in which an address is one.
///
/// # Errors
/// As every read.
pub fn answers_of(db: &Db, address: i64) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT written_id, answered_id FROM answered_from WHERE written_id = ?1
         UNION SELECT written_id, answered_id FROM answered_from WHERE answered_id = ?1",
    )?;
    let rows = statement.query_map([address], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
