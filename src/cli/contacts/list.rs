//! `keepwarm contacts list`: everybody there is a line to.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::open;
use crate::cli::output::{self, Align, Cell, Column, Look, Table};
use crate::cli::{Failure, Printing, day};
use crate::pipeline::people::{self, Person};

#[derive(Debug, Args)]
pub(super) struct Listing {
    /// Only those whose name or one of whose addresses holds this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    printing: Printing,
}

pub(super) fn list(path: &Path, listing: &Listing) -> Result<ExitCode, Failure> {
    let (_, db) = open(path)?;
    let now = listing.printing.clock().now();
    let mut found = people::all(&db, now)?;
    if let Some(text) = listing.search.as_ref().map(|text| text.to_lowercase()) {
        found.retain(|one| {
            one.contact.to_lowercase().contains(&text)
                || one.addresses.iter().any(|address| address.contains(&text))
        });
    }
    found.truncate(listing.limit.unwrap_or(usize::MAX));
    let (format, look) = (listing.printing.format, Look::of_stdout());
    output::to_stdout(|out| output::print(out, format, look, &table(&found), &found))?;
    Ok(ExitCode::SUCCESS)
}

fn table(found: &[Person]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("contact", "contact", Align::Left),
        column("organisation", "organisation", Align::Left),
        column("addresses", "addresses", Align::Left),
        column("reps", "reps", Align::Left),
        column("last_at", "last", Align::Right),
        column("contact_id", "id", Align::Left),
    ]);
    for one in found {
        table.push(vec![
            Cell::text(&one.contact),
            Cell::text(&one.organisation),
            Cell::text(one.addresses.join(" ")),
            Cell::text(one.reps.join(" ")),
            Cell::text(day(one.last_at)),
            Cell::text(&one.contact_id),
        ]);
    }
    table
}
