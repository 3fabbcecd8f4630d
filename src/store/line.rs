//! Lines: what a rep and one address of a contact have in common.
//!
//! An interaction belongs to its line for ever. Which relationship a line is part of follows from
//! whose the address is: merging and splitting contacts moves lines, and a relationship is what all
//! of its lines tell together.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use super::{contact, relationship};
use crate::model::{Address, Timestamp};

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Row.
    pub id: i64,
    /// The row of the relationship that it is part of.
    pub relationship: i64,
    /// The address's row.
    pub address: i64,
}

/// Finds a rep's line to an address, or makes one, and with it what it needs: the address, a contact
/// without a name at the organisation of that domain, and the relationship.
///
/// # Errors
/// As every write.
pub fn ensure(
    db: &Db,
    rep: i64,
    address: &Address,
    organisation: impl FnOnce(&Address) -> String,
) -> Result<Line, StoreError> {
    let address = contact::ensure(db, address, organisation)?;
    let (id, relationship) = match db.memo.lines.get(&(rep, address)) {
        Some(known) => known,
        None => db.memo.lines.keep((rep, address), find_or_insert(db, rep, address)?),
    };
    Ok(Line { id, relationship, address })
}

fn find_or_insert(db: &Db, rep: i64, address: i64) -> Result<(i64, i64), StoreError> {
    let found = db
        .connection
        .prepare_cached(
            "SELECT id, relationship_id FROM line WHERE address_id = ?1 AND rep_id = ?2",
        )?
        .query_row([address, rep], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some(line) = found {
        return Ok(line);
    }
    let relationship = relationship::ensure(db, rep, contact::of_address(db, address)?)?;
    db.connection
        .prepare_cached(
            "INSERT INTO line (rep_id, address_id, relationship_id) VALUES (?1, ?2, ?3)",
        )?
        .execute([rep, address, relationship])?;
    Ok((db.connection.last_insert_rowid(), relationship))
}

/// The lines of a relationship: one, but for contacts who have several addresses.
///
/// # Errors
/// As every read.
pub fn of_relationship(db: &Db, relationship: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT id FROM line WHERE relationship_id = ?1")?;
    let rows = statement.query_map([relationship], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The lines to an address, each with the row of its rep.
///
/// # Errors
/// As every read.
pub fn of_address(db: &Db, address: i64) -> Result<Vec<(i64, Line)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT rep_id, id, relationship_id FROM line WHERE address_id = ?1 ORDER BY rep_id",
    )?;
    let rows = statement.query_map([address], |row| {
        Ok((row.get(0)?, Line { id: row.get(1)?, relationship: row.get(2)?, address }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The row of a line's address.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn address(db: &Db, line: i64) -> Result<i64, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT address_id FROM line WHERE id = ?1")?;
    Ok(statement.query_row([line], |row| row.get(0))?)
}

/// Makes a line part of another relationship.
///
/// # Errors
/// As every write.
pub fn assign(db: &Db, line: i64, relationship: i64) -> Result<(), StoreError> {
    db.memo.lines.clear();
    db.connection
        .prepare_cached("UPDATE line SET relationship_id = ?2 WHERE id = ?1")?
        .execute([line, relationship])?;
    Ok(())
}

/// The threads of a line's messages.
///
/// # Errors
/// As every read.
pub fn threads(db: &Db, line: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT DISTINCT thread_id FROM interaction JOIN message ON message.id = message_id
         WHERE line_id = ?1 AND thread_id IS NOT NULL",
    )?;
    let rows = statement.query_map([line], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The rows of a line's messages that have a subject.
///
/// # Errors
/// As every read.
pub fn with_subject(db: &Db, line: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT DISTINCT message.id FROM interaction JOIN message ON message.id = message_id
         WHERE line_id = ?1 AND subject IS NOT NULL",
    )?;
    let rows = statement.query_map([line], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The UIDs of a line's meetings.
///
/// # Errors
/// As every read.
pub fn meetings(db: &Db, line: i64) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT DISTINCT uid FROM interaction JOIN meeting ON meeting.id = meeting_id
         WHERE line_id = ?1",
    )?;
    let rows = statement.query_map(params![line], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every line: the row of the contact, the rep's id, and the last interaction up to `now` that
/// counts.
///
/// # Errors
/// As every read.
pub fn last_of_all(
    db: &Db,
    now: Timestamp,
) -> Result<Vec<(i64, String, Option<Timestamp>)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT contact_id, code,
             (SELECT at FROM interaction WHERE line_id = line.id AND at <= ?1 AND counted = 1
              ORDER BY at DESC LIMIT 1)
         FROM line JOIN address ON address.id = address_id JOIN rep ON rep.id = rep_id",
    )?;
    let rows = statement.query_map([now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When an address was in touch, over all reps, by interactions that count up to an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// The first interaction.
    pub first_at: Option<Timestamp>,
    /// The last one.
    pub last_at: Option<Timestamp>,
    /// The last message from the address, or meeting with it.
    pub heard_at: Option<Timestamp>,
}

/// When an address was in touch.
///
/// # Errors
/// As every read.
pub fn touched(db: &Db, address: i64, now: Timestamp) -> Result<Touched, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT min(at), max(at), max(CASE WHEN direction > 0 THEN at END)
         FROM line JOIN interaction ON line_id = line.id
         WHERE address_id = ?1 AND at <= ?2 AND counted = 1",
    )?;
    Ok(statement.query_row(params![address, now], |row| {
        Ok(Touched { first_at: row.get(0)?, last_at: row.get(1)?, heard_at: row.get(2)? })
    })?)
}

/// The addresses to which a message went out, by row.
///
/// # Errors
/// As every read.
pub fn written_to(db: &Db, message: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT DISTINCT address_id FROM interaction JOIN line ON line.id = line_id
         WHERE message_id = ?1 AND direction = 0",
    )?;
    let rows = statement.query_map([message], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
