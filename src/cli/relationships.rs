//! `keepwarm relationships`: who is how close to whom, as of any day.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::accounts::organisation;
use super::output::{self, Align, Cell, Column, Format, Look, Table, Tone};
use super::{Failure, Printing, day, open};
use crate::config::Config;
use crate::daemon;
use crate::pipeline::view::{self, Detail, Filter, Shown};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only those of this rep, by id
    #[arg(long, value_name = "REP")]
    rep: Option<String>,
    /// Only those with people of this account or organisation
    #[arg(long, value_name = "DOMAIN")]
    account: Option<String>,
    /// Only those at least so strong (0 to 100)
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    min_strength: f64,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    printing: Printing,
}

pub(super) fn relationships(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, db) = open(path)?;
    if let Some(rep) = &arguments.rep {
        known_rep(&config, rep)?;
    }
    let rules = daemon::rules_for_reading(&db, &config)?;
    let account = arguments.account.as_deref().map(organisation).transpose()?;
    let account = account.map(|domain| rules.accounts.get(&domain));
    let filter = Filter {
        rep: arguments.rep.clone(),
        organisations: account.map(|account| account.domains),
        min_strength: arguments.min_strength,
        limit: arguments.limit,
        detail: match arguments.printing.format {
            Format::Json => Detail::Engagement,
            Format::Table | Format::Csv => Detail::State,
        },
    };
    let now = arguments.printing.clock().now();
    let shown = view::relationships(&db, &rules, &filter, now)?;
    let format = arguments.printing.format;
    output::to_stdout(|out| output::print(out, format, Look::of_stdout(), &table(&shown), &shown))?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses a rep that the configuration does not name.
pub(super) fn known_rep(config: &Config, rep: &str) -> Result<(), Failure> {
    if config.reps.iter().any(|known| known.id == rep) {
        return Ok(());
    }
    let known: Vec<&str> = config.reps.iter().map(|rep| rep.id.as_str()).collect();
    let known = known.join(", ");
    Err(Failure::Usage(format!("error: there is no rep `{rep}`\nhint: the reps are {known}")))
}

/// The table of a list of relationships.
pub(super) fn table(shown: &[Shown]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("rep", "rep", Align::Left),
        column("contact", "contact", Align::Left),
        column("organisation", "organisation", Align::Left),
        column("strength", "strength", Align::Right),
        column("band", "band", Align::Left),
        column("baseline", "best", Align::Right),
        column("outbound", "out", Align::Right),
        column("inbound", "in", Align::Right),
        column("meetings", "met", Align::Right),
        column("last_at", "last", Align::Right),
        column("falls_at", "falls", Align::Right),
    ]);
    for one in shown {
        let last = one.last_outbound_at.max(one.last_inbound_at).max(one.last_meeting_at);
        let tone = match one.band {
            "strong" | "good" => Tone::Good,
            "fair" => Tone::Plain,
            _ => Tone::Faint,
        };
        table.push(vec![
            Cell::text(&one.rep),
            Cell::text(&one.contact),
            Cell::text(&one.organisation),
            Cell::number(format!("{:.1}", one.strength)),
            Cell::text(one.band).toned(tone),
            Cell::number(format!("{:.1}", one.baseline)),
            Cell::number(one.outbound.to_string()),
            Cell::number(one.inbound.to_string()),
            Cell::number(one.meetings.to_string()),
            Cell::text(day(last)),
            Cell::text(day(one.falls_at)),
        ]);
    }
    table
}
