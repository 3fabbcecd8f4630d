//! Commands that change something: done at once where no other process has the database open, else
//! by the daemon that has, which answers within about a second.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::{Failure, load, output, runtime};
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon;
use crate::pipeline::request::{self, Answer, Request};
use crate::store::request::Asker;
use crate::store::{Store, StoreError};

/// How long an answer is waited for: a commit of a first read may take some seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same of what looks at all that is stored.
const LONG: Duration = Duration::from_secs(600);
/// How often is looked for it.
const LOOK: Duration = Duration::from_millis(50);

/// Has a request done and tells what came of it.
pub(super) fn ask(path: &Path, asked: &Request) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    match answer(&config, asked)? {
        Answer::Done { said, change } => {
            let number = change.map_or_else(String::new, |n| {
                format!("\nchange {n}: `keepwarm contacts undo {n}` takes it back")
            });
            output::to_stdout(|out| writeln!(out, "{}{number}", output::clean(&said)))?;
            Ok(ExitCode::SUCCESS)
        }
        Answer::TakenOut { .. } => Ok(ExitCode::SUCCESS),
        Answer::Refused { why, hint } => Err(refused(&why, &hint)),
    }
}

/// What somebody is told whose request was refused.
pub(super) fn refused(why: &str, hint: &str) -> Failure {
    let hint = if hint.is_empty() { String::new() } else { format!("\nhint: {hint}") };
    Failure::Usage(format!("error: {}{hint}", output::clean(why)))
}

/// Does it, or waits until the process that has the database open has done it.
pub(super) fn answer(config: &Config, asked: &Request) -> Result<Answer, Failure> {
    if !config.store.path.exists() {
        return Err(StoreError::Missing { path: config.store.path.clone() }.into());
    }
    if let Some(done) = by_oneself(config, asked)? {
        return Ok(done);
    }
    let asker = Asker::open(&config.store.path)?;
    let id = asker.ask(&serde_json::to_string(asked)?, Clock::System.now())?;
    let began = Instant::now();
    let patience = match asked {
        Request::Rebuild {} | Request::Erase { .. } | Request::TakeOut { .. } => LONG,
        _ => PATIENCE,
    };
    while began.elapsed() < patience {
        std::thread::sleep(LOOK);
        if let Some(answer) = asker.answer(id)? {
            return Ok(serde_json::from_str(&answer)?);
        }
    }
    let withdrawn = asker.withdraw(id);
    if let Some(answer) = asker.answer(id)? {
        return Ok(serde_json::from_str(&answer)?);
    }
    if withdrawn.is_err() {
        return Err(Failure::Runtime(anyhow::anyhow!(
            "the process that has {} open is busy; what was asked may still be done\n\
             hint: `keepwarm contacts log` tells whether it was",
            config.store.path.display()
        )));
    }
    // Whoever had it open may have ended without an answer.
    by_oneself(config, asked)?.ok_or_else(|| {
        Failure::Runtime(anyhow::anyhow!(
            "the process that has {} open has not answered for {} s; nothing was changed\n\
             hint: a one-time pass answers nobody: ask again when it has ended; a daemon that does \
             not answer is of another version or hangs: restart it",
            config.store.path.display(),
            patience.as_secs()
        ))
    })
}

/// Does it, unless another process has the database open.
fn by_oneself(config: &Config, asked: &Request) -> Result<Option<Answer>, Failure> {
    let store = match Store::open(&config.store.path) {
        Ok(store) => store,
        Err(StoreError::InUse { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (config, asked, now) = (config.clone(), asked.clone(), Clock::System.now());
    let done = runtime()?.block_on(store.write(move |db| {
        let rules = daemon::rules_for_reading(db, &config)?;
        request::perform(db, &rules, &asked, now)
    }))?;
    Ok(Some(done))
}
