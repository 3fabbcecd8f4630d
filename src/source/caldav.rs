//! Meetings over CalDAV (RFC 4791): one pass over all calendars of a login.
//!
//! Guarantees: nothing is changed on the server; a pass in which nothing is new costs one request,
//! the listing of the calendars, where they have sync-tokens or tags, and one for each calendar
//! elsewhere; an object whose ETag is known is not fetched again; a token is kept only once all
//! that it stands for has been sent, and not at all if anything changed meanwhile, since tokens that
//! are hashes of what a calendar holds come back. Credentials go to the configured host and to those
//! that `trust` lets a server name. A calendar that the server refuses does not hold up the others,
//! and one that it does not list any more is forgotten only if it is not there when it is asked for.
//!
//! Recurrences are expanded over a window of days (400 back, 120 and some ahead) that moves with
//! the day on which an object is read: after [`ROLL_DAYS`](crate::model::window::ROLL_DAYS) all of a
//! calendar is read again.
//!
//! Where the calendars are is found by RFC 6764 without its DNS records: at the URL, and if that is
//! the root of a host at its `/.well-known/caldav`. Why no CalDAV library: the one that leaves
//! sending to others brings a DNS resolver and a second date library, and takes only one of the five
//! statuses by which servers refuse a token. Leaves the wording of requests to `ask`, XML to `xml`, statuses to
//! `answer`, all decisions to `select` and `plan`, and what an object means to `normalise::calendar`.

mod answer;
mod ask;
mod discover;
mod plan;
mod read;
mod select;
mod trust;
mod wire;
mod xml;

use std::time::Duration;

use reqwest::Url;
use tokio::sync::mpsc;

use self::discover::{Found, Home};
use self::read::{Going, Presence, Read};
use self::select::{Calendar, Fate};
use self::wire::Wire;
use super::credentials::Credentials;
use super::probe::Probe;
use super::{Pass, SkipReason, Skipped, SourceError};
use crate::http::Clients;
use crate::model::time::DAY_MS;
use crate::model::{Delta, KnownMailbox, Role, Timestamp};

/// One login to read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to begin: a host's root, a principal, a home of calendars, or one calendar. Without
    /// encryption only where the caller has seen to it that this is wanted.
    pub url: Url,
    /// Who logs in; with an access token nobody is named to the server.
    pub username: String,
    /// What they log in with.
    pub credentials: Credentials,
    /// How long the server may take to begin an answer.
    pub response_timeout: Duration,
    /// Calendars not to read, by display name in any case, or by path; what lies below one is
    /// excluded too.
    pub exclude_mailboxes: Vec<String>,
}

/// What is kept between passes: where the calendars are, so that it is not discovered again.
#[derive(Debug, Default)]
pub struct Kept(Option<Vec<Home>>);

/// Reads everything that is new in all calendars and sends it, a delta for each fetch.
///
/// # Errors
/// `Unauthorized` and `Throttled` by the server's word, `Unreachable` if it does not answer or has
/// an error, `Protocol` if it answers what cannot be understood or sends us to a stranger,
/// `Misconfigured` if there are no calendars and never were, `Stopped` if nobody takes the deltas.
pub async fn read(
    settings: &Settings,
    clients: &Clients,
    kept: &mut Kept,
    known: &[KnownMailbox],
    now: Timestamp,
    sink: mpsc::Sender<Delta>,
) -> Result<Pass, SourceError> {
    let mut wire = Wire::open(settings, clients).await?;
    let found = find(&mut wire, kept).await.map_err(|error| in_time(error, known))?;
    let (calendars, skipped) = select::calendars(&found, settings, known);
    let mut pass = Pass { skipped, ..Pass::default() };
    let mut going = Going { wire, sink, today: now.millis().div_euclid(DAY_MS) };
    let mut failing = None;
    for calendar in &calendars {
        let known = known.iter().find(|known| known.name == calendar.name);
        match read::calendar(&mut going, calendar, known).await? {
            Read::Through(items) => {
                pass.mailboxes += 1;
                pass.messages += items;
            }
            Read::Refused(why) => pass.skipped.push(refused(calendar, why)),
            // The others are read first.
            Read::Failing(error) => failing = failing.or(Some(error)),
        }
    }
    for (known, fate) in select::gone(known, &calendars, &pass.skipped, settings) {
        let there = match fate {
            Fate::Forgotten => Presence::Gone,
            Fate::Asked => read::presence(&mut going, &found, &known.name).await?,
        };
        match there {
            Presence::Gone => read::forget(&going, known).await?,
            Presence::Unlisted => pass.skipped.push(unlisted(known)),
            Presence::Failing(error) => failing = failing.or(Some(error)),
        }
    }
    failing.map_or(Ok(pass), Err)
}

/// Logs in, finds the calendars and tells which a pass would read.
///
/// # Errors
/// As [`read`].
pub async fn probe(
    settings: &Settings,
    clients: &Clients,
    found: &mut Probe,
) -> Result<(), SourceError> {
    let mut wire = Wire::open(settings, clients).await?;
    let listed = find(&mut wire, &mut Kept::default()).await;
    found.server_at = wire.server_at();
    // Whoever is let in may still find no calendars.
    found.logged_in = match &listed {
        Ok(_) | Err(SourceError::Misconfigured(_) | SourceError::Protocol(_)) => {
            found.server_at.is_some()
        }
        Err(_) => false,
    };
    let listed = listed?;
    found.logged_in = true;
    let origins = listed.iter().map(|one| one.url.origin().ascii_serialization());
    found.discovered = Some(origins.collect());
    let (calendars, skipped) = select::calendars(&listed, settings, &[]);
    found.mailboxes = Some((calendars.len(), skipped));
    Ok(())
}

/// The collections where the calendars are, from the place where they were the last time, else by
/// discovery.
async fn find(wire: &mut Wire<'_>, kept: &mut Kept) -> Result<Vec<Found>, SourceError> {
    if let Some(homes) = kept.0.take()
        && let Some(found) = discover::list(wire, &homes).await?
    {
        kept.0 = Some(homes);
        return Ok(found);
    }
    let homes = discover::homes(wire).await?;
    let found = discover::list(wire, &homes).await?;
    let found = found.ok_or_else(|| {
        SourceError::Protocol("the server names a home of calendars that is not there".to_owned())
    })?;
    kept.0 = Some(homes);
    Ok(found)
}

/// What worked before may work again without another configuration.
fn in_time(error: SourceError, known: &[KnownMailbox]) -> SourceError {
    match error {
        SourceError::Misconfigured(why) if known.iter().any(|known| known.cursor.is_some()) => {
            SourceError::Protocol(why)
        }
        error => error,
    }
}

fn refused(calendar: &Calendar, why: String) -> Skipped {
    skipped(&calendar.name, why)
}

fn unlisted(known: &KnownMailbox) -> Skipped {
    skipped(
        &known.name,
        "the server does not list it any more, and does not say that it is gone".to_owned(),
    )
}

fn skipped(name: &str, why: String) -> Skipped {
    let reason = SkipReason::Refused(why);
    Skipped { mailbox: name.to_owned(), role: Some(Role::Calendar), reason }
}
