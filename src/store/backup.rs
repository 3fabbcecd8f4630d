//! Copies of the database in one file: made while anybody has it open, and put back in its place.
//!
//! A copy is as the database was at one instant, holds no page that was given up, and has its name
//! only once it is whole, on disk and found to be sound.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::{create, open_file, sibling};
use super::error::StoreError;
use super::writer::lock;
use super::{connection, migrate};
use crate::model::Timestamp;

/// How often, and how long apart, is tried to empty a log that somebody reads.
const LOOKS: u32 = 300;
const PAUSE: Duration = Duration::from_millis(100);

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    /// The number of its schema.
    pub schema: i64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Messages.
    pub messages: i64,
    /// When the latest message that is stored was written.
    pub last_at: Option<Timestamp>,
}

/// Copies the database at `path`, of whatever schema, to a file that must not exist.
///
/// # Errors
/// [`StoreError::Exists`] if it does, [`StoreError::Missing`] if there is no database,
/// [`StoreError::Corrupt`] if it or the copy is damaged; there is no copy then.
pub fn copy(path: &Path, to: &Path) -> Result<Holds, StoreError> {
    if to.exists() {
        return Err(StoreError::Exists { path: to.to_owned() });
    }
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let from = open_file(path)?;
    migrate::refuse_newer(&from, path)?;
    write(&from, to)?;
    check(to)
}

/// Looks through a copy: that it is a keepwarm database no newer than this program, and sound.
///
/// # Errors
/// [`StoreError::NoBackup`], [`StoreError::Newer`] or [`StoreError::Corrupt`].
pub fn check(path: &Path) -> Result<Holds, StoreError> {
    let none = || StoreError::NoBackup { path: path.to_owned() };
    let bytes = std::fs::metadata(path).map_err(|source| StoreError::io(path, source))?.len();
    let copy = open_file(path)?;
    let schema = migrate::refuse_newer(&copy, path)?;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('rep', 'source', 'message')";
    let tables: i64 = copy.query_row(tables, [], |row| row.get(0))?;
    if schema < 1 || tables < 3 {
        return Err(none());
    }
    let said: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Err(StoreError::Corrupt(format!("{}: {said}", path.display())));
    }
    let (messages, last_at) =
        copy.query_row("SELECT count(*), max(at) FROM message", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?))
        })?;
    Ok(Holds { schema, bytes, messages, last_at })
}

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the copy held.
    pub holds: Holds,
    /// Where the database is that was there before, if there was one.
    pub aside: Option<PathBuf>,
}

/// Puts a copy in the place of the database at `path`, brought up to this version's schema. What was
/// there is kept beside it, `….before-restore`, in place of what an earlier restore left there.
/// `prepare` may change the new database before it is one, and is given the one that is replaced.
///
/// # Errors
/// [`StoreError::InUse`] if a process has the database open, and as [`check`]; nothing has changed
/// then.
pub fn restore(
    path: &Path,
    from: &Path,
    prepare: impl FnOnce(&connection::Db, &Path) -> Result<(), StoreError>,
) -> Result<Restored, StoreError> {
    connection::create_directory(path)?;
    let _lock = lock(path)?;
    let holds = check(from)?;
    let new = sibling(path, ".restoring");
    remove(&new)?;
    write(&open_file(from)?, &new)?;
    let made = connection::open_copy(&new)?;
    prepare(&made, path)?;
    made.connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE")?;
    drop(made);
    sync(&new)?;
    let aside = set_aside(path)?;
    rename(&new, path)?;
    Ok(Restored { holds, aside })
}

