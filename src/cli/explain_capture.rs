//! `keepwarm explain-capture MESSAGE-ID`: why a message was stored or not, from what is stored; and, of
//! one whose header is shown, what the rules in force make of it. Nothing of its contents is told.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::output::{self, Align, Cell, Column, Format, Look, Table};
use super::{Failure, day, open};
use crate::clock::Clock;
use crate::daemon;
use crate::normalise::envelope::{MAX_BYTES, id_key};
use crate::pipeline::Rules;
use crate::pipeline::capture::{Capture, Judged, Touch, capture, judge};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The message's Message-ID, with or without <>
    #[arg(value_name = "MESSAGE-ID", required_unless_present = "file")]
    message_id: Option<String>,
    /// The message, or its header, in a file (`-` is standard input): what the rules make of it
    #[arg(long, value_name = "FILE", conflicts_with = "message_id")]
    file: Option<PathBuf>,
    /// How to print; as CSV only the interactions
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// The document. The names of its fields are a contract.
#[derive(Debug, Serialize)]
struct Document<'a> {
    /// What is stored; `null` if the header names nothing by which to look.
    stored: Option<&'a Capture>,
    /// What the rules in force make of the header that was shown.
    judged: Option<&'a Judged>,
}

pub(super) fn explain_capture(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, db) = open(path)?;
    let rules = daemon::rules_for_reading(&db, &config)?;
    let rules = Rules::as_erased(&rules, &db)?;
    let (key, judged) = match (&arguments.file, &arguments.message_id) {
        (Some(file), _) => {
            let (key, judged) = judge(&header(file)?, &rules, Clock::System.now());
            (key, Some(judged))
        }
        (None, id) => match id.as_deref().and_then(id_key) {
            Some(key) => (Some(key), None),
            None => {
                let why = "error: this names no message: a Message-ID has 6 characters or more";
                return Err(Failure::Usage(why.to_owned()));
            }
        },
    };
    let stored = key.map(|key| capture(&db, key)).transpose()?;
    let document = Document { stored: stored.as_ref(), judged: judged.as_ref() };
    let touches = stored.as_ref().map_or(&[][..], |stored| &stored.interactions);
    let (format, look) = (arguments.format, Look::of_stdout());
    output::to_stdout(|out| {
        if format != Format::Table {
            return output::print(out, format, look, &table(touches), &document);
        }
        tell(out, look, &document)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The bytes of a header; what follows is cut away before anything looks at it.
fn header(file: &Path) -> Result<Vec<u8>, Failure> {
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|error| anyhow::anyhow!("reading {}: {error}", file.display()))?;
    Ok(bytes)
}

fn tell(out: &mut dyn Write, look: Look, document: &Document<'_>) -> io::Result<()> {
    if let Some(Judged { is, because }) = document.judged {
        writeln!(out, "by the rules in force: {is}: {}", output::clean(because))?;
    }
    let Some(stored) = document.stored else {
        return writeln!(out, "what is stored of it cannot be looked up: no key can be read of it");
    };
    writeln!(out, "{}: {}", stored.is.replace('_', " "), stored.because)?;
    if !stored.private_to.is_empty() {
        writeln!(out, "private to {}", stored.private_to.join(", "))?;
    }
    if let Some(at) = stored.at {
        writeln!(out, "written {at}")?;
    }
    if let Some(thread) = stored.thread {
        writeln!(
            out,
            "thread {}, of which {} messages are stored",
            thread.number, thread.messages
        )?;
    }
    if !stored.interactions.is_empty() {
        writeln!(out)?;
        output::print(out, Format::Table, look, &table(&stored.interactions), document)?;
    }
    if !stored.mailboxes.is_empty() {
        writeln!(out, "\nread so far:")?;
        output::print(out, Format::Table, look, &read(stored), document)?;
    }
    if !stored.put_aside.is_empty() {
        writeln!(out, "\nput aside, and perhaps one of them (`keepwarm quarantine retry`):")?;
        output::print(out, Format::Table, look, &aside(stored), document)?;
    }
    if document.judged.is_none() && matches!(stored.is, "unknown" | "referred_to") {
        writeln!(
            out,
            "\nhint: what must not be written down leaves no trace: --file with the message tells what \
             the rules make of it"
        )?;
    }
    Ok(())
}

fn table(touches: &[Touch]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("rep", "rep", Align::Left),
        column("contact", "contact", Align::Left),
        column("direction", "direction", Align::Left),
        column("audience", "audience", Align::Right),
        column("linked", "answers", Align::Left),
        column("counted", "counts", Align::Left),
        column("not_counted_because", "why not", Align::Left),
    ]);
    let yes = |is: bool| Cell::text(if is { "yes" } else { "no" });
    for touch in touches {
        table.push(vec![
            Cell::text(&touch.rep),
            Cell::text(&touch.contact),
            Cell::text(touch.direction),
            Cell::number(touch.audience.to_string()),
            yes(touch.linked),
            yes(touch.counted),
            Cell::text(touch.not_counted_because.unwrap_or_default()),
        ]);
    }
    table
}

fn read(stored: &Capture) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("source", "source", Align::Left),
        column("mailbox", "mailbox", Align::Left),
        column("state", "state", Align::Left),
        column("read_until", "read", Align::Right),
        column("complete", "from the beginning", Align::Left),
        column("uids", "uids", Align::Right),
    ]);
    for one in &stored.mailboxes {
        let uids = one.uids.map_or_else(String::new, |[low, high]| format!("{low}-{high}"));
        table.push(vec![
            Cell::text(&one.source),
            Cell::text(&one.mailbox),
            Cell::text(one.state),
            Cell::text(day(one.read_until)),
            Cell::text(if one.complete { "yes" } else { "not yet" }),
            Cell::text(uids),
        ]);
    }
    table
}

fn aside(stored: &Capture) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("source", "source", Align::Left),
        column("mailbox", "mailbox", Align::Left),
        column("item", "item", Align::Right),
        column("reason", "reason", Align::Left),
    ]);
    for one in &stored.put_aside {
        table.push(vec![
            Cell::text(&one.source),
            Cell::text(&one.mailbox),
            Cell::number(one.item.to_string()),
            Cell::text(&one.reason),
        ]);
    }
    table
}
