//! Reading one mailbox after the other over a conversation that may have to be begun anew.
//!
//! Carries out what `plan` decides, and finds the message on which a server or the parser fails: a
//! window in trouble is halved until one UID is left, and that one is passed over, if the rest of
//! the mailbox can be read. Each half is committed by itself, so the search never starts over.
//! Messages that a server lists and does not give are passed over likewise, and told.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::fetch::{Flight, Labels, Trouble};
use super::form::Form;
use super::line::{Line, Marking};
use super::list::Chosen;
use super::plan::{Beginning, Place, Reach, Snapshot, Step, Way};
use super::quirks::Provider;
use super::session::Failure;
use super::{Settings, Spent, fetch, plan, said};
use crate::model::{Cursor, Delta, MailboxInfo, RawItem};
use crate::source::{SkipReason, SourceError};

/// How many connections a pass may open anew because of answers that cannot be parsed: more would
/// look like an attack to the provider. The search for the culprits goes on in the next pass.
const RECONNECTS: u32 = 40;

/// How the reading of a mailbox ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Everything that the mailbox says it holds has been sent.
    Complete {
        /// What has been read: not all UIDs there were, where it says that it is empty.
        reach: Reach,
        /// What it says.
        snapshot: Snapshot,
    },
    /// As many windows as were allowed have been sent; the rest of the past is behind this.
    More(Begun),
    /// It could not be read, or not to its end; the next pass tries again.
    Refused(SkipReason),
}

/// What has been read of a mailbox before.
#[derive(Clone, Debug, Default)]
pub(super) struct Begun {
    /// Up to where.
    pub(super) cursor: Option<Cursor>,
    /// Where windows begin in this state of the mailbox, as this pass has been told already.
    boundaries: Option<(Snapshot, Vec<Place>)>,
}

/// The state of a pass.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) settings: &'a Settings,
    pub(super) tls: &'a Arc<ClientConfig>,
    pub(super) sink: &'a mpsc::Sender<Delta>,
    pub(super) line: Box<Line>,
    pub(super) labels: Labels,
    form: Form,
    pub(super) spent: &'a mut Spent,
    pub(super) doubts: &'a mut Doubts,
    pub(super) reconnects: u32,
    pub(super) messages: u64,
}

/// Which mailboxes were found to hold more than they list, by name, and since when. For an hour it
/// is taken for a passing fault of the server, for what is passed over then is never asked for
/// again; a mailbox for which it is how things are must not be held up for good.
#[derive(Debug, Default)]
pub(super) struct Doubts(HashMap<String, Instant>);

/// How long a server may take to list what it holds.
const PASSING: Duration = Duration::from_secs(3600);

impl Doubts {
    fn raise(&mut self, mailbox: &str, now: Instant) -> Result<(), Failure> {
        let since = *self.0.entry(mailbox.to_owned()).or_insert(now);
        if now.saturating_duration_since(since) >= PASSING {
            tracing::warn!("a mailbox holds more than the server lists; that is passed over");
            return Ok(());
        }
        let what = "the server holds more messages than it lists".to_owned();
        Err(Failure::Over(SourceError::Protocol(what)))
    }

    /// Forgets what was in doubt about a mailbox that has been read to its end.
    pub(super) fn dispel(&mut self, mailbox: &str) {
        self.0.remove(mailbox);
    }
}

/// A mailbox while it is read.
#[derive(Clone, Copy, Debug)]
struct Open<'m> {
    info: &'m MailboxInfo,
    snapshot: Snapshot,
}

impl Begun {
    /// What earlier passes have read.
    pub(super) fn before(cursor: Option<Cursor>) -> Self {
        Self { cursor, boundaries: None }
    }
}

