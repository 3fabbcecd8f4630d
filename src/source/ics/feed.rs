//! Reads a calendar from a URL: a published or private iCalendar feed.
//!
//! Guarantees that the calendar is taken whole or not at all, that one which has not changed costs
//! an answer without a body (RFC 9110, 13.1), that a server is asked no more often than it says, and
//! that what is no calendar takes nothing back. What answers with `304` is asked for plainly once a
//! week all the same, since the window over which recurrences are expanded moves on. The URL is a
//! secret: errors name its host and no more.

mod hop;
mod refresh;
mod verdict;

use std::fmt;
use std::time::Duration;

use reqwest::header::{
    ACCEPT, CACHE_CONTROL, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION,
};
use reqwest::{Response, Url};
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::hop::{Hop, Named};
use self::refresh::{Form, Validators};
use self::verdict::{Asked, Verdict, verdict};
use super::MAILBOX;
use crate::http::Client;
use crate::model::key::public_id;
use crate::model::time::DAY_MS;
use crate::model::{
    Cursor, Delta, Key, KnownMailbox, MailboxInfo, Object, RawItem, Role, Timestamp,
};
use crate::source::web::{self, Answer};
use crate::source::{Pass, SourceError};

/// How long one request may take: services that write feeds anew for each are slow.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Redirects followed.
const MAX_REDIRECTS: usize = 5;

/// The largest feed that is read, in bytes after decompression: what `normalise::calendar` takes.
const MAX_BYTES: usize = 64 << 20;

/// After so many days a feed is read again although it has not changed.
const EXPANDED_FOR_DAYS: i64 = 7;

/// Validators longer than this are not kept: they are sent with every request.
const MAX_VALIDATOR: usize = 1024;

/// Where a feed is, and how it may be asked for.
#[derive(Clone)]
pub struct Settings {
    url: Url,
    account: String,
    client: Client,
    elsewhere: Client,
}

impl Settings {
    /// The feed at `url`, asked for by `client`; where it redirects to by `elsewhere`, which should
    /// admit public addresses only.
    #[must_use]
    pub fn new(url: &Url, client: Client, elsewhere: Client) -> Self {
        let url = url.clone();
        let account = public_id("feed_", &[url.as_str().as_bytes()]);
        Self { url, account, client, elsewhere }
    }

