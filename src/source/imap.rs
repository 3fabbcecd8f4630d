//! Mail over IMAP4rev1: one pass over all mailboxes of a login, headers only.
//!
//! Guarantees: nothing is changed on the server; a delta is sent only after the server has answered
//! the command that brought it with OK, so its cursor never claims what was not delivered; new mail
//! comes before the past and the past newest first, in windows that can each be the last; a message
//! that the server cannot give is passed over as unreadable and a mailbox that it will not open is
//! skipped, so that neither holds up the rest. Leaves connecting to `connect`, the login to `login`,
//! the one loop that judges answers to `session`, the connection that is kept and waited on to
//! `line`, and all decisions to `list`, `plan`, `quirks` and `said`.

mod bearer;
mod connect;
mod fetch;
mod form;
mod guard;
mod line;
mod list;
mod login;
mod pass;
mod plan;
pub mod quirks;
mod read;
mod said;
mod session;
mod tls;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub use self::fetch::FIELDS;
use self::line::Line;
use self::read::Doubts;
use super::credentials::Credentials;
use super::probe::Probe;
use super::{Glance, Pass, Scope, Skipped, SourceError, Woken};
use crate::model::{Delta, KnownMailbox, MailboxInfo};

/// How the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// TLS from the first byte (port 993).
    Implicit,
    /// TLS after the STARTTLS command (port 143).
    StartTls,
    /// None. The caller has seen to it that this is wanted.
    None,
}

/// Whether to compress what is read (COMPRESS=DEFLATE), where the server offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Where bytes cost more than the server's processor: to servers that are not on this machine.
    OverNetworks,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// One login to read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name or address of the server; the certificate must be for it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is secured.
    pub tls: TlsMode,
    /// Who logs in.
    pub username: String,
    /// What they log in with.
    pub credentials: Credentials,
    /// For each address of the host, and for the TLS handshake.
    pub connect_timeout: Duration,
    /// For each answer: a server that is silent for that long is given up.
    pub response_timeout: Duration,
    /// For each command with all its answers.
    pub command_timeout: Duration,
    /// About how many messages are fetched by one command and make one delta.
    pub window: u32,
    /// Whether to compress.
    pub compression: Compression,
    /// Mailboxes not to read, by name as people see it or as on the wire, in any case; what lies
    /// below one is excluded too.
    pub exclude_mailboxes: Vec<String>,
    /// Labels under which messages are not to be read, where the server has labels; mailboxes of these
    /// names are read all the same where it has none.
    pub private_labels: Vec<String>,
}

impl Settings {
    /// Settings for a login with the usual port, limits and windows.
    #[must_use]
    pub fn new(host: &str, username: &str, credentials: Credentials) -> Self {
        Self {
            host: host.to_owned(),
            port: 993,
            tls: TlsMode::Implicit,
            username: username.to_owned(),
            credentials,
            connect_timeout: Duration::from_secs(15),
            response_timeout: Duration::from_secs(60),
            command_timeout: Duration::from_secs(600),
            window: 1000,
            compression: Compression::OverNetworks,
            exclude_mailboxes: Vec::new(),
            private_labels: Vec::new(),
        }
    }
}

/// What is kept of a login between passes.
#[derive(Debug, Default)]
pub struct Kept {
    line: Option<Box<Line>>,
    spent: Spent,
    doubts: Doubts,
    /// How often in a row the server has ended a wait as soon as it began.
    short_waits: u32,
}

/// What a login has read of its allowance for a day.
#[derive(Debug, Default)]
struct Spent {
    since: Option<Instant>,
    bytes: u64,
    /// Whether that was all of it.
    all: bool,
}

/// For how long an allowance is.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A wait that the server ends before that was none.
const SHORT: Duration = Duration::from_secs(30);

/// After so many of those in a row no more are begun: the server is asked instead.
const SHORT_WAITS: u32 = 3;

impl Kept {
    /// Whether a connection is open.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.line.is_some()
    }

    /// How old the connection is, if one is open.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.line.as_ref().map(|line| line.opened.elapsed())
    }

    /// Says goodbye.
    pub async fn close(self) {
        if let Some(line) = self.line {
            line.close().await;
        }
    }
}

