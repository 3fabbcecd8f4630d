//! `keepwarm silences`: about whom nothing is said to a rep, until when, and for what.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::{self, Align, Cell, Column, Look, Table};
use super::{Failure, Printing, ask, day, open};
use crate::model::Timestamp;
use crate::pipeline::request::Request;
use crate::store::silence::Silence;
use crate::store::{Db, StoreError, contact, silence};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: Printing,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Silences in force (also without this word)
    List(Printing),
    /// Say nothing about a contact to a rep
    Add(Wanted),
    /// End a silence before its time
    Remove {
        /// Its number in the list
        id: i64,
    },
}

#[derive(Debug, Args)]
struct Wanted {
    /// The rep's id
    rep: String,
    /// The contact, by an address or its id (con_…)
    contact: String,
    #[command(flatten)]
    lasts: Lasts,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Lasts {
    /// For so many days
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_525))]
    days: Option<u32>,
    /// For good, until it is removed
    #[arg(long)]
    forever: bool,
}

/// A silence, shown. The names of its fields are a contract.
#[derive(Debug, Serialize)]
struct Shown {
    silence: i64,
    rep: String,
    contact: String,
    contact_id: String,
    organisation: String,
    /// `done`, `snooze`, `not_relevant`, `wrong_person` or `command`.
    reason: String,
    /// The only kind of nudges that it is about, or `null`.
    kind: Option<String>,
    made_at: Timestamp,
    /// `null` is for good.
    until_at: Option<Timestamp>,
}

pub(super) fn silences(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        None => list(path, &arguments.list),
        Some(Command::List(printing)) => list(path, printing),
        Some(Command::Add(Wanted { rep, contact, lasts })) => {
            let (rep, contact, days) = (rep.clone(), contact.clone(), lasts.days);
            ask::ask(path, &Request::Silence { rep, contact, days })
        }
        Some(Command::Remove { id }) => ask::ask(path, &Request::EndSilence { silence: *id }),
    }
}

fn list(path: &Path, printing: &Printing) -> Result<ExitCode, Failure> {
    let (_, db) = open(path)?;
    let found = silence::in_force(&db, printing.clock().now())?;
    let shown: Vec<Shown> =
        found.into_iter().map(|one| show(&db, one)).collect::<Result<_, StoreError>>()?;
    let look = Look::of_stdout();
    output::to_stdout(|out| output::print(out, printing.format, look, &table(&shown), &shown))?;
    Ok(ExitCode::SUCCESS)
}

fn show(db: &Db, one: Silence) -> Result<Shown, StoreError> {
    let contact = contact::get(db, one.contact)?;
    Ok(Shown {
        silence: one.id,
        rep: one.rep,
        contact: contact.name,
        contact_id: contact.public_id,
        organisation: contact.organisation,
        reason: one.reason,
        kind: one.kind,
        made_at: one.made_at,
        until_at: one.until,
    })
}

fn table(shown: &[Shown]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("silence", "silence", Align::Right),
        column("rep", "rep", Align::Left),
        column("contact", "contact", Align::Left),
        column("organisation", "organisation", Align::Left),
        column("reason", "for", Align::Left),
        column("kind", "only", Align::Left),
        column("made_at", "since", Align::Right),
        column("until_at", "until", Align::Right),
    ]);
    for one in shown {
        let until = one.until_at.map_or_else(|| "for good".to_owned(), |at| day(Some(at)));
        table.push(vec![
            Cell::number(one.silence.to_string()),
            Cell::text(&one.rep),
            Cell::text(&one.contact),
            Cell::text(&one.organisation),
            Cell::text(one.reason.replace('_', " ")),
            Cell::text(one.kind.as_deref().unwrap_or_default().replace('_', " ")),
            Cell::text(day(Some(one.made_at))),
            Cell::text(until),
        ]);
    }
    table
}
