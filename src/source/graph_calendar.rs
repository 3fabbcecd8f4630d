//! Reads calendars of Microsoft 365 by Microsoft Graph (learn.microsoft.com/graph, "List
//! calendarView").
//!
//! Guarantees that every occurrence of 400 days back to 135 days ahead is stored as Exchange has it,
//! series expanded by Exchange, and that what a month no longer holds is taken back. It asks for
//! plain calendar views, month by month, and compares: the change lists of Graph (`delta`) are bound
//! to a window too, tell of occurrences by stubs, and cannot leave out what an event is about
//! (`$select` is refused), which must not be transferred. Months that lie more than 30 days back are
//! read at first and every two weeks, the others in every pass; a pass is made every five minutes at
//! most.

mod answer;
mod event;
mod plan;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use reqwest::Url;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::answer::{Meant, WHO, meaning};
use self::event::{Event, FIELDS};
use self::plan::{Month, Plan, Send, Sweep};
use super::web::bearer::Api;
use super::web::calendars::Calendars;
use super::web::{objects, vcalendar};
use super::{Pass, SourceError};
use crate::http::Client;
use crate::model::time::DAY_MS;
use crate::model::{Cursor, Delta, Key, KnownMailbox, Object, RawItem, Timestamp};
use crate::source::credentials::Credentials;

/// Times in UTC, ids that stay when an event is moved to another folder, pages of a hundred.
const PREFER: &str = "outlook.timezone=\"UTC\", IdType=\"ImmutableId\", odata.maxpagesize=100";

/// The calendar that everybody has.
const PRIMARY: &str = "primary";

/// Pages of one month: fifty thousand occurrences. More are a list that goes round in circles.
const MAX_PAGES: usize = 500;

/// Between two passes.
const PAUSE: Duration = Duration::from_secs(300);

/// Which calendars, and by what they are read.
#[derive(Clone)]
pub struct Settings {
    /// Where the interface is.
    pub api_url: Url,
    /// A name for whose they are, for what logins share.
    pub account: String,
    /// Whose calendars; `None` is whom the token is for.
    pub username: Option<String>,
    /// Addresses of whose calendars they are.
    pub own: Vec<String>,
    /// Ids of calendars; `primary` is the one that everybody has.
    pub calendars: Vec<String>,
    /// The access token.
    pub credentials: Credentials,
    /// Asks.
    pub client: Client,
}

impl Settings {
    /// The server.
    #[must_use]
    pub fn host(&self) -> &str {
        self.api_url.host_str().unwrap_or_default()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphCalendar").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// Reads every calendar; one that cannot be read does not keep the others from being read, and one
/// that is named no more is forgotten. Gives also
/// until when they are left alone.
///
/// # Errors
/// Any [`SourceError`].
pub async fn read(
    settings: &Settings,
    known: &[KnownMailbox],
    now: Timestamp,
    sink: mpsc::Sender<Delta>,
) -> Result<(Pass, Instant), SourceError> {
    let mut calendars = Calendars::default();
    let today = now.millis().div_euclid(DAY_MS);
    objects::forget_others(known, &settings.calendars, today, &sink).await?;
    for name in &settings.calendars {
        let known = known.iter().find(|mailbox| mailbox.name == *name);
        let calendar = Calendar { settings, name, known, now };
        calendars.add(calendar.read(&sink).await)?;
    }
    Ok((calendars.end()?, Instant::now() + PAUSE))
}

/// One calendar during a pass.
struct Calendar<'a> {
    settings: &'a Settings,
    name: &'a str,
    known: Option<&'a KnownMailbox>,
    now: Timestamp,
}

/// What a month holds.
#[derive(Default)]
struct Held {
    items: Vec<RawItem>,
    gone: Vec<i64>,
}

impl Calendar<'_> {
    async fn read(&self, sink: &mpsc::Sender<Delta>) -> Result<(), SourceError> {
        let today = self.now.millis().div_euclid(DAY_MS);
        let before = self.known.and_then(|known| known.cursor.as_ref());
        let Plan { months, send, sweep, cursor } = plan::plan(before, self.now, today);
        let known = self.known.map_or(&[][..], |known| &known.objects);
        let mut all = Held::default();
        for month in months {
            let held = self.month(month, known, send).await?;
            all.items.extend(held.items);
            all.gone.extend(held.gone);
        }
        if sweep == Sweep::Everything {
            let found: BTreeSet<i64> = all.items.iter().map(RawItem::number).collect();
            all.gone = known.iter().map(|object| object.item).collect();
            all.gone.retain(|item| !found.contains(item));
        }
        // Interrupted, all of it begins again; otherwise only what was not sent.
        let meanwhile = match (send, before) {
            (Send::Changed, Some(before)) => before.clone(),
            _ => Cursor::Calendar { token: None, day: today },
        };
        let Held { items, gone } = all;
        let name = self.name;
        objects::send(objects::Update { name, known, gone, items, meanwhile, cursor }, sink).await
    }

