//! `keepwarm nudges report`: how many nudges there were, and whether they change anything.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::cli::output::{self, Align, Cell, Column, Format, Look, Table};
use crate::cli::{Failure, Printing, open};
use crate::nudge::effect::{Estimate, LEAST, Verdict};
use crate::pipeline::nudge::effect::{self, Arm, Report};

pub(super) fn report(path: &Path, printing: &Printing) -> Result<ExitCode, Failure> {
    let (_, db) = open(path)?;
    let report = effect::report(&db, printing.clock().now())?;
    output::to_stdout(|out| print(out, printing.format, &report))?;
    Ok(ExitCode::SUCCESS)
}

fn print(out: &mut dyn Write, format: Format, report: &Report) -> io::Result<()> {
    output::print(out, format, Look::of_stdout(), &table(report), report)?;
    if format != Format::Table {
        return Ok(());
    }
    for (title, arm) in [("sent", &report.nudged), ("held back", &report.held_back)] {
        writeln!(out, "{title:>10}: {}", came_back(arm))?;
    }
    writeln!(out, "\n{}", said(report))
}

/// Nudges by kind, with a column for each state.
fn table(report: &Report) -> Table {
    const STATES: [(&str, &str); 6] = [
        ("waiting", "waiting"),
        ("released", "sent"),
        ("held_back", "held back"),
        ("observed", "observed"),
        ("over_budget", "no room"),
        ("cancelled", "cancelled"),
    ];
    let column = |key, title, align| Column { key, title, align };
    let mut columns = vec![column("kind", "nudges", Align::Left)];
    columns.extend(STATES.map(|(key, title)| column(key, title, Align::Right)));
    let mut table = Table::new(&columns);
    for (kind, states) in &report.nudges {
        let mut row = vec![Cell::text(kind.replace('_', " "))];
        let count = |state: &str| states.get(state).copied().unwrap_or_default();
        row.extend(STATES.map(|(state, _)| Cell::text(count(state).to_string())));
        table.push(row);
    }
    table
}

fn came_back(arm: &Arm) -> String {
    let Arm { cases, came_back, share } = arm;
    match share {
        None => "none yet whose fourteen days have passed".to_owned(),
        Some(share) => {
            format!("{came_back} of {cases} came back within 14 days, {}", percent(share, "%"))
        }
    }
}

fn percent(estimate: &Estimate, unit: &str) -> String {
    let Estimate { value, low, high } = estimate;
    format!("{:.0} {unit} [{:.0} to {:.0}]", value * 100.0, low * 100.0, high * 100.0)
}

/// What can be said, in a sentence.
fn said(report: &Report) -> String {
    let difference = report.difference.as_ref().map(|one| percent(one, "points"));
    let difference = difference.unwrap_or_default();
    match report.verdict {
        Verdict::TooEarly => format!(
            "It is too early to tell what nudging changes: {} of at least {LEAST} cases were held \
             back, and {} of at least {LEAST} were sent.",
            report.held_back.cases, report.nudged.cases
        ),
        Verdict::NoDifference => format!(
            "Whether nudging changes anything cannot be told yet: the difference is {difference}, \
             and 0 is within."
        ),
        Verdict::Helps => {
            format!("Nudging brings people back more often: the difference is {difference}.")
        }
        Verdict::Harms => format!(
            "Those nudged come back less often than those held back: the difference is {difference}."
        ),
    }
}