impl Spent {
    /// Refuses while the day's allowance is spent.
    fn check(&mut self, now: Instant) -> Result<(), SourceError> {
        let left = self.since.map(|since| DAY.saturating_sub(now.saturating_duration_since(since)));
        match left {
            Some(left) if !left.is_zero() => {
                if !self.all {
                    return Ok(());
                }
                let said = "the provider's daily limit for downloads is near".to_owned();
                Err(SourceError::Throttled { after: Some(left), said })
            }
            _ => {
                *self = Self { since: Some(now), bytes: 0, all: false };
                Ok(())
            }
        }
    }

    /// Adds what was read, of which `most` are allowed.
    fn add(&mut self, bytes: u64, most: u64, now: Instant) -> Result<(), SourceError> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.all = self.bytes >= most;
        self.check(now)
    }
}

/// Makes one pass: sends a delta for every window that is new, and for every mailbox that has been
/// read to its end a last one that is `complete`, empty where nothing is new.
///
/// `tls` comes from [`http::tls_config`](crate::http::tls_config). Safe to drop at any await; the
/// next pass goes on from whatever cursors were committed.
///
/// # Errors
/// Any [`SourceError`]; [`SourceError::Stopped`] when `sink` is closed. No connection is kept then.
pub async fn read(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    kept: &mut Kept,
    scope: Scope,
    known: &[KnownMailbox],
    sink: mpsc::Sender<Delta>,
) -> Result<Pass, SourceError> {
    match scope {
        Scope::Everything => pass::everything(settings, tls, kept, known, &sink).await,
        Scope::News => pass::news(settings, tls, kept, known, &sink).await,
    }
}

/// Whether anything may have changed since the last complete pass.
pub async fn glance(settings: &Settings, kept: &mut Kept) -> Glance {
    let Some(mut line) = kept.line.take() else { return Glance::Changed };
    match pass::glance(settings, &mut line).await {
        Ok(glance) => {
            kept.line = Some(line);
            glance
        }
        // Not worth a word: the pass that follows connects again, and says what is wrong.
        Err(_) => Glance::Changed,
    }
}

/// Waits for news on the connection that is kept, at most `most`.
pub async fn wait(kept: &mut Kept, most: Duration) -> Woken {
    let Some(mut line) = kept.line.take() else {
        tokio::time::sleep(most).await;
        return Woken::Time;
    };
    let began = Instant::now();
    if kept.short_waits >= SHORT_WAITS {
        line.wait_no_more();
    }
    match line.wait(most).await {
        Ok(woken) => {
            kept.line = Some(line);
            kept.short_waits = 0;
            woken
        }
        Err(error) => {
            let short = began.elapsed() < SHORT;
            kept.short_waits = if short { kept.short_waits.saturating_add(1) } else { 0 };
            Woken::Lost { error, lived: line.opened.elapsed() }
        }
    }
}

/// Logs in and tells what a pass would read and what it would not: a check of the settings.
///
/// # Errors
/// Any [`SourceError`] but [`SourceError::Stopped`].
pub async fn probe(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
) -> Result<(Vec<MailboxInfo>, Vec<Skipped>), SourceError> {
    let mut line = Line::open(settings, tls).await?;
    let listed = line.list().await?;
    let layout = line.quirks.layout;
    line.close().await;
    let (chosen, skipped) = list::choose(listed, &settings.exclude_mailboxes, layout);
    Ok((chosen.into_iter().map(|mailbox| mailbox.info).collect(), skipped))
}

/// The same, telling what is found out on the way.
///
/// # Errors
/// As [`probe`].
pub async fn probe_telling(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    found: &mut Probe,
) -> Result<(), SourceError> {
    let mut line = Line::open_telling(settings, tls, found).await?;
    let listed = line.list().await?;
    let layout = line.quirks.layout;
    line.close().await;
    let (chosen, skipped) = list::choose(listed, &settings.exclude_mailboxes, layout);
    found.mailboxes = Some((chosen.len(), skipped));
    Ok(())
}

#[cfg(test)]
mod allowance {
    use super::*;

    #[test]
    fn a_days_allowance_is_a_days() {
        let (mut spent, begin) = (Spent::default(), Instant::now());
        assert_eq!(spent.check(begin), Ok(()));
        assert_eq!(spent.add(60, 100, begin), Ok(()));
        let noon = begin + DAY / 2;
        let Err(SourceError::Throttled { after, .. }) = spent.add(40, 100, noon) else {
            panic!("{spent:?}")
        };
        assert_eq!(after, Some(DAY / 2));
        assert!(spent.check(noon).is_err());
        assert_eq!((spent.check(begin + DAY), spent.bytes), (Ok(()), 0));
    }
}
