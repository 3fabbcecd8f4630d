//! Reads one calendar: what has changed, or all of it, fetched a few objects at a time.
//!
//! Every fetch is a delta, of which the last one is complete. What a server refuses of one way of
//! asking is asked in another: for changes, for all objects with a token, for all objects.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::ask;
use super::discover::Found;
use super::plan::{self, Approach, Extent, Fetched, Listing, Tags, Wanted};
use super::select::Calendar;
use super::wire::{Ask, Depth, Reply, Wire};
use crate::model::{Cursor, Delta, KnownMailbox, MailboxInfo, RawItem, Role};
use crate::source::SourceError;

/// Objects that are fetched by one request and make one delta.
const GROUP: usize = 50;

/// If the server has an error over more objects than these, it is not theirs.
const MAX_SUSPECTS: usize = 5;

/// What reading goes by.
pub(super) struct Going<'a> {
    pub(super) wire: Wire<'a>,
    pub(super) sink: mpsc::Sender<Delta>,
    /// The day since the epoch.
    pub(super) today: i64,
}

/// What came of a calendar.
pub(super) enum Read {
    /// All that is new in it has been sent: so many items.
    Through(u64),
    /// The server will not let it be read.
    Refused(String),
    /// The server cannot give it now.
    Failing(SourceError),
}

/// Why a calendar could not be read.
enum Trouble {
    /// Others may be.
    Here(Read),
    /// Nor can others.
    Everywhere(SourceError),
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        Self::Everywhere(error)
    }
}

/// Reads what is new in a calendar.
pub(super) async fn calendar(
    going: &mut Going<'_>,
    calendar: &Calendar,
    known: Option<&KnownMailbox>,
) -> Result<Read, SourceError> {
    match through(going, calendar, known).await {
        Ok(items) => Ok(Read::Through(items)),
        Err(Trouble::Here(read)) => Ok(read),
        Err(Trouble::Everywhere(error)) => Err(error),
    }
}

/// Whether a calendar that is not listed is there.
pub(super) enum Presence {
    /// The server knows nothing of it.
    Gone,
    /// It is, or it is not said that it is not.
    Unlisted,
    /// The server cannot tell now.
    Failing(SourceError),
}

/// Asks for a calendar that was read before, beside those that were found.
pub(super) async fn presence(
    going: &mut Going<'_>,
    found: &[Found],
    name: &str,
) -> Result<Presence, SourceError> {
    let Some(home) = found.first() else { return Ok(Presence::Unlisted) };
    let mut url = home.url.clone();
    url.set_path(name);
    url.set_query(None);
    let (url, depth, body) = (&url, Depth::Zero, ask::COLLECTIONS);
    Ok(match going.wire.ask(Ask { method: "PROPFIND", url, depth, body }).await? {
        Reply::No(404 | 410) => Presence::Gone,
        Reply::Multistatus(answer) => {
            let itself = answer.responses.first().and_then(|response| response.status);
            if matches!(itself, Some(404 | 410)) { Presence::Gone } else { Presence::Unlisted }
        }
        Reply::No(_) | Reply::Moved(_) | Reply::TooLarge => Presence::Unlisted,
        Reply::Failing(error) => Presence::Failing(error),
    })
}

/// Sends that a calendar is not there any more.
pub(super) async fn forget(going: &Going<'_>, known: &KnownMailbox) -> Result<(), SourceError> {
    let delta = Delta {
        mailbox: mailbox(&known.name),
        items: released(&known.retry),
        vanished: known.objects.iter().map(|object| object.item).collect(),
        complete: true,
        cursor: Cursor::Calendar { token: None, day: going.today },
        total: Some(0),
    };
    going.sink.send(delta).await.map_err(|_| SourceError::Stopped)
}

