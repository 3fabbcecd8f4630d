//! Which of the collections that a server lists are calendars to be read: decisions, pure.
//!
//! A calendar of which the server tells that it cannot be read is not gone, and keeps what was read of
//! it; one that it does not tell of is gone if it is not there when it is asked for.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::discover::Found;
use super::xml::{Kind, Properties, Report, Response};
use super::{Settings, plan, trust};
use crate::model::{KnownMailbox, Role};
use crate::source::{SkipReason, Skipped};

/// Calendars of one login that are read.
const MAX_CALENDARS: usize = 1_000;

/// The longest path of a calendar, in bytes.
const MAX_PATH: usize = 2_048;

/// A calendar that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    pub(super) url: Url,
    /// Its mailbox: the path of its URL.
    pub(super) name: String,
    /// Whether it can be asked for changes.
    pub(super) report: Option<Report>,
    /// What tells its present state from others: its sync-token, else its tag.
    pub(super) token: Option<String>,
}

/// The calendars that are to be read, and what else is in the collections where they are.
pub(super) fn calendars(
    found: &[Found],
    settings: &Settings,
    known: &[KnownMailbox],
) -> (Vec<Calendar>, Vec<Skipped>) {
    let (mut calendars, mut skipped) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    let all = found.iter().flat_map(|at| at.answer.responses.iter().map(|one| (&at.url, one)));
    for (base, response) in all {
        let Ok(url) = base.join(&response.href) else { continue };
        let key = plan::key(&url);
        let is_home = key == plan::key(base) && !response.found.kinds.contains(&Kind::Calendar);
        if is_home || !seen.insert(key) {
            continue;
        }
        // A server may write the path otherwise the next time.
        let before = known.iter().find(|known| plan::name_key(base, &known.name) == Some(key));
        let name = before.map_or_else(|| url.path().to_owned(), |known| known.name.clone());
        let url = trust::named(&settings.url, base, &response.href);
        let reason = match &url {
            Ok(_) => skip(response, settings, &name, before),
            Err(_) => Some(SkipReason::Refused("it is on a host that is not asked".to_owned())),
        };
        let reason = reason.or_else(|| {
            let many = calendars.len() >= MAX_CALENDARS;
            many.then(|| SkipReason::Refused("there are more than are read".to_owned()))
        });
        match (reason, url) {
            (None, Ok(url)) => calendars.push(calendar(url, name, &response.found)),
            (reason, _) => skipped.extend(reason.map(|reason| {
                let role = matches!(reason, SkipReason::Refused(_)).then_some(Role::Calendar);
                Skipped { mailbox: name, role, reason }
            })),
        }
    }
    (calendars, skipped)
}

/// What becomes of a calendar that was read before and is none of those to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// What was read of it is forgotten: it is not one any more, or the admin has excluded it.
    Forgotten,
    /// The server is asked whether it is there: it was not told of, as it is also where we are taken
    /// for somebody else.
    Asked,
}

/// The calendars of which anything was read, and which are not there to be read any more.
pub(super) fn gone<'k>(
    known: &'k [KnownMailbox],
    calendars: &[Calendar],
    skipped: &[Skipped],
    settings: &Settings,
) -> Vec<(&'k KnownMailbox, Fate)> {
    let fate = |name: &str| {
        let reason = skipped.iter().find(|s| s.mailbox == name).map(|s| &s.reason);
        let excluded = || settings.exclude_mailboxes.iter().any(|other| is_below(name, other));
        match reason {
            Some(SkipReason::Refused(_)) => None,
            Some(_) => Some(Fate::Forgotten),
            None if excluded() => Some(Fate::Forgotten),
            None => Some(Fate::Asked),
        }
    };
    let there = |name: &str| calendars.iter().any(|calendar| calendar.name == name);
    let held = |known: &KnownMailbox| !known.objects.is_empty() || !known.retry.is_empty();
    let missing = known.iter().filter(|known| held(known) && !there(&known.name));
    missing.filter_map(|known| Some((known, fate(&known.name)?))).collect()
}

fn calendar(url: Url, name: String, found: &Properties) -> Calendar {
    // Some servers have the token and do not tell of the report.
    let report = found.reports.first().copied();
    let report = report.or_else(|| found.token.is_some().then_some(Report::Changes));
    Calendar { url, name, report, token: plan::state(found) }
}

/// Why a collection is not read.
fn skip(
    response: &Response,
    settings: &Settings,
    name: &str,
    known: Option<&KnownMailbox>,
) -> Option<SkipReason> {
    let found = &response.found;
    let none = found.kinds.is_empty() && known.is_some();
    if response.status.is_some_and(|status| status >= 400) || none {
        return Some(SkipReason::Refused("the server does not tell what it is".to_owned()));
    }
    let events = found.components.is_empty() || found.components.iter().any(|c| c == "VEVENT");
    let calendar =
        found.kinds.contains(&Kind::Calendar) && !found.kinds.contains(&Kind::Subscribed);
    if !calendar || !events || name.len() > MAX_PATH {
        return Some(SkipReason::NotSelectable);
    }
    let shown = found.name.as_deref().unwrap_or_default();
    let excluded = |excluded: &String| {
        excluded.to_lowercase() == shown.to_lowercase() || is_below(name, excluded)
    };
    settings.exclude_mailboxes.iter().any(excluded).then_some(SkipReason::Excluded)
}

/// Whether a path is another one or lies below it.
fn is_below(path: &str, other: &str) -> bool {
    let plain = |path: &str| {
        let path = percent_decode_str(path.trim_end_matches('/')).decode_utf8_lossy();
        path.to_lowercase()
    };
    let (path, other) = (plain(path), plain(other));
    other.starts_with('/')
        && path.strip_prefix(&other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excluded_path_covers_what_is_below_it() {
        for (path, excluded, covered) in [
            ("/ann/private/", "/ann/private/", true),
            ("/ann/private/", "/ann/private", true),
            ("/ann/private/a/", "/Ann/Private", true),
            ("/ann/pri%20vate/", "/ann/pri vate", true),
            ("/ann/private-not/", "/ann/private", false),
            ("/ann/private/", "private", false),
            ("/ann/private/", "", false),
        ] {
            assert_eq!(is_below(path, excluded), covered, "{path} {excluded}");
        }
    }
}
