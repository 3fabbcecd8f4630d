//! `keepwarm contacts log`: every change of who is one with whom.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::open;
use crate::cli::output::{self, Align, Cell, Column, Look, Table};
use crate::cli::{Failure, Printing, day};
use crate::model::Timestamp;
use crate::store::{Db, StoreError, contact, identity};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    printing: Printing,
}

/// A change, shown. The names of its fields are a contract.
#[derive(Debug, Serialize)]
struct Shown {
    change: i64,
    at: Timestamp,
    by: &'static str,
    what: &'static str,
    addresses: Vec<String>,
    evidence: String,
    undone_at: Option<Timestamp>,
}

pub(super) fn log(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (_, db) = open(path)?;
    let now = arguments.printing.clock().now();
    let changes = identity::all(&db, now, arguments.limit)?;
    let shown: Vec<Shown> =
        changes.into_iter().map(|change| show(&db, change, now)).collect::<Result<_, _>>()?;
    let (format, look) = (arguments.printing.format, Look::of_stdout());
    output::to_stdout(|out| output::print(out, format, look, &table(&shown), &shown))?;
    Ok(ExitCode::SUCCESS)
}

fn show(db: &Db, change: identity::Change, now: Timestamp) -> Result<Shown, StoreError> {
    let mut addresses = Vec::new();
    for address in identity::addresses(db, change.id)? {
        addresses.extend(contact::address_of(db, address)?);
    }
    addresses.sort_unstable();
    Ok(Shown {
        change: change.id,
        at: change.at,
        by: change.by.code(),
        what: change.saying.code(),
        addresses,
        evidence: change.evidence,
        undone_at: change.undone_at.filter(|at| *at <= now),
    })
}

fn table(shown: &[Shown]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("change", "change", Align::Right),
        column("at", "said", Align::Right),
        column("by", "by", Align::Left),
        column("what", "what", Align::Left),
        column("addresses", "addresses", Align::Left),
        column("evidence", "evidence", Align::Left),
        column("undone_at", "taken back", Align::Right),
    ]);
    for one in shown {
        table.push(vec![
            Cell::number(one.change.to_string()),
            Cell::text(day(Some(one.at))),
            Cell::text(one.by),
            Cell::text(one.what),
            Cell::text(one.addresses.join(" ")),
            Cell::text(&one.evidence),
            Cell::text(day(one.undone_at)),
        ]);
    }
    table
}
