//! Opening the file: pragmas, permissions, and the types that carry a connection.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::migrate;

/// A connection inside which the functions of this module's files work.
#[derive(Debug)]
pub struct Db {
    pub(super) connection: Connection,
}

/// How long to wait for another connection's lock before giving up.
const BUSY: Duration = Duration::from_secs(10);
/// Statements kept open; there are fewer in the whole store.
const STATEMENTS: usize = 128;

/// Opens the file for writing, creates it (mode 0600, directory 0700) and migrates it.
///
/// # Errors
/// [`StoreError::Newer`] if a later version wrote it, [`StoreError::Io`] or
/// [`StoreError::Unwritable`] if it cannot be created, [`StoreError::Corrupt`] if it is no database.
pub(super) fn open_writer(path: &Path) -> Result<Db, StoreError> {
    create(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = connect(path, flags)?;
    db.connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -16000;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    migrate::migrate(&mut db.connection, path)?;
    Ok(db)
}

/// Opens an existing file for reading; the daemon may be writing to it.
///
/// # Errors
/// [`StoreError::Missing`] if there is none; else as for writing.
pub fn open_reader(path: &Path) -> Result<Db, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = connect(path, flags)?;
    db.connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16000;")?;
    migrate::refuse_newer(&db.connection, path)?;
    Ok(db)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that opens the database")]
fn connect(path: &Path, flags: OpenFlags) -> Result<Db, StoreError> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else the planner looks at what is bound, and plans anew for every other value: a third of
    // the time of a first sync.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch("PRAGMA temp_store = MEMORY;")?;
    Ok(Db { connection })
}

/// Makes the directory and an empty file that only the owner may read.
fn create(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty() && !p.exists()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(io)?;
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(io)
}