async fn through(
    going: &mut Going<'_>,
    calendar: &Calendar,
    known: Option<&KnownMailbox>,
) -> Result<u64, Trouble> {
    let (listing, tags) = match plan::approach(calendar, known, going.today) {
        Approach::Unchanged => return Ok(0),
        Approach::Changes(since) => match changes(going, calendar, since).await? {
            Some(listing) => (listing, Tags::Trusted),
            None => (everything(going, calendar, known).await?, Tags::Trusted),
        },
        Approach::Everything(tags) => (everything(going, calendar, known).await?, tags),
    };
    let todo = plan::todo(&listing, known, tags);
    let (on_the_way, at_the_end) = plan::days(known, tags, going.today);
    let mut vanished = todo.vanished;
    let mut items = released(&todo.released);
    let mut queue = Queue::of(&todo.fetch);
    let (mut sent, mut moved_on) = (0, 0);
    loop {
        let fetched = queue.next(going, calendar).await?;
        moved_on += fetched.moved_on;
        items.extend(fetched.items);
        vanished.extend(fetched.gone);
        let complete = queue.is_over();
        sent += items.len() as u64;
        // What a token stands for must be what was read, for a server may come back to it.
        let token = listing.token.clone().filter(|_| complete && moved_on == 0);
        let day = if complete { at_the_end } else { on_the_way };
        let delta = Delta {
            mailbox: mailbox(&calendar.name),
            items: std::mem::take(&mut items),
            vanished: if complete { std::mem::take(&mut vanished) } else { Vec::new() },
            complete,
            cursor: Cursor::Calendar { token, day },
            total: Some(todo.total),
        };
        going.sink.send(delta).await.map_err(|_| SourceError::Stopped)?;
        if complete {
            return Ok(sent);
        }
    }
}

/// What is left to be fetched of a calendar. A group over which the server has an error, or whose
/// answer is too large, is halved until it is known whose fault that is.
struct Queue {
    groups: VecDeque<Vec<Wanted>>,
    /// Objects over which the server has an error when it is asked for them alone.
    suspects: Vec<Wanted>,
    /// How many requests have been answered.
    answered: usize,
}

/// What came of a request for objects.
enum Got {
    Fetched(Fetched),
    TooLarge,
    Failing(SourceError),
}

impl Queue {
    fn of(wanted: &[Wanted]) -> Self {
        let groups = wanted.chunks(GROUP).map(<[Wanted]>::to_vec).collect();
        Self { groups, suspects: Vec::new(), answered: 0 }
    }

    fn is_over(&self) -> bool {
        self.groups.is_empty() && self.suspects.is_empty()
    }

    /// What the next delta holds.
    async fn next(
        &mut self,
        going: &mut Going<'_>,
        calendar: &Calendar,
    ) -> Result<Fetched, Trouble> {
        while let Some(group) = self.groups.pop_front() {
            match fetch(going, calendar, &group).await? {
                Got::Fetched(fetched) => {
                    self.answered += 1;
                    return Ok(fetched);
                }
                Got::TooLarge | Got::Failing(_) if group.len() > 1 => {
                    let (one, other) = group.split_at(group.len() / 2);
                    self.groups.push_front(other.to_vec());
                    self.groups.push_front(one.to_vec());
                }
                Got::TooLarge => return Ok(put_aside(&group, plan::TOO_LARGE)),
                Got::Failing(error) => {
                    self.suspects.extend(group);
                    let nothing = self.groups.is_empty() && self.answered == 0;
                    if nothing || self.suspects.len() > MAX_SUSPECTS {
                        return Err(Trouble::Here(Read::Failing(error)));
                    }
                }
            }
        }
        // Others were given.
        Ok(put_aside(&std::mem::take(&mut self.suspects), "the server has an error over it"))
    }
}

fn put_aside(wanted: &[Wanted], why: &str) -> Fetched {
    let items = wanted.iter().map(|wanted| wanted.unreadable(why)).collect();
    Fetched { items, ..Fetched::default() }
}

