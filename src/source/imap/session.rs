//! One conversation with an IMAP server: every command goes through [`Conversation::exec`].
//!
//! Guarantees that a command counts as done only when the server has answered it, under its own
//! tag, with OK. The library below reports a tagged NO, a BYE and the end of the stream as success
//! in most of its typed calls, which would make a lost connection look like an empty mailbox; none
//! of those calls is used. Leaves what to say to the modules beside it.

mod idle;

use std::io;
use std::time::Duration;

use async_imap::Session;
use async_imap::imap_proto::{MailboxDatum, Outcome, RequestId, Response, Status};
use tokio::time::timeout;

use super::said;
use super::wire::{Pipe, Wire, pipe, session};
use crate::source::SourceError;

pub(super) use self::idle::{After, Idled};

/// How long to wait for the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For one response: a server that is silent for that long is gone.
    pub(super) response: Duration,
    /// For a whole command, however many responses it brings: ends an endless drip.
    pub(super) command: Duration,
}

/// What was said during one command: a server that never comes to its end is given up.
#[derive(Debug, Default)]
struct Chatter {
    answers: u32,
    asides: u32,
}

/// Most answers to one command: more than any mailbox's list or any window has.
const MOST_ANSWERS: u32 = 250_000;

/// Most words in between, such as `* OK Still here`, which come every minute or two.
const MOST_ASIDES: u32 = 1_000;

impl Chatter {
    fn hear(&mut self, response: &Response<'_>) -> Result<(), SourceError> {
        self.answers = self.answers.saturating_add(1);
        if matches!(response, Response::Data { .. }) {
            self.asides = self.asides.saturating_add(1);
        }
        if self.answers > MOST_ANSWERS || self.asides > MOST_ASIDES {
            return Err(SourceError::Protocol("answers without end".to_owned()));
        }
        Ok(())
    }
}

/// Why a command was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server answered NO, in these words, which are not fit for a log; the conversation can
    /// go on.
    No(String),
    /// The conversation is over.
    Over(SourceError),
}

/// A command whose answers have not been read.
#[derive(Debug)]
pub(super) struct Pending(RequestId);

/// An open connection with the parser on it.
#[derive(Debug)]
pub(super) struct Conversation {
    session: Session<Pipe>,
    patience: Patience,
    /// An IDLE that has been ended and whose answer has not been waited for.
    left: Option<Pending>,
    /// Commands sent and not finished; those that the server has answered already, with how.
    pending: Vec<(RequestId, Option<Result<(), Failure>>)>,
    /// The words of the greeting.
    greeting: String,
    /// How many messages the open mailbox holds, by what has been said last.
    held: u32,
    /// Whether it has grown since [`Self::has_grown`].
    grown: bool,
}

impl Conversation {
    /// A conversation over a connected stream. Nothing is read or written yet.
    pub(super) async fn over(wire: Box<dyn Wire>, patience: Patience) -> Result<Self, SourceError> {
        let session = session(wire).await.map_err(|e| SourceError::Protocol(e.to_string()))?;
        Ok(Self {
            session,
            patience,
            left: None,
            pending: Vec::new(),
            greeting: String::new(),
            held: 0,
            grown: false,
        })
    }

