//! Mail over IMAP4rev1: one pass over all mailboxes of a login, headers only.
//!
//! Guarantees: nothing is changed on the server; a delta is sent only after the server has answered
//! the command that brought it with OK, so its cursor never claims what was not delivered; new mail
//! comes before the past and the past newest first, in windows that can each be the last; a message
//! that the server cannot give is passed over as unreadable and a mailbox that it will not open is
//! skipped, so that neither holds up the rest. Leaves connecting to `connect`, the login to `login`,
//! the one loop that judges answers to `session`, and all decisions to `list`, `plan` and `said`.

mod connect;
mod fetch;
mod guard;
mod list;
mod login;
mod plan;
mod read;
mod said;
mod session;
mod tls;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use self::fetch::FIELDS;
use super::{Pass, Skipped, SourceError};
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
    /// Their password.
    pub password: SecretString,
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
}

impl Settings {
    /// Settings for a login with the usual port, limits and windows.
    #[must_use]
    pub fn new(host: &str, username: &str, password: SecretString) -> Self {
        Self {
            host: host.to_owned(),
            port: 993,
            tls: TlsMode::Implicit,
            username: username.to_owned(),
            password,
            connect_timeout: Duration::from_secs(15),
            response_timeout: Duration::from_secs(60),
            command_timeout: Duration::from_secs(600),
            window: 1000,
            compression: Compression::OverNetworks,
            exclude_mailboxes: Vec::new(),
        }
    }
}

/// Makes one complete pass: sends a delta for every window that is new, and for every mailbox a
/// last one that is `complete`, empty where nothing is new.
///
/// `tls` comes from [`http::tls_config`](crate::http::tls_config). Safe to drop at any await; the
/// next pass goes on from whatever cursors were committed.
///
/// # Errors
/// Any [`SourceError`]; [`SourceError::Stopped`] when `stop` is cancelled or `sink` is closed.
pub async fn read(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    known: &[KnownMailbox],
    sink: mpsc::Sender<Delta>,
    stop: &CancellationToken,
) -> Result<Pass, SourceError> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(SourceError::Stopped),
        pass = pass(settings, tls, known, &sink) => pass,
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
    let connected = connect::connect(settings, tls).await?;
    let (mut conversation, told) = login::open(connected, settings).await?;
    let listed = list::list(&mut conversation, &told).await?;
    conversation.logout().await;
    let (chosen, skipped) = list::choose(listed, &settings.exclude_mailboxes);
    Ok((chosen.into_iter().map(|mailbox| mailbox.info).collect(), skipped))
}

async fn pass(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    known: &[KnownMailbox],
    sink: &mpsc::Sender<Delta>,
) -> Result<Pass, SourceError> {
    let cursors: HashMap<&str, _> =
        known.iter().map(|mailbox| (mailbox.name.as_str(), mailbox.cursor.as_ref())).collect();
    let (mut reader, told) = read::Reader::open(settings, tls, sink).await?;
    let (chosen, skipped) = list::choose(reader.list(&told).await?, &settings.exclude_mailboxes);
    let mut pass = Pass { skipped, ..Pass::default() };
    for mailbox in chosen {
        let cursor = cursors.get(mailbox.info.name.as_str()).copied().flatten();
        match reader.mailbox(&mailbox, cursor).await? {
            read::Outcome::Complete => pass.mailboxes = pass.mailboxes.saturating_add(1),
            read::Outcome::Refused(reason) => {
                let role = Some(mailbox.info.role);
                pass.skipped.push(Skipped { mailbox: mailbox.info.name, role, reason });
            }
        }
    }
    pass.messages = reader.close().await;
    Ok(pass)
}