/// What has changed since a token; nothing if the server does not say, for whatever reason.
async fn changes(
    going: &mut Going<'_>,
    calendar: &Calendar,
    token: &str,
) -> Result<Option<Listing>, SourceError> {
    let extent = if token.is_empty() { Extent::Everything } else { Extent::Changes };
    let body = ask::changes_since(token);
    let (url, depth) = (&calendar.url, Depth::Zero);
    let reply = going.wire.ask(Ask { method: "REPORT", url, depth, body: &body }).await?;
    Ok(match reply {
        // Without a token the next pass would list everything, too, and this answer may be odd.
        Reply::Multistatus(answer) if !plan::is_cut(&answer) && answer.token.is_some() => {
            Some(plan::listing(&answer, url, extent))
        }
        _ => None,
    })
}

/// All objects of a calendar. That there are none any more is only believed if a plain listing says
/// it, too: a report that has lost its memory has nothing to tell either.
async fn everything(
    going: &mut Going<'_>,
    calendar: &Calendar,
    known: Option<&KnownMailbox>,
) -> Result<Listing, Trouble> {
    let held = known.is_some_and(|known| !known.objects.is_empty());
    if calendar.report.is_some()
        && let Some(listing) = changes(going, calendar, "").await?
        && !(held && listing.is_empty())
    {
        return Ok(listing);
    }
    let (url, depth, body) = (&calendar.url, Depth::One, ask::OBJECTS);
    let refused = |why: &str| Trouble::Here(Read::Refused(why.to_owned()));
    match asked(going, Ask { method: "PROPFIND", url, depth, body }).await? {
        // The collection itself is in it, at the least.
        Reply::Multistatus(answer) if !plan::is_cut(&answer) && !answer.responses.is_empty() => {
            Ok(plan::listing(&answer, url, Extent::Everything))
        }
        Reply::Failing(error) => Err(Trouble::Here(Read::Failing(error))),
        _ => Err(refused("the server does not list all that it holds")),
    }
}

/// Fetches objects.
async fn fetch(
    going: &mut Going<'_>,
    calendar: &Calendar,
    group: &[Wanted],
) -> Result<Got, Trouble> {
    let mut fetched = Fetched { lacking: group.to_vec(), ..Fetched::default() };
    // What an answer leaves out is asked for once more.
    for _ in 0..2 {
        let wanted = std::mem::take(&mut fetched.lacking);
        if wanted.is_empty() {
            break;
        }
        let body = ask::objects(wanted.iter().map(|wanted| wanted.href.as_str()));
        let (url, depth) = (&calendar.url, Depth::One);
        let answer = match asked(going, Ask { method: "REPORT", url, depth, body: &body }).await? {
            Reply::Multistatus(answer) => answer,
            Reply::Failing(error) => return Ok(Got::Failing(error)),
            _ => return Ok(Got::TooLarge),
        };
        let more = plan::fetched(&wanted, answer, url);
        fetched.items.extend(more.items);
        fetched.gone.extend(more.gone);
        fetched.moved_on += more.moved_on;
        fetched.lacking = more.lacking;
    }
    let lacking = std::mem::take(&mut fetched.lacking);
    fetched.items.extend(put_aside(&lacking, "the server lists it and does not give it").items);
    Ok(Got::Fetched(fetched))
}

/// The answer to what there is no other way to ask: it is not refused.
async fn asked(going: &mut Going<'_>, ask: Ask<'_>) -> Result<Reply, Trouble> {
    let refused = |why: String| Err(Trouble::Here(Read::Refused(why)));
    match going.wire.ask(ask).await? {
        Reply::No(status) => refused(format!("the server refuses it ({status})")),
        Reply::Moved(_) => refused("it has moved".to_owned()),
        reply @ (Reply::Multistatus(_) | Reply::Failing(_) | Reply::TooLarge) => Ok(reply),
    }
}

/// Items that are not waited for any more: given as excluded they leave the quarantine.
fn released(items: &[i64]) -> Vec<RawItem> {
    items.iter().map(|item| RawItem::Excluded { item: *item }).collect()
}

fn mailbox(name: &str) -> MailboxInfo {
    MailboxInfo { name: name.to_owned(), role: Role::Calendar }
}
