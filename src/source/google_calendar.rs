//! Reads calendars of Google by its Calendar API v3 (developers.google.com/calendar).
//!
//! Guarantees that a change costs one request where it is to a single event, and that a series and
//! its exceptions are always stored as one whole: of a series the list of changes tells only which
//! part has changed, so all of it is asked for anew by its UID, which gives the master and every
//! exception. Series are not expanded by Google (`singleEvents=false`), because its lists of changes
//! then tell of every occurrence. Everything is listed at first, when Google has forgotten what we
//! have seen (410), and every two weeks; what that list lacks is taken back. Nothing of what an
//! event is about is asked for.

mod answer;
mod event;
mod plan;

use std::collections::BTreeSet;
use std::fmt;

use reqwest::Url;
use serde::Deserialize;
use tokio::sync::mpsc;

use self::answer::{Asked, Meant, Page, WHO, meaning};
use self::event::{Event, FIELDS};
use self::plan::{Ask, Change, Found};
use super::web::bearer::Api;
use super::web::calendars::Calendars;
use super::web::objects;
use super::{Pass, SourceError};
use crate::http::Client;
use crate::model::time::DAY_MS;
use crate::model::{Cursor, Delta, KnownMailbox, RawItem, Timestamp, window};
use crate::source::credentials::Credentials;

/// Events on a page. Google gives up to 2,500; with hundreds of people each that is too much.
const PAGE: &str = "1000";

/// Pages of one list: a million events. One that goes on is going round in circles.
const MAX_PAGES: usize = 1000;

/// Which calendars, and by what they are read.
#[derive(Clone)]
pub struct Settings {
    /// Where the interface is.
    pub api_url: Url,
    /// A name for whose they are, for what logins share.
    pub account: String,
    /// Ids of calendars; `primary` is the one of whom the token is for.
    pub calendars: Vec<String>,
    api: Api,
}

impl Settings {
    /// The calendars of whom the access token is for, or whom the service account stands in for.
    #[must_use]
    pub fn new(
        api_url: Url,
        account: String,
        calendars: Vec<String>,
        credentials: Credentials,
        client: Client,
    ) -> Self {
        Self { api_url, account, calendars, api: Api { client, credentials, who: WHO } }
    }

    /// The server.
    #[must_use]
    pub fn host(&self) -> &str {
        self.api_url.host_str().unwrap_or_default()
    }

    /// As [`Credentials::fingerprint`].
    pub async fn fingerprint(&self) -> Option<u16> {
        self.api.credentials.fingerprint().await
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleCalendar").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// Reads every calendar; one that cannot be read does not keep the others from being read, and one
/// that is named no more is forgotten.
///
/// # Errors
/// Any [`SourceError`].
pub async fn read(
    settings: &Settings,
    known: &[KnownMailbox],
    now: Timestamp,
    sink: mpsc::Sender<Delta>,
) -> Result<Pass, SourceError> {
    let mut calendars = Calendars::default();
    let today = now.millis().div_euclid(DAY_MS);
    objects::forget_others(known, &settings.calendars, today, &sink).await?;
    for name in &settings.calendars {
        let known = known.iter().find(|mailbox| mailbox.name == *name);
        let calendar = Calendar { settings, name, known, now };
        calendars.add(calendar.read(&sink).await)?;
    }
    calendars.end()
}

/// One calendar during a pass.
struct Calendar<'a> {
    settings: &'a Settings,
    name: &'a str,
    known: Option<&'a KnownMailbox>,
    now: Timestamp,
}

/// What a list was read to.
enum End {
    /// Its end, where a list of a whole calendar has a token for what will change.
    Whole(Option<String>),
    /// It must be begun without a token.
    StartOver,
}

impl Calendar<'_> {
    async fn read(&self, sink: &mpsc::Sender<Delta>) -> Result<(), SourceError> {
        let today = self.now.millis().div_euclid(DAY_MS);
        if let Some(cursor) = self.known.and_then(|known| known.cursor.as_ref())
            && let Ask::Since(token) = plan::ask(Some(cursor), today)
        {
            let (mut events, since) = (Vec::new(), [("syncToken", token.as_str())]);
            let end = self.list(Asked::Changes, &since, &mut |event| events.push(event)).await?;
            if let End::Whole(token) = end {
                return self.send_changes(events, token, cursor, sink).await;
            }
        }
        let (mut found, horizon) = (Found::default(), self.now - window::BACK);
        let end = self.list(Asked::List, &[], &mut |event| found.add(event, horizon)).await?;
        let End::Whole(token) = end else { return Err(circles()) };
        let items = found.items();
        let known = self.known.map_or(&[][..], |known| &known.objects);
        let gone = known.iter().map(|object| object.item).filter(|item| !items.contains(item));
        let update = objects::Update {
            name: self.name,
            known,
            gone: gone.collect(),
            items: found.into_objects(),
            // Interrupted, it begins again.
            meanwhile: Cursor::Calendar { token: None, day: today },
            cursor: Cursor::Calendar { token: Some(token_of(token)?), day: today },
        };
        objects::send(update, sink).await
    }

