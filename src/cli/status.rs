//! `keepwarm status`: what is read, how fresh it is, what it came to, what is owed.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::output::{self, Align, Cell, Column, Format, Look, Table, Tone};
use super::{Failure, Printing, open};
use crate::model::Timestamp;
use crate::normalise::LeftOut;
use crate::store::{Db, StoreError, outbox, report, source};

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
    left_out: Vec<LeftOutStatus>,
    outbox: OutboxStatus,
}

#[derive(Debug, Serialize)]
struct SourceStatus {
    name: String,
    rep: String,
    kind: String,
    state: String,
    mailboxes: u32,
    mailboxes_incomplete: u32,
    items: Option<i64>,
    fresh_at: Option<Timestamp>,
    attempted_at: Option<Timestamp>,
    error: Option<String>,
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
}

pub(super) fn status(path: &Path, printing: &Printing) -> Result<ExitCode, Failure> {
    let (_, db) = open(path)?;
    let status = gather(&db, printing.clock().now())?;
    output::to_stdout(|out| print(out, printing.format, &status))?;
    Ok(ExitCode::SUCCESS)
}

fn gather(db: &Db, now: Timestamp) -> Result<Status, StoreError> {
    let mut sources = Vec::new();
    for found in source::all(db)? {
        let (mailboxes, incomplete, items) = report::mailboxes(db, found.id)?;
        sources.push(SourceStatus {
            name: found.name,
            rep: found.rep,
            kind: found.kind,
            state: found.state,
            mailboxes,
            mailboxes_incomplete: incomplete,
            items,
            fresh_at: found.fresh_at,
            attempted_at: found.attempted_at,
            error: found.error,
        });
    }
    let totals = report::totals(db, now)?;
    let (pending, delivered, dead) = outbox::counts(db, now)?;
    let left_out = report::left_out(db, now)?;
    Ok(Status {
        sources,
        messages: totals.messages,
        meetings: totals.meetings,
        interactions: totals.interactions,
        relationships: totals.relationships,
        contacts: totals.contacts,
        quarantined: totals.quarantined,
        nudges: totals.nudges,
        left_out: left_out
            .into_iter()
            .map(|(reason, messages)| LeftOutStatus { reason, messages })
            .collect(),
        outbox: OutboxStatus { pending, delivered, dead },
    })
}

fn print(out: &mut dyn Write, format: Format, status: &Status) -> std::io::Result<()> {
    let look = Look::of_stdout();
    output::print(out, format, look, &source_table(status), status)?;
    if format != Format::Table {
        return Ok(());
    }
    writeln!(
        out,
        "\n{} messages, {} meetings, {} interactions, {} relationships, {} contacts",
        status.messages,
        status.meetings,
        status.interactions,
        status.relationships,
        status.contacts
    )?;
    writeln!(
        out,
        "{} nudges; outbox: {} pending, {} delivered, {} given up; {} items in quarantine",
        status.nudges,
        status.outbox.pending,
        status.outbox.delivered,
        status.outbox.dead,
        status.quarantined
    )?;
    if !status.left_out.is_empty() {
        writeln!(out, "\nleft out:")?;
    }
    for left_out in &status.left_out {
        let meaning = LeftOut::describe(&left_out.reason);
        writeln!(out, "{:>8}  {meaning}", left_out.messages)?;
    }
    Ok(())
}

fn source_table(status: &Status) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("name", "source", Align::Left),
        column("rep", "rep", Align::Left),
        column("kind", "kind", Align::Left),
        column("state", "state", Align::Left),
        column("mailboxes", "mailboxes", Align::Right),
        column("items", "items", Align::Right),
        column("fresh_at", "fresh at", Align::Right),
        column("error", "last error", Align::Left),
    ]);
    for source in &status.sources {
        let tone = match source.state.as_str() {
            "ok" => Tone::Good,
            "new" | "disabled" => Tone::Faint,
            "auth_required" | "misconfigured" => Tone::Bad,
            _ => Tone::Warning,
        };
        table.push(vec![
            Cell::text(&source.name),
            Cell::text(&source.rep),
            Cell::text(&source.kind),
            Cell::text(&source.state).toned(tone),
            Cell::number(source.mailboxes.to_string()),
            Cell::number(source.items.map(|n| n.to_string()).unwrap_or_default()),
            Cell::text(source.fresh_at.map(|at| at.to_string()).unwrap_or_default()),
            Cell::text(source.error.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