impl<'a> Reader<'a> {
    /// A reader over an open connection.
    pub(super) fn over(
        line: Box<Line>,
        settings: &'a Settings,
        tls: &'a Arc<ClientConfig>,
        sink: &'a mpsc::Sender<Delta>,
        (spent, doubts): (&'a mut Spent, &'a mut Doubts),
    ) -> Self {
        let labels = match line.facts.marks {
            Marking::Labels => Labels::Excluding(
                settings.exclude_mailboxes.iter().map(|name| name.to_lowercase()).collect(),
            ),
            Marking::None => Labels::None,
        };
        let form = Form::new(line.facts.bytes);
        let (reconnects, messages) = (RECONNECTS, 0);
        Self { settings, tls, sink, line, labels, form, spent, doubts, reconnects, messages }
    }

    /// Reads what is new in a mailbox since it was `begun`, and at most `windows` of its past.
    ///
    /// # Errors
    /// What ends the pass. What concerns this mailbox alone is an outcome.
    pub(super) async fn mailbox(
        &mut self,
        mailbox: &Chosen,
        begun: Begun,
        windows: usize,
    ) -> Result<Outcome, SourceError> {
        match self.try_mailbox(mailbox, begun, windows).await {
            Ok(outcome) => Ok(outcome),
            Err(Failure::No(text)) => {
                let said = said::about_mailbox(&text, &mailbox.info.name);
                Ok(Outcome::Refused(SkipReason::Refused(said)))
            }
            Err(Failure::Over(SourceError::Protocol(why))) => {
                self.reconnect(SourceError::Protocol(why.clone())).await?;
                Ok(Outcome::Refused(SkipReason::Refused(why)))
            }
            Err(Failure::Over(error)) => Err(error),
        }
    }

    async fn try_mailbox(
        &mut self,
        mailbox: &Chosen,
        begun: Begun,
        windows: usize,
    ) -> Result<Outcome, Failure> {
        let (info, cursor) = (&mailbox.info, begun.cursor.as_ref());
        if let Some(status) = mailbox.status
            && let (Beginning::Continued, reach) = plan::begin(cursor, status)
            && plan::steps(reach, status, &[]).is_empty()
        {
            let open = Open { info, snapshot: status };
            self.send(open, reach, Vec::new(), Left::Nothing).await?;
            return Ok(Outcome::Complete { reach, snapshot: status });
        }
        let (snapshot, boundaries) = self.open(mailbox, cursor, begun.boundaries).await?;
        let (beginning, mut reach) = plan::begin(cursor, snapshot);
        tracing::debug!(?beginning, messages = snapshot.exists, "mailbox opened");
        let mut todo = plan::steps(reach, snapshot, &boundaries);
        let open = Open { info, snapshot };
        if todo.is_empty() {
            self.send(open, reach, Vec::new(), Left::Nothing).await?;
            return Ok(Outcome::Complete { reach, snapshot });
        }
        let now = todo.iter().filter(|step| step.way == Way::Up).count().saturating_add(windows);
        let rest = if todo.len() > now { Left::Something } else { Left::Nothing };
        todo.truncate(now);
        self.steps(open, &mut reach, todo, rest).await?;
        Ok(match rest {
            Left::Nothing => Outcome::Complete { reach, snapshot },
            Left::Something => {
                let cursor = Some(reach.cursor(snapshot));
                Outcome::More(Begun { cursor, boundaries: Some((snapshot, boundaries)) })
            }
        })
    }

    /// Opens a mailbox and finds where windows begin in it, unless that is `known` of the state in
    /// which it is: by one round trip where its state has been told before.
    async fn open(
        &mut self,
        mailbox: &Chosen,
        cursor: Option<&Cursor>,
        known: Option<(Snapshot, Vec<Place>)>,
    ) -> Result<(Snapshot, Vec<Place>), Failure> {
        let (name, window) = (&mailbox.info.name, self.settings.window);
        let lists = |state| plan::boundary_lists(plan::begin(cursor, state).1, state, window);
        let ahead = mailbox.status.filter(|_| known.is_none()).map(lists).unwrap_or_default();
        let (snapshot, told) = self.line.examine_asking(name, &ahead).await?;
        // What was deleted since has moved the others.
        let known = known.filter(|(state, _)| *state == snapshot).map(|(_, places)| places);
        if let Some(boundaries) = known.or(told) {
            return Ok((snapshot, boundaries));
        }
        let mut boundaries = Vec::new();
        for list in lists(snapshot) {
            boundaries.extend(fetch::places(&mut self.line.conversation, &list).await?);
        }
        Ok((snapshot, boundaries))
    }

