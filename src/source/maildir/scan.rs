//! Listing a Maildir and reading the heads of its files.
//!
//! Other programs move and rename files meanwhile. `new` is listed before `cur`, so that a message
//! on its way is seen at least once, and a file that is gone when its turn comes is left to the
//! next pass, which finds it under its other name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::calendar;
use crate::model::{Key, Marks, RawItem, Timestamp};

/// The most that is read of a file, in bytes.
const HEADER_BYTES: u64 = 64 << 10;

/// The most that is kept of the calendar parts of files read together, in bytes; one has some KiB.
const CALENDAR_BYTES: usize = 8 << 20;

/// Files dated earlier than 1990 have lost their date: no mail was kept in Maildirs then.
const EARLIEST: Timestamp = Timestamp::from_seconds(631_152_000);

/// What a Maildir holds that was not known, and what it no longer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Newest first.
    pub(super) new: Vec<NewFile>,
    /// Keys, ascending.
    pub(super) vanished: Vec<i64>,
    /// How many files there are.
    pub(super) total: u64,
}

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewFile {
    key: i64,
    path: PathBuf,
    modified: Timestamp,
}

/// Compares a Maildir with the keys known of it; `seen` is sorted.
///
/// # Errors
/// Those of listing the directories. A Maildir without `new` or without `cur` is a whole one.
pub(super) fn list(maildir: &Path, seen: &[i64]) -> io::Result<Listing> {
    let mut held: Vec<i64> = Vec::with_capacity(seen.len());
    let mut new: Vec<NewFile> = Vec::new();
    for part in ["new", "cur"] {
        let entries = match fs::read_dir(maildir.join(part)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            if name.as_bytes().starts_with(b".") || !(kind.is_file() || kind.is_symlink()) {
                continue;
            }
            let key = key(name.as_bytes());
            if seen.binary_search(&key).is_ok() {
                held.push(key);
            } else if let Some(modified) = modified(&entry.path()) {
                held.push(key);
                new.push(NewFile { key, path: entry.path(), modified });
            }
        }
    }
    held.sort_unstable();
    held.dedup();
    let vanished = seen.iter().copied().filter(|key| held.binary_search(key).is_err()).collect();
    Ok(Listing { new: newest_first(new), vanished, total: held.len() as u64 })
}

/// The items that the files make; those that are gone make none.
pub(super) fn read(files: &[NewFile]) -> Vec<RawItem> {
    let mut calendar_bytes = 0usize;
    let mut items: Vec<RawItem> = Vec::with_capacity(files.len());
    for mut item in files.iter().filter_map(item) {
        if let RawItem::Message { calendar, .. } = &mut item {
            let all = calendar_bytes.saturating_add(calendar.as_ref().map_or(0, Vec::len));
            match all > CALENDAR_BYTES {
                true => *calendar = None,
                false => calendar_bytes = all,
            }
        }
        items.push(item);
    }
    items
}

/// What names a message for good: its file's name without the flags.
fn key(name: &[u8]) -> i64 {
    let flags = name.windows(3).position(|part| part == b":2,").unwrap_or(name.len());
    let unique = name.get(..flags).unwrap_or(name);
    Key::of("maildir", &[unique]).0
}

/// When the file was last written, if it is a file (or a link to one) and there.
fn modified(path: &Path) -> Option<Timestamp> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() {
        return None;
    }
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(0)))
}

/// By time and then name, each message once: where it was seen twice, the later sight is kept.
fn newest_first(mut files: Vec<NewFile>) -> Vec<NewFile> {
    files.reverse();
    files.sort_by_key(|file| file.key);
    files.dedup_by_key(|file| file.key);
    files.sort_by(|a, b| (b.modified, &b.path).cmp(&(a.modified, &a.path)));
    files
}

