//! `keepwarm accounts`: which accounts have enough strong people, and who could become one.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::output::{self, Align, Cell, Column, Format, Look, Table, Tone};
use super::{Failure, Printing, open};
use crate::daemon;
use crate::normalise::account::registrable;
use crate::normalise::address::ascii_domain;
use crate::pipeline::accounts::{self, Shown, Somebody};

/// People named in a table as the closest; JSON has all that are missing.
const CLOSEST: usize = 2;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only the account of this domain, with everybody there
    #[arg(long, value_name = "DOMAIN")]
    account: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    printing: Printing,
}

pub(super) fn accounts(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let domain = arguments.account.as_deref().map(organisation).transpose()?;
    let (config, db) = open(path)?;
    let rules = daemon::rules_for_reading(&db, &config)?;
    let now = arguments.printing.clock().now();
    let shown = match &domain {
        Some(domain) => vec![accounts::one(&db, &rules, domain, now)?],
        None => accounts::all(&db, &rules, arguments.limit, now)?,
    };
    let format = arguments.printing.format;
    let people = shown.iter().find_map(|account| account.contacts.as_ref());
    output::to_stdout(|out| {
        let look = Look::of_stdout();
        match (people, format) {
            (Some(people), Format::Csv) => {
                output::print(out, format, look, &people_table(people, arguments.limit), &shown)
            }
            (Some(people), Format::Table) => {
                output::print(out, format, look, &table(&shown), &shown)?;
                writeln!(out)?;
                output::print(out, format, look, &people_table(people, arguments.limit), &shown)
            }
            _ => output::print(out, format, look, &table(&shown), &shown),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The organisation of a domain that was given as an argument.
pub(super) fn organisation(domain: &str) -> Result<String, Failure> {
    let known = ascii_domain(domain);
    known.map(|domain| registrable(&domain).to_owned()).ok_or_else(|| {
        let hint = "hint: an account is named by a domain such as acme.example";
        Failure::Usage(format!("error: `{domain}` is no domain\n{hint}"))
    })
}

fn table(shown: &[Shown]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("account", "account", Align::Left),
        column("name", "name", Align::Left),
        column("strong", "strong", Align::Right),
        column("target", "of", Align::Right),
        column("people", "people", Align::Right),
        column("breadth", "breadth", Align::Right),
        column("strength", "strength", Align::Right),
        column("largest_share", "largest", Align::Right),
        column("single_threaded", "thread", Align::Left),
        column("closest", "closest to strong", Align::Left),
    ]);
    for one in shown {
        let tone = if one.missing == 0 { Tone::Good } else { Tone::Warning };
        let closest: Vec<String> = one.closest.iter().take(CLOSEST).map(named).collect();
        table.push(vec![
            Cell::text(&one.account),
            Cell::text(if one.name == one.account { "" } else { &one.name }),
            Cell::number(one.strong.to_string()).toned(tone),
            Cell::number(one.target.to_string()),
            Cell::number(one.people.to_string()),
            Cell::number(format!("{:.1}", one.breadth)),
            Cell::number(format!("{:.1}", one.strength)),
            Cell::number(format!("{:.0} %", 100.0 * one.largest_share)),
            Cell::text(one.single_threaded.unwrap_or_default().replace('_', " ")),
            Cell::text(closest.join(", ")),
        ]);
    }
    table
}

fn named(person: &Somebody) -> String {
    format!("{} {:.0} ({})", person.contact, person.strength, person.rep)
}

fn people_table(people: &[Somebody], limit: Option<usize>) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("contact", "contact", Align::Left),
        column("organisation", "organisation", Align::Left),
        column("rep", "closest rep", Align::Left),
        column("strength", "strength", Align::Right),
        column("band", "band", Align::Left),
    ]);
    for one in people.iter().take(limit.unwrap_or(usize::MAX)) {
        table.push(vec![
            Cell::text(&one.contact),
            Cell::text(&one.organisation),
            Cell::text(&one.rep),
            Cell::number(format!("{:.1}", one.strength)),
            Cell::text(one.band),
        ]);
    }
    table
}