    /// Takes the steps in their order, asking for the next while one is read and committed: else
    /// the server waits while we work and we while it does.
    async fn steps(
        &mut self,
        open: Open<'_>,
        reach: &mut Reach,
        mut todo: VecDeque<Step>,
        rest: Left,
    ) -> Result<(), Failure> {
        let mut flight = Flight::default();
        while let Some(step) = todo.pop_front() {
            let items = match self.step(&step, &todo, &mut flight).await {
                Ok(items) => self.withheld(&step, items, &mut flight, open).await?,
                Err(trouble) => {
                    self.recover(&trouble, std::mem::take(&mut flight), open).await?;
                    if let Some([first, second]) = step.halves() {
                        todo.push_front(second);
                        todo.push_front(first);
                        continue;
                    }
                    self.give_up(trouble, &step, open.snapshot.exists).await?
                }
            };
            *reach = reach.after(&step);
            // What was asked for again and is not there any more need not be asked for again.
            let gone = step.way == Way::Again && items.is_empty();
            let item = i64::from(*step.uids.start());
            let items = if gone { vec![RawItem::Excluded { item }] } else { items };
            let left = if todo.is_empty() { rest } else { Left::Something };
            self.send(open, *reach, items, left).await?;
        }
        Ok(())
    }

    /// Reads one step, asked for now or ahead, having asked for some of those that follow.
    async fn step(
        &mut self,
        step: &Step,
        next: &VecDeque<Step>,
        flight: &mut Flight,
    ) -> Result<Vec<RawItem>, Trouble> {
        let conversation = &mut self.line.conversation;
        let wanted = std::iter::once(step).chain(next).take(self.line.facts.in_flight);
        for step in wanted.skip(flight.len()) {
            flight.ask(conversation, &step.uids, self.form.next(), &self.labels).await?;
        }
        let began = Instant::now();
        let (items, header) = flight.answer(conversation, &self.labels).await?;
        self.form.learn(header, items.len(), began.elapsed());
        Ok(items)
    }

    /// The items of a step with those that the server lists and has not given (Exchange answers a
    /// FETCH with OK and leaves messages out). Asked only where there are fewer than there must be.
    async fn withheld(
        &mut self,
        step: &Step,
        mut items: Vec<RawItem>,
        flight: &mut Flight,
        open: Open<'_>,
    ) -> Result<Vec<RawItem>, Failure> {
        let few = match step.expected {
            Some(count) => items.len() < count as usize,
            None => items.is_empty() || self.line.quirks.provider == Provider::Exchange,
        };
        if !few {
            return Ok(items);
        }
        // What was asked ahead is read and forgotten: its answers would be taken for this one's.
        self.forget(std::mem::take(flight), open).await?;
        let conversation = &mut self.line.conversation;
        let listed = fetch::uids(conversation, &step.uids).await?;
        let mut lacking = lacking(&listed, &items);
        if let (Some(first), Some(last)) = (lacking.first(), lacking.last()) {
            // What a busy server leaves out it often gives when it is asked again.
            let wanted =
                |item: &RawItem| lacking.iter().any(|uid| i64::from(*uid) == item.number());
            match fetch::window(conversation, &(*first..=*last), &self.labels).await {
                Ok(second) => items.extend(second.into_iter().filter(wanted)),
                Err(trouble) => self.resume(&trouble, open).await?,
            }
            lacking = self::lacking(&listed, &items);
        }
        let why = "the server lists it and does not give it";
        items.extend(lacking.into_iter().map(|uid| {
            let item = i64::from(uid);
            RawItem::Unreadable { item, why: why.to_owned() }
        }));
        if self.is_contradicted(step, items.len(), open).await? {
            self.doubts.raise(&open.info.name, Instant::now())?;
        }
        Ok(items)
    }

