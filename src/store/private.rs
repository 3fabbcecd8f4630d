//! Messages that reps have put into a private mailbox: known again by keyed hashes, and by nothing else.

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use super::interaction::MessageTouch;
use super::{colleague, interaction};

/// Whether there is any.
///
/// # Errors
/// As every read.
pub fn exist(db: &Db) -> Result<bool, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM private_message)")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Notes one by its hash; gives whether it is new.
///
/// # Errors
/// As every write.
pub fn insert(db: &Db, hash: &[u8]) -> Result<bool, StoreError> {
    let changed = db
        .connection
        .prepare_cached("INSERT INTO private_message (hash) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([hash])?;
    Ok(changed > 0)
}

/// Whether one is noted.
///
/// # Errors
/// As every read.
pub fn holds(db: &Db, hash: &[u8]) -> Result<bool, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM private_message WHERE hash = ?1)")?;
    Ok(statement.query_row([hash], |row| row.get(0))?)
}

/// Takes away what a message is to a rep; gives the touches that it was, and whether it is anything to
/// anybody still.
///
/// # Errors
/// As every write.
pub fn take_out(db: &Db, message: i64, rep: i64) -> Result<(Vec<MessageTouch>, bool), StoreError> {
    let all = interaction::of_message(db, message)?;
    let mut own = db
        .connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM line WHERE id = ?1 AND rep_id = ?2)")?;
    let mut gone = Vec::new();
    for touch in &all {
        if own.query_row([touch.line, rep], |row| row.get(0))? {
            interaction::delete(db, touch.id)?;
            gone.push(*touch);
        }
    }
    db.connection
        .prepare_cached(
            "DELETE FROM colleague WHERE message_id = ?1 AND (from_rep_id = ?2 OR to_rep_id = ?2)",
        )?
        .execute(params![message, rep])?;
    let left = all.len() > gone.len() || colleague::any(db, message)?;
    Ok((gone, left))
}
