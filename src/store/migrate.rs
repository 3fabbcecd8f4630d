//! Bringing the schema up to date: numbered files, append-only, each in one transaction.
//!
//! `user_version` is the number of the last one applied. Before an existing database is changed, a
//! copy of it is left beside it (`….before-NNNN`). A newer schema is refused, untouched.

use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;

/// Every migration in order; the first brings an empty file to schema 1.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/0001-initial.sql")];

/// Refuses a schema that a later version wrote.
pub(super) fn refuse_newer(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

/// Applies what is missing.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found = refuse_newer(connection, path)?;
    let pending = MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0));
    for (index, sql) in pending {
        if found > 0 && i64::try_from(index).ok() == Some(found) {
            back_up(connection, path, found)?;
        }
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(0))?;
        transaction.commit()?;
    }
    Ok(())
}

/// Leaves a copy of the database as it is beside it.
fn back_up(connection: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-{:04}", version + 1));
    connection.execute("VACUUM INTO ?1", [name.to_string_lossy()])?;
    Ok(())
}
