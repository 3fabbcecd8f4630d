//! `keepwarm contacts duplicates`: who may be one person, for the admin to decide.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::open;
use crate::cli::output::{self, Align, Cell, Column, Look, Table};
use crate::cli::{Failure, Printing, day};
use crate::pipeline::people::duplicates::{Found, MOST_ADDRESSES, Proposal, proposals};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    printing: Printing,
}

pub(super) fn duplicates(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (_, db) = open(path)?;
    let Found { proposals: found, names_passed_over, doubted } =
        proposals(&db, arguments.printing.clock().now())?;
    let (format, look) = (arguments.printing.format, Look::of_stdout());
    output::to_stdout(|out| output::print(out, format, look, &table(&found), &found))?;
    if names_passed_over > 0 {
        let names = if names_passed_over == 1 { "name was" } else { "names were" };
        output::note(&format!(
            "{names_passed_over} {names} passed over: more than {MOST_ADDRESSES} addresses have it"
        ));
    }
    if !doubted.is_empty() {
        output::note(&format!(
            "a rep said \"wrong person\" of {}, who has one address only",
            doubted.join(", ")
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(found: &[Proposal]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("kind", "kind", Align::Left),
        column("contact", "contact", Align::Left),
        column("a", "address", Align::Left),
        column("a_last_at", "last", Align::Right),
        column("b", "and", Align::Left),
        column("b_last_at", "last", Align::Right),
        column("evidence", "evidence", Align::Left),
    ]);
    for one in found {
        table.push(vec![
            Cell::text(one.kind),
            Cell::text(&one.b.contact),
            Cell::text(&one.a.address),
            Cell::text(day(one.a.last_at)),
            Cell::text(&one.b.address),
            Cell::text(day(one.b.last_at)),
            Cell::text(&one.evidence),
        ]);
    }
    table
}
