//! What commands ask of the process that has the database open, and its answers.
//!
//! A command opens the file beside the writer only for this: it enters one row, waits, and takes the
//! row away with the answer. What is asked and answered is text that the pipeline understands.

use std::path::Path;
use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::connection::{Db, open_beside};
use super::error::StoreError;
use crate::model::{Span, Timestamp};

/// Whoever asked has long given up: what they ask is not done any more.
pub const STALE: Span = Span::from_seconds(120);

/// A request that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Row.
    pub id: i64,
    /// When it was made.
    pub asked_at: Timestamp,
    /// What is asked.
    pub what: String,
}

/// The first request that waits.
///
/// # Errors
/// As every read.
pub fn next(db: &Db) -> Result<Option<Request>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT id, asked_at, what FROM request WHERE answered_at IS NULL ORDER BY id LIMIT 1",
    )?;
    let found = statement.query_row([], |row| {
        Ok(Request { id: row.get(0)?, asked_at: row.get(1)?, what: row.get(2)? })
    });
    Ok(found.optional()?)
}

/// Answers a request; answers that nobody has come for go.
///
/// # Errors
/// As every write.
pub fn answer(db: &Db, id: i64, answer: &str, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE request SET answered_at = ?2, answer = ?3 WHERE id = ?1")?
        .execute(params![id, now, answer])?;
    db.connection
        .prepare_cached("DELETE FROM request WHERE answered_at < ?1")?
        .execute([now - STALE])?;
    Ok(())
}

/// Whether another process has written since this was asked last, or it is asked for the first time.
/// Costs no look at any table.
///
/// # Errors
/// As every read.
pub fn written_by_others(db: &Db) -> Result<bool, StoreError> {
    // Moves with what other connections write, not with what this one does.
    let version: i64 = db.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
    Ok(db.memo.data_version.replace(Some(version)) != Some(version))
}

/// A connection of a command beside that of the writer.
#[derive(Debug)]
pub struct Asker(Db);

impl Asker {
    /// Opens the database that another process has open.
    ///
    /// # Errors
    /// As for reading; [`StoreError::Older`] if that process is of an earlier version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        open_beside(path).map(Self)
    }

    /// Makes a request; gives its row.
    ///
    /// # Errors
    /// As every write.
    pub fn ask(&self, what: &str, now: Timestamp) -> Result<i64, StoreError> {
        self.0
            .connection
            .execute("INSERT INTO request (asked_at, what) VALUES (?1, ?2)", params![now, what])?;
        Ok(self.0.connection.last_insert_rowid())
    }

    /// Takes the answer to a request, if there is one. Looking does not wait for the writer, however
    /// long its commits take.
    ///
    /// # Errors
    /// As every read.
    pub fn answer(&self, id: i64) -> Result<Option<String>, StoreError> {
        let mut statement = self.0.connection.prepare_cached(
            "SELECT answer FROM request WHERE id = ?1 AND answered_at IS NOT NULL",
        )?;
        let found: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?;
        if found.is_some() {
            // If the writer is too busy, the row goes with the next answer.
            self.0.connection.busy_timeout(Duration::from_millis(20))?;
            _ = self.0.connection.execute("DELETE FROM request WHERE id = ?1", [id]);
        }
        Ok(found)
    }

    /// Takes a request back; gives whether it was still waiting.
    ///
    /// # Errors
    /// As every write.
    pub fn withdraw(&self, id: i64) -> Result<bool, StoreError> {
        let taken = self
            .0
            .connection
            .execute("DELETE FROM request WHERE id = ?1 AND answered_at IS NULL", [id])?;
        Ok(taken > 0)
    }
}
