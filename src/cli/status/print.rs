//! Status for people: the table of sources, then what needs somebody's attention in words.

use std::io::{self, Write};

use super::{EndpointState, EndpointStatus, SourceStatus, Status, nudging};
use crate::cli::output::{self, Align, Cell, Column, Format, Look, Table, Tone};
use crate::model::{SourceState, Span, Timestamp};
use crate::normalise::LeftOut;

pub(super) fn print(
    out: &mut dyn Write,
    format: Format,
    status: &Status,
    now: Timestamp,
) -> io::Result<()> {
    let look = Look::of_stdout();
    output::print(out, format, look, &source_table(status, now), status)?;
    if format != Format::Table {
        return Ok(());
    }
    missing(out, status)?;
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
        "{} nudges; outbox: {} pending{}, {} delivered, {} given up; {} items in quarantine",
        status.nudges,
        status.outbox.pending,
        since(status.outbox.oldest_pending_at, now),
        status.outbox.delivered,
        status.outbox.dead,
        status.quarantined
    )?;
    nudging::print(out, &status.nudging, now)?;
    gone(out, status)?;
    held(out, status, now)?;
    if !status.left_out.is_empty() {
        writeln!(out, "\nleft out:")?;
    }
    for left_out in &status.left_out {
        let meaning = LeftOut::describe(&left_out.reason);
        writeln!(out, "{:>8}  {meaning}", left_out.messages)?;
    }
    Ok(())
}

/// A line for every mailbox that holds more than its server gave.
fn missing(out: &mut dyn Write, status: &Status) -> io::Result<()> {
    for source in &status.sources {
        for mailbox in &source.mailboxes {
            let (Some(missing @ 1..), Some(holds)) = (mailbox.missing, mailbox.on_server) else {
                continue;
            };
            let name = output::clean(&mailbox.name);
            writeln!(
                out,
                "missing: {} of the {} messages in {name} of {} have not been read",
                grouped(missing),
                grouped(holds),
                source.name
            )?;
        }
    }
    Ok(())
}

/// A line for every endpoint that is not posted to any more.
fn gone(out: &mut dyn Write, status: &Status) -> io::Result<()> {
    for endpoint in status.endpoints.iter().filter(|e| e.state == EndpointState::Gone) {
        let since = endpoint.gone_at.map(|at| format!(" at {at}")).unwrap_or_default();
        let name = &endpoint.name;
        writeln!(out, "endpoint {name} answered 410 Gone{since}: give it another url to use it")?;
    }
    let owed = |e: &&EndpointStatus| e.state == EndpointState::Removed && e.pending > 0;
    for endpoint in status.endpoints.iter().filter(owed) {
        let EndpointStatus { name, pending, .. } = endpoint;
        writeln!(
            out,
            "endpoint {name} is not in the configuration any more, {pending} pending: \
             `keepwarm nudges drop --endpoint {name}` drops them"
        )?;
    }
    Ok(())
}

/// A line for every endpoint that fails.
fn held(out: &mut dyn Write, status: &Status, now: Timestamp) -> io::Result<()> {
    let fails = |e: &&EndpointStatus| {
        e.failures > 0 && matches!(e.state, EndpointState::Held | EndpointState::Active)
    };
    for endpoint in status.endpoints.iter().filter(fails) {
        let EndpointStatus { name, failures, pending, .. } = endpoint;
        let error = output::clean(endpoint.error.as_deref().unwrap_or_default());
        let times =
            if *failures == 1 { "once".to_owned() } else { format!("{failures} times in a row") };
        let next = match endpoint.retry_at {
            Some(at) => format!("left alone until {at}"),
            None => "tried again".to_owned(),
        };
        let age = since(endpoint.oldest_pending_at, now);
        writeln!(
            out,
            "endpoint {name} has failed {times}: {error}; {next}, {pending} pending{age}"
        )?;
    }
    Ok(())
}

/// " (the oldest for 3 h)": how long something has been waiting; nothing below a minute.
fn since(at: Option<Timestamp>, now: Timestamp) -> String {
    let minutes = at.map_or(0, |at| (now - at).millis() / 60_000);
    let age = match minutes {
        ..1 => return String::new(),
        1..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    };
    format!(" (the oldest for {age})")
}

