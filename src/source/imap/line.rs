//! A connection that is kept between passes: what it is open on, and waiting on it for news.
//!
//! Waiting is IDLE on one mailbox (RFC 2177), asked anew every nine minutes: routers forget silent
//! connections after that, long before the half hour that the protocol allows. Where a server does
//! not offer it, or keeps ending it, time passes instead. Everything else is found by a glance at
//! all mailboxes at every poll, which also finds what a lying IDLE does not tell.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::time::{Instant, sleep, timeout};

use super::form::Bytes;
use super::list::{Chosen, Form, Listed};
use super::login::Capabilities;
use super::plan::{Place, Snapshot};
use super::quirks::{self, Quirks};
use super::session::{After, Conversation, Failure, Idled};
use super::{Settings, connect, fetch, list, login};
use crate::model::Role;
use crate::source::probe::Probe;
use crate::source::{SourceError, Woken};

/// How long one IDLE lasts.
const IDLE: Duration = Duration::from_secs(9 * 60);

/// Windows asked for ahead of the one being read, to a server on this machine.
const IN_FLIGHT_HERE: usize = 2;

/// STATUS commands sent ahead, where commands may be.
const STATUS_IN_FLIGHT: usize = 16;

/// An open connection with somebody logged in.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) conversation: Conversation,
    pub(super) quirks: Quirks,
    pub(super) facts: Facts,
    pub(super) opened: Instant,
    /// The mailbox that is open.
    selected: Option<Box<str>>,
    /// The mailbox on which news is waited for, once a pass has read all of it.
    pub(super) watched: Option<Watched>,
    /// Hash of the states of all mailboxes that are read, when the last complete pass began.
    pub(super) seen: Option<u64>,
}

/// What a server can do, as far as it is asked after login.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) form: Form,
    pub(super) waits: Waits,
    pub(super) marks: Marking,
    /// Windows asked for at a time.
    pub(super) in_flight: usize,
    /// What bytes cost.
    pub(super) bytes: Bytes,
}

/// Whether a server can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// It tells news by IDLE.
    Idle,
    /// It has to be asked.
    Poll,
}

/// Whether messages carry what the server knows of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marking {
    /// Labels and thread numbers (X-GM-EXT-1).
    Labels,
    /// Nothing.
    None,
}

/// A mailbox that has been read and is waited on.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) name: Box<str>,
    pub(super) role: Role,
    pub(super) uid_validity: u32,
    /// Its UIDNEXT when it was read: what has a lower UID is no news.
    pub(super) next: u32,
}

impl Line {
    /// Connects and logs in.
    pub(super) async fn open(
        settings: &Settings,
        tls: &Arc<ClientConfig>,
    ) -> Result<Box<Self>, SourceError> {
        Self::open_telling(settings, tls, &mut Probe::default()).await
    }

    /// The same, with what is found out on the way.
    pub(super) async fn open_telling(
        settings: &Settings,
        tls: &Arc<ClientConfig>,
        found: &mut Probe,
    ) -> Result<Box<Self>, SourceError> {
        let connected = connect::connect(settings, tls).await?;
        found.certificate_until = connected.certificate_until;
        let here = connected.peer.ip().is_loopback();
        let (mut conversation, told) = login::open(connected, settings, found).await?;
        let greeting = conversation.take_greeting();
        let quirks = quirks::of(quirks::by_words(&told, &greeting, &settings.host));
        let ahead = if here { IN_FLIGHT_HERE } else { usize::MAX };
        let facts = Facts {
            form: Form::of(&told),
            waits: if told.has("IDLE") { Waits::Idle } else { Waits::Poll },
            marks: marking(&told),
            in_flight: quirks.in_flight.min(ahead),
            bytes: if here { Bytes::Cheap } else { Bytes::Dear },
        };
        tracing::debug!(provider = ?quirks.provider, ?facts, "logged in");
        let opened = Instant::now();
        let (selected, watched, seen) = (None, None, None);
        Ok(Box::new(Self { conversation, quirks, facts, opened, selected, watched, seen }))
    }

    /// Opens a mailbox for reading; `selected` follows.
    pub(super) async fn examine(&mut self, name: &str) -> Result<Snapshot, Failure> {
        self.selected = None;
        let snapshot = fetch::examine(&mut self.conversation, name).await?;
        self.selected = Some(name.into());
        Ok(snapshot)
    }

