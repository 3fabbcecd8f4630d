//! `keepwarm status`: what is read and how that goes, how fresh it is, what it came to, what is owed.
//!
//! Says so where a server lists more messages than it gave, so that a source that silently stalls is
//! not taken for a quiet one. How it looks on a terminal is left to `print`.

mod nudging;
mod print;

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::output;
use super::{Failure, Printing, open};
use crate::config::Config;
use crate::model::{SourceState, Timestamp};
use crate::pipeline::nudge::view::{Standing, standing};
use crate::store::{Db, StoreError, endpoint, held, mailbox, outbox, report, source};

/// The word for what a calendar is for, as mailboxes are stored.
const CALENDAR: &str = "calendar";

/// Everything that status tells; the names of its fields are a contract.
#[derive(Debug, Serialize)]
struct Status {
    sources: Vec<SourceStatus>,
    messages: i64,
    meetings: i64,
    interactions: i64,
    relationships: i64,
    contacts: i64,
    quarantined: i64,
    nudges: i64,
    nudging: Standing,
    left_out: Vec<LeftOutStatus>,
    outbox: OutboxStatus,
    endpoints: Vec<EndpointStatus>,
}

#[derive(Debug, Serialize)]
struct SourceStatus {
    name: String,
    rep: String,
    kind: String,
    #[serde(serialize_with = "code")]
    state: SourceState,
    /// The next attempt, if it is not made at once.
    retry_at: Option<Timestamp>,
    /// In a row.
    failures: u32,
    error: Option<String>,
    /// Items read, if they were counted in every mailbox.
    seen: Option<i64>,
    /// Items that the mailboxes hold, where their source told.
    on_server: Option<i64>,
    /// The same under its earlier name.
    items: Option<i64>,
    /// Meetings stored of its calendars, or put together from its mail; `None` if it has neither.
    meetings: Option<i64>,
    /// Those that have not begun and were not cancelled.
    meetings_ahead: Option<i64>,
    mailboxes: Vec<MailboxStatus>,
    mailboxes_incomplete: usize,
    fresh_at: Option<Timestamp>,
    attempted_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct MailboxStatus {
    name: String,
    role: String,
    seen: Option<i64>,
    on_server: Option<i64>,
    complete: bool,
    /// Items that the server lists and did not give; `None` while that is not known.
    missing: Option<i64>,
    /// As of its source.
    meetings: Option<i64>,
    meetings_ahead: Option<i64>,
}

#[derive(Debug, Serialize)]
struct LeftOutStatus {
    reason: String,
    messages: i64,
}

#[derive(Debug, Serialize)]
struct OutboxStatus {
    pending: u32,
    delivered: u32,
    dead: u32,
    cancelled: u32,
    /// Since when the oldest of those pending is owed.
    oldest_pending_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct EndpointStatus {
    name: String,
    state: EndpointState,
    gone_at: Option<Timestamp>,
    /// The next try, while it is left alone.
    retry_at: Option<Timestamp>,
    /// In a row.
    failures: u32,
    failing_since: Option<Timestamp>,
    error: Option<String>,
    pending: u32,
    oldest_pending_at: Option<Timestamp>,
    dead: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum EndpointState {
    /// Configured, and the daemon has not met it yet.
    New,
    /// Nudges are posted to it.
    Active,
    /// It has failed, or asked for it: it is left alone for a while.
    Held,
    /// Its URL answered 410 Gone: nothing is posted until it has another one.
    Gone,
    /// Not in the configuration any more.
    Removed,
}

pub(super) fn status(path: &Path, printing: &Printing) -> Result<ExitCode, Failure> {
    let (config, db) = open(path)?;
    let now = printing.clock().now();
    let status = gather(&db, &config, now)?;
    output::to_stdout(|out| print::print(out, printing.format, &status, now))?;
    Ok(ExitCode::SUCCESS)
}

fn gather(db: &Db, config: &Config, now: Timestamp) -> Result<Status, StoreError> {
    let sources = source::all(db)?
        .into_iter()
        .map(|found| of_source(db, found, now))
        .collect::<Result<_, _>>()?;
    let totals = report::totals(db, now)?;
    let outbox::Counts { pending, delivered, dead, cancelled, oldest_at } =
        outbox::counts(db, now)?;
    let left_out = report::left_out(db, now)?;
    let configured: Vec<&str> = config.endpoints.iter().map(|e| e.name.as_str()).collect();
    Ok(Status {
        sources,
        messages: totals.messages,
        meetings: totals.meetings,
        interactions: totals.interactions,
        relationships: totals.relationships,
        contacts: totals.contacts,
        quarantined: totals.quarantined,
        nudges: totals.nudges,
        nudging: standing(db, (config.restraint.observe, config.nudge.fresh), now)?,
        left_out: left_out
            .into_iter()
            .map(|(reason, messages)| LeftOutStatus { reason, messages })
            .collect(),
        outbox: OutboxStatus { pending, delivered, dead, cancelled, oldest_pending_at: oldest_at },
        endpoints: endpoints(endpoint::all(db, now)?, &configured, now),
    })
}

fn of_source(db: &Db, found: source::Source, now: Timestamp) -> Result<SourceStatus, StoreError> {
    let state = found.condition.state;
    let mailboxes = mailbox::all(db, found.id)?;
    let mailbox::Reading { seen, on_server, .. } = mailbox::reading(&mailboxes, state);
    let mut stored = held::stored(db, found.id, now)?;
    let mailboxes: Vec<MailboxStatus> = mailboxes
        .into_iter()
        .map(|mailbox| {
            let missing = mailbox.missing(state);
            let mailbox::Mailbox { name, role, seen, on_server, complete } = mailbox;
            let stored = match stored.remove(&name) {
                None if role == CALENDAR => Some(held::Stored::default()),
                found => found,
            };
            let (meetings, meetings_ahead) = (stored.map(|s| s.meetings), stored.map(|s| s.ahead));
            MailboxStatus {
                name,
                role,
                seen,
                on_server,
                complete,
                missing,
                meetings,
                meetings_ahead,
            }
        })
        .collect();
    let sum = |of: fn(&MailboxStatus) -> Option<i64>| {
        mailboxes.iter().filter_map(of).reduce(i64::saturating_add)
    };
    Ok(SourceStatus {
        name: found.name,
        rep: found.rep,
        kind: found.kind,
        state,
        retry_at: found.condition.retry_at,
        failures: found.condition.failures,
        error: found.error,
        seen,
        on_server,
        items: on_server,
        meetings: sum(|mailbox| mailbox.meetings),
        meetings_ahead: sum(|mailbox| mailbox.meetings_ahead),
        mailboxes_incomplete: mailboxes.iter().filter(|m| !m.complete).count(),
        mailboxes,
        fresh_at: found.fresh_at,
        attempted_at: found.attempted_at,
    })
}

/// The endpoints met so far and those configured since, by name.
fn endpoints(
    met: Vec<endpoint::Endpoint>,
    configured: &[&str],
    now: Timestamp,
) -> Vec<EndpointStatus> {
    let new = configured.iter().filter(|name| !met.iter().any(|endpoint| endpoint.name == **name));
    let new: Vec<EndpointStatus> = new
        .map(|name| {
            let endpoint = endpoint::Endpoint { name: (*name).to_owned(), ..Default::default() };
            of_endpoint(endpoint, EndpointState::New, None)
        })
        .collect();
    let met = met.into_iter().map(|endpoint| {
        let held = endpoint.condition.held_until.filter(|until| *until > now);
        let state = match endpoint.gone_at {
            _ if !configured.contains(&endpoint.name.as_str()) => EndpointState::Removed,
            Some(_) => EndpointState::Gone,
            None if held.is_some() => EndpointState::Held,
            None => EndpointState::Active,
        };
        of_endpoint(endpoint, state, held)
    });
    let mut all: Vec<EndpointStatus> = met.chain(new).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn of_endpoint(
    endpoint: endpoint::Endpoint,
    state: EndpointState,
    retry_at: Option<Timestamp>,
) -> EndpointStatus {
    let endpoint::Endpoint { name, gone_at, condition, pending, oldest_at, dead } = endpoint;
    EndpointStatus {
        name,
        state,
        gone_at,
        retry_at,
        failures: condition.failures,
        failing_since: condition.failing_since,
        error: condition.error,
        pending,
        oldest_pending_at: oldest_at,
        dead,
    }
}

fn code<S: serde::Serializer>(state: &SourceState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.code())
}