    /// The server.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// What tells this feed from others on the server, and nothing of its URL.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// 16 bits of a hash of the URL, which is all the credentials there are.
    #[must_use]
    pub fn fingerprint(&self) -> u16 {
        let [.., high, low] = hash(&self.url).to_be_bytes();
        u16::from_be_bytes([high, low])
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// Asks for the feed and sends it as one complete delta; an empty one if it is `known` already.
/// Gives also until when it wants to be left alone.
///
/// # Errors
/// `Unauthorized` and `Misconfigured` for what an admin mends, `Throttled`, `Unreachable` and
/// `Protocol` for what may pass, `Stopped` if nobody takes the delta.
pub async fn read(
    settings: &Settings,
    known: &[KnownMailbox],
    now: Timestamp,
    sink: mpsc::Sender<Delta>,
) -> Result<(Pass, Instant), SourceError> {
    let today = now.millis().div_euclid(DAY_MS);
    let known = Known::of(known, today);
    let validators = known.as_ref().and_then(|known| known.validators.as_ref());
    let (cursor, items, wait) = match fetch(settings, validators).await? {
        Fetched::Unchanged(answered) => {
            let Some(known) = known else { return Err(contradiction(settings)) };
            let wait = known.wait(&answered);
            (known.cursor, Vec::new(), wait)
        }
        Fetched::Calendar { url, answer } => taken(known.as_ref(), &url, answer, today)?,
    };
    let total = Some(1);
    let mailbox = MailboxInfo { name: MAILBOX.to_owned(), role: Role::Calendar };
    let delta = Delta { mailbox, items, vanished: Vec::new(), complete: true, cursor, total };
    sink.send(delta).await.map_err(|_| SourceError::Stopped)?;
    Ok((Pass { mailboxes: 1, ..Pass::default() }, Instant::now() + wait))
}

/// What is known of the feed, as long as that is of use.
struct Known {
    cursor: Cursor,
    digest: i64,
    day: i64,
    validators: Option<Validators>,
}

impl Known {
    fn of(known: &[KnownMailbox], today: i64) -> Option<Self> {
        let mailbox = known.iter().find(|mailbox| mailbox.name == MAILBOX)?;
        let cursor = mailbox.cursor.clone()?;
        let Cursor::Whole { digest, day, validators } = &cursor else { return None };
        let validators = validators.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let (digest, day) = (*digest, *day);
        let of_use = (0..EXPANDED_FOR_DAYS).contains(&(today - day));
        of_use.then_some(Self { cursor, digest, day, validators })
    }

    /// How long a feed that has not changed wants to be left alone: what it said when it was read,
    /// or what its server says now.
    fn wait(&self, answered: &HeaderMap) -> Duration {
        let written = self.validators.as_ref().map_or(0, |validators| validators.refresh_s);
        let said = refresh::interval(b"", web::text(answered, CACHE_CONTROL));
        said.max(Duration::from_secs(written))
    }
}

/// What came of asking.
enum Fetched {
    /// It is as it was; with the header of the answer.
    Unchanged(HeaderMap),
    /// The calendar, from this URL.
    Calendar { url: Url, answer: Answer },
}

/// Asks until somebody answers, with `known` only where that came from.
async fn fetch(settings: &Settings, known: Option<&Validators>) -> Result<Fetched, SourceError> {
    let mut hop = Hop { url: settings.url.clone(), named: Named::ByAdmin };
    for _ in 0..=MAX_REDIRECTS {
        let known = known.filter(|known| known.url == hash(&hop.url));
        let host = hop.url.host_str().unwrap_or_default();
        let asking = format!("asking {host} for the calendar");
        let response = ask(settings, &hop, known, &asking).await?;
        let asked = if known.is_some() { Asked::IfChanged } else { Asked::Plainly };
        let pause = web::asked_pause(response.headers());
        hop = match verdict(response.status().as_u16(), asked, pause, host) {
            Verdict::Failed(error) => return Err(error),
            Verdict::Unchanged => return Ok(Fetched::Unchanged(response.headers().clone())),
            Verdict::Calendar => {
                let answer = web::whole(response, MAX_BYTES, &asking).await?;
                return Ok(Fetched::Calendar { url: hop.url, answer });
            }
            Verdict::Elsewhere => {
                let location = web::text(response.headers(), LOCATION).unwrap_or_default();
                hop::next(&settings.url, &hop.url, location)?
            }
        };
    }
    let host = settings.host();
    Err(SourceError::Misconfigured(format!("{host} redirects more than {MAX_REDIRECTS} times")))
}

async fn ask(
    settings: &Settings,
    hop: &Hop,
    known: Option<&Validators>,
    asking: &str,
) -> Result<Response, SourceError> {
    let client = match hop.named {
        Named::ByAdmin => &settings.client,
        Named::ByServer => &settings.elsewhere,
    };
    let mut request = web::get(client, &hop.url, asking)?;
    request = request.timeout(TIMEOUT).header(ACCEPT, "text/calendar, */*;q=0.1");
    if let Some(etag) = known.and_then(|known| known.etag.as_deref()) {
        request = request.header(IF_NONE_MATCH, etag);
    }
    if let Some(modified) = known.and_then(|known| known.modified.as_deref()) {
        request = request.header(IF_MODIFIED_SINCE, modified);
    }
    request.send().await.map_err(|error| web::unanswered(asking, &error))
}

/// What an answer with a body comes to: the next cursor, what is new, and how long to wait.
fn taken(
    known: Option<&Known>,
    url: &Url,
    answer: Answer,
    today: i64,
) -> Result<(Cursor, Vec<RawItem>, Duration), SourceError> {
    let Answer { headers, body, .. } = answer;
    let form = refresh::form(&body);
    let host = url.host_str().unwrap_or_default();
    match form {
        Form::Calendar | Form::Unfinished => {}
        Form::WebPage => {
            return Err(SourceError::Protocol(format!(
                "{host} answers with a web page instead of a calendar; hint: the url may ask people \
                 to sign in: configure the secret address in iCal format"
            )));
        }
        Form::Other => {
            return Err(SourceError::Protocol(format!("{host} answers with no calendar")));
        }
    }
    let wait = refresh::interval(&body, web::text(&headers, CACHE_CONTROL));
    // One that breaks off must be asked for again.
    let validators = (form == Form::Calendar).then(|| validators(url, &headers, wait)).flatten();
    let validators = validators.and_then(|found| serde_json::to_string(&found).ok());
    let digest = Key::of("ics", &[&body]).0;
    let same = known.filter(|known| known.digest == digest);
    // The day is that of the expansion.
    let day = same.map_or(today, |known| known.day);
    let items = match same {
        Some(_) => Vec::new(),
        None => vec![RawItem::Calendar { object: Object::WHOLE, bytes: body }],
    };
    Ok((Cursor::Whole { digest, day, validators }, items, wait))
}

/// What to send with the next request, if the server has given anything to send.
fn validators(url: &Url, headers: &HeaderMap, wait: Duration) -> Option<Validators> {
    let kept = |name| {
        let value = web::text(headers, name).filter(|value| value.len() <= MAX_VALIDATOR);
        value.map(str::to_owned)
    };
    let (etag, modified) = (kept(ETAG), kept(LAST_MODIFIED));
    let given = etag.is_some() || modified.is_some();
    given.then(|| Validators { url: hash(url), etag, modified, refresh_s: wait.as_secs() })
}

fn hash(url: &Url) -> i64 {
    Key::of("feed", &[url.as_str().as_bytes()]).0
}

fn contradiction(settings: &Settings) -> SourceError {
    SourceError::Protocol(format!("{} says that nothing has changed, unasked", settings.host()))
}
