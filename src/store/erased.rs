//! Those who were erased: keyed hashes of their addresses, and every text that may hold their names.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::connection::{Db, open_file};
use super::error::StoreError;
use crate::model::Timestamp;

/// A key, and the hashes that were made with it (HMAC-SHA256).
pub type Hashes = (Vec<u8>, Vec<Vec<u8>>);

/// Who was erased; `None` if nobody was. The writer remembers it: the same while nobody is erased.
///
/// # Errors
/// As every read.
pub fn all(db: &Db) -> Result<Option<Arc<Hashes>>, StoreError> {
    if let Some(known) = &*db.memo.erased.borrow() {
        return Ok(known.clone());
    }
    let found = look_up(db)?.map(Arc::new);
    *db.memo.erased.borrow_mut() = Some(found.clone());
    Ok(found)
}

fn look_up(db: &Db) -> Result<Option<Hashes>, StoreError> {
    let key: Option<Vec<u8>> = db
        .connection
        .prepare_cached("SELECT key FROM erased_key WHERE id = 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(key) = key else { return Ok(None) };
    let mut statement = db.connection.prepare_cached("SELECT hash FROM erased")?;
    let hashes = statement.query_map([], |row| row.get(0))?;
    Ok(Some((key, hashes.collect::<Result<_, _>>()?)))
}

/// The key of hashes, made if there is none.
///
/// # Errors
/// As every write.
pub fn key(db: &Db) -> Result<Vec<u8>, StoreError> {
    db.connection.execute(
        "INSERT INTO erased_key (id, key) VALUES (1, randomblob(32)) ON CONFLICT DO NOTHING",
        [],
    )?;
    Ok(db.connection.query_row("SELECT key FROM erased_key WHERE id = 1", [], |row| row.get(0))?)
}

/// Notes that somebody was erased.
///
/// # Errors
/// As every write.
pub fn insert(db: &Db, hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
    *db.memo.erased.borrow_mut() = None;
    db.connection
        .prepare_cached("INSERT INTO erased (hash, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![hash, now])?;
    Ok(())
}

/// Takes over who was erased from another database, if that can be read: a backup that is put back is
/// not to bring them back. Gives how many these are.
///
/// # Errors
/// As every write.
pub fn adopt(db: &Db, from: &Path, now: Timestamp) -> Result<usize, StoreError> {
    if !from.exists() {
        return Ok(0);
    }
    let Ok((key, hashes)) = read(from) else { return Ok(0) };
    if hashes.is_empty() {
        return Ok(0);
    }
    *db.memo.erased.borrow_mut() = None;
    // Of an older copy the hashes are among these, unless it is of another database.
    db.connection.execute("DELETE FROM erased", [])?;
    db.connection.execute(
        "INSERT INTO erased_key (id, key) VALUES (1, ?1)
         ON CONFLICT (id) DO UPDATE SET key = excluded.key",
        [key],
    )?;
    hashes.iter().try_for_each(|hash| insert(db, hash, now))?;
    Ok(hashes.len())
}

fn read(path: &Path) -> Result<Hashes, StoreError> {
    let connection = open_file(path)?;
    let key = connection.query_row("SELECT key FROM erased_key", [], |row| row.get(0))?;
    let mut statement = connection.prepare("SELECT hash FROM erased")?;
    let hashes = statement.query_map([], |row| row.get(0))?;
    Ok((key, hashes.collect::<Result<_, _>>()?))
}

/// Texts that may hold what strangers wrote.
const TEXTS: [(&str, &str); 7] = [
    ("nudge", "body"),
    ("nudge", "reasons"),
    ("quarantine", "reason"),
    ("source", "error"),
    ("endpoint", "error"),
    ("attempt", "verdict"),
    ("identity_change", "evidence"),
];

/// Puts `instead` in the place of a text wherever it stands in what is told of others. What was written
/// for endpoints and holds it is written anew if it is sent again.
///
/// # Errors
/// As every write.
pub fn replace(db: &Db, text: &str, instead: &str) -> Result<usize, StoreError> {
    let mut found = 0;
    for (table, column) in TEXTS {
        let sql = format!(
            "UPDATE {table} SET {column} = replace({column}, ?1, ?2) WHERE instr({column}, ?1) > 0"
        );
        found += db.connection.prepare_cached(&sql)?.execute([text, instead])?;
    }
    found += db
        .connection
        .prepare_cached("UPDATE outbox SET body = NULL WHERE instr(body, ?1) > 0")?
        .execute([text])?;
    for (table, column) in [("meeting", "uid"), ("invitation", "uid"), ("invitation", "text")] {
        found += replace_as_spelled(db, (table, column), text, instead)?;
    }
    Ok(found)
}

/// The same in what events say of themselves, whatever case they have it in.
fn replace_as_spelled(
    db: &Db,
    (table, column): (&str, &str),
    text: &str,
    instead: &str,
) -> Result<usize, StoreError> {
    let mut statement = db.connection.prepare_cached(&format!(
        "SELECT id, {column} FROM {table} WHERE instr(lower({column}), lower(?1)) > 0"
    ))?;
    let rows = statement.query_map([text], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(i64, String)> = rows.collect::<Result<_, _>>()?;
    let sql = format!("UPDATE {table} SET {column} = ?2 WHERE id = ?1");
    let mut statement = db.connection.prepare_cached(&sql)?;
    for (id, has) in &rows {
        statement.execute(params![id, without(has, text, instead)])?;
    }
    Ok(rows.len())
}

/// A text with another in the place of a part, whatever the case of its ASCII letters.
fn without(text: &str, part: &str, instead: &str) -> String {
    let (low, part) = (text.to_ascii_lowercase(), part.to_ascii_lowercase());
    let mut told = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in low.match_indices(&part) {
        told.push_str(text.get(done..at).unwrap_or_default());
        told.push_str(instead);
        done = at + part.len();
    }
    told + text.get(done..).unwrap_or_default()
}
