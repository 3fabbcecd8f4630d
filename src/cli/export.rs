//! `keepwarm export ADDRESS`: all that is known of a person, as one JSON document to hand over.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::output::{self, Align, Cell, Column, Format, Look, Table};
use super::{Failure, open};
use crate::clock::Clock;
use crate::daemon;
use crate::model::Timestamp;
use crate::pipeline::care;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// An address, the id of a contact (con_…) or of a rep
    address: String,
    /// How to print; as a table and as CSV only how much there is of what
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// The document. The names of its fields are a contract.
#[derive(Debug, Serialize)]
struct Document<'a> {
    asked_for: &'a str,
    made_at: Timestamp,
    /// `contact` or `rep`.
    is: &'static str,
    known: &'a Map<String, Value>,
}

pub(super) fn export(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, db) = open(path)?;
    let rules = daemon::rules_for_reading(&db, &config)?;
    let asked_for = arguments.address.as_str();
    let Some(found) = care::export(&db, &rules, asked_for)? else {
        return Err(Failure::Usage(format!(
            "error: nothing is known of {}\nhint: `keepwarm contacts --search TEXT` lists those \
             whose name or address holds a text",
            output::clean(asked_for)
        )));
    };
    let document =
        Document { asked_for, made_at: Clock::System.now(), is: found.what, known: &found.told };
    let (format, look, table) = (arguments.format, Look::of_stdout(), table(&found.told));
    output::to_stdout(|out| output::print(out, format, look, &table, &document))?;
    Ok(ExitCode::SUCCESS)
}

fn table(told: &Map<String, Value>) -> Table {
    let mut table = Table::new(&[
        Column { key: "what", title: "what", align: Align::Left },
        Column { key: "count", title: "count", align: Align::Right },
    ]);
    for (name, rows) in told {
        let count = rows.as_array().map_or_else(|| rows.to_string(), |all| all.len().to_string());
        table.push(vec![Cell::text(name.replace('_', " ")), Cell::number(count)]);
    }
    table
}