fn source_table(status: &Status, now: Timestamp) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("name", "source", Align::Left),
        column("rep", "rep", Align::Left),
        column("kind", "kind", Align::Left),
        column("state", "state", Align::Left),
        column("mailboxes", "mailboxes", Align::Right),
        column("seen", "seen", Align::Right),
        column("on_server", "on server", Align::Right),
        column("meetings", "meetings", Align::Right),
        column("meetings_ahead", "ahead", Align::Right),
        column("fresh_at", "fresh at", Align::Right),
        column("error", "last error", Align::Left),
    ]);
    let count = |n: Option<i64>| Cell::number(n.map(|n| n.to_string()).unwrap_or_default());
    for source in &status.sources {
        table.push(vec![
            Cell::text(&source.name),
            Cell::text(&source.rep),
            Cell::text(&source.kind),
            Cell::text(words(source, now)).toned(tone(source)),
            Cell::number(source.mailboxes.len().to_string()),
            count(source.seen),
            count(source.on_server),
            count(source.meetings),
            count(source.meetings_ahead),
            Cell::text(source.fresh_at.map(|at| at.to_string()).unwrap_or_default()),
            Cell::text(source.error.as_deref().unwrap_or_default()),
        ]);
    }
    table
}

/// How reading a source goes, in words.
fn words(source: &SourceStatus, now: Timestamp) -> String {
    let state = source.state.words();
    let words = match (source.state, source.retry_at) {
        (SourceState::Syncing, _) => match (source.seen, source.on_server) {
            (Some(seen), Some(on_server)) => {
                format!("{state} {} of {}", grouped(seen), grouped(on_server.max(seen)))
            }
            _ => state,
        },
        (SourceState::Degraded | SourceState::Throttled, Some(at)) if at > now => {
            format!("{state} until {}", until(at, now))
        }
        _ => state,
    };
    match total_missing(source) {
        0 => words,
        missing => format!("{words}, missing {}", grouped(missing)),
    }
}

fn tone(source: &SourceStatus) -> Tone {
    match source.state {
        SourceState::Ok if total_missing(source) > 0 => Tone::Warning,
        SourceState::Ok => Tone::Good,
        SourceState::New | SourceState::Disabled => Tone::Faint,
        SourceState::AuthRequired | SourceState::Misconfigured => Tone::Bad,
        SourceState::Syncing | SourceState::Degraded | SourceState::Throttled => Tone::Warning,
    }
}

fn total_missing(source: &SourceStatus) -> i64 {
    source.mailboxes.iter().filter_map(|mailbox| mailbox.missing).sum()
}

/// The minute after which an instant has passed, with its day if that is not today's.
fn until(at: Timestamp, now: Timestamp) -> String {
    let minute = Timestamp::from_seconds((at + Span::from_millis(59_999)).seconds() / 60 * 60);
    match (minute.to_utc(), now.to_utc()) {
        (Some(at), Some(now)) if at.date_naive() == now.date_naive() => {
            at.format("%H:%M UTC").to_string()
        }
        _ => minute.to_string(),
    }
}

