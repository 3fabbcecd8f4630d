//! One source, as far as a pass would go before it reads: name, port, TLS, login, mailboxes.

use std::path::Path;
use std::time::Duration;

use super::{Checked, Verdict, login, network};
use crate::clock::Clock;
use crate::config::{self, Config, SourceKind, Tls};
use crate::daemon;
use crate::model::Timestamp;
use crate::source::probe::{Probe, probe};
use crate::source::{SkipReason, Skipped, SourceError};

/// How long a source may take in all.
const PATIENCE: Duration = Duration::from_secs(60);

/// Clocks may differ by so much, in milliseconds: HTTP tells whole seconds, and answers take time.
const CLOCK_OK_MS: i64 = 5_000;
/// From here on tokens are refused that are valid.
const CLOCK_WRONG_MS: i64 = 60_000;

/// Where a source is on the network.
struct Server<'a> {
    host: String,
    port: u16,
    /// Whether TLS begins with the connection, and is looked at here.
    https: bool,
    ca_file: Option<&'a Path>,
}

/// Tries it.
pub(super) async fn check(config: &Config, found: &config::Source) -> Vec<Checked> {
    let subject = format!("source {}", found.name);
    let now = Clock::System.now();
    let mut checks = Vec::new();
    if let Some(server) = server(&found.kind) {
        let (reached, stream) = network::reach(&subject, &server.host, server.port).await;
        checks.extend(reached);
        let Some(stream) = stream else {
            checks.push(Checked::new(&subject, "login", Verdict::Skipped, "not reached"));
            return checks;
        };
        if server.https {
            let secured =
                network::secure(&subject, stream, &server.host, server.ca_file, now).await;
            checks.push(secured);
        }
    }
    if let Some(known) = login::check(config, found) {
        checks.push(known);
        return checks;
    }
    let reader = match daemon::reader_alone(config, found) {
        Ok(reader) => reader,
        Err(error) => {
            let hint = "see what `keepwarm check` says about it";
            checks.push(Checked::failed(&subject, "login", &error.to_string(), hint));
            return checks;
        }
    };
    let mut seen = Probe::default();
    let tried = tokio::time::timeout(PATIENCE, probe(&reader, &mut seen, now)).await;
    let error = match tried {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(_) => Some(SourceError::Unreachable(format!("no end after {} s", PATIENCE.as_secs()))),
    };
    checks.extend(stages(&subject, &found.kind, &seen, error.as_ref(), now));
    checks
}

fn server(kind: &SourceKind) -> Option<Server<'_>> {
    let of_url = |url: &reqwest::Url| (url.host_str().unwrap_or_default().to_owned(), url.clone());
    let (host, url, ca_file) = match kind {
        SourceKind::Imap(imap) => {
            let (host, ca_file) = (imap.host.clone(), imap.ca_file.as_deref());
            return Some(Server { host, port: imap.port, https: false, ca_file });
        }
        SourceKind::Caldav(dav) => {
            let (host, url) = of_url(&dav.url);
            (host, url, dav.ca_file.as_deref())
        }
        SourceKind::Feed(feed) => {
            let (host, url) = of_url(&feed.url);
            (host, url, feed.ca_file.as_deref())
        }
        SourceKind::GoogleCalendar(api) | SourceKind::GraphCalendar(api) => {
            let (host, url) = of_url(&api.api_url);
            (host, url, None)
        }
        SourceKind::Maildir { .. } | SourceKind::Ics { .. } => return None,
    };
    let https = matches!(url.scheme(), "https" | "webcal" | "webcals");
    let port = url.port().unwrap_or(if https { 443 } else { 80 });
    Some(Server { host, port, https, ca_file })
}

