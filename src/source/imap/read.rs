//! Reading one mailbox after the other over a conversation that may have to be begun anew.
//!
//! Carries out what `plan` decides, and finds the message on which a server or the parser fails: a
//! window in trouble is halved until one UID is left, and that one is passed over, if the rest of
//! the mailbox can be read. Each half is committed by itself, so the search never starts over.

use std::collections::VecDeque;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::sync::mpsc;

use super::fetch::{Flight, Trouble};
use super::list::{Chosen, Listed};
use super::login::Capabilities;
use super::plan::{Beginning, Reach, Snapshot, Step};
use super::session::{Conversation, Failure};
use super::{Settings, connect, fetch, list, login, plan, said};
use crate::model::{Cursor, Delta, RawItem};
use crate::source::{SkipReason, SourceError};

/// How many connections a pass may open anew because of answers that cannot be parsed: more would
/// look like an attack to the provider. The search for the culprits goes on in the next pass.
const RECONNECTS: u32 = 40;

/// How the reading of a mailbox ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Everything has been sent.
    Complete,
    /// It could not be read, or not to its end; the next pass tries again.
    Refused(SkipReason),
}

/// The state of a pass.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    settings: &'a Settings,
    tls: &'a Arc<ClientConfig>,
    sink: &'a mpsc::Sender<Delta>,
    conversation: Conversation,
    lookahead: Lookahead,
    reconnects: u32,
    messages: u64,
}

/// How far to ask ahead of what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lookahead {
    /// One command at a time, for servers that lose count otherwise.
    Nothing,
    /// The window after the one being read.
    OneWindow,
}

impl<'a> Reader<'a> {
    /// Connects and logs in.
    pub(super) async fn open(
        settings: &'a Settings,
        tls: &'a Arc<ClientConfig>,
        sink: &'a mpsc::Sender<Delta>,
    ) -> Result<(Self, Capabilities), SourceError> {
        let connected = connect::connect(settings, tls).await?;
        let (conversation, told) = login::open(connected, settings).await?;
        // Exchange, told by the capabilities that only it has, wants one command at a time.
        let exchange = told.has("CLIENTACCESSRULES") || told.has("BACKENDAUTHENTICATE");
        let reader = Self {
            settings,
            tls,
            sink,
            conversation,
            lookahead: if exchange { Lookahead::Nothing } else { Lookahead::OneWindow },
            reconnects: RECONNECTS,
            messages: 0,
        };
        Ok((reader, told))
    }

    /// All mailboxes that the server has.
    pub(super) async fn list(&mut self, told: &Capabilities) -> Result<Vec<Listed>, SourceError> {
        list::list(&mut self.conversation, told).await
    }

    /// Ends the conversation; answers with the number of messages sent.
    pub(super) async fn close(self) -> u64 {
        self.conversation.logout().await;
        self.messages
    }

