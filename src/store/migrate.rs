//! Bringing the schema up to date: numbered files, append-only, each in one transaction.
//!
//! `user_version` is the number of the last one applied. Before an existing database is changed, a
//! copy of it is left beside it (`….before-NNNN`), whole and for its owner only. A newer schema is
//! refused, untouched.

use std::path::Path;

use rusqlite::Connection;

use super::backup;
use super::connection::sibling;
use super::error::StoreError;

/// Every migration in order; the first brings an empty file to schema 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001-initial.sql"),
    include_str!("../../migrations/0002-source-condition.sql"),
    include_str!("../../migrations/0003-calendar-objects.sql"),
    include_str!("../../migrations/0004-recent-keys.sql"),
    include_str!("../../migrations/0005-invitation.sql"),
    include_str!("../../migrations/0006-colleague.sql"),
    include_str!("../../migrations/0007-noted-keys.sql"),
    include_str!("../../migrations/0008-engagement.sql"),
    include_str!("../../migrations/0009-cadence.sql"),
    include_str!("../../migrations/0010-line.sql"),
    include_str!("../../migrations/0011-identity.sql"),
    include_str!("../../migrations/0012-calibration.sql"),
    include_str!("../../migrations/0013-nudge-life.sql"),
    include_str!("../../migrations/0014-feedback.sql"),
    include_str!("../../migrations/0015-endpoint-condition.sql"),
    include_str!("../../migrations/0016-dropped.sql"),
    include_str!("../../migrations/0017-login.sql"),
    include_str!("../../migrations/0018-erased.sql"),
    include_str!("../../migrations/0019-retention.sql"),
    include_str!("../../migrations/0020-private.sql"),
    include_str!("../../migrations/0021-packed-keys.sql"),
];

/// The schema that this version writes.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Refuses a schema that a later version wrote; gives the number of the one found.
pub(super) fn refuse_newer(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = known();
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

/// Applies what is missing.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found = refuse_newer(connection, path)?;
    if found > 0 && found < known() {
        // One left by an interrupted upgrade is made again.
        backup::write(connection, &sibling(path, &format!(".before-{:04}", found + 1)))?;
    }
    apply(connection, path)
}

/// Applies what is missing, without a copy of what was there.
pub(super) fn apply(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found = refuse_newer(connection, path)?;
    let pending = MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0));
    for (index, sql) in pending {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(0))?;
        transaction.commit()?;
    }
    Ok(())
}