fn item(file: &NewFile) -> Option<RawItem> {
    let received_at = Some(file.modified).filter(|at| *at >= EARLIEST);
    match head(&file.path) {
        Ok(header) => {
            let marks = Marks::default();
            let calendar = calendar::part(&file.path, &header);
            Some(RawItem::Message { item: file.key, received_at, header, marks, calendar })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(RawItem::Unreadable { item: file.key, why: error.kind().to_string() }),
    }
}

/// The header block of a file, without the empty line that ends it.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    // Most header blocks end within the first few KiB: read in growing pieces.
    for limit in [4 << 10, 16 << 10, HEADER_BYTES] {
        let missing = limit - bytes.len() as u64;
        let read = file.by_ref().take(missing).read_to_end(&mut bytes)?;
        if let Some(end) = end_of_header(&bytes) {
            bytes.truncate(end);
            break;
        }
        if (read as u64) < missing {
            break;
        }
    }
    Ok(bytes)
}

/// Where the line before the first empty line ends, with its line break.
fn end_of_header(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"\n") || bytes.starts_with(b"\r\n") {
        return Some(0);
    }
    let empty = |place: usize| {
        let rest = bytes.get(place.saturating_add(1)..).unwrap_or_default();
        rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
    };
    let breaks = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    breaks.map(|(place, _)| place).find(|place| empty(*place)).map(|place| place.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_outlives_flags_and_the_move_out_of_new() {
        let of = |name: &str| key(name.as_bytes());
        let plain = of("1700000000.M1P2.host,S=100");
        for name in ["1700000000.M1P2.host,S=100:2,", "1700000000.M1P2.host,S=100:2,FRS"] {
            assert_eq!(of(name), plain, "{name}");
        }
        assert_ne!(of("1700000000.M1P3.host,S=100:2,S"), plain);
    }

    #[test]
    fn a_header_ends_at_the_first_empty_line() {
        for (bytes, expected) in [
            ("A: 1\r\nB: 2\r\n\r\nbody\r\n\r\n", Some("A: 1\r\nB: 2\r\n")),
            ("A: 1\n\nbody", Some("A: 1\n")),
            ("\nbody", Some("")),
            ("\r\n", Some("")),
            ("A: 1\nB: 2\n", None),
            ("", None),
        ] {
            let found = end_of_header(bytes.as_bytes()).and_then(|end| bytes.get(..end));
            assert_eq!(found, expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_gone_makes_no_item_and_what_cannot_be_read_one_for_the_quarantine() {
        let directory = tempfile::tempdir().unwrap();
        let file = |path| NewFile { key: 7, path, modified: EARLIEST };
        assert_eq!(item(&file(directory.path().join("gone"))), None);
        let found = item(&file(directory.path().to_owned()));
        assert!(matches!(found, Some(RawItem::Unreadable { item: 7, .. })), "{found:?}");
    }

    #[test]
    fn calendar_parts_of_many_files_are_some_mib_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("message");
        let body = "x".repeat(250 << 10);
        fs::write(&path, format!("Content-Type: text/calendar\r\n\r\n{body}")).unwrap();
        let files = vec![NewFile { key: 7, path, modified: EARLIEST }; 60];
        let items = read(&files);
        let bytes = items.iter().map(|item| match item {
            RawItem::Message { calendar, .. } => calendar.as_ref().map_or(0, Vec::len),
            other => panic!("{other:?}"),
        });
        let bytes: usize = bytes.sum();
        assert!(items.len() == 60 && bytes > CALENDAR_BYTES / 2 && bytes <= CALENDAR_BYTES);
    }

    #[test]
    fn no_more_than_the_head_of_a_file_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("endless");
        fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(head(&path).unwrap().len() as u64, HEADER_BYTES);
        let long = format!("A: {}\r\n\r\nbody", "y".repeat(30_000));
        fs::write(&path, &long).unwrap();
        assert_eq!(head(&path).unwrap().len(), long.len() - "\r\nbody".len());
    }
}
