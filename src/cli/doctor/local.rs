//! What is on this machine: the files that the configuration names, the database, its disk.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Checked, Verdict};
use crate::config::{self, Config, Place, Severity};
use crate::store::{Db, StoreError, nudging, open_reader, report};

/// Less free space than this is a failure: commits begin to be refused soon.
const SPACE_LEAST: u64 = 100 << 20;
/// Less than this is a warning: a first read of a large company takes some gigabytes.
const SPACE_LITTLE: u64 = 2 << 30;

/// Bits of a mode by which others than the owner read or write.
const OTHERS: u32 = 0o077;

/// What `keepwarm check` finds: secrets, files and their modes.
pub(super) fn configuration(config: &Config) -> Vec<Checked> {
    let problems = config::check(config);
    if problems.is_empty() {
        let found = format!("{} files, all that they name is there", config.files.len());
        return vec![Checked::new("configuration", "files", Verdict::Ok, found)];
    }
    let told = problems.into_iter().map(|problem| {
        let result = match problem.severity {
            Severity::Error => Verdict::Failed,
            Severity::Warning => Verdict::Warning,
        };
        let subject = match problem.place.as_deref() {
            Some(Place::Setting(name)) => format!("configuration, {name}"),
            _ => "configuration".to_owned(),
        };
        let checked = Checked::new(&subject, "files", result, problem.message);
        checked.hint(problem.hint.unwrap_or_else(|| "`keepwarm check` says where".to_owned()))
    });
    told.collect()
}

/// The database, its directory and its disk.
pub(super) fn database(config: &Config) -> Vec<Checked> {
    let path = &config.store.path;
    let mut checks = vec![space(path)];
    match open_reader(path) {
        Ok(db) => {
            checks.push(integrity(&db));
            checks.push(mode(path));
            checks.extend(clock(&db));
        }
        Err(StoreError::Missing { .. }) => {
            let found = "there is none yet: `keepwarm run` makes it";
            checks.push(Checked::new("database", "integrity", Verdict::Skipped, found));
        }
        Err(error @ StoreError::Older { .. }) => {
            let checked =
                Checked::new("database", "integrity", Verdict::Warning, error.to_string());
            checks.push(checked.hint("`keepwarm run` brings it up to date"));
        }
        Err(error) => {
            let hint = "run this as the user keepwarm; of a damaged file restore the last backup";
            checks.push(Checked::failed("database", "integrity", &error.to_string(), hint));
        }
    }
    checks
}

fn integrity(db: &Db) -> Checked {
    let wrong = match report::integrity(db) {
        Ok(wrong) if wrong.is_empty() => {
            let found = "every page and index is sound";
            return Checked::new("database", "integrity", Verdict::Ok, found);
        }
        Ok(wrong) => wrong.join("; "),
        Err(error) => error.to_string(),
    };
    let hint = "stop the daemon, keep the file, and restore the last backup";
    Checked::failed("database", "integrity", &wrong, hint)
}

fn mode(path: &Path) -> Checked {
    let bits = std::fs::metadata(path).map(|file| file.permissions().mode() & 0o777);
    match bits {
        Ok(bits) if bits & OTHERS == 0 => {
            Checked::new("database", "mode", Verdict::Ok, format!("mode {bits:o}"))
        }
        Ok(bits) => {
            let found =
                format!("others than its owner can open {} (mode {bits:o})", path.display());
            let hint = format!("chmod 600 {}", path.display());
            Checked::new("database", "mode", Verdict::Failed, found).hint(hint)
        }
        Err(error) => {
            Checked::failed("database", "mode", &error.to_string(), "look at its directory")
        }
    }
}

/// Room on the disk where the database is or will be.
fn space(path: &Path) -> Checked {
    let there = path.ancestors().skip(1).find(|directory| directory.is_dir());
    let there = there.unwrap_or_else(|| Path::new("/"));
    let told = match rustix::fs::statvfs(there) {
        Ok(told) => told,
        Err(error) => {
            let hint = "is the file system mounted?";
            return Checked::failed("database", "disk", &error.to_string(), hint);
        }
    };
    let free = told.f_bavail.saturating_mul(told.f_frsize);
    let found = format!("{} MiB are free at {}", free >> 20, there.display());
    let hint = "make room, or move the database (store.path) to a larger disk";
    match free {
        ..SPACE_LEAST => Checked::new("database", "disk", Verdict::Failed, found).hint(hint),
        SPACE_LEAST..SPACE_LITTLE => {
            Checked::new("database", "disk", Verdict::Warning, found).hint(hint)
        }
        _ => Checked::new("database", "disk", Verdict::Ok, found),
    }
}

/// Whether the clock has jumped, by what is stored.
fn clock(db: &Db) -> Option<Checked> {
    nudging::get(db).ok()??.jumped?;
    let found = "this machine's clock does not fit what is stored: nothing is nudged";
    let hint = "set the clock right (timedatectl), then `keepwarm nudges resume`";
    Some(Checked::new("database", "clock", Verdict::Failed, found).hint(hint))
}
