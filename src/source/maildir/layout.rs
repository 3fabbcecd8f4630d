//! Which Maildirs a directory holds, what they are called and what they are for.
//!
//! Three layouts are known by what is there: the directory is a Maildir, possibly with Maildir++
//! folders beside its `cur` (`.Sent`, `.Archive.2020`); or it holds directories that are Maildirs,
//! nested or not (Dovecot's `LAYOUT=fs`, offlineimap, mbsync). Links to directories are not
//! followed, so that there are no loops.

use std::fs;
use std::io::{self, ErrorKind::NotADirectory, ErrorKind::NotFound};
use std::path::{Path, PathBuf};

use crate::model::{MailboxInfo, Role};
use crate::source::names::{covers, levels};
use crate::source::role::{Purpose, by_levels};
use crate::source::{SkipReason, Skipped, SourceError};

/// How deep plain directories are searched.
const DEPTH: usize = 16;

/// A Maildir on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its name (`INBOX`, `Archive.2020`, `Archive/2020`) and role.
    pub(super) info: MailboxInfo,
    /// What separates the levels of its name.
    pub(super) delimiter: &'static str,
    /// The directory that holds `cur` and `new`.
    pub(super) directory: PathBuf,
}

/// All Maildirs at a path, in no order, with the role that the name alone tells.
///
/// # Errors
/// [`SourceError::Misconfigured`] if there are none or the directory cannot be read.
pub(super) fn find(path: &Path) -> Result<Vec<Found>, SourceError> {
    let wrong = |error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "check path",
            io::ErrorKind::PermissionDenied => "let the service's user read it",
            _ => "path must be a directory",
        };
        SourceError::Misconfigured(format!("{}: {error}; hint: {hint}", path.display()))
    };
    let mut found = Vec::new();
    for (name, directory) in directories(path).map_err(wrong)? {
        if let Some(folder) = name.strip_prefix('.')
            && is_maildir(&directory).map_err(wrong)?
        {
            found.push(Found { info: info(folder, "."), delimiter: ".", directory });
        }
    }
    if is_maildir(path).map_err(wrong)? {
        let directory = path.to_owned();
        found.push(Found { info: info("INBOX", "."), delimiter: ".", directory });
    } else {
        nested(path, "", DEPTH, &mut found).map_err(wrong)?;
    }
    match found.as_mut_slice() {
        [] => Err(SourceError::Misconfigured(format!(
            "{}: no Maildir here; hint: path must hold `cur` and `new`, or directories that do",
            path.display()
        ))),
        [only] => {
            only.info.role = Role::All;
            Ok(found)
        }
        _ => Ok(found),
    }
}

/// The mailboxes to read, most telling first, and the others with the reason.
pub(super) fn choose(found: Vec<Found>, exclude: &[String]) -> (Vec<Found>, Vec<Skipped>) {
    let (mut chosen, mut skipped) = (Vec::new(), Vec::new());
    for mut mailbox in found {
        match role(&mailbox, exclude) {
            Ok(role) => {
                mailbox.info.role = role;
                chosen.push(mailbox);
            }
            Err(reason) => skipped.push(Skipped { mailbox: mailbox.info.name, role: None, reason }),
        }
    }
    chosen.sort_by_cached_key(|mailbox| {
        let rank = match mailbox.info.role {
            Role::Inbox => 0,
            Role::Sent => 1,
            _ => 2,
        };
        (rank, mailbox.info.name.clone())
    });
    (chosen, skipped)
}

fn role(mailbox: &Found, exclude: &[String]) -> Result<Role, SkipReason> {
    let Found { info, delimiter, .. } = mailbox;
    if exclude.iter().any(|name| covers(name, &info.name, delimiter)) {
        return Err(SkipReason::Excluded);
    }
    if info.role == Role::All {
        return Ok(Role::All);
    }
    by_levels(&levels(&info.name, delimiter)).role()
}

fn info(name: &str, delimiter: &str) -> MailboxInfo {
    let role = match by_levels(&levels(name, delimiter)) {
        Purpose::Inbox => Role::Inbox,
        Purpose::Sent => Role::Sent,
        _ => Role::Other,
    };
    MailboxInfo { name: name.to_owned(), role }
}

/// Maildirs in plain directories, their names joined by `/`.
fn nested(path: &Path, above: &str, depth: usize, found: &mut Vec<Found>) -> io::Result<()> {
    for (name, directory) in directories(path)? {
        if name.starts_with('.') || ["cur", "new", "tmp"].contains(&name.as_str()) {
            continue;
        }
        let name = if above.is_empty() { name } else { format!("{above}/{name}") };
        if is_maildir(&directory)? {
            let (info, directory) = (info(&name, "/"), directory.clone());
            found.push(Found { info, delimiter: "/", directory });
        }
        if let Some(deeper) = depth.checked_sub(1) {
            nested(&directory, &name, deeper, found)?;
        }
    }
    Ok(())
}

/// Whether a directory is a Maildir; one that may not be looked into is an error, not none.
fn is_maildir(path: &Path) -> io::Result<bool> {
    Ok(is_directory(&path.join("cur"))? || is_directory(&path.join("new"))?)
}

fn is_directory(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.is_dir()),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The directories in a directory that have a name in UTF-8, links left out.
fn directories(path: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
}