/// Gives the database that is there a second name, without its log: what the log held is in it. Where
/// that cannot be, for the database is damaged, the log gets that name too.
fn set_aside(path: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let aside = sibling(path, ".before-restore");
    for end in ["", "-wal", "-shm"] {
        remove(&sibling(&aside, end))?;
    }
    if connection::flush(path).is_err() {
        for end in ["-wal", "-shm"] {
            let (log, beside) = (sibling(path, end), sibling(&aside, end));
            if log.exists() {
                std::fs::rename(&log, &beside).map_err(|source| StoreError::io(&log, source))?;
            }
        }
    }
    for end in ["-wal", "-shm"] {
        remove(&sibling(path, end))?;
    }
    // Not renamed: at no instant is there no database, which a start would make anew.
    std::fs::hard_link(path, &aside).map_err(|source| StoreError::io(&aside, source))?;
    Ok(Some(aside))
}

/// Leaves nothing of what was deleted in a database's file and its log, beside whoever has it open:
/// every page is written anew, and the log is emptied.
///
/// # Errors
/// As every write; [`StoreError::Busy`] if somebody reads an earlier state all the while.
pub fn purge(path: &Path) -> Result<(), StoreError> {
    let db = connection::open_beside(path)?;
    db.connection.execute_batch("PRAGMA secure_delete = ON; VACUUM")?;
    for _ in 0..LOOKS {
        if connection::empty_log(&db)? {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    Err(StoreError::Busy { path: path.to_owned() })
}

/// The copies that upgrades and restores have left beside a database.
///
/// # Errors
/// What the directory says.
pub fn beside(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(Vec::new()) };
    let before = format!("{name}.before-");
    let found = in_directory(connection::directory(path))?;
    let is_copy = |file: &PathBuf| {
        file.file_name().and_then(|name| name.to_str()).is_some_and(|n| n.starts_with(&before))
    };
    Ok(found.into_iter().filter(is_copy).filter(|file| is_database(file)).collect())
}

/// The databases in a directory.
///
/// # Errors
/// What the directory says.
pub fn databases(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    Ok(in_directory(directory)?.into_iter().filter(|file| is_database(file)).collect())
}

fn in_directory(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |source| StoreError::io(directory, source);
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file begins as SQLite's do.
fn is_database(path: &Path) -> bool {
    use std::io::Read as _;
    let mut begin = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && &begin == b"SQLite format 3\0"
}

/// Changes a copy: brings it up to this version's schema, and leaves nothing of what was deleted.
///
/// # Errors
/// As [`check`], and what `job` returns; the copy may have a newer schema then.
pub fn amend<T>(
    path: &Path,
    job: impl FnOnce(&connection::Db) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    check(path)?;
    let db = connection::open_copy(path)?;
    db.connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = job(&db)?;
    db.connection.execute_batch(
        "COMMIT; VACUUM; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE",
    )?;
    Ok(done)
}

/// Writes what a connection sees to a file, which has its name only once it is whole and on disk.
pub(super) fn write(connection: &Connection, whole: &Path) -> Result<(), StoreError> {
    let part = sibling(whole, ".part");
    let failed = |source| StoreError::io(&part, source);
    remove(&part)?;
    // Made here and empty, which SQLite accepts: it would give others leave to read it.
    create(&part)?;
    // Under another name it would be another file, and this one stay empty.
    let name = part.to_str().ok_or_else(|| failed(ErrorKind::InvalidFilename.into()))?;
    let written = connection.execute("VACUUM INTO ?1", [name]).map_err(StoreError::from);
    if let Err(error) = written.and_then(|_| sync(&part)) {
        remove(&part)?;
        return Err(error);
    }
    rename(&part, whole)
}

/// Gives a file that is on disk another name, which is on disk then.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::io(to, source);
    std::fs::rename(from, to).map_err(failed)?;
    let directory = File::open(connection::directory(to));
    directory.and_then(|directory| directory.sync_all()).map_err(failed)
}

fn sync(path: &Path) -> Result<(), StoreError> {
    let file = File::open(path).and_then(|file| file.sync_all());
    file.map_err(|source| StoreError::io(path, source))
}

/// Removes a file, if there is one.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io(path, error)),
        _ => Ok(()),
    }
}
