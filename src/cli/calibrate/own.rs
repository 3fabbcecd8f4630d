//! `keepwarm calibrate`: puts the hazard right by what came after the silences that are stored.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::super::output::{self, Align, Cell, Column, Format, Look, Table};
use super::super::{Failure, Printing, day, open, runtime};
use crate::backtest::pasts;
use crate::config::Config;
use crate::daemon;
use crate::pipeline::history;
use crate::score::calibration::{
    Counts, Judged, LEAST_INSTANTS, LEAST_OF_EACH, LEAST_RELATIONSHIPS, Line, Outcome, calibrate,
};
use crate::score::hazard::SHIPPED;
use crate::store::calibration::{self, Stored};
use crate::store::{Db, Store, StoreError};

/// What was done, and why.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// `calibrated`, `would_calibrate`, `no_better`, `too_few`, `undone` or `nothing_to_undo`.
    outcome: &'static str,
    /// The same in words, with what to do.
    #[serde(skip)]
    said: String,
    instants: Option<usize>,
    /// Those that 30 days without contact followed.
    silent: Option<usize>,
    relationships: Option<usize>,
    slope: Option<f64>,
    intercept: Option<f64>,
    /// Whether the fit lay outside of what is trusted.
    bounded: Option<bool>,
    loss_before: Option<f64>,
    loss_after: Option<f64>,
}

/// Fits a line to what is stored, and keeps it if it foretells better than what is in force.
pub(super) fn apply(path: &Path, printing: &Printing, dry_run: bool) -> Result<ExitCode, Failure> {
    let (config, db) = open(path)?;
    let rules = daemon::rules_for_reading(&db, &config)?;
    let now = printing.clock().now();
    let log = history::log(&db, &rules, now)?;
    let pasts = pasts(&log, &SHIPPED, &rules.parameters, &rules.policy, now);
    let in_force = calibration::in_force(&db)?
        .map_or(Line::NONE, |stored| Line { slope: stored.slope, intercept: stored.intercept });
    let counts = Counts::of(&pasts);
    let report = match calibrate(&pasts, in_force) {
        Outcome::TooFew => Report { outcome: "too_few", said: lacking(&counts), ..known(&counts) },
        Outcome::NoBetter(judged) => {
            let said = "nothing is changed: what is in force foretells as well".to_owned();
            Report { outcome: "no_better", said, ..of(&counts, &judged) }
        }
        Outcome::Better(judged) if dry_run => {
            let said =
                "without --dry-run the line would be kept, and in force from the next start \
                        of the service on"
                    .to_owned();
            Report { outcome: "would_calibrate", said, ..of(&counts, &judged) }
        }
        Outcome::Better(judged) => {
            let new = Stored {
                at: now,
                instants: u32::try_from(counts.instants).unwrap_or(u32::MAX),
                slope: judged.line.slope,
                intercept: judged.line.intercept,
                loss_before: judged.loss_before,
                loss_after: judged.loss_after,
            };
            write(&config, move |db| calibration::add(db, &new))?;
            let said = "the line is kept, and in force from the next start of the service on; \
                        `keepwarm calibrate --undo` takes it back"
                .to_owned();
            Report { outcome: "calibrated", said, ..of(&counts, &judged) }
        }
    };
    output::to_stdout(|out| print(out, printing.format, &report))?;
    Ok(ExitCode::SUCCESS)
}

/// Takes the calibration in force back.
pub(super) fn undo(path: &Path, printing: &Printing) -> Result<ExitCode, Failure> {
    // Opened for reading first: undoing makes no database and upgrades none.
    let (config, _) = open(path)?;
    let now = printing.clock().now();
    let report = match write(&config, move |db| calibration::undo(db, now))? {
        None => Report {
            outcome: "nothing_to_undo",
            said: "nothing is changed: no calibration is in force".to_owned(),
            ..Report::default()
        },
        Some(undone) => Report {
            outcome: "undone",
            said: format!(
                "the calibration of {} is taken back, from the next start of the service on",
                day(Some(undone.at))
            ),
            instants: usize::try_from(undone.instants).ok(),
            slope: Some(undone.slope),
            intercept: Some(undone.intercept),
            loss_before: Some(undone.loss_before),
            loss_after: Some(undone.loss_after),
            ..Report::default()
        },
    };
    output::to_stdout(|out| print(out, printing.format, &report))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes where no daemon has the database open.
fn write<T: Send + 'static>(
    config: &Config,
    job: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Failure> {
    let store = Store::open(&config.store.path).map_err(|error| match error {
        StoreError::InUse { path } => Failure::Runtime(anyhow::anyhow!(
            "{} is in use by another keepwarm process; nothing is changed\n\
             hint: stop the service, run this again, and start it; `calibrate --dry-run` needs no \
             stop",
            path.display()
        )),
        error => Failure::Runtime(error.into()),
    })?;
    Ok(runtime()?.block_on(store.write(job))?)
}

/// What there is too little of.
fn lacking(counts: &Counts) -> String {
    let heard = counts.instants - counts.silent;
    let wanted = [
        (counts.instants, LEAST_INSTANTS, "instants of the past"),
        (counts.relationships, LEAST_RELATIONSHIPS, "relationships"),
        (counts.silent, LEAST_OF_EACH, "instants before 30 silent days"),
        (heard, LEAST_OF_EACH, "instants before contact"),
    ];
    let mut lacks: Vec<String> = wanted
        .into_iter()
        .filter(|(is, least, _)| is < least)
        .map(|(is, least, what)| format!("{is} of {least} {what}"))
        .collect();
    if lacks.is_empty() {
        lacks.push("half of the relationships know one outcome alone".to_owned());
    }
    format!("nothing is changed: there is too little to learn from ({})", lacks.join(", "))
}

fn known(counts: &Counts) -> Report {
    let Counts { instants, silent, relationships } = *counts;
    Report {
        instants: Some(instants),
        silent: Some(silent),
        relationships: Some(relationships),
        ..Report::default()
    }
}

fn of(counts: &Counts, judged: &Judged) -> Report {
    let Judged { line, bounded, loss_before, loss_after } = *judged;
    Report {
        slope: Some(line.slope),
        intercept: Some(line.intercept),
        bounded: Some(bounded),
        loss_before: Some(loss_before),
        loss_after: Some(loss_after),
        ..known(counts)
    }
}

fn print(out: &mut dyn Write, format: Format, report: &Report) -> std::io::Result<()> {
    if format == Format::Table {
        writeln!(out, "{}", report.said)?;
        if report.bounded == Some(true) {
            writeln!(out, "the fit was held within what is trusted (README.md, The model)")?;
        }
        writeln!(out)?;
    }
    output::print(out, format, Look::of_stdout(), &table(report), report)
}

fn table(report: &Report) -> Table {
    let right = |key, title| Column { key, title, align: Align::Right };
    let mut table = Table::new(&[
        Column { key: "outcome", title: "outcome", align: Align::Left },
        right("instants", "instants"),
        right("silent", "silent"),
        right("relationships", "relationships"),
        right("slope", "slope"),
        right("intercept", "intercept"),
        right("loss_before", "log loss before"),
        right("loss_after", "after"),
    ]);
    let count = |count: Option<usize>| {
        Cell::number(count.map_or_else(|| "-".to_owned(), |count| count.to_string()))
    };
    let number = |figure: Option<f64>| {
        Cell::number(figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.4}")))
    };
    table.push(vec![
        Cell::text(report.outcome),
        count(report.instants),
        count(report.silent),
        count(report.relationships),
        number(report.slope),
        number(report.intercept),
        number(report.loss_before),
        number(report.loss_after),
    ]);
    table
}