/// A row for every stage that there is for the kind; the first that was not reached has the error.
fn stages(
    subject: &str,
    kind: &SourceKind,
    seen: &Probe,
    error: Option<&SourceError>,
    now: Timestamp,
) -> Vec<Checked> {
    let mut stages: Vec<(&'static str, Option<Checked>)> = Vec::new();
    let ok = |check, found: String| Some(Checked::new(subject, check, Verdict::Ok, found));
    if let SourceKind::Imap(imap) = kind {
        if imap.tls != Tls::None {
            let shaken = seen.capabilities.is_some() || seen.certificate_until.is_some();
            let row = shaken.then(|| network::certificate(subject, seen.certificate_until, now));
            stages.push(("tls", row));
        }
        let told = seen.capabilities.as_ref().map(|told| told.join(" "));
        stages.push(("capabilities", told.and_then(|told| ok("capabilities", told))));
    }
    if !matches!(kind, SourceKind::Maildir { .. } | SourceKind::Ics { .. }) {
        let row = seen.logged_in.then(|| "accepted".to_owned());
        stages.push(("login", row.and_then(|found| ok("login", found))));
    }
    if matches!(kind, SourceKind::Caldav(_)) {
        let row = seen.discovered.as_ref().map(|places| format!("at {}", places.join(", ")));
        stages.push(("discovery", row.and_then(|found| ok("discovery", found))));
    }
    let read = seen.mailboxes.as_ref().map(|(count, skipped)| mailboxes(subject, *count, skipped));
    stages.push(("mailboxes", read));
    let mut checks = Vec::new();
    let mut error = error;
    for (name, row) in stages {
        checks.push(match (row, error.take()) {
            (Some(row), still) => {
                error = still;
                row
            }
            (None, Some(error)) => failed(subject, name, error),
            (None, None) => Checked::new(subject, name, Verdict::Skipped, "not reached"),
        });
    }
    checks.extend(seen.server_at.map(|at| clock(subject, at, now)));
    checks
}

fn failed(subject: &str, check: &'static str, error: &SourceError) -> Checked {
    let hint = match error {
        SourceError::Unauthorized(_) => {
            "try username and password in another program; many providers want an app password, or \
             OAuth ([source.oauth])"
        }
        SourceError::SignedOut(_) => "somebody has to sign in again for this source",
        SourceError::Throttled { .. } => "wait as long as it says: the daemon does so by itself",
        SourceError::Unreachable(_) => "is it a server of this kind, and does it answer others?",
        SourceError::Protocol(_) => "look into the server's log of this minute",
        SourceError::Incomplete(_) => "may this login read all of its mailboxes?",
        SourceError::Misconfigured(_) => "compare the [[source]] with what its provider tells",
        SourceError::Stopped => "try again",
    };
    Checked::failed(subject, check, &error.to_string(), hint)
}

fn mailboxes(subject: &str, count: usize, skipped: &[Skipped]) -> Checked {
    let mut reasons: Vec<&str> = skipped.iter().map(|one| one.reason.code()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let left = if skipped.is_empty() {
        String::new()
    } else {
        format!(", {} are not ({})", skipped.len(), reasons.join(", "))
    };
    let row =
        |result| Checked::new(subject, "mailboxes", result, format!("{count} are read{left}"));
    if count == 0 {
        let hint = "is this the right login, and does exclude_mailboxes leave one?";
        return row(Verdict::Failed).hint(hint);
    }
    let refused = |one: &Skipped| matches!(one.reason, SkipReason::Refused(_));
    if skipped.iter().any(refused) {
        return row(Verdict::Warning)
            .hint("the server refuses some of them: may this login read them?");
    }
    row(Verdict::Ok)
}

fn clock(subject: &str, server_at: Timestamp, now: Timestamp) -> Checked {
    let off = (server_at - now).millis();
    let (seconds, side) = (off.abs() / 1000, if off < 0 { "behind" } else { "ahead of" });
    let found = format!("the server is {seconds} s {side} this machine");
    let hint = "one of the clocks is wrong: timedatectl tells whether this machine's is kept right";
    match off.abs() {
        0..=CLOCK_OK_MS => Checked::new(subject, "clock", Verdict::Ok, found),
        ..CLOCK_WRONG_MS => Checked::new(subject, "clock", Verdict::Warning, found).hint(hint),
        _ => Checked::new(subject, "clock", Verdict::Failed, found).hint(hint),
    }
}