    /// Sends what has changed since `cursor`, asking for the whole of each series.
    async fn send_changes(
        &self,
        events: Vec<Event>,
        token: Option<String>,
        cursor: &Cursor,
        sink: &mpsc::Sender<Delta>,
    ) -> Result<(), SourceError> {
        let known = self.known.map_or(&[][..], |known| &known.objects);
        let mut items = Vec::new();
        let mut gone = BTreeSet::new();
        for (id, change) in plan::changes(events) {
            let found = match change {
                Change::Gone => None,
                Change::Single(event) => Some(plan::object(&id, &[*event])),
                Change::Series(uid) => self.series(&id, uid).await?,
            };
            match found {
                Some(RawItem::Calendar { object, .. }) if known.binary_search(&object).is_ok() => {}
                Some(item) => items.push(item),
                None => {
                    gone.insert(plan::item(&id));
                }
            }
        }
        let day = if let Cursor::Calendar { day, .. } = cursor { *day } else { 0 };
        let token = token_of(token)?;
        gone.retain(|item| known.binary_search_by_key(item, |object| object.item).is_ok());
        let update = objects::Update {
            name: self.name,
            known,
            gone: gone.into_iter().collect(),
            items,
            meanwhile: cursor.clone(),
            cursor: Cursor::Calendar { token: Some(token), day },
        };
        objects::send(update, sink).await
    }

    /// A series with all its exceptions, if anything of it is left.
    async fn series(&self, id: &str, uid: Option<String>) -> Result<Option<RawItem>, SourceError> {
        let uid = match uid {
            Some(uid) => uid,
            // Of an occurrence that was called off the list tells no UID: its master knows.
            None => match self.uid(id).await? {
                Some(uid) => uid,
                None => return Ok(None),
            },
        };
        let mut found = Found::default();
        let mut add = |event: Event| {
            if event.whole() == id {
                found.add(event, Timestamp::from_millis(i64::MIN));
            }
        };
        match self.list(Asked::List, &[("iCalUID", &uid)], &mut add).await? {
            End::Whole(_) => Ok(found.into_objects().pop()),
            End::StartOver => Err(circles()),
        }
    }

    /// The UID of an event, if it is there.
    async fn uid(&self, id: &str) -> Result<Option<String>, SourceError> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(rename = "iCalUID")]
            uid: String,
        }
        let url = self.url(Some(id), &[("fields", "iCalUID")])?;
        let reply = self.settings.api.get(&url, "").await?;
        Ok(match meaning::<Named>(&reply, Asked::Event)? {
            Meant::Found(named) => Some(named.uid),
            Meant::Missing | Meant::StartOver => None,
        })
    }

    /// Gives every event of a list to `add`, page by page.
    async fn list(
        &self,
        asked: Asked,
        more: &[(&str, &str)],
        add: &mut (dyn FnMut(Event) + Send),
    ) -> Result<End, SourceError> {
        let fields = format!("nextPageToken,nextSyncToken,items({FIELDS})");
        let mut page: Option<String> = None;
        for _ in 0..MAX_PAGES {
            // Google wants the same parameters for every page, and with a token those of the list
            // that gave it.
            let mut query = vec![
                ("singleEvents", "false"),
                ("showDeleted", "true"),
                ("maxResults", PAGE),
                ("fields", &fields),
            ];
            query.extend(more);
            query.extend(page.as_deref().map(|page| ("pageToken", page)));
            let reply = self.settings.api.get(&self.url(None, &query)?, "").await?;
            let found: Page = match meaning(&reply, asked)? {
                Meant::Found(found) => found,
                Meant::Missing | Meant::StartOver => return Ok(End::StartOver),
            };
            found.items.into_iter().for_each(&mut *add);
            page = found.next_page_token;
            if page.is_none() {
                return Ok(End::Whole(found.next_sync_token));
            }
        }
        Err(circles())
    }

    /// The URL of the calendar's events, or of one of them.
    fn url(&self, event: Option<&str>, query: &[(&str, &str)]) -> Result<Url, SourceError> {
        let mut url = self.settings.api_url.clone();
        url.path_segments_mut()
            .map_err(|()| SourceError::Misconfigured("api_url has no path".to_owned()))?
            .pop_if_empty()
            .extend(["calendars", self.name, "events"].into_iter().chain(event));
        url.query_pairs_mut().clear().extend_pairs(query);
        Ok(url)
    }
}

fn token_of(token: Option<String>) -> Result<String, SourceError> {
    let missing = || SourceError::Protocol(format!("{WHO} ends a list without a sync token"));
    token.ok_or_else(missing)
}

fn circles() -> SourceError {
    SourceError::Protocol(format!("{WHO} does not come to the end of a list"))
}
