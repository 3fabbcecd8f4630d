//! Reads a calendar from an iCalendar file, or from a directory of them, and waits for changes; what
//! is read by a URL is in [`feed`].
//!
//! Guarantees that the calendar is read whole or not at all, that nothing is sent again on the
//! same day while the bytes stay the same, and that a file of a directory that cannot be read does
//! not keep the others from being read. The day matters because the window over which recurrences
//! are expanded moves with it. What the bytes mean is `normalise::calendar`'s to say.

pub mod feed;
mod watch;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::fs;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::{Pass, SourceError, Woken};
use crate::model::time::DAY_MS;
use crate::model::{
    Cursor, Delta, Key, KnownMailbox, MailboxInfo, Object, RawItem, Role, Timestamp,
};

pub use watch::{Stamp, Watch};

/// The name of the one mailbox that such a source has.
pub const MAILBOX: &str = "calendar";

/// The most that is read of one source, in bytes: what `normalise::calendar` takes of an object.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Files of a directory that are read.
const MAX_FILES: usize = 100_000;

/// Where the calendar is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A file, or a directory whose `*.ics` files are read.
    pub path: PathBuf,
}

/// What was read of one file.
enum Part {
    Bytes(Vec<u8>),
    Unreadable { item: i64, why: String },
}

/// Reads the calendar and sends it as one complete delta; an empty one if it is `known` already.
///
/// # Errors
/// `Misconfigured` if there is nothing at the path or it is too large, `Unauthorized` if it may
/// not be read, `Protocol` if the file is no calendar, `Unreachable` for other failures, `Stopped` if
/// nobody takes the delta.
pub async fn read(
    settings: &Settings,
    known: &[KnownMailbox],
    now: Timestamp,
    sink: mpsc::Sender<Delta>,
) -> Result<Pass, SourceError> {
    let parts = read_parts(&settings.path).await?;
    let (digest, day) = (digest(&parts), now.millis().div_euclid(DAY_MS));
    let cursor = Cursor::Whole { digest, day, validators: None };
    let mailbox = known.iter().find(|mailbox| mailbox.name == MAILBOX);
    let unchanged = mailbox.and_then(|mailbox| mailbox.cursor.as_ref()) == Some(&cursor);
    let total = u64::try_from(parts.len()).ok();
    let items: Vec<RawItem> =
        if unchanged { Vec::new() } else { parts.into_iter().map(Part::into_item).collect() };
    let pass = Pass { mailboxes: 1, ..Pass::default() };
    let mailbox = MailboxInfo { name: MAILBOX.to_owned(), role: Role::Calendar };
    let delta = Delta { mailbox, items, vanished: Vec::new(), complete: true, cursor, total };
    sink.send(delta).await.map_err(|_| SourceError::Stopped)?;
    Ok(pass)
}

/// The present state of the file or directory: to be asked for before it is read, and waited with
/// afterwards.
pub async fn stamp(settings: &Settings) -> Option<Stamp> {
    Stamp::of(&settings.path).await
}

/// Waits for a state other than that which was read, at most `most`.
pub async fn wait(
    settings: &Settings,
    watch: &Watch,
    read: Option<Stamp>,
    most: Duration,
) -> Woken {
    let changed = async {
        match read {
            Some(read) => watch.changed(&settings.path, read).await,
            None => std::future::pending().await,
        }
    };
    tokio::time::timeout(most, changed).await.map_or(Woken::Time, |()| Woken::News)
}

impl Part {
    fn into_item(self) -> RawItem {
        match self {
            Self::Bytes(bytes) => RawItem::Calendar { object: Object::WHOLE, bytes },
            Self::Unreadable { item, why } => RawItem::Unreadable { item, why },
        }
    }
}

/// A hash of everything that was read.
fn digest(parts: &[Part]) -> i64 {
    let bytes: Vec<&[u8]> = parts
        .iter()
        .map(|part| match part {
            Part::Bytes(bytes) => bytes.as_slice(),
            Part::Unreadable { why, .. } => why.as_bytes(),
        })
        .collect();
    Key::of("ics", &bytes).0
}

/// Reads the file, or the files of the directory in the order of their names.
async fn read_parts(path: &Path) -> Result<Vec<Part>, SourceError> {
    let metadata = fs::metadata(path).await.map_err(|error| failure(path, &error))?;
    let mut left = MAX_BYTES;
    if !metadata.is_dir() {
        let bytes = read_file(path, &mut left).await.map_err(|error| failure(path, &error))?;
        if !is_calendar(&bytes) {
            return Err(SourceError::Protocol(format!(
                "{}: it is no calendar; hint: an iCalendar file begins with BEGIN:VCALENDAR",
                path.display()
            )));
        }
        return Ok(vec![Part::Bytes(bytes)]);
    }
    let mut parts = Vec::new();
    for file in calendar_files(path).await.map_err(|error| failure(path, &error))? {
        match read_file(&file, &mut left).await {
            Ok(bytes) => parts.push(Part::Bytes(bytes)),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(failure(path, &error));
            }
            // It was deleted since the directory was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => parts.push(unreadable(&file, &error)),
        }
    }
    Ok(parts)
}

/// Whether a calendar begins near the beginning: a page for people or an empty file tells nothing,
/// and must not pass for a calendar that was read. One that breaks off is being written.
fn is_calendar(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"BEGIN:VCALENDAR";
    const NEAR: usize = 4096;
    let head = bytes.get(..NEAR).unwrap_or(bytes);
    head.windows(BEGIN.len()).any(|at| at.eq_ignore_ascii_case(BEGIN))
}

/// The calendar files of a directory, sorted.
async fn calendar_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(directory).await?;
    let mut files = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let path = entry.path();
        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("ics")) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Reads a file that is no longer than what is left of the allowance.
async fn read_file(path: &Path, left: &mut u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).await?;
    let read = file.take(*left + 1).read_to_end(&mut bytes).await?;
    *left = left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
    Ok(bytes)
}

/// A file of a directory that was passed over. Its name may hold a person's: only its key is told.
fn unreadable(file: &Path, error: &io::Error) -> Part {
    let name = file.file_name().unwrap_or_default().as_encoded_bytes();
    let why = format!("reading a file of the directory: {}", error.kind());
    Part::Unreadable { item: Key::of("ics-file", &[name]).0, why }
}

/// What the caller does about a failure to read `path`.
fn failure(path: &Path, error: &io::Error) -> SourceError {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            SourceError::Misconfigured(format!("{path}: there is no such file or directory"))
        }
        io::ErrorKind::FileTooLarge => {
            SourceError::Misconfigured(format!("{path}: the calendar is larger than 64 MiB"))
        }
        io::ErrorKind::PermissionDenied => {
            SourceError::Unauthorized(format!("{path}: it may not be read"))
        }
        kind => SourceError::Unreachable(format!("{path}: {kind}")),
    }
}
