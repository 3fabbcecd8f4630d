//! Judges one `[[source]]`: which keys its kind has, and whether its connection is safe.

use std::path::PathBuf;
use std::time::Duration;

use super::problem::Problem;
use super::raw::RawSource;
use super::schema::{self, OF_KIND};
use super::settings::{Imap, Source, SourceKind, Tls};
use super::validate::Item;
use super::{caldav, calendar_api, feed, login, words};

/// The source, if all of it is right; `poll` is the organisation's.
pub(super) fn source(
    item: &mut Item<'_>,
    mut raw: RawSource,
    reps: &[String],
    poll: Duration,
    credentials: Option<&PathBuf>,
) -> Option<Source> {
    let name = item.required("name", raw.name.take());
    let rep = item.required("rep", raw.rep.take());
    if let Some(rep) = &rep {
        known_rep(item, rep, reps);
    }
    let poll = raw.poll_seconds.map_or(poll, Duration::from_secs);
    let exclude_mailboxes = raw.exclude_mailboxes.take().unwrap_or_default();
    let kind = item.required("kind", raw.kind.take())?;
    strangers(item, &kind);
    let kind = match kind.as_str() {
        "imap" => imap(item, raw, credentials).map(SourceKind::Imap),
        "caldav" => caldav::caldav(item, raw, credentials).map(SourceKind::Caldav),
        "google_calendar" => {
            calendar_api::google(item, raw, credentials).map(SourceKind::GoogleCalendar)
        }
        "graph_calendar" => {
            calendar_api::graph(item, raw, credentials).map(SourceKind::GraphCalendar)
        }
        "maildir" => {
            let authserv_id = raw.authserv_id.take();
            path(item, raw).map(|path| SourceKind::Maildir { path, authserv_id })
        }
        _ => feed::ics(item, raw),
    };
    Some(Source { name: name?, rep: rep?, kind: kind?, poll, exclude_mailboxes })
}

fn known_rep(item: &mut Item<'_>, rep: &str, reps: &[String]) {
    if reps.iter().any(|known| known == rep) {
        return;
    }
    let message = format!("`source.rep` must be the id of a [[rep]], but is the string {rep:?}");
    let hint = match schema::nearest(rep, reps.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near:?}?"),
        None if reps.is_empty() => "there is no [[rep]] yet".to_owned(),
        None => format!("there are {}", reps.join(", ")),
    };
    item.report("rep", Problem::error(message).hint(hint));
}

/// Reports the keys that sources of another kind have.
fn strangers(item: &mut Item<'_>, kind: &str) {
    for (name, kinds) in OF_KIND {
        if item.given(name) && !kinds.contains(&kind) {
            let kinds = kinds.join(" or ");
            let message = format!("`source.{name}` is for kind {kinds}, but the kind is {kind}");
            item.report(name, Problem::error(message).hint("take it out, or set another kind"));
        }
    }
}

fn path(item: &mut Item<'_>, raw: RawSource) -> Option<PathBuf> {
    item.required("path", raw.path).map(PathBuf::from)
}

fn imap(item: &mut Item<'_>, mut raw: RawSource, credentials: Option<&PathBuf>) -> Option<Imap> {
    let host = item.required("host", raw.host.take());
    let username = item.required("username", raw.username.take());
    let place = login::Place { kind: "imap", host: host.as_deref() };
    let login = login::login(item, place, &mut raw, credentials);
    let tls = match raw.tls.as_deref() {
        Some("starttls") => Tls::StartTls,
        Some("none") => Tls::None,
        _ => Tls::Implicit,
    };
    let here = host.as_deref().is_none_or(words::is_loopback);
    if tls == Tls::None && !here && !raw.allow_plaintext.unwrap_or(false) {
        let problem = Problem::error("`source.tls` must not be \"none\" with a host elsewhere");
        item.report("tls", problem.hint("use \"starttls\", or set allow_plaintext = true"));
    }
    let port = raw.port.unwrap_or(if tls == Tls::Implicit { 993 } else { 143 });
    Some(Imap {
        host: host?,
        port,
        tls,
        ca_file: raw.ca_file.map(PathBuf::from),
        username: username?,
        login: login?,
        authserv_id: raw.authserv_id,
    })
}
