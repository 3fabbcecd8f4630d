//! `keepwarm nudges outbox`, `replay` and `drop`: what is owed to endpoints, and what is to become of it.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::open;
use crate::cli::ask::ask;
use crate::cli::output::{self, Align, Cell, Column, Look, Table};
use crate::cli::{Failure, Printing};
use crate::model::Timestamp;
use crate::pipeline::request::Request;
use crate::store::outbox::{self, Listed};

#[derive(Debug, Args)]
pub(super) struct Listing {
    /// Only those in this state
    #[arg(long, value_enum, default_value_t = State::Open)]
    state: State,
    /// Only those to this endpoint
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    printing: Printing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    /// Waiting or given up
    Open,
    /// Waiting
    Pending,
    /// Given up: the dead letters
    Dead,
    /// Arrived
    Delivered,
    /// Not sent, for there was no more to say, or dropped
    Cancelled,
    /// Whatever has become of them
    All,
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = true, args = ["id", "dead"])]
pub(super) struct Replay {
    /// The id of a nudge or digest, as in the header `webhook-id`
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// All that were given up; with an ID only if it was
    #[arg(long)]
    dead: bool,
    /// Only to this endpoint
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
}

#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = true, args = ["id", "endpoint"])]
pub(super) struct Dropping {
    /// The id of a nudge or digest, as in the header `webhook-id`
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Only to this endpoint; without an ID everything that it is owed
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
}

/// A delivery, shown. The names of its fields are a contract.
#[derive(Debug, Serialize)]
struct Shown {
    webhook_id: String,
    endpoint: String,
    rep: String,
    state: String,
    made_at: Timestamp,
    attempts: u32,
    next_attempt_at: Option<Timestamp>,
    settled_at: Option<Timestamp>,
    verdict: Option<String>,
}

pub(super) fn list(path: &Path, listing: &Listing) -> Result<ExitCode, Failure> {
    let (_, db) = open(path)?;
    let states: &[&str] = match listing.state {
        State::Open => &["pending", "dead"],
        State::Pending => &["pending"],
        State::Dead => &["dead"],
        State::Delivered => &["delivered"],
        State::Cancelled => &["cancelled"],
        State::All => &[],
    };
    let (endpoint, now) = (listing.endpoint.as_deref(), listing.printing.clock().now());
    let found = outbox::list(&db, states, endpoint, listing.limit, now)?;
    let shown: Vec<Shown> = found.into_iter().map(show).collect();
    let (format, look) = (listing.printing.format, Look::of_stdout());
    output::to_stdout(|out| output::print(out, format, look, &table(&shown), &shown))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn replay(path: &Path, replay: &Replay) -> Result<ExitCode, Failure> {
    let (message, endpoint) = (replay.id.clone(), replay.endpoint.clone());
    ask(path, &Request::Replay { message, dead: replay.dead, endpoint })
}

pub(super) fn drop(path: &Path, dropping: &Dropping) -> Result<ExitCode, Failure> {
    let (message, endpoint) = (dropping.id.clone(), dropping.endpoint.clone());
    ask(path, &Request::Drop { message, endpoint })
}

fn show(listed: Listed) -> Shown {
    let Listed { webhook_id, endpoint, rep, state, made_at, attempts, .. } = listed;
    let Listed { next_attempt_at, settled_at, verdict, .. } = listed;
    Shown {
        webhook_id,
        endpoint,
        rep,
        state,
        made_at,
        attempts,
        next_attempt_at,
        settled_at,
        verdict,
    }
}

fn table(shown: &[Shown]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("made_at", "made", Align::Right),
        column("endpoint", "endpoint", Align::Left),
        column("rep", "rep", Align::Left),
        column("state", "state", Align::Left),
        column("attempts", "tries", Align::Right),
        column("next_attempt_at", "next", Align::Right),
        column("verdict", "last", Align::Left),
        column("webhook_id", "id", Align::Right),
    ]);
    for one in shown {
        let next = one.next_attempt_at.map(|at| at.to_string()).unwrap_or_default();
        table.push(vec![
            Cell::text(one.made_at.to_string()),
            Cell::text(&one.endpoint),
            Cell::text(&one.rep),
            Cell::text(&one.state),
            Cell::number(one.attempts.to_string()),
            Cell::text(next),
            Cell::text(one.verdict.as_deref().unwrap_or_default()),
            Cell::text(&one.webhook_id),
        ]);
    }
    table
}