    /// What is to be sent of a month, and what has gone from it.
    async fn month(&self, month: Month, known: &[Object], send: Send) -> Result<Held, SourceError> {
        let events = self.list(month).await?;
        if events.iter().any(|event| event.starts_at().is_none()) {
            // To pass over them would be to take them for gone.
            return Err(SourceError::Protocol(format!("{WHO} does not tell times in utc")));
        }
        // One that began earlier is in the view of an earlier month too.
        let events =
            events.iter().filter(|event| event.starts_at().and_then(Month::of) == Some(month));
        let found: Vec<_> = events.filter_map(|event| self.object(month, event)).collect();
        let held: Vec<Object> = found.iter().map(|(object, _)| *object).collect();
        let gone = plan::gone(month, known, &held);
        let news = found
            .into_iter()
            .filter(|(object, _)| send == Send::All || known.binary_search(object).is_err());
        let items = news.map(|(object, bytes)| RawItem::Calendar { object, bytes }).collect();
        Ok(Held { items, gone })
    }

    fn object(&self, month: Month, event: &Event) -> Option<(Object, Vec<u8>)> {
        let vevent = event.is_of_interest().then(|| event.vevent(&self.settings.own)).flatten()?;
        let bytes = vcalendar::write(&[vevent]);
        let tag = Key::of("graph-event-text", &[&bytes]).0;
        Some((Object { item: month.item(&event.id), tag }, bytes))
    }

    /// The view of a month, page by page; begun once more if Graph loses the place.
    async fn list(&self, month: Month) -> Result<Vec<Event>, SourceError> {
        for _ in 0..2 {
            if let Some(events) = self.pages(month).await? {
                return Ok(events);
            }
        }
        Err(SourceError::Protocol(format!("{WHO} loses its place in a list again and again")))
    }

    async fn pages(&self, month: Month) -> Result<Option<Vec<Event>>, SourceError> {
        let Settings { client, credentials, .. } = self.settings;
        let (client, credentials) = (client.clone(), credentials.clone());
        let api = Api { client, credentials, who: WHO };
        let mut url = self.url(month)?;
        let mut events = Vec::new();
        for _ in 0..MAX_PAGES {
            let Meant::Found(page) = meaning(&api.get(&url, PREFER).await?)? else {
                return Ok(None);
            };
            events.extend(page.value);
            match page.next_link {
                Some(link) => url = self.linked(&link)?,
                None => return Ok(Some(events)),
            }
        }
        Err(SourceError::Protocol(format!("{WHO} does not come to the end of a list")))
    }

    /// A link to the next page: the token is shown to nobody but the configured server.
    fn linked(&self, link: &str) -> Result<Url, SourceError> {
        let url =
            Url::parse(link).ok().filter(|url| url.origin() == self.settings.api_url.origin());
        let elsewhere = || SourceError::Protocol(format!("{WHO} links to another server"));
        url.ok_or_else(elsewhere)
    }

    fn url(&self, month: Month) -> Result<Url, SourceError> {
        let unusable = || SourceError::Misconfigured("api_url has no path".to_owned());
        let (from, to) = month.bounds().ok_or_else(unusable)?;
        let mut url = self.settings.api_url.clone();
        let whose: &[&str] = match &self.settings.username {
            Some(username) => &["users", username],
            None => &["me"],
        };
        let calendar: &[&str] = if self.name == PRIMARY {
            &["calendarView"]
        } else {
            &["calendars", self.name, "calendarView"]
        };
        url.path_segments_mut()
            .map_err(|()| unusable())?
            .pop_if_empty()
            .extend(whose)
            .extend(calendar);
        url.query_pairs_mut()
            .clear()
            .append_pair("startDateTime", &from)
            .append_pair("endDateTime", &to)
            .append_pair("$select", FIELDS);
        Ok(url)
    }
}
