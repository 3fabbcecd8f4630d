//! Calibrations of the hazard: each is kept, and the latest that was not undone is in force.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::Timestamp;

/// A straight line through the log-odds of the hazard, and what spoke for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stored {
    /// As of when it was fitted.
    pub at: Timestamp,
    /// To how many instants of the past.
    pub instants: u32,
    /// What log-odds are multiplied by.
    pub slope: f64,
    /// What is added to them then.
    pub intercept: f64,
    /// The log loss of what was in force, in nats.
    pub loss_before: f64,
    /// The log loss of the line where it had not seen what it foretold, in nats.
    pub loss_after: f64,
}

/// Keeps a calibration, which is in force from now on.
///
/// # Errors
/// As every write.
pub fn add(db: &Db, new: &Stored) -> Result<(), StoreError> {
    let Stored { at, instants, slope, intercept, loss_before, loss_after } = *new;
    db.connection.execute(
        "INSERT INTO calibration (at, instants, slope, intercept, loss_before, loss_after)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![at, instants, slope, intercept, loss_before, loss_after],
    )?;
    Ok(())
}

/// The calibration in force, if there is one.
///
/// # Errors
/// As every read.
pub fn in_force(db: &Db) -> Result<Option<Stored>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT at, instants, slope, intercept, loss_before, loss_after FROM calibration
         WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1",
    )?;
    Ok(statement.query_row([], stored).optional()?)
}

/// Puts the calibration in force out of it; the one before it that was not undone is in force again.
/// Gives the one that was undone.
///
/// # Errors
/// As every write.
pub fn undo(db: &Db, now: Timestamp) -> Result<Option<Stored>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "UPDATE calibration SET undone_at = ?1
         WHERE id = (SELECT max(id) FROM calibration WHERE undone_at IS NULL)
         RETURNING at, instants, slope, intercept, loss_before, loss_after",
    )?;
    Ok(statement.query_row([now], stored).optional()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        at: row.get(0)?,
        instants: row.get(1)?,
        slope: row.get(2)?,
        intercept: row.get(3)?,
        loss_before: row.get(4)?,
        loss_after: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Stored, add, in_force, undo};
    use crate::model::Timestamp;
    use crate::store::Store;

    #[tokio::test]
    async fn the_latest_that_was_not_undone_is_in_force() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("kw.db")).unwrap();
        let one = Stored {
            at: Timestamp::from_seconds(1000),
            instants: 300,
            slope: 0.8,
            intercept: -0.25,
            loss_before: 0.6,
            loss_after: 0.5,
        };
        // Made later as of an earlier instant: what counts is what was done last.
        let two = Stored { at: Timestamp::from_seconds(900), slope: 1.25, ..one };
        let now = Timestamp::from_seconds(2000);
        let undone = store.write(move |db| {
            assert_eq!(in_force(db)?, None);
            add(db, &one)?;
            assert_eq!(in_force(db)?, Some(one));
            add(db, &two)?;
            assert_eq!(in_force(db)?, Some(two));
            assert_eq!(undo(db, now)?, Some(two));
            assert_eq!(in_force(db)?, Some(one));
            assert_eq!(undo(db, now)?, Some(one));
            assert_eq!(in_force(db)?, None);
            undo(db, now)
        });
        assert_eq!(undone.await.unwrap(), None);
    }
}
