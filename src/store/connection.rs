//! Opening the file: pragmas, permissions, and the types that carry a connection.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::memo::Memo;
use super::migrate;

/// A connection inside which the functions of this module's files work.
#[derive(Debug)]
pub struct Db {
    pub(super) connection: Connection,
    pub(super) memo: Memo,
}

/// How long to wait for another connection's lock before giving up.
const BUSY: Duration = Duration::from_secs(10);
/// Statements kept open; there are fewer in the whole store.
const STATEMENTS: usize = 128;

/// Opens the file for writing, creates it (mode 0600) and migrates it.
///
/// # Errors
/// [`StoreError::Newer`] if a later version wrote it, [`StoreError::Io`] or
/// [`StoreError::Unwritable`] if it cannot be created, [`StoreError::Corrupt`] if it is no database.
pub(super) fn open_writer(path: &Path) -> Result<Db, StoreError> {
    create(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = connect(path, flags)?;
    migrate::refuse_newer(&db.connection, path)?;
    db.connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         -- What is deleted is written over.
         PRAGMA secure_delete = ON;
         -- In KB. Whatever of it a small database does not fill is not taken; with a large one, what
         -- is written lies all over the indexes, and much of it would be read again for every commit.
         PRAGMA cache_size = -48000;
         -- In pages, 64 MB: a backfill dirties the same ones with every commit, and copying them
         -- to the file once for several commits halves what is written.
         PRAGMA wal_autocheckpoint = 16000;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    migrate::migrate(&mut db.connection, path)?;
    Ok(db)
}

/// Opens an existing file for reading; the daemon may be writing to it.
///
/// # Errors
/// [`StoreError::Missing`] if there is none, [`StoreError::Older`] if it has yet to be migrated; else
/// as for writing.
pub fn open_reader(path: &Path) -> Result<Db, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = connect(path, flags)?;
    db.connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16000;")?;
    match migrate::refuse_newer(&db.connection, path)? {
        0 => Err(StoreError::Missing { path: path.to_owned() }),
        found if found < migrate::known() => Err(StoreError::Older { path: path.to_owned() }),
        _ => Ok(db),
    }
}

/// Opens a database that another process has open, to write a row beside it.
///
/// # Errors
/// As for reading.
pub(super) fn open_beside(path: &Path) -> Result<Db, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = connect(path, flags)?;
    db.connection.busy_handler(Some(again))?;
    match migrate::refuse_newer(&db.connection, path)? {
        found if found < migrate::known() => Err(StoreError::Older { path: path.to_owned() }),
        _ => Ok(db),
    }
}

/// Whether to try again for a lock, after a wait that is shorter than what the writer leaves to others
/// every two seconds, however much it has to do.
fn again(tried: i32) -> bool {
    const EVERY: Duration = Duration::from_millis(1);
    std::thread::sleep(EVERY);
    EVERY * tried.unsigned_abs() < BUSY
}

/// Another connection that sees what this one does, to look things up on another core; `None` if its
/// transaction has changed anything, which nobody else sees.
///
/// # Errors
/// As for reading.
pub fn beside(db: &Db) -> Result<Option<Db>, StoreError> {
    let unchanged = db.memo.changed_before.get() == Some(db.connection.total_changes());
    let Some(path) = db.connection.path().filter(|_| unchanged) else { return Ok(None) };
    let beside = open_reader(Path::new(path))?;
    // What it reads lies all over the file and is read once.
    beside.connection.execute_batch("PRAGMA cache_size = -2000;")?;
    Ok(Some(beside))
}

/// Opens a file that may be of any schema, to copy or look through it.
pub(super) fn open_file(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(connect(path, flags)?.connection)
}

/// Opens a copy that nobody else has open for writing, and brings it up to date as it is.
pub(super) fn open_copy(path: &Path) -> Result<Db, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = connect(path, flags)?;
    db.connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;",
    )?;
    migrate::apply(&mut db.connection, path)?;
    Ok(db)
}

/// Has what a database's log holds written to the file.
pub(super) fn flush(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match empty_log(&connect(path, flags)?)? {
        true => Ok(()),
        false => Err(StoreError::InUse { path: path.to_owned() }),
    }
}

/// Writes what the log holds to the file, and empties the log; gives whether that could be done.
pub(super) fn empty_log(db: &Db) -> Result<bool, StoreError> {
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    Ok(!db.connection.query_row(sql, [], |row| row.get::<_, bool>(0))?)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that opens the database")]
fn connect(path: &Path, flags: OpenFlags) -> Result<Db, StoreError> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans do not depend on what is bound: without this, statements that a partial index or a
    // limit might serve are prepared again at every use, a third of all time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch("PRAGMA temp_store = MEMORY;")?;
    Ok(Db { connection, memo: Memo::default() })
}

/// Makes the directory, if it is missing, for the owner only.
pub(super) fn create_directory(of: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    let directory = directory(of);
    if directory.exists() {
        return Ok(());
    }
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|source| StoreError::io(directory, source))
}

/// Opens a file for writing, made if it is missing, for the owner only.
pub(super) fn create(path: &Path) -> Result<File, StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    let opened = options.create(true).append(true).mode(0o600).open(path);
    opened.map_err(|source| StoreError::io(path, source))
}

/// The directory in which a file is.
#[must_use]
pub fn directory(of: &Path) -> &Path {
    of.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// A path with something after its name.
#[must_use]
pub fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
