//! Reading one mailbox after the other over a conversation that may have to be begun anew.
//!
//! Carries out what `plan` decides, and finds the message on which a server or the parser fails: a
//! window in trouble is halved until one UID is left, and that one is passed over, if the rest of
//! the mailbox can be read. Each half is committed by itself, so the search never starts over.
//! Messages that a server lists and does not give are passed over likewise, and told.

mod calendars;
mod withheld;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::fetch::{Flight, Labels, Trouble};
use super::form::{Bytes, Form};
use super::line::{Line, Marking};
use super::list::Chosen;
use super::plan::{Beginning, Place, Reach, Snapshot, Step, Way};
use super::session::Failure;
use super::{Settings, Spent, fetch, plan, said};
use crate::model::{Cursor, Delta, MailboxInfo, RawItem};
use crate::source::{SkipReason, SourceError};

pub(super) use self::withheld::{Doubts, lacking};

/// How many connections a pass may open anew because of answers that cannot be parsed: more would
/// look like an attack to the provider. The search for the culprits goes on in the next pass.
const RECONNECTS: u32 = 40;

/// How long a mailbox of a server that is far away is read at least before the next has its turn:
/// opening one takes two round trips in which nothing comes.
const TURN: Duration = Duration::from_secs(1);

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
                settings
                    .exclude_mailboxes
                    .iter()
                    .chain(&settings.private_labels)
                    .map(|name| name.to_lowercase())
                    .collect(),
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
        let later = todo.split_off(now.min(todo.len()));
        Ok(match self.steps(open, &mut reach, (todo, later)).await? {
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
    /// the server waits while we work and we while it does. Of those for `later` it takes as many
    /// as a turn of some length holds, and tells whether any are left.
    async fn steps(
        &mut self,
        open: Open<'_>,
        reach: &mut Reach,
        (mut todo, mut later): (VecDeque<Step>, VecDeque<Step>),
    ) -> Result<Left, Failure> {
        let began = Instant::now();
        let mut flight = Flight::default();
        while let Some(step) = todo.pop_front() {
            if todo.len() < self.line.facts.in_flight && began.elapsed() < self.turn() {
                todo.extend(later.drain(..later.len().min(self.line.facts.in_flight)));
            }
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
            let items = self.with_calendars(items, &mut flight, open).await?;
            *reach = reach.after(&step);
            // What was asked for again and is not there any more need not be asked for again.
            let gone = step.way == Way::Again && items.is_empty();
            let item = i64::from(*step.uids.start());
            let items = if gone { vec![RawItem::Excluded { item }] } else { items };
            self.send(open, *reach, items, Left::of(&todo, &later)).await?;
        }
        Ok(Left::of(&todo, &later))
    }

    /// How long a mailbox is read at least before the next has its turn.
    fn turn(&self) -> Duration {
        match self.line.facts.bytes {
            Bytes::Cheap => Duration::ZERO,
            Bytes::Dear => TURN,
        }
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

impl Left {
    fn of(todo: &VecDeque<Step>, later: &VecDeque<Step>) -> Self {
        if todo.is_empty() && later.is_empty() { Self::Nothing } else { Self::Something }
    }
}

fn size(items: &[RawItem]) -> u64 {
    let bytes = items.iter().map(|item| match item {
        RawItem::Message { header, calendar, .. } => {
            (header.len() as u64).saturating_add(calendar.as_ref().map_or(0, Vec::len) as u64)
        }
        _ => 0,
    });
    bytes.sum()
}
