//! `keepwarm retention`: what is older than `[privacy] keep_…_days`, told, or taken out at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::output::{self, Align, Cell, Column, Look, Table};
use super::{Failure, Printing, ask, day, load, open};
use crate::config::Config;
use crate::daemon;
use crate::model::Timestamp;
use crate::pipeline::request::{Answer, Request};
use crate::pipeline::retention;
use crate::store::retention::Due;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Tell what would go, and take nothing out
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    printing: Printing,
}

/// Rows of one table. The names of its fields are a contract.
#[derive(Debug, Serialize)]
struct Shown {
    table: &'static str,
    /// What is older may go; `null` keeps everything.
    before: Option<Timestamp>,
    /// How many rows may go; without `--dry-run`, how many have gone.
    rows: i64,
    /// The oldest of them; of what has gone, when it was there.
    oldest_at: Option<Timestamp>,
}

pub(super) fn retention(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if !arguments.dry_run && arguments.printing.now.is_some() {
        let why = "error: --now goes with --dry-run only: what is taken out is gone for good";
        return Err(Failure::Usage(why.to_owned()));
    }
    let (config, db) = open(path)?;
    let now = arguments.printing.clock().now();
    let ages = daemon::rules_for_reading(&db, &config)?.ages;
    let mut shown: Vec<Shown> = retention::due(&db, &ages, now)?.iter().map(show).collect();
    drop(db);
    if !arguments.dry_run {
        let taken = take(&load(path)?)?;
        for one in &mut shown {
            let rows = taken.get(one.table).copied().unwrap_or_default();
            one.rows = i64::try_from(rows).unwrap_or(i64::MAX);
        }
    }
    let (format, look) = (arguments.printing.format, Look::of_stdout());
    let table = table(&shown, arguments.dry_run);
    output::to_stdout(|out| output::print(out, format, look, &table, &shown))?;
    Ok(ExitCode::SUCCESS)
}

/// Takes everything out, step by step, each in a transaction of its own.
fn take(config: &Config) -> Result<BTreeMap<String, usize>, Failure> {
    let mut all = BTreeMap::new();
    let mut place = None;
    loop {
        match ask::answer(config, &Request::TakeOut { place })? {
            Answer::TakenOut { taken, next } => {
                for (table, rows) in taken {
                    *all.entry(table).or_default() += rows;
                }
                if next.is_none() {
                    return Ok(all);
                }
                place = next;
            }
            Answer::Refused { why, hint } => return Err(ask::refused(&why, &hint)),
            Answer::Done { said, .. } => return Err(ask::refused(&said, "")),
        }
    }
}

fn show(due: &Due) -> Shown {
    let Due { table, before, rows, oldest_at } = *due;
    Shown { table, before, rows, oldest_at }
}

fn table(shown: &[Shown], dry_run: bool) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("table", "table", Align::Left),
        column("before", "before", Align::Right),
        column("rows", if dry_run { "would go" } else { "gone" }, Align::Right),
        column("oldest_at", "oldest", Align::Right),
    ]);
    for one in shown {
        let before = one.before.map_or_else(|| "kept".to_owned(), |before| day(Some(before)));
        table.push(vec![
            Cell::text(one.table),
            Cell::text(before),
            Cell::number(one.rows.to_string()),
            Cell::text(day(one.oldest_at)),
        ]);
    }
    table
}
