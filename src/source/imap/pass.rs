//! A pass: everything that is new in all mailboxes, or only what the watched one has just told.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::fetch::{self, Flight, Labels, Parts, Trouble};
use super::line::{Line, Watched, digest};
use super::list::{self, Chosen, Listed};
use super::quirks::Provider;
use super::read::{Begun, Outcome, Reader, lacking};
use super::session::{Conversation, Failure};
use super::{Kept, Settings};
use crate::model::{Cursor, Delta, KnownMailbox, MailboxInfo, RawItem, Role};
use crate::source::{Glance, Pass, Rest, Scope, SkipReason, Skipped, SourceError};

/// Windows of the past that are read of one mailbox before the next has its turn, twice as many
/// with each turn: what is recent in each comes before what is old in any.
const ROUND: usize = 10;

/// A pass ends after so long, at the end of a round, though there may be more: other sources of the
/// host wait for their turn.
const TURN: Duration = Duration::from_secs(10);

/// Reads what is new in every mailbox.
pub(super) async fn everything(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    kept: &mut Kept,
    known: &[KnownMailbox],
    sink: &mpsc::Sender<Delta>,
) -> Result<Pass, SourceError> {
    let began = Instant::now();
    kept.spent.check(began)?;
    let (mut line, listed) = begin(settings, tls, kept.line.take()).await?;
    let layout = line.quirks.layout;
    let unlisted = unlisted_inbox(&listed, known);
    let (mut chosen, mut skipped) = list::choose(listed, &settings.exclude_mailboxes, layout);
    skipped.extend(unlisted);
    let find = |name: &str| known.iter().find(|known| known.name == name);
    let cursor = |mailbox: &Chosen| find(&mailbox.info.name)?.cursor.clone();
    line.states(&mut chosen, |mailbox| cursor(mailbox).is_some()).await?;
    let seen = digest(&chosen);
    let first = chosen.first().map(|mailbox| mailbox.info.name.clone());
    let mut watched = None;
    let mut pass = Pass { skipped, ..Pass::default() };
    let mut reader = Reader::over(line, settings, tls, sink, (&mut kept.spent, &mut kept.doubts));
    let begun = |mailbox: Chosen| (Begun::before(cursor(&mailbox)), mailbox);
    let mut round: Vec<_> = chosen.into_iter().map(begun).collect();
    let mut windows = ROUND;
    while !round.is_empty() && pass.rest == Rest::Nothing {
        let mut more = Vec::new();
        for (begun, mailbox) in round {
            match reader.mailbox(&mailbox, begun, windows).await? {
                Outcome::Complete { reach, snapshot } => {
                    let uid_validity = snapshot.uid_validity;
                    if let Some(known) = find(&mailbox.info.name) {
                        let read = (reach, uid_validity);
                        reader.again(&mailbox.info, &known.retry, read).await?;
                    }
                    reader.doubts.dispel(&mailbox.info.name);
                    pass.mailboxes = pass.mailboxes.saturating_add(1);
                    if first.as_ref() == Some(&mailbox.info.name) {
                        let MailboxInfo { name, role } = mailbox.info;
                        let (name, next) = (name.into(), snapshot.uid_next);
                        watched = Some(Watched { name, role, uid_validity, next });
                    }
                }
                Outcome::More(begun) => more.push((begun, mailbox)),
                Outcome::Refused(reason) => {
                    let role = Some(mailbox.info.role);
                    pass.skipped.push(Skipped { mailbox: mailbox.info.name, role, reason });
                }
            }
        }
        if !more.is_empty() && began.elapsed() >= TURN {
            pass.rest = Rest::Something;
        }
        round = more;
        windows = windows.saturating_mul(2);
    }
    pass.messages = reader.messages;
    let mut line = reader.line;
    line.watched = watched;
    let is_refused = |skipped: &Skipped| matches!(skipped.reason, SkipReason::Refused(_));
    let is_whole = pass.rest == Rest::Nothing && !pass.skipped.iter().any(is_refused);
    line.seen = seen.filter(|_| is_whole);
    kept.line = Some(line);
    Ok(pass)
}

/// The INBOX, which everybody has, if it was read before or nothing at all is listed, and it is
/// not: a list with less in it must not look like mailboxes with nothing new.
fn unlisted_inbox(listed: &[Listed], known: &[KnownMailbox]) -> Option<Skipped> {
    let is_inbox = |name: &str| name.eq_ignore_ascii_case("INBOX");
    let due = listed.is_empty()
        || known.iter().any(|known| known.cursor.is_some() && is_inbox(&known.name));
    (due && !listed.iter().any(|listed| is_inbox(&listed.name))).then(|| Skipped {
        mailbox: "INBOX".to_owned(),
        role: Some(Role::Inbox),
        reason: SkipReason::Refused("the server does not list INBOX".to_owned()),
    })
}