    /// Reads the greeting and shows it to `seen`.
    ///
    /// Refuses PREAUTH (RFC 9051, 7.1.4): a session that somebody else has logged in is not ours.
    pub(super) async fn greeting(
        &mut self,
        mut seen: impl FnMut(&Response<'_>),
    ) -> Result<(), SourceError> {
        let wait = self.patience.response;
        self.session.get_mut().get_mut().refill();
        let read = timeout(wait, self.session.read_response()).await.map_err(|_| silent(wait))?;
        let response = read.map_err(|e| self.broken(&e))?.ok_or_else(closed)?;
        match response.parsed() {
            Response::Data { status: Status::Ok, outcome } => {
                self.greeting = words(outcome);
                seen(response.parsed());
            }
            Response::Data { status: Status::Bye, outcome } => {
                return Err(said::bye(&words(outcome)));
            }
            Response::Data { status: Status::PreAuth, .. } => {
                return Err(SourceError::Protocol(
                    "the server says that we are logged in already; hint: a server that logs in \
                     by address cannot be trusted with whose mail it is"
                        .to_owned(),
                ));
            }
            _ => return Err(SourceError::Protocol("no IMAP greeting".to_owned())),
        }
        Ok(())
    }

    /// Runs a command to its tagged OK, showing every response, the tagged one included, to `seen`.
    ///
    /// # Errors
    /// [`Failure::No`] for a tagged NO that asks for no pause; [`Failure::Over`] for anything else:
    /// BAD, BYE, the end of the stream, silence, an answer that cannot be parsed, or an error of
    /// `seen`.
    pub(super) async fn exec(
        &mut self,
        command: &str,
        seen: impl FnMut(&Response<'_>) -> Result<(), SourceError>,
    ) -> Result<(), Failure> {
        self.exec_replying(command, &[], seen).await
    }

    /// As [`Self::exec`], sending the next of `replies` whenever the server asks (RFC 9051, 6.2.2);
    /// what it asks with is shown to `seen` first.
    pub(super) async fn exec_replying(
        &mut self,
        command: &str,
        replies: &[&str],
        seen: impl FnMut(&Response<'_>) -> Result<(), SourceError>,
    ) -> Result<(), Failure> {
        let sent = self.send(command).await?;
        self.finish(sent, replies, seen).await
    }

    /// Sends a command, so that the server can work on it while the answers to the one before are
    /// still being read. The answers to both may come mixed: while any is being finished, `seen`
    /// must take what belongs to the others.
    pub(super) async fn send(&mut self, command: &str) -> Result<Pending, Failure> {
        let wait = self.patience.response;
        let tag = timeout(wait, self.session.run_command(command))
            .await
            .map_err(|_| Failure::Over(silent(wait)))?
            .map_err(|_| Failure::Over(lost()))?;
        self.pending.push((tag.clone(), None));
        Ok(Pending(tag))
    }

    /// Reads the answers to a command that was sent; see [`Self::exec`].
    pub(super) async fn finish(
        &mut self,
        sent: Pending,
        replies: &[&str],
        seen: impl FnMut(&Response<'_>) -> Result<(), SourceError>,
    ) -> Result<(), Failure> {
        let wait = self.patience.command;
        let place = self.pending.iter().position(|(tag, _)| *tag == sent.0);
        if let Some((_, Some(early))) = place.map(|place| self.pending.swap_remove(place)) {
            return early;
        }
        timeout(wait, self.converse(&sent.0, replies, seen))
            .await
            .unwrap_or_else(|_| Err(Failure::Over(silent(wait))))
    }

    async fn converse(
        &mut self,
        tag: &RequestId,
        replies: &[&str],
        mut seen: impl FnMut(&Response<'_>) -> Result<(), SourceError>,
    ) -> Result<(), Failure> {
        let mut replies = replies.iter();
        let mut chatter = Chatter::default();
        loop {
            self.session.get_mut().get_mut().refill();
            let wait = self.patience.response;
            let read = timeout(wait, self.session.read_response())
                .await
                .map_err(|_| Failure::Over(silent(wait)))?;
            let response = read
                .map_err(|e| Failure::Over(self.broken(&e)))?
                .ok_or_else(|| Failure::Over(closed()))?;
            self.count(response.parsed());
            chatter.hear(response.parsed()).map_err(Failure::Over)?;
            match response.parsed() {
                Response::Done { tag: of, status, outcome } if of == tag => {
                    verdict(status, outcome)?;
                    return seen(response.parsed()).map_err(Failure::Over);
                }
                Response::Done { tag: of, status, outcome } => {
                    let other = self.pending.iter_mut().find(|(tag, _)| tag == of);
                    let (_, early) = other.ok_or_else(|| over("an answer to no command"))?;
                    *early = Some(verdict(status, outcome));
                }
                Response::Continue(_) => {
                    seen(response.parsed()).map_err(Failure::Over)?;
                    let line = replies.next().ok_or_else(|| over("asked for more than we have"))?;
                    self.session
                        .run_command_untagged(line)
                        .await
                        .map_err(|_| Failure::Over(lost()))?;
                }
                Response::Data { status: Status::Bye, outcome } => {
                    return Err(Failure::Over(said::bye(&words(outcome))));
                }
                Response::Data { status: Status::No | Status::Bad, outcome } => {
                    tracing::warn!(said = said::harmless(&words(outcome)), "the server warns");
                }
                other => seen(other).map_err(Failure::Over)?,
            }
        }
    }

    /// The words of the greeting, given away: they may be long, and many conversations wait.
    pub(super) fn take_greeting(&mut self) -> String {
        std::mem::take(&mut self.greeting)
    }

    /// Whether the open mailbox has grown since this was asked last, whatever command it was told
    /// along with.
    pub(super) fn has_grown(&mut self) -> bool {
        std::mem::take(&mut self.grown)
    }

    /// How many messages the open mailbox holds.
    pub(super) fn held(&self) -> u32 {
        self.held
    }

    /// Keeps count of the open mailbox.
    fn count(&mut self, response: &Response<'_>) {
        match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => {
                self.grown |= *count > self.held;
                self.held = *count;
            }
            Response::Expunge(_) => self.held = self.held.saturating_sub(1),
            _ => {}
        }
    }

    /// Turns on COMPRESS=DEFLATE (RFC 4978).
    pub(super) async fn compress(mut self) -> Result<Self, SourceError> {
        self.session.get_mut().get_mut().unmeter();
        let Self { session, patience, greeting, .. } = self;
        let compressed = timeout(patience.response, session.compress(pipe))
            .await
            .map_err(|_| silent(patience.response))?
            .map_err(|_| SourceError::Protocol("COMPRESS was offered and refused".to_owned()))?;
        let (left, pending) = (None, Vec::new());
        Ok(Self { session: compressed, patience, left, pending, greeting, held: 0, grown: false })
    }

    /// Says goodbye. Whether the server hears it does not matter.
    pub(super) async fn logout(mut self) {
        let goodbye = async {
            if self.session.run_command("LOGOUT").await.is_err() {
                return;
            }
            while let Ok(Some(response)) = self.session.read_response().await {
                if matches!(response.parsed(), Response::Done { .. }) {
                    return;
                }
            }
        };
        let _ = timeout(Duration::from_secs(2), goodbye).await;
    }

    /// What an error of the reader means. Its text is never used: it quotes what could not be
    /// parsed, and that is somebody's mail.
    fn broken(&mut self, error: &io::Error) -> SourceError {
        if self.session.get_mut().get_mut().is_spent() {
            return SourceError::Protocol("an answer of more than 4 MiB".to_owned());
        }
        match error.kind() {
            io::ErrorKind::Other => SourceError::Protocol("an answer that is not IMAP".to_owned()),
            io::ErrorKind::UnexpectedEof => closed(),
            kind => SourceError::Unreachable(format!("the connection broke: {kind}")),
        }
    }
}

impl From<Failure> for SourceError {
    /// For commands that must not be refused.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::No(text) => {
                Self::Protocol(format!("the server refused: {}", said::harmless(&text)))
            }
            Failure::Over(error) => error,
        }
    }
}

/// What the tagged answer to our command means.
fn verdict(status: &Status, outcome: &Outcome<'_>) -> Result<(), Failure> {
    let text = words(outcome);
    match status {
        Status::Ok => Ok(()),
        Status::No => Err(said::throttled(&text).map_or_else(|| Failure::No(text), Failure::Over)),
        _ => Err(Failure::Over(said::throttled(&text).unwrap_or_else(|| {
            SourceError::Protocol(format!("command rejected: {}", said::harmless(&text)))
        }))),
    }
}

/// The human part of a status response, with a response code that the parser left in it.
fn words(outcome: &Outcome<'_>) -> String {
    outcome.information.as_deref().unwrap_or_default().to_owned()
}

fn silent(wait: Duration) -> SourceError {
    SourceError::Unreachable(format!("no answer within {} s", wait.as_secs()))
}

fn closed() -> SourceError {
    SourceError::Unreachable("the server closed the connection".to_owned())
}

fn lost() -> SourceError {
    SourceError::Unreachable("the connection broke while sending".to_owned())
}

fn over(what: &str) -> Failure {
    Failure::Over(SourceError::Protocol(what.to_owned()))
}