    /// The same, asking along with it for places in it, where there may be two commands at a time.
    pub(super) async fn examine_asking(
        &mut self,
        name: &str,
        sequences: &[String],
    ) -> Result<(Snapshot, Option<Vec<Place>>), Failure> {
        if sequences.is_empty() || self.facts.in_flight <= 1 {
            return Ok((self.examine(name).await?, None));
        }
        self.selected = None;
        let found = fetch::examine_asking(&mut self.conversation, name, sequences).await?;
        self.selected = Some(name.into());
        Ok(found)
    }

    /// All mailboxes that the server has.
    pub(super) async fn list(&mut self) -> Result<Vec<Listed>, SourceError> {
        list::list(&mut self.conversation, self.facts.form).await
    }

    /// Asks for the state of mailboxes of which `wanted` is true and that the list did not tell;
    /// the others stay as they are.
    pub(super) async fn states(
        &mut self,
        chosen: &mut [Chosen],
        wanted: impl Fn(&Chosen) -> bool,
    ) -> Result<(), SourceError> {
        let names: Vec<String> = chosen
            .iter()
            .filter(|mailbox| mailbox.status.is_none() && wanted(mailbox))
            .map(|mailbox| mailbox.info.name.clone())
            .collect();
        let ahead = if self.quirks.in_flight == 1 { 1 } else { STATUS_IN_FLIGHT };
        let mut states: HashMap<String, Snapshot> = HashMap::new();
        for some in names.chunks(ahead) {
            states.extend(list::states(&mut self.conversation, some).await?);
        }
        for mailbox in chosen {
            if let Some(state) = states.remove(&mailbox.info.name) {
                mailbox.status = Some(state);
            }
        }
        Ok(())
    }

    /// Lets time pass from now on instead of waiting for what the server tells.
    pub(super) const fn wait_no_more(&mut self) {
        self.facts.waits = Waits::Poll;
    }

    /// Whether the mailbox on which news is waited for is open.
    pub(super) fn is_on_watch(&self) -> bool {
        self.watched.as_ref().is_some_and(|watched| self.selected.as_ref() == Some(&watched.name))
    }

    /// Waits for news, at most `most`.
    ///
    /// # Errors
    /// The connection is over.
    pub(super) async fn wait(&mut self, most: Duration) -> Result<Woken, SourceError> {
        let end = Instant::now() + most;
        if self.facts.waits == Waits::Idle && self.watched.is_some() {
            if self.is_behind().await? {
                return Ok(Woken::News);
            }
            while self.is_on_watch() && self.facts.waits == Waits::Idle {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(Woken::Time);
                }
                let after = if self.quirks.in_flight == 1 { After::Answer } else { After::Word };
                match self.conversation.idle(left.min(IDLE), after).await? {
                    Idled::Grown => return Ok(Woken::News),
                    Idled::Quiet => {}
                    Idled::Refused(_) => self.facts.waits = Waits::Poll,
                }
            }
        }
        sleep(end.saturating_duration_since(Instant::now())).await;
        Ok(Woken::Time)
    }

    /// Opens the watched mailbox if it is not: whether it has grown since it was read.
    async fn is_behind(&mut self) -> Result<bool, SourceError> {
        if self.is_on_watch() {
            return Ok(self.conversation.has_grown());
        }
        let Some(Watched { name, role, uid_validity, next }) = self.watched.take() else {
            return Ok(false);
        };
        match self.examine(&name).await {
            Ok(now) => {
                let (same, grown) = (now.uid_validity == uid_validity, now.uid_next > next);
                // Another mailbox of that name: not this connection's to wait for until it is read.
                self.watched = same.then_some(Watched { name, role, uid_validity, next });
                Ok(!same || grown)
            }
            Err(Failure::No(_)) => Ok(false),
            Err(Failure::Over(error)) => Err(error),
        }
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        let _ = timeout(Duration::from_secs(2), self.conversation.logout()).await;
    }
}

/// Hash of the states of all mailboxes that are read; `None` if one of them is not known.
pub(super) fn digest(chosen: &[Chosen]) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    for mailbox in chosen {
        let state = mailbox.status?;
        (&mailbox.info.name, state.uid_validity, state.uid_next, state.exists).hash(&mut hasher);
    }
    Some(hasher.finish())
}

fn marking(told: &Capabilities) -> Marking {
    if told.has("X-GM-EXT-1") { Marking::Labels } else { Marking::None }
}