    /// Whether the mailbox holds more in a step than was found there, by the server's own word.
    async fn is_contradicted(
        &mut self,
        step: &Step,
        found: usize,
        open: Open<'_>,
    ) -> Result<bool, Failure> {
        let held = self.line.conversation.held();
        match step.expected {
            Some(count) => {
                // What has been deleted meanwhile is told.
                let deleted = open.snapshot.exists.saturating_sub(held);
                Ok(found < count.saturating_sub(deleted) as usize)
            }
            None if found > 0 || held == 0 || step.way != Way::Up => Ok(false),
            None => {
                let last = fetch::places(&mut self.line.conversation, &held.to_string()).await?;
                Ok(last.last().is_none_or(|place| step.uids.contains(&place.uid)))
            }
        }
    }

    /// Sends one delta; it completes the mailbox if nothing is left.
    async fn send(
        &mut self,
        open: Open<'_>,
        reach: Reach,
        items: Vec<RawItem>,
        left: Left,
    ) -> Result<(), Failure> {
        let delta = Delta {
            mailbox: open.info.clone(),
            items,
            vanished: Vec::new(),
            complete: left == Left::Nothing,
            cursor: reach.cursor(open.snapshot),
            total: Some(u64::from(open.snapshot.exists)),
        };
        self.pass_on(delta).await.map_err(Failure::Over)
    }

    /// Asks again for messages that the server could not give before, of a mailbox that has been
    /// read so far, which does not change by it.
    ///
    /// # Errors
    /// What ends the pass. What concerns this mailbox alone waits for the next one.
    pub(super) async fn again(
        &mut self,
        info: &MailboxInfo,
        retry: &[i64],
        (mut reach, uid_validity): (Reach, u32),
    ) -> Result<(), SourceError> {
        let uids = retry.iter().filter_map(|item| u32::try_from(*item).ok());
        let todo: VecDeque<Step> =
            uids.map(|uid| Step { uids: uid..=uid, way: Way::Again, expected: None }).collect();
        if todo.is_empty() {
            return Ok(());
        }
        let done = match self.line.examine(&info.name).await {
            Ok(snapshot) if snapshot.uid_validity == uid_validity => {
                self.steps(Open { info, snapshot }, &mut reach, todo, Left::Nothing).await
            }
            Ok(_) => Ok(()),
            Err(failure) => Err(failure),
        };
        match done {
            Ok(()) | Err(Failure::No(_)) => Ok(()),
            Err(Failure::Over(SourceError::Protocol(why))) => {
                self.reconnect(SourceError::Protocol(why)).await
            }
            Err(Failure::Over(error)) => Err(error),
        }
    }

    /// Sends a delta and counts what it holds.
    pub(super) async fn pass_on(&mut self, delta: Delta) -> Result<(), SourceError> {
        let (count, bytes) = (delta.items.len() as u64, size(&delta.items));
        self.sink.send(delta).await.map_err(|_| SourceError::Stopped)?;
        self.messages = self.messages.saturating_add(count);
        self.spent.add(bytes, self.line.quirks.daily_bytes, Instant::now())
    }

    /// Makes the conversation usable again after a window failed, so that parts of it can be tried.
    /// What was asked ahead is read and forgotten: its turn comes again.
    async fn recover(
        &mut self,
        trouble: &Trouble,
        flight: Flight,
        open: Open<'_>,
    ) -> Result<(), Failure> {
        if matches!(trouble, Trouble::TooMuch | Trouble::Refused(_)) {
            self.forget(flight, open).await?;
        }
        self.resume(trouble, open).await
    }

    /// Reads what was asked ahead to its end.
    async fn forget(&mut self, mut flight: Flight, open: Open<'_>) -> Result<(), Failure> {
        while !flight.is_over() {
            let forgotten = flight.answer(&mut self.line.conversation, &self.labels).await;
            if let Err(worse @ (Trouble::Garbled(_) | Trouble::Over(_))) = forgotten {
                return self.resume(&worse, open).await;
            }
        }
        Ok(())
    }

