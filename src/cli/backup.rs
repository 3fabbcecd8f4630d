//! `keepwarm backup` and `keepwarm restore`: the database as one file, and back.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, load, output};
use crate::clock::Clock;
use crate::pipeline::care;
use crate::store::backup::{self, Holds, Restored};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Where the copy is to be; no file is written over
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// What `keepwarm backup` made, or an upgrade left beside the database
    file: PathBuf,
}

pub(super) fn backup(path: &Path, arguments: &Backup) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let holds = backup::copy(&config.store.path, &arguments.file)?;
    say(&format!("{} holds {}", arguments.file.display(), told(&holds)))
}

pub(super) fn restore(path: &Path, arguments: &Restore) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let store = &config.store.path;
    let Restored { holds, aside } = backup::restore(store, &arguments.file, |db, before| {
        care::erase_again(db, before, Clock::System.now()).map(drop)
    })?;
    let before = aside.map_or_else(String::new, |aside| {
        format!("\nwhat was there before is kept as {}", aside.display())
    });
    let what = told(&holds);
    say(&format!(
        "{} is now what {} held: {what}\nwhat it lacks is read from the sources when the daemon \
         starts{before}",
        store.display(),
        arguments.file.display(),
    ))
}

fn told(holds: &Holds) -> String {
    let Holds { schema, bytes, messages, last_at } = holds;
    let last = last_at.map_or_else(String::new, |at| format!(", the latest of {at}"));
    format!("{messages} messages{last} ({bytes} bytes, schema {schema}, sound)")
}

fn say(text: &str) -> Result<ExitCode, Failure> {
    output::to_stdout(|out| writeln!(out, "{text}"))?;
    Ok(ExitCode::SUCCESS)
}
