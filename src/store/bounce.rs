//! Reports that messages were not delivered: hashes, whatever they name.

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use super::row::{pack, unpack};
use crate::model::{Key, Timestamp};

/// Whether there are any.
///
/// # Errors
/// As every read.
pub fn exist(db: &Db) -> Result<bool, StoreError> {
    let mut statement = db.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM bounce)")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// When it was written.
    pub at: Timestamp,
    /// The keys of the addresses that were not reached, as far as it names them.
    pub failed: Vec<Key>,
    /// The keys of the messages that it refers to, the oldest first.
    pub references: Vec<Key>,
}

/// Keeps a report, once however many copies of it there are.
///
/// # Errors
/// As every write.
pub fn insert(
    db: &Db,
    message: Key,
    at: Timestamp,
    failed: &[Key],
    references: &[Key],
) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO bounce (message, at, failed, refs) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET at = min(at, excluded.at)",
        )?
        .execute(params![message, at, pack(failed), pack(references)])?;
    Ok(())
}

/// Every report up to `now`, by time.
///
/// # Errors
/// As every read.
pub fn all(db: &Db, now: Timestamp) -> Result<Vec<Bounce>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT at, failed, refs FROM bounce WHERE at <= ?1 ORDER BY at, message",
    )?;
    let rows = statement.query_map([now], |row| {
        Ok(Bounce {
            at: row.get(0)?,
            failed: unpack(row.get_ref(1)?.as_blob()?),
            references: unpack(row.get_ref(2)?.as_blob()?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