/// A line with the list of mailboxes: the kept one if it still answers, else a new one.
async fn begin(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    kept: Option<Box<Line>>,
) -> Result<(Box<Line>, Vec<Listed>), SourceError> {
    if let Some(mut line) = kept {
        match line.list().await {
            Ok(listed) => return Ok((line, listed)),
            Err(SourceError::Unreachable(why)) => tracing::debug!(why, "connecting again"),
            Err(error) => return Err(error),
        }
    }
    let mut line = Line::open(settings, tls).await?;
    let listed = line.list().await?;
    Ok((line, listed))
}

/// Reads what has just arrived in the watched mailbox, without asking for anything else. If that is
/// not enough to know what is new, there is more, and everything has to be asked for.
pub(super) async fn news(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    kept: &mut Kept,
    known: &[KnownMailbox],
    sink: &mpsc::Sender<Delta>,
) -> Result<Pass, SourceError> {
    kept.spent.check(Instant::now())?;
    let more = Pass { scope: Scope::News, rest: Rest::Something, ..Pass::default() };
    let Some(line) = kept.line.take_if(|line| line.is_on_watch()) else { return Ok(more) };
    let mut reader = Reader::over(line, settings, tls, sink, (&mut kept.spent, &mut kept.doubts));
    let Some(delta) = arrived(&mut reader, known).await? else {
        kept.line = Some(reader.line);
        return Ok(more);
    };
    reader.pass_on(delta).await?;
    let messages = reader.messages;
    kept.line = Some(reader.line);
    Ok(Pass { mailboxes: 1, messages, rest: Rest::Nothing, ..more })
}

/// The delta of what has arrived in the watched mailbox, which is open, if it can be told by one
/// window; whatever else it is, reading everything will find.
async fn arrived(
    reader: &mut Reader<'_>,
    known: &[KnownMailbox],
) -> Result<Option<Delta>, SourceError> {
    let Reader { line, labels, .. } = reader;
    let Some(watched) = line.watched.as_mut() else { return Ok(None) };
    let cursor = known.iter().find(|known| *known.name == *watched.name);
    let cursor = cursor.and_then(|known| known.cursor.as_ref());
    let Some(&Cursor::Imap { uid_validity, low: 1, high }) = cursor else { return Ok(None) };
    if uid_validity != watched.uid_validity {
        return Ok(None);
    }
    // Forgotten before the command: what is told along with its answers belongs to the next time.
    line.conversation.has_grown();
    let window = high.saturating_add(1)..=u32::MAX;
    let mut items = match fetch::window(&mut line.conversation, &window, labels).await {
        Ok(items) => items,
        Err(Trouble::Over(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    match calendars(&mut line.conversation, labels, &mut items).await {
        Ok(()) => {}
        Err(Trouble::Over(error)) => return Err(error),
        // A pass in its turn finds out which one it is.
        Err(_) => return Ok(None),
    }
    if line.quirks.provider == Provider::Exchange {
        // What it has left out below the highest would never be asked for.
        match fetch::uids(&mut line.conversation, &window).await {
            Ok(listed) if lacking(&listed, &items).is_empty() => {}
            Ok(_) | Err(Failure::No(_)) => return Ok(None),
            Err(Failure::Over(error)) => return Err(error),
        }
    }
    let Some(high) = items.iter().map(RawItem::number).max() else { return Ok(None) };
    let high = u32::try_from(high).unwrap_or(u32::MAX);
    watched.next = high.saturating_add(1);
    let mailbox = MailboxInfo { name: watched.name.to_string(), role: watched.role };
    Ok(Some(Delta {
        mailbox,
        items,
        vanished: Vec::new(),
        complete: true,
        cursor: Cursor::Imap { uid_validity, low: 1, high },
        total: Some(u64::from(line.conversation.held())),
    }))
}

/// Fetches the invitations that messages announce.
async fn calendars(
    conversation: &mut Conversation,
    labels: &Labels,
    items: &mut [RawItem],
) -> Result<(), Trouble> {
    let mut parts = Parts::default();
    for asked in fetch::announcing(items) {
        let mut flight = Flight::default();
        flight.calendars(conversation, &asked, labels, &mut parts).await?;
    }
    parts.give_to(items);
    Ok(())
}

/// Whether anything has changed since the last complete pass, by the states of all mailboxes.
pub(super) async fn glance(settings: &Settings, line: &mut Line) -> Result<Glance, SourceError> {
    let Some(before) = line.seen else { return Ok(Glance::Changed) };
    let listed = line.list().await?;
    let layout = line.quirks.layout;
    let (mut chosen, _) = list::choose(listed, &settings.exclude_mailboxes, layout);
    line.states(&mut chosen, |_| true).await?;
    Ok(if digest(&chosen) == Some(before) { Glance::Same } else { Glance::Changed })
}
