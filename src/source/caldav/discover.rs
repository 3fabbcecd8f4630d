//! Finds the collections in which a login's calendars are (RFC 6764, RFC 5397, RFC 4791, 6.2.1),
//! and lists what is in them.
//!
//! Redirects are followed by hand, at most [`MAX_REDIRECTS`], and only to where `trust` lets them
//! lead. A URL with a path is taken at its word, for more might be read from elsewhere than the admin
//! wanted: one that is a calendar as the only one, one that is a collection on a server that knows
//! of no principals as the home. From the root of a host the well-known path leads on.

use reqwest::Url;

use super::trust;
use super::wire::{Ask, Depth, Reply, Wire};
use super::xml::{Kind, Multistatus, Properties};
use super::{answer, ask, plan};
use crate::source::SourceError;

/// Redirects in a row.
const MAX_REDIRECTS: usize = 5;

/// Collections of calendars of one login: each is asked in every pass.
const MAX_HOMES: usize = 20;

/// Where the path of RFC 6764 leads.
const WELL_KNOWN: &str = "/.well-known/caldav";

/// A collection in which calendars are, or a calendar itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    url: Url,
    depth: Depth,
}

/// What a listing has found.
#[derive(Debug)]
pub(super) struct Found {
    /// What was asked, to which its hrefs are relative.
    pub(super) url: Url,
    pub(super) answer: Multistatus,
}

/// What was found at a URL.
enum Look {
    Found(Found),
    /// Nothing that can be used, with the status.
    Nothing(u16),
}

/// Where to go on from a URL.
enum Way {
    Homes(Vec<Home>),
    Principal(Url),
    /// A collection without a word about where calendars are.
    Collection(Url),
    Nowhere,
}

/// Discovers where the calendars are.
pub(super) async fn homes(wire: &mut Wire<'_>) -> Result<Vec<Home>, SourceError> {
    let configured = wire.settings.url.clone();
    let mut places = vec![configured.clone()];
    if configured.path() == "/" {
        places.extend(configured.join(WELL_KNOWN));
    }
    let mut fallback = None;
    for place in places {
        match way(wire, place).await? {
            Way::Homes(homes) => return Ok(homes),
            Way::Principal(url) => {
                if let Way::Homes(homes) = way(wire, url).await? {
                    return Ok(homes);
                }
            }
            Way::Collection(url) => fallback = fallback.or(Some(Home { url, depth: Depth::One })),
            Way::Nowhere => {}
        }
    }
    fallback.map(|home| vec![home]).ok_or_else(|| {
        SourceError::Misconfigured(
            "the server names no calendars; hint: let url be that of the calendars, as other \
             calendar programs are told it"
                .to_owned(),
        )
    })
}

/// Lists the collections of all homes; nothing if one of them is not there any more.
pub(super) async fn list(
    wire: &mut Wire<'_>,
    homes: &[Home],
) -> Result<Option<Vec<Found>>, SourceError> {
    let mut all = Vec::new();
    for home in homes {
        match look(wire, home.url.clone(), home.depth, ask::COLLECTIONS).await? {
            Look::Found(found) => all.push(found),
            Look::Nothing(404 | 410) => return Ok(None),
            Look::Nothing(status) => {
                return Err(SourceError::Protocol(format!(
                    "the server does not list the calendars ({status})"
                )));
            }
        }
    }
    // What is missing has not gone, where the listing was cut short or lacks the collection itself.
    let doubtful = |found: &Found| plan::is_cut(&found.answer) || found.answer.responses.is_empty();
    if all.iter().any(doubtful) {
        let why = "the server lists some calendars or none, and not all there is";
        return Err(SourceError::Protocol(why.to_owned()));
    }
    Ok(Some(all))
}

/// Looks at a URL for where the calendars are.
async fn way(wire: &mut Wire<'_>, url: Url) -> Result<Way, SourceError> {
    let Look::Found(Found { url, answer }) = look(wire, url, Depth::Zero, ask::WHERE).await? else {
        return Ok(Way::Nowhere);
    };
    let Some(response) = answer.responses.into_iter().next() else { return Ok(Way::Nowhere) };
    way_from(&wire.settings.url, url, &response.found)
}

/// Where to go on, by what was found at `url`.
fn way_from(configured: &Url, url: Url, found: &Properties) -> Result<Way, SourceError> {
    if found.kinds.contains(&Kind::Calendar) {
        return Ok(Way::Homes(vec![Home { url, depth: Depth::Zero }]));
    }
    let homes: Result<Vec<Home>, SourceError> = found
        .homes
        .iter()
        .map(|href| Ok(Home { url: trust::named(configured, &url, href)?, depth: Depth::One }))
        .collect();
    let homes = homes?;
    if homes.len() > MAX_HOMES {
        let why = format!("the server names more than {MAX_HOMES} homes of calendars");
        return Err(SourceError::Protocol(why));
    }
    if !homes.is_empty() {
        return Ok(Way::Homes(homes));
    }
    match &found.principal {
        Some(href) => Ok(Way::Principal(trust::named(configured, &url, href)?)),
        None if found.kinds.contains(&Kind::Collection) => Ok(Way::Collection(url)),
        None => Ok(Way::Nowhere),
    }
}

/// Asks for properties, wherever redirects lead.
async fn look(
    wire: &mut Wire<'_>,
    mut url: Url,
    depth: Depth,
    body: &str,
) -> Result<Look, SourceError> {
    for _ in 0..=MAX_REDIRECTS {
        match wire.ask(Ask { method: "PROPFIND", url: &url, depth, body }).await? {
            Reply::Multistatus(answer) => return Ok(Look::Found(Found { url, answer })),
            Reply::Moved(Some(to)) => url = trust::named(&wire.settings.url, &url, &to)?,
            Reply::Moved(None) => return Ok(Look::Nothing(300)),
            Reply::No(status) => return Ok(Look::Nothing(status)),
            Reply::Failing(error) => return Err(error),
            Reply::TooLarge => return Err(answer::too_large()),
        }
    }
    Err(SourceError::Protocol("the server sends us in circles".to_owned()))
}
