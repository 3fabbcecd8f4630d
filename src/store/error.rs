//! What can go wrong with the database, by what the caller does next.

use std::path::{Path, PathBuf};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the database open: stop.
    #[error(
        "{path} is in use by another keepwarm process\nhint: stop the service first, or use another [store] path"
    )]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The schema is from a later version: stop, nothing was touched.
    #[error(
        "{path} was written by a newer keepwarm (schema {found}, this one knows {known})\nhint: install that version, or restore a backup made before the upgrade"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema's number.
        found: i64,
        /// The last number known here.
        known: i64,
    },
    /// The schema is from an earlier version, which only a writer brings up to date.
    #[error(
        "{path} was written by an older keepwarm\nhint: start the service, or `keepwarm run --once`: it is brought up to date then"
    )]
    Older {
        /// The database.
        path: PathBuf,
    },
    /// There is no database to read.
    #[error("{path} does not exist yet\nhint: `keepwarm run` creates it")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file that is to be made is there already.
    #[error("{path} exists already\nhint: name a file that does not exist; none is written over")]
    Exists {
        /// Which one.
        path: PathBuf,
    },
    /// What was deleted may still be in the log, for somebody reads an earlier state.
    #[error(
        "the log of {path} could not be emptied: another process reads it\nhint: end what reads the database, and erase once more"
    )]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// A file is no copy of a database of keepwarm.
    #[error(
        "{path} is no backup of a keepwarm database\nhint: name a file that `keepwarm backup` made"
    )]
    NoBackup {
        /// Which one.
        path: PathBuf,
    },
    /// No room, or no permission to write: what was not committed will be read again later.
    #[error("the database cannot be written: {0}")]
    Unwritable(String),
    /// What was gathered is not there: it is read again from where it was committed last.
    #[error("what was read last was not stored, and will be read again: {0}")]
    Lost(String),
    /// The file is damaged: stop, restore a backup.
    #[error(
        "the database is damaged: {0}\nhint: restore a backup; what it lacks is read from the sources again"
    )]
    Corrupt(String),
    /// The file or its directory cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
    /// Anything else that SQLite says.
    #[error("database: {0}")]
    Sql(rusqlite::Error),
}

impl StoreError {
    /// What to do about a file or directory that could not be made or opened.
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        match source.kind() {
            Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::StorageFull
            | Kind::QuotaExceeded => Self::Unwritable(format!("{}: {source}", path.display())),
            _ => Self::Io { path: path.to_owned(), source },
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(
                Code::DiskFull | Code::ReadOnly | Code::PermissionDenied | Code::SystemIoFailure,
            ) => Self::Unwritable(error.to_string()),
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Sql(error),
        }
    }
}