    /// Reads what is new in a mailbox since `cursor`.
    ///
    /// # Errors
    /// What ends the pass. What concerns this mailbox alone is an outcome.
    pub(super) async fn mailbox(
        &mut self,
        mailbox: &Chosen,
        cursor: Option<&Cursor>,
    ) -> Result<Outcome, SourceError> {
        match self.try_mailbox(mailbox, cursor).await {
            Ok(()) => Ok(Outcome::Complete),
            Err(Failure::No(text)) => {
                Ok(Outcome::Refused(SkipReason::Refused(said::harmless(&text))))
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
        cursor: Option<&Cursor>,
    ) -> Result<(), Failure> {
        if let Some(status) = mailbox.status
            && let (Beginning::Continued, reach) = plan::begin(cursor, status)
            && plan::steps(reach, status, &[]).is_empty()
        {
            return self.send(mailbox, status, reach, Vec::new(), 0).await;
        }
        let snapshot = fetch::examine(&mut self.conversation, &mailbox.info.name).await?;
        let (beginning, mut reach) = plan::begin(cursor, snapshot);
        tracing::debug!(?beginning, messages = snapshot.exists, "mailbox opened");
        let mut boundaries = Vec::new();
        for list in plan::boundary_lists(reach, snapshot, self.settings.window) {
            boundaries.extend(fetch::uids(&mut self.conversation, &list).await?);
        }
        let todo = plan::steps(reach, snapshot, &boundaries);
        if todo.is_empty() {
            return self.send(mailbox, snapshot, reach, Vec::new(), 0).await;
        }
        self.steps(mailbox, snapshot, &mut reach, todo).await
    }

    /// Takes the steps in their order, asking for the next while one is read and committed: else
    /// the server waits while we work and we while it does.
    async fn steps(
        &mut self,
        mailbox: &Chosen,
        snapshot: Snapshot,
        reach: &mut Reach,
        mut todo: VecDeque<Step>,
    ) -> Result<(), Failure> {
        let mut flight = Flight::default();
        while let Some(step) = todo.pop_front() {
            let items = match self.step(&step, todo.front(), &mut flight).await {
                Ok(items) => items,
                Err(trouble) => {
                    self.recover(&trouble, std::mem::take(&mut flight), mailbox, snapshot).await?;
                    if let Some([first, second]) = step.halves() {
                        todo.push_front(second);
                        todo.push_front(first);
                        continue;
                    }
                    self.give_up(trouble, &step, snapshot.exists).await?
                }
            };
            *reach = reach.after(&step);
            self.send(mailbox, snapshot, *reach, items, todo.len()).await?;
        }
        Ok(())
    }

    /// Reads one step, asked for now or ahead, having asked for the next.
    async fn step(
        &mut self,
        step: &Step,
        next: Option<&Step>,
        flight: &mut Flight,
    ) -> Result<Vec<RawItem>, Trouble> {
        if flight.is_over() {
            flight.ask(&mut self.conversation, &step.uids).await?;
        }
        if let Some(next) = next.filter(|_| self.lookahead == Lookahead::OneWindow) {
            flight.ask(&mut self.conversation, &next.uids).await?;
        }
        flight.answer(&mut self.conversation).await
    }

    /// Sends one delta; it completes the mailbox if no steps are left.
    async fn send(
        &mut self,
        mailbox: &Chosen,
        snapshot: Snapshot,
        reach: Reach,
        items: Vec<RawItem>,
        steps_left: usize,
    ) -> Result<(), Failure> {
        let count = items.len() as u64;
        let delta = Delta {
            mailbox: mailbox.info.clone(),
            items,
            vanished: Vec::new(),
            complete: steps_left == 0,
            cursor: reach.cursor(snapshot),
            total: Some(u64::from(snapshot.exists)),
        };
        self.sink.send(delta).await.map_err(|_| Failure::Over(SourceError::Stopped))?;
        self.messages = self.messages.saturating_add(count);
        Ok(())
    }

    /// Makes the conversation usable again after a window failed, so that parts of it can be tried.
    /// What was asked ahead is read and forgotten: its turn comes again.
    async fn recover(
        &mut self,
        trouble: &Trouble,
        mut flight: Flight,
        mailbox: &Chosen,
        snapshot: Snapshot,
    ) -> Result<(), Failure> {
        while matches!(trouble, Trouble::TooMuch | Trouble::Refused(_)) && !flight.is_over() {
            let forgotten = flight.answer(&mut self.conversation).await;
            if let Err(worse @ (Trouble::Garbled(_) | Trouble::Over(_))) = forgotten {
                return self.resume(&worse, mailbox, snapshot).await;
            }
        }
        self.resume(trouble, mailbox, snapshot).await
    }

    /// As [`Self::recover`], with nothing in flight.
    async fn resume(
        &mut self,
        trouble: &Trouble,
        mailbox: &Chosen,
        snapshot: Snapshot,
    ) -> Result<(), Failure> {
        match trouble {
            Trouble::TooMuch => Ok(()),
            Trouble::Refused(text) if said::is_about_now(text) => Err(Failure::No(text.clone())),
            Trouble::Refused(_) => Ok(()),
            Trouble::Over(error) => Err(Failure::Over(error.clone())),
            Trouble::Garbled(error) => {
                self.reconnect(error.clone()).await.map_err(Failure::Over)?;
                let now = fetch::examine(&mut self.conversation, &mailbox.info.name).await?;
                if now.uid_validity == snapshot.uid_validity {
                    return Ok(());
                }
                Err(Failure::No("the mailbox was replaced while it was read".to_owned()))
            }
        }
    }

    /// A new conversation, unless there have been too many because of `error`s.
    async fn reconnect(&mut self, error: SourceError) -> Result<(), SourceError> {
        self.reconnects = self.reconnects.checked_sub(1).ok_or(error)?;
        let connected = connect::connect(self.settings, self.tls).await?;
        (self.conversation, _) = login::open(connected, self.settings).await?;
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
        let ends = fetch::uids(&mut self.conversation, &format!("1,{exists}")).await?;
        let other = ends.into_iter().find(|other| *other != uid);
        let readable = match other {
            Some(other) => fetch::window(&mut self.conversation, &(other..=other)).await,
            None => Ok(Vec::new()),
        };
        let Ok([RawItem::Message { .. }, ..]) = readable.as_deref() else {
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
