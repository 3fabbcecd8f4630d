//! `keepwarm nudges`: what reps have been told and will be, and why; and what an admin says of it.

mod answer;
mod outbox;
mod preview;
mod report;
mod test;

pub(super) use test::try_endpoint;

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::{self, Align, Cell, Column, Look, Table};
use super::{Failure, Printing, ask, open};
use crate::daemon;
use crate::model::{Reason, Timestamp};
use crate::pipeline::Rules;
use crate::pipeline::nudge::view;
use crate::pipeline::request::Request;
use crate::store::nudge::Listed;
use crate::store::{Db, StoreError, contact};

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
    /// Nudges made, the newest first (also without this word)
    List(Listing),
    /// What waits to be sent, and what falls in the next days if nothing happens
    Preview(preview::Arguments),
    /// How many nudges there were, and whether they bring people back
    Report(Printing),
    /// Send nudges from now on, though the first days have not passed
    Enable,
    /// Go on with nudges that were held up by a clock that jumped, or by too many decays at once
    Resume {
        /// Those to that rep only, by id
        rep: Option<String>,
    },
    /// Deliveries that wait or were given up
    Outbox(outbox::Listing),
    /// Send once more, under the same id and with the same bytes
    Replay(outbox::Replay),
    /// Give up for good what has not arrived
    Drop(outbox::Dropping),
    /// Send a test to endpoints, and tell what came back
    Test(test::Testing),
    /// What receivers verify ed25519 signatures by
    Key(test::Testing),
    #[command(flatten)]
    Answer(answer::Answer),
}

#[derive(Debug, Args)]
struct Listing {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    printing: Printing,
}

/// A nudge, shown. The names of its fields are a contract.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    nudge_id: String,
    episode_id: String,
    kind: &'static str,
    state: &'static str,
    created_at: Timestamp,
    pub(super) rep: String,
    pub(super) contact: String,
    pub(super) organisation: String,
    pub(super) reasons: Vec<Reason>,
    pub(super) suggestion: Option<String>,
    resolved_at: Option<Timestamp>,
    resolved_by: Option<String>,
    endpoints: u32,
    delivered: u32,
}

pub(super) fn nudges(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Listing { limit, printing } = match &arguments.command {
        Some(Command::List(listing)) => listing,
        Some(Command::Preview(arguments)) => return preview::preview(path, arguments),
        Some(Command::Report(printing)) => return report::report(path, printing),
        Some(Command::Enable) => return ask::ask(path, &Request::EnableNudges {}),
        Some(Command::Resume { rep }) => {
            return ask::ask(path, &Request::ResumeNudges { rep: rep.clone() });
        }
        Some(Command::Outbox(listing)) => return outbox::list(path, listing),
        Some(Command::Replay(replay)) => return outbox::replay(path, replay),
        Some(Command::Drop(dropping)) => return outbox::drop(path, dropping),
        Some(Command::Test(testing)) => return test::test(path, testing),
        Some(Command::Key(testing)) => return test::key(path, testing),
        Some(Command::Answer(answer)) => return answer::answer(path, answer),
        None => &arguments.list,
    };
    let (config, db) = open(path)?;
    let rules = daemon::rules_for_reading(&db, &config)?;
    let shown = list(&db, &rules, printing.clock().now(), *limit)?;
    let look = Look::of_stdout();
    output::to_stdout(|out| output::print(out, printing.format, look, &table(&shown), &shown))?;
    Ok(ExitCode::SUCCESS)
}

/// The nudges made up to `now`, the newest first.
pub(super) fn list(
    db: &Db,
    rules: &Rules,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Shown>, StoreError> {
    view::listed(db, rules, now, limit)?.into_iter().map(|listed| show(db, listed)).collect()
}

fn show(db: &Db, listed: Listed) -> Result<Shown, StoreError> {
    let contact = contact::get(db, listed.contact)?;
    let (delivered, endpoints) = listed.delivered;
    let body: serde_json::Value = serde_json::from_str(&listed.nudge.body).unwrap_or_default();
    let suggestion = body.pointer("/data/suggestion").and_then(|text| text.as_str());
    Ok(Shown {
        nudge_id: listed.nudge.id,
        episode_id: listed.nudge.episode_id,
        kind: listed.nudge.kind.code(),
        created_at: listed.nudge.created_at,
        rep: listed.rep,
        contact: contact.name,
        organisation: contact.organisation,
        reasons: listed.nudge.reasons,
        suggestion: suggestion.map(str::to_owned),
        resolved_at: listed.resolved.as_ref().map(|(at, _)| *at),
        resolved_by: listed.resolved.map(|(_, why)| why),
        state: listed.nudge.state.code(),
        endpoints,
        delivered,
    })
}

fn table(shown: &[Shown]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("created_at", "made", Align::Right),
        column("rep", "rep", Align::Left),
        column("contact", "contact", Align::Left),
        column("organisation", "organisation", Align::Left),
        column("state", "state", Align::Left),
        column("reasons", "reasons", Align::Left),
        column("nudge_id", "id", Align::Right),
    ]);
    for one in shown {
        let state = match (&one.resolved_by, one.endpoints, one.delivered) {
            (Some(why), ..) => why.replace('_', " "),
            (None, ..) if one.state != "released" => one.state.replace('_', " "),
            (None, 0, _) => "no endpoint".to_owned(),
            (None, all, done) if all == done => "delivered".to_owned(),
            (None, all, done) => format!("{done} of {all} delivered"),
        };
        let reasons: Vec<&str> = one.reasons.iter().map(|reason| reason.text.as_str()).collect();
        table.push(vec![
            Cell::text(one.created_at.to_string()),
            Cell::text(&one.rep),
            Cell::text(&one.contact),
            Cell::text(&one.organisation),
            Cell::text(state),
            Cell::text(reasons.join(" ")),
            Cell::text(&one.nudge_id),
        ]);
    }
    table
}
