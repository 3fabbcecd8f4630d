//! `keepwarm doctor`: tries every connection and permission, and says of each failure what to do.
//!
//! Goes the way of the daemon: sources are tried by their adapters, endpoints by a signed message
//! that says that it is a test. Writes nothing to the database, and can be run beside the daemon.
//! What each part looks at is left to the files beside this one.

mod endpoint;
mod local;
mod login;
mod network;
mod source;

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use futures_util::StreamExt as _;
use serde::Serialize;

use super::output::{self, Align, Cell, Column, Format, Look, Table, Tone};
use super::{Failure, load, runtime};
use crate::config::Config;
use crate::http;

/// Sources and endpoints tried at a time: enough not to wait for each, too few to look like an attack.
const AT_ONCE: usize = 8;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only this source; of one for all reps all, or one of them: `mail` or `mail/ann`
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Post no test message to the endpoints
    #[arg(long)]
    no_post: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What came of one check. The names of its fields are a contract.
#[derive(Clone, Debug, Serialize)]
struct Checked {
    /// What was looked at: `source ann-mail`, `endpoint crm`, `database`, `configuration`.
    subject: String,
    /// What about it, by one word.
    check: &'static str,
    result: Verdict,
    /// What was found, in words.
    found: String,
    /// What to do.
    hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Warning,
    Failed,
    /// It makes no sense after what has failed before, or where it does not apply.
    Skipped,
}

pub(super) fn doctor(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let sources = chosen(&config, arguments.source.as_deref())?;
    http::install_crypto();
    let everything = arguments.source.is_none();
    let mut checks = Vec::new();
    if everything {
        checks.extend(local::configuration(&config));
        checks.extend(local::database(&config));
    }
    checks.extend(runtime()?.block_on(async {
        let tried = sources.iter().map(|found| source::check(&config, found));
        let mut all: Vec<Checked> =
            futures_util::stream::iter(tried).buffered(AT_ONCE).collect::<Vec<_>>().await.concat();
        if everything {
            let post = if arguments.no_post { endpoint::Post::No } else { endpoint::Post::Yes };
            let tried = config.endpoints.iter().map(|found| endpoint::check(&config, found, post));
            let tried = futures_util::stream::iter(tried).buffered(AT_ONCE);
            all.extend(tried.collect::<Vec<_>>().await.concat());
        }
        all
    }));
    print(&checks, arguments.format)?;
    let failed = checks.iter().any(|one| one.result == Verdict::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The source of that name, or all.
fn chosen<'a>(
    config: &'a Config,
    name: Option<&str>,
) -> Result<Vec<&'a crate::config::Source>, Failure> {
    let all = config.sources.iter();
    let is = |found: &str, name: &str| {
        let rest = found.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let chosen: Vec<_> = all.filter(|one| name.is_none_or(|name| is(&one.name, name))).collect();
    match name {
        Some(name) if chosen.is_empty() => {
            let names: Vec<&str> = config.sources.iter().map(|one| one.name.as_str()).collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let message = format!("error: there is no source {name}\nhint: there is {there}");
            Err(Failure::Usage(message))
        }
        _ => Ok(chosen),
    }
}

fn print(checks: &[Checked], format: Format) -> Result<(), Failure> {
    output::to_stdout(|out| {
        output::print(out, format, Look::of_stdout(), &table(checks), &checks)
    })?;
    if format != Format::Table {
        return Ok(());
    }
    for one in checks {
        if let Some(hint) = &one.hint {
            output::note(&format!("hint: {}, {}: {hint}", one.subject, one.check));
        }
    }
    let count = |result| checks.iter().filter(|one| one.result == result).count();
    let (failed, warnings) = (count(Verdict::Failed), count(Verdict::Warning));
    output::note(&format!("{} checks: {failed} failed, {warnings} warnings", checks.len()));
    Ok(())
}

fn table(checks: &[Checked]) -> Table {
    let column = |key, title| Column { key, title, align: Align::Left };
    let mut table = Table::new(&[
        column("subject", "subject"),
        column("check", "check"),
        column("result", "result"),
        column("found", "found"),
    ]);
    for one in checks {
        let (word, tone) = match one.result {
            Verdict::Ok => ("ok", Tone::Good),
            Verdict::Warning => ("warning", Tone::Warning),
            Verdict::Failed => ("failed", Tone::Bad),
            Verdict::Skipped => ("-", Tone::Faint),
        };
        table.push(vec![
            Cell::text(&one.subject),
            Cell::text(one.check),
            Cell::text(word).toned(tone),
            Cell::text(&one.found),
        ]);
    }
    table
}

impl Checked {
    fn new(subject: &str, check: &'static str, result: Verdict, found: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), check, result, found: found.into(), hint: None }
    }

    /// The same, with what to do. Many errors bring that themselves, after `hint:`.
    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A failure, by an error that may bring its own hint.
    fn failed(subject: &str, check: &'static str, error: &str, otherwise: &str) -> Self {
        let parts = error.split_once("; hint: ").or_else(|| error.split_once(" (hint: "));
        let (found, hint) = parts.unwrap_or((error, otherwise));
        let hint = if error.contains(" (hint: ") { hint.trim_end_matches(')') } else { hint };
        Self::new(subject, check, Verdict::Failed, found).hint(hint)
    }
}