/// A number with its thousands apart.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::status::{MailboxStatus, OutboxStatus};
    use crate::pipeline::nudge::view::Standing;
    use crate::store::endpoint::{Condition, Endpoint};

    fn now() -> Timestamp {
        "2026-11-21T14:00:30Z".parse().unwrap()
    }

    fn mailbox(
        name: &str,
        seen: Option<i64>,
        on_server: i64,
        missing: Option<i64>,
    ) -> MailboxStatus {
        let (name, role, on_server) = (name.to_owned(), "inbox".to_owned(), Some(on_server));
        let (complete, meetings, meetings_ahead) = (missing.is_some(), None, None);
        MailboxStatus { name, role, seen, on_server, complete, missing, meetings, meetings_ahead }
    }

    fn source(state: SourceState, wait_s: Option<i64>, mailbox: MailboxStatus) -> SourceStatus {
        SourceStatus {
            name: state.code().to_owned(),
            rep: "ann".to_owned(),
            kind: "imap".to_owned(),
            state,
            retry_at: wait_s.map(|wait| now() + Span::from_seconds(wait)),
            failures: 0,
            error: wait_s.map(|_| "unreachable: connection refused".to_owned()),
            seen: mailbox.seen,
            on_server: mailbox.on_server,
            items: mailbox.on_server,
            meetings: None,
            meetings_ahead: None,
            mailboxes: vec![mailbox],
            mailboxes_incomplete: 0,
            fresh_at: None,
            attempted_at: None,
        }
    }

    #[test]
    fn a_source_is_told_in_words() {
        use SourceState as State;
        let whole = || mailbox("INBOX", Some(7), 7, Some(0));
        for (source, expected) in [
            (source(State::Ok, None, whole()), "ok"),
            (source(State::New, None, whole()), "new"),
            (
                source(State::Syncing, None, mailbox("INBOX", Some(12_000), 50_000, None)),
                "syncing 12,000 of 50,000",
            ),
            (source(State::Syncing, None, mailbox("INBOX", None, 50_000, None)), "syncing"),
            (source(State::Degraded, Some(2), whole()), "degraded until 14:01 UTC"),
            (source(State::Degraded, Some(30), whole()), "degraded until 14:01 UTC"),
            (source(State::Degraded, Some(31), whole()), "degraded until 14:02 UTC"),
            (source(State::Degraded, Some(-1), whole()), "degraded"),
            (
                source(State::Throttled, Some(36_000), whole()),
                "throttled until 2026-11-22T00:01:00Z",
            ),
            (source(State::AuthRequired, Some(86_400), whole()), "auth required"),
            (source(State::Misconfigured, Some(86_400), whole()), "misconfigured"),
            (source(State::Ok, None, mailbox("INBOX", Some(4), 7, Some(3))), "ok, missing 3"),
            (source(State::Ok, None, mailbox("INBOX", None, 7, None)), "ok"),
        ] {
            assert_eq!(words(&source, now()), expected, "{source:?}");
        }
    }

    #[test]
    fn what_is_missing_and_who_is_gone_is_said_below_the_table() {
        use EndpointState::{Active, Gone, Held, New, Removed};
        let stalled = mailbox("INBOX", Some(1000), 2234, Some(1234));
        let status = Status {
            sources: vec![source(SourceState::Ok, None, stalled)],
            messages: 1000,
            meetings: 0,
            interactions: 0,
            relationships: 0,
            contacts: 0,
            quarantined: 0,
            nudges: 0,
            nudging: Standing::default(),
            left_out: Vec::new(),
            outbox: OutboxStatus {
                pending: 3,
                delivered: 0,
                dead: 0,
                cancelled: 0,
                oldest_pending_at: Some(now() - Span::from_hours(50)),
            },
            endpoints: super::super::endpoints(
                [("crm", Some(now())), ("old", Some(now())), ("slack", None)]
                    .map(|(name, gone_at)| Endpoint {
                        name: name.into(),
                        gone_at,
                        ..failing(0, None)
                    })
                    .into_iter()
                    .chain([Endpoint { name: "erp".into(), ..failing(7, Some(600)) }])
                    .chain([Endpoint { name: "log".into(), ..failing(1, None) }])
                    .collect(),
                &["crm", "erp", "log", "slack", "teams"],
                now(),
            ),
        };
        let mut out = Vec::new();
        print(&mut out, Format::Table, &status, now()).unwrap();
        let expected = "\
source  rep  kind  state              mailboxes  seen  on server  meetings  ahead  fresh at  last error
ok      ann  imap  ok, missing 1,234          1  1000       2234
missing: 1,234 of the 2,234 messages in INBOX of ok have not been read

1000 messages, 0 meetings, 0 interactions, 0 relationships, 0 contacts
0 nudges; outbox: 3 pending (the oldest for 2 days), 0 delivered, 0 given up; 0 items in quarantine
endpoint crm answered 410 Gone at 2026-11-21T14:00:30Z: give it another url to use it
endpoint old is not in the configuration any more, 2 pending: `keepwarm nudges drop --endpoint old` drops them
endpoint erp has failed 7 times in a row: no answer in time; left alone until 2026-11-21T14:10:30Z, 2 pending (the oldest for 90 min)
endpoint log has failed once: no answer in time; tried again, 2 pending (the oldest for 90 min)
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let states: Vec<EndpointState> = status.endpoints.iter().map(|e| e.state).collect();
        let expected = [Gone, Held, Active, Removed, Active, New];
        assert_eq!(states, expected, "crm, erp, log, old, slack, teams");
    }

    fn failing(failures: u32, held_s: Option<i64>) -> Endpoint {
        let held_until = held_s.map(|seconds| now() + Span::from_seconds(seconds));
        let error = (failures > 0).then(|| "no answer in time".to_owned());
        Endpoint {
            condition: Condition { failures, held_until, error, failing_since: Some(now()) },
            pending: 2,
            oldest_at: Some(now() - Span::from_seconds(90 * 60)),
            ..Endpoint::default()
        }
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-123, "-123")]
        {
            assert_eq!(grouped(number), expected);
        }
    }
}
