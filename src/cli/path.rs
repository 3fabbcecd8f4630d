//! `keepwarm path CONTACT`: who knows them best, and who could introduce whom.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::accounts::organisation;
use super::output::{self, Align, Cell, Column, Look, Table};
use super::relationships::known_rep;
use super::{Failure, Printing, open};
use crate::daemon;
use crate::normalise::address::canonical;
use crate::pipeline::paths::{self, Target, Ways};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The contact, by an address or by id (`con_…`); or anybody of an account, by its domain
    contact: String,
    /// Only ways for this rep, by id
    #[arg(long, value_name = "REP")]
    from: Option<String>,
    /// At most so many who know them, and so many ways by a colleague
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    printing: Printing,
}

pub(super) fn path(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let target = target(&arguments.contact)?;
    let (config, db) = open(path)?;
    if let Some(rep) = &arguments.from {
        known_rep(&config, rep)?;
    }
    let rules = daemon::rules_for_reading(&db, &config)?;
    let now = arguments.printing.clock().now();
    let asked = (arguments.from.as_deref(), arguments.limit);
    let Some(ways) = paths::ways(&db, &rules, &target, asked, now)? else {
        return Err(Failure::Runtime(anyhow::anyhow!(
            "there is no contact {}\nhint: `keepwarm relationships` lists them, and a domain means \
             anybody there",
            arguments.contact
        )));
    };
    let (format, look) = (arguments.printing.format, Look::of_stdout());
    output::to_stdout(|out| output::print(out, format, look, &table(&ways), &ways))?;
    Ok(ExitCode::SUCCESS)
}

fn target(named: &str) -> Result<Target, Failure> {
    if named.starts_with("con_") {
        return Ok(Target::Contact(named.to_owned()));
    }
    if let Some(address) = canonical(named) {
        return Ok(Target::Contact(address.to_string()));
    }
    organisation(named).map(Target::Account)
}

/// Those who know them and then the ways by a colleague, each the warmest first.
fn table(ways: &Ways) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("rep", "rep", Align::Left),
        column("via", "by way of", Align::Left),
        column("contact", "contact", Align::Left),
        column("organisation", "organisation", Align::Left),
        column("strength", "strength", Align::Right),
        column("to_colleague", "to colleague", Align::Right),
        column("to_contact", "to contact", Align::Right),
    ]);
    let number = |number: f64| Cell::number(format!("{number:.1}"));
    for one in &ways.knows {
        table.push(vec![
            Cell::text(&one.rep),
            Cell::empty(),
            Cell::text(&one.contact),
            Cell::text(&one.organisation),
            number(one.strength),
            Cell::empty(),
            number(one.strength),
        ]);
    }
    for one in &ways.paths {
        table.push(vec![
            Cell::text(&one.rep),
            Cell::text(&one.via),
            Cell::text(&one.contact),
            Cell::text(&one.organisation),
            number(one.strength),
            number(one.to_colleague),
            number(one.to_contact),
        ]);
    }
    table
}
