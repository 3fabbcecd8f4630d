//! Reps, as the configuration names them.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;

/// A rep's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rep {
    /// Row.
    pub id: i64,
    /// The id that the configuration gives.
    pub code: String,
    /// The name.
    pub name: String,
    /// The first of the rep's addresses.
    pub address: String,
}

/// Enters a rep or brings name and address up to date; gives the row.
///
/// # Errors
/// As every write.
pub fn ensure(db: &Db, code: &str, name: &str, address: &str) -> Result<i64, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO rep (code, name, address) VALUES (?1, ?2, ?3)
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, address = excluded.address
         RETURNING id",
    )?;
    Ok(statement.query_row(params![code, name, address], |row| row.get(0))?)
}

/// The rep of that row.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn get(db: &Db, id: i64) -> Result<Rep, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT id, code, name, address FROM rep WHERE id = ?1")?;
    Ok(statement.query_row([id], |row| {
        Ok(Rep { id: row.get(0)?, code: row.get(1)?, name: row.get(2)?, address: row.get(3)? })
    })?)
}

/// The code of a line's rep.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn of_line(db: &Db, line: i64) -> Result<String, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT code FROM line JOIN rep ON rep.id = rep_id WHERE line.id = ?1")?;
    Ok(statement.query_row([line], |row| row.get(0))?)
}

/// The row of the rep of that code.
///
/// # Errors
/// As every read.
pub fn find(db: &Db, code: &str) -> Result<Option<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached("SELECT id FROM rep WHERE code = ?1")?;
    Ok(statement.query_row([code], |row| row.get(0)).optional()?)
}

/// Every rep that was ever configured, by row.
///
/// # Errors
/// As every read.
pub fn all(db: &Db) -> Result<Vec<Rep>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT id, code, name, address FROM rep ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(Rep { id: row.get(0)?, code: row.get(1)?, name: row.get(2)?, address: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