    /// As [`Self::recover`], with nothing in flight.
    async fn resume(&mut self, trouble: &Trouble, open: Open<'_>) -> Result<(), Failure> {
        match trouble {
            Trouble::TooMuch => Ok(()),
            Trouble::Refused(text) if said::is_about_now(text) => Err(Failure::No(text.clone())),
            Trouble::Refused(_) => Ok(()),
            Trouble::Over(error) => Err(Failure::Over(error.clone())),
            Trouble::Garbled(error) => {
                self.reconnect(error.clone()).await.map_err(Failure::Over)?;
                let now = self.line.examine(&open.info.name).await?;
                if now.uid_validity == open.snapshot.uid_validity {
                    return Ok(());
                }
                Err(Failure::No("the mailbox was replaced while it was read".to_owned()))
            }
        }
    }

    /// A new conversation, unless there have been too many because of `error`s.
    async fn reconnect(&mut self, error: SourceError) -> Result<(), SourceError> {
        self.reconnects = self.reconnects.checked_sub(1).ok_or(error)?;
        self.line = Line::open(self.settings, self.tls).await?;
        Ok(())
    }

    /// Passes over the one message of a step that cannot be read. If no other message of the
    /// mailbox can be read either, the fault is not the message's, and the trouble stays one.
    async fn give_up(
        &mut self,
        trouble: Trouble,
        step: &Step,
        exists: u32,
    ) -> Result<Vec<RawItem>, Failure> {
        let uid = *step.uids.start();
        let conversation = &mut self.line.conversation;
        let ends = fetch::places(conversation, &format!("1,{exists}")).await?;
        let other = ends.into_iter().map(|place| place.uid).find(|other| *other != uid);
        let readable = match other {
            Some(other) => fetch::window(conversation, &(other..=other), &self.labels).await,
            None => Ok(Vec::new()),
        };
        let Ok([RawItem::Message { .. } | RawItem::Excluded { .. }, ..]) = readable.as_deref()
        else {
            return Err(match (trouble, readable) {
                (_, Err(Trouble::Garbled(error) | Trouble::Over(error))) => Failure::Over(error),
                (Trouble::Garbled(error) | Trouble::Over(error), _) => Failure::Over(error),
                (Trouble::Refused(text), _) => Failure::No(text),
                (Trouble::TooMuch, _) => Failure::No("one message floods its window".to_owned()),
            });
        };
        let why = match trouble {
            Trouble::Refused(text) => format!("the server refuses it: {}", said::harmless(&text)),
            Trouble::TooMuch => "the server sends it over and over".to_owned(),
            Trouble::Garbled(error) | Trouble::Over(error) => error.to_string(),
        };
        Ok(vec![RawItem::Unreadable { item: i64::from(uid), why }])
    }
}

/// Whether a mailbox has been sent to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    Something,
}

/// The UIDs that are listed and not among the items.
pub(super) fn lacking(listed: &[u32], items: &[RawItem]) -> Vec<u32> {
    let given: HashSet<i64> = items.iter().map(RawItem::number).collect();
    listed.iter().copied().filter(|uid| !given.contains(&i64::from(*uid))).collect()
}

fn size(items: &[RawItem]) -> u64 {
    let bytes = items.iter().map(|item| match item {
        RawItem::Message { header, .. } => header.len() as u64,
        _ => 0,
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_and_not_listed_is_passed_over_after_an_hour_and_no_sooner() {
        let (mut doubts, begun) = (Doubts::default(), Instant::now());
        for (minutes, passed_over) in [(0, false), (1, false), (59, false), (60, true), (61, true)]
        {
            let now = begun + Duration::from_secs(minutes * 60);
            assert_eq!(doubts.raise("INBOX", now).is_ok(), passed_over, "{minutes}");
        }
        doubts.dispel("INBOX");
        assert!(doubts.raise("INBOX", begun + PASSING).is_err(), "begun anew");
    }
}
