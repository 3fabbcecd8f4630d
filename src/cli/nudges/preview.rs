//! `keepwarm nudges preview`: what waits to be sent, and what will fall if nothing happens before.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use crate::cli::output::{self, Align, Cell, Column, Look, Table};
use crate::cli::{Failure, Printing, day, open};
use crate::daemon;
use crate::model::Span;
use crate::pipeline::nudge::view::{self, Ahead};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// So many days ahead
    #[arg(long, value_name = "N", default_value_t = 7)]
    days: u32,
    /// Of that rep only, by id
    #[arg(long, value_name = "ID")]
    rep: Option<String>,
    #[command(flatten)]
    printing: Printing,
}

pub(super) fn preview(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, db) = open(path)?;
    let now = arguments.printing.clock().now();
    let rules = daemon::rules_for_reading(&db, &config)?;
    let until = now + Span::from_days(i64::from(arguments.days));
    let mut found = view::ahead(&db, &rules, now, until)?;
    found.retain(|one| arguments.rep.as_ref().is_none_or(|rep| *rep == one.rep));
    let (format, look) = (arguments.printing.format, Look::of_stdout());
    output::to_stdout(|out| output::print(out, format, look, &table(&found), &found))?;
    Ok(ExitCode::SUCCESS)
}

fn table(found: &[Ahead]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("at", "at", Align::Right),
        column("state", "state", Align::Left),
        column("kind", "kind", Align::Left),
        column("rep", "rep", Align::Left),
        column("contact", "contact", Align::Left),
        column("organisation", "organisation", Align::Left),
        column("baseline", "baseline", Align::Right),
        column("nudge_id", "id", Align::Right),
    ]);
    for one in found {
        table.push(vec![
            Cell::text(day(Some(one.at))),
            Cell::text(one.state),
            Cell::text(one.kind.replace('_', " ")),
            Cell::text(&one.rep),
            Cell::text(&one.contact),
            Cell::text(&one.organisation),
            Cell::text(format!("{:.0}", one.baseline)),
            Cell::text(one.nudge_id.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
