//! `keepwarm demo`: plays the embedded sample and tells what happened.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::output::{self, Look, Table};
use super::relationships::table;
use super::{Failure, clock, nudges, runtime};
use crate::config::{self, Config};
use crate::daemon;
use crate::demo::stage::{self, Played};
use crate::model::{Span, Timestamp};
use crate::normalise::LeftOut;
use crate::pipeline::view::{self, Filter, Shown};
use crate::store::report::Totals;
use crate::store::{Db, open_reader, report};

/// Relationships shown of each kind.
const SHOWN: usize = 8;
/// The story lasts two years, and mail is not older than 1980.
const EARLIEST: Timestamp = Timestamp::from_seconds(631_152_000); // 1990-01-01
/// What falls within this time is shown as decaying.
const SOON: Span = Span::from_days(14);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The day on which the story ends (RFC 3339); the same instant gives the same result
    #[arg(long, value_name = "INSTANT")]
    now: Option<Timestamp>,
    /// A new directory for the sample and the database; a temporary one if not given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Everything that is told, loaded.
struct Told {
    played: Played,
    totals: Totals,
    left_out: Vec<(String, i64)>,
    strongest: Vec<Shown>,
    decaying: Vec<Shown>,
    nudges: Vec<nudges::Shown>,
}

pub(super) fn demo(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let now = clock(arguments.now).now();
    if now < EARLIEST {
        let hint = "hint: the story is one of e-mail: let it end after 1990";
        return Err(Failure::Usage(format!("error: --now {now} is too early\n{hint}")));
    }
    let dir = arguments.dir.clone().unwrap_or_else(temporary);
    if dir.exists() {
        return Err(Failure::Usage(format!(
            "error: {} exists already\nhint: name a directory that does not, or leave --dir out",
            dir.display()
        )));
    }
    let runtime = runtime()?;
    let played = runtime.block_on(stage::play(&dir, now)).map_err(Failure::Runtime)?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    let told = gather(played, now)?;
    output::to_stdout(|out| tell(out, &told, now, &dir))?;
    Ok(ExitCode::SUCCESS)
}

/// A name that nobody else uses, in the directory for temporary files.
fn temporary() -> PathBuf {
    let unique = crate::clock::Clock::System.now().millis();
    std::env::temp_dir().join(format!("keepwarm-demo-{}-{unique}", std::process::id()))
}

fn gather(played: Played, now: Timestamp) -> Result<Told, Failure> {
    let config: Config = config::load(&played.config, std::iter::empty())
        .map_err(|problems| Failure::Usage(problems.to_string()))?;
    let db: Db = open_reader(&config.store.path)?;
    let rules = daemon::rules_for_reading(&db, &config)?;
    let all = view::relationships(&db, &rules, &Filter::default(), now)?;
    let strongest = all.iter().take(SHOWN).cloned().collect();
    let mut decaying: Vec<Shown> = all.into_iter().filter(|shown| decays(shown, now)).collect();
    decaying.sort_by(|a, b| b.baseline.total_cmp(&a.baseline));
    decaying.truncate(SHOWN);
    Ok(Told {
        played,
        totals: report::totals(&db, now)?,
        left_out: report::left_out(&db, now)?,
        strongest,
        decaying,
        nudges: nudges::list(&db, &rules, now, usize::MAX)?,
    })
}

/// Whether a relationship that mattered has fallen lately, or falls soon.
fn decays(shown: &Shown, now: Timestamp) -> bool {
    let lately = now - Span::from_days(60);
    shown.baseline >= 30.0 && shown.falls_at.is_some_and(|at| at > lately && at < now + SOON)
}

fn tell(out: &mut dyn Write, told: &Told, now: Timestamp, dir: &Path) -> std::io::Result<()> {
    let sample = &told.played.sample;
    writeln!(
        out,
        "The sample: {} reps of {} and {} people they deal with, {} messages and {} calendar \
         entries\nover two years up to {now} (written in {:.1} s, read, scored and nudged in \
         {:.1} s).\n",
        sample.reps.len(),
        sample.domains.join(", "),
        sample.contacts,
        sample.messages,
        sample.events,
        told.played.wrote.as_secs_f64(),
        told.played.read.as_secs_f64(),
    )?;
    let totals = &told.totals;
    writeln!(
        out,
        "Read: {} messages, each once however many copies there are, and {} meetings.\n\
         They came to {} interactions in {} relationships.\n",
        totals.messages, totals.meetings, totals.interactions, totals.relationships
    )?;
    writeln!(out, "Left out, because it tells nothing about a relationship:")?;
    for (reason, count) in &told.left_out {
        writeln!(out, "{count:>8}  {}", LeftOut::describe(reason))?;
    }
    section(out, "The strongest relationships:", &table(&told.strongest))?;
    section(
        out,
        "Decaying: half of what the score is made of is gone, or will be within two weeks:",
        &table(&told.decaying),
    )?;
    tell_nudges(out, told)?;
    tell_next(out, told, dir)
}

fn section(out: &mut dyn Write, title: &str, table: &Table) -> std::io::Result<()> {
    writeln!(out, "\n{title}")?;
    output::print(out, output::Format::Table, Look::of_stdout(), table, &())
}

fn tell_nudges(out: &mut dyn Write, told: &Told) -> std::io::Result<()> {
    let deliveries = &told.played.deliveries;
    let accepted = deliveries.iter().filter(|delivery| delivery.accepted).count();
    let retried = deliveries.iter().filter(|delivery| delivery.attempts > 1).count();
    writeln!(
        out,
        "\nNudges: {} made, {accepted} delivered to a receiver on loopback that verified each \
         signature\nand failed the first request ({retried} tried again):",
        told.nudges.len()
    )?;
    for nudge in &told.nudges {
        let rep = output::clean(&nudge.rep);
        let contact = output::clean(&nudge.contact);
        writeln!(out, "\n  to {rep} about {contact} ({})", nudge.organisation)?;
        for reason in &nudge.reasons {
            writeln!(out, "    {}", output::clean(&reason.text))?;
        }
        if let Some(suggestion) = &nudge.suggestion {
            writeln!(out, "    → {}", output::clean(suggestion))?;
        }
    }
    Ok(())
}

fn tell_next(out: &mut dyn Write, told: &Told, dir: &Path) -> std::io::Result<()> {
    let config = quoted(&told.played.config);
    let address = told
        .strongest
        .first()
        .and_then(|shown| Some((shown.rep.clone(), shown.addresses.first()?.clone())));
    writeln!(out, "\nTry next (`keepwarm` is the binary in target/release):")?;
    if let Some((rep, address)) = address {
        writeln!(out, "  keepwarm explain {rep} {address} --config {config}")?;
    }
    writeln!(out, "  keepwarm relationships --min-strength 30 --format csv --config {config}")?;
    writeln!(out, "  keepwarm status --config {config}")?;
    writeln!(out, "  rm -r {}   # when you have seen enough", quoted(dir))?;
    writeln!(out, "For your own mail, begin with config/default.toml and `keepwarm check`.")
}

/// A path as a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
