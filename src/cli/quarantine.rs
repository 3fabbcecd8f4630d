//! `keepwarm quarantine`: what could not be read of mailboxes and calendars, why, and to try it again.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::{self, Align, Cell, Column, Look, Table};
use super::{Failure, Printing, ask, day, open};
use crate::model::Timestamp;
use crate::pipeline::request::Request;
use crate::store::quarantine::{self, Chosen, Listed};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: Listing,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Items put aside, the latest first (also without this word)
    List(Listing),
    /// Have items read again in the next pass over their source
    Retry(Wanted),
}

#[derive(Debug, Args)]
struct Listing {
    /// Of this source only
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    printing: Printing,
}

#[derive(Debug, Args)]
struct Wanted {
    /// Everything that is put aside
    #[arg(long, conflicts_with_all = ["source", "mailbox", "item"])]
    all: bool,
    /// Of this source
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    source: Option<String>,
    /// Of this mailbox
    #[arg(long, value_name = "NAME", requires = "source")]
    mailbox: Option<String>,
    /// The item of this number
    #[arg(long, value_name = "N", requires = "mailbox", allow_hyphen_values = true)]
    item: Option<i64>,
}

/// An item, shown. The names of its fields are a contract.
#[derive(Debug, Serialize)]
struct Shown {
    source: String,
    mailbox: String,
    item: i64,
    reason: String,
    at: Timestamp,
    /// How often its source could not give it; `null` if it was given and not understood.
    tries: Option<u32>,
    /// From when on it is asked for again by itself; `null` is never.
    retry_at: Option<Timestamp>,
}

pub(super) fn quarantine(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        None => list(path, &arguments.list),
        Some(Command::List(listing)) => list(path, listing),
        Some(Command::Retry(Wanted { source, mailbox, item, .. })) => {
            let (source, mailbox, item) = (source.clone(), mailbox.clone(), *item);
            ask::ask(path, &Request::Retry { source, mailbox, item })
        }
    }
}

fn list(path: &Path, listing: &Listing) -> Result<ExitCode, Failure> {
    let (_, db) = open(path)?;
    let of = Chosen { source: listing.source.clone(), ..Chosen::default() };
    let found = quarantine::list(&db, &of, listing.limit)?;
    let shown: Vec<Shown> = found.into_iter().map(show).collect();
    let (format, look) = (listing.printing.format, Look::of_stdout());
    output::to_stdout(|out| output::print(out, format, look, &table(&shown), &shown))?;
    Ok(ExitCode::SUCCESS)
}

fn show(one: Listed) -> Shown {
    let retry_at = one.retry_at();
    let Listed { source, mailbox, item, reason, at, tries } = one;
    Shown { source, mailbox, item, reason, at, tries, retry_at }
}

fn table(shown: &[Shown]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("source", "source", Align::Left),
        column("mailbox", "mailbox", Align::Left),
        column("item", "item", Align::Right),
        column("reason", "reason", Align::Left),
        column("at", "put aside", Align::Right),
        column("tries", "tries", Align::Right),
        column("retry_at", "again after", Align::Right),
    ]);
    for one in shown {
        table.push(vec![
            Cell::text(&one.source),
            Cell::text(&one.mailbox),
            Cell::number(one.item.to_string()),
            Cell::text(&one.reason),
            Cell::text(day(Some(one.at))),
            Cell::number(one.tries.map_or_else(String::new, |tries| tries.to_string())),
            Cell::text(day(one.retry_at)),
        ]);
    }
    table
}
