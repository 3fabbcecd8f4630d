//! Objects of calendars that are read object by object: which ones were read, and in which state.

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use crate::model::Object;

/// The objects read of a calendar, sorted.
///
/// # Errors
/// As every read.
pub fn all(db: &Db, mailbox: i64) -> Result<Vec<Object>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT item, tag FROM object WHERE mailbox_id = ?1 ORDER BY item")?;
    let rows =
        statement.query_map([mailbox], |row| Ok(Object { item: row.get(0)?, tag: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes objects as read and forgets those that have gone; gives how many are known now.
///
/// # Errors
/// As every write.
pub fn note(db: &Db, mailbox: i64, read: &[Object], gone: &[i64]) -> Result<i64, StoreError> {
    let mut insert = db.connection.prepare_cached(
        "INSERT INTO object (mailbox_id, item, tag) VALUES (?1, ?2, ?3)
         ON CONFLICT (mailbox_id, item) DO UPDATE SET tag = excluded.tag",
    )?;
    for object in read {
        insert.execute(params![mailbox, object.item, object.tag])?;
    }
    let mut delete =
        db.connection.prepare_cached("DELETE FROM object WHERE mailbox_id = ?1 AND item = ?2")?;
    for item in gone {
        delete.execute([mailbox, *item])?;
    }
    let mut count =
        db.connection.prepare_cached("SELECT count(*) FROM object WHERE mailbox_id = ?1")?;
    Ok(count.query_row([mailbox], |row| row.get(0))?)
}
