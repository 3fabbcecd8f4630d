//! Any source behind one call: which adapter reads it, and with what settings.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Glance, Pass, Scope, SourceError, Woken, caldav, google_calendar, graph_calendar, ics, imap,
    maildir,
};
use crate::http::Clients;
use crate::model::{Delta, KnownMailbox, Timestamp};

/// How a source is read.
#[derive(Clone, Debug)]
pub enum Reader {
    /// A login on an IMAP server, with the TLS settings that all share.
    Imap(Arc<imap::Settings>, Arc<ClientConfig>),
    /// A login on a CalDAV server, with the HTTP clients that all with the same roots share.
    Caldav(Arc<caldav::Settings>, Clients),
    /// A Maildir or Maildir++ tree.
    Maildir(maildir::Settings),
    /// An iCalendar file, with what watches all of them.
    Ics(ics::Settings, ics::Watch),
    /// An iCalendar feed.
    Feed(Arc<ics::feed::Settings>),
    /// Calendars of Google.
    GoogleCalendar(Arc<google_calendar::Settings>),
    /// Calendars of Microsoft 365.
    GraphCalendar(Arc<graph_calendar::Settings>),
}

impl Reader {
    /// The word for its kind in the configuration and in the database.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Imap(..) => "imap",
            Self::Caldav(..) => "caldav",
            Self::Maildir(_) => "maildir",
            Self::Ics(..) | Self::Feed(_) => "ics",
            Self::GoogleCalendar(_) => "google_calendar",
            Self::GraphCalendar(_) => "graph_calendar",
        }
    }

    /// The login by which it is read, if it is on a server.
    #[must_use]
    pub fn login(&self) -> Option<Login<'_>> {
        match self {
            Self::Imap(settings, _) => {
                Some(Login { host: &settings.host, username: &settings.username })
            }
            Self::Caldav(settings, _) => {
                let host = settings.url.host_str().unwrap_or_default();
                Some(Login { host, username: &settings.username })
            }
            Self::Feed(settings) => {
                Some(Login { host: settings.host(), username: settings.account() })
            }
            Self::GoogleCalendar(settings) => {
                Some(Login { host: settings.host(), username: &settings.account })
            }
            Self::GraphCalendar(settings) => {
                Some(Login { host: settings.host(), username: &settings.account })
            }
            Self::Maildir(_) | Self::Ics(..) => None,
        }
    }

    /// What tells the present credentials from others, and nothing else of them, where there are
    /// some.
    pub async fn fingerprint(&self) -> Option<u16> {
        match self {
            Self::Imap(settings, _) => settings.credentials.fingerprint().await,
            Self::Caldav(settings, _) => settings.credentials.fingerprint().await,
            Self::Feed(settings) => Some(settings.fingerprint()),
            Self::GoogleCalendar(settings) => settings.fingerprint().await,
            Self::GraphCalendar(settings) => settings.credentials.fingerprint().await,
            Self::Maildir(_) | Self::Ics(..) => None,
        }
    }
}

/// Who logs in where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login<'a> {
    /// The server, which may bear other sources.
    pub host: &'a str,
    /// The user.
    pub username: &'a str,
}

/// What is kept of a source between passes: its connection, where it has one, or where things are,
/// and what tells when to look at it again.
#[derive(Debug, Default)]
pub struct Kept {
    imap: imap::Kept,
    caldav: caldav::Kept,
    /// The state of the file that was read.
    stamp: Option<ics::Stamp>,
    /// Until when a server wants to be left alone.
    due: Option<Instant>,
}

impl Kept {
    /// Whether a connection is open: the next pass need not make one.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.imap.is_connected()
    }

    /// How old the connection is, if one is open.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.imap.age()
    }

    /// Ends the connection, politely where that takes no time.
    pub async fn close(self) {
        self.imap.close().await;
    }
}

/// Makes one pass over a source.
///
/// # Errors
/// Any [`SourceError`]; what was sent before stands. [`SourceError::Stopped`] when `stop` is
/// cancelled or `sink` is closed.
pub async fn read(
    reader: &Reader,
    kept: &mut Kept,
    scope: Scope,
    known: &[KnownMailbox],
    now: Timestamp,
    sink: mpsc::Sender<Delta>,
    stop: &CancellationToken,
) -> Result<Pass, SourceError> {
    // Boxed: the largest future would otherwise be paid for by every source.
    let pass = async {
        match reader {
            Reader::Imap(settings, tls) => {
                Box::pin(imap::read(settings, tls, &mut kept.imap, scope, known, sink)).await
            }
            Reader::Caldav(settings, clients) => {
                Box::pin(caldav::read(settings, clients, &mut kept.caldav, known, now, sink)).await
            }
            Reader::Maildir(settings) => Box::pin(maildir::read(settings, known, sink)).await,
            Reader::Ics(settings, _) => {
                kept.stamp = ics::stamp(settings).await;
                Box::pin(ics::read(settings, known, now, sink)).await
            }
            Reader::Feed(settings) => {
                kept.due = None;
                let (pass, due) = Box::pin(ics::feed::read(settings, known, now, sink)).await?;
                kept.due = Some(due);
                Ok(pass)
            }
            Reader::GoogleCalendar(settings) => {
                Box::pin(google_calendar::read(settings, known, now, sink)).await
            }
            Reader::GraphCalendar(settings) => {
                kept.due = None;
                let (pass, due) =
                    Box::pin(graph_calendar::read(settings, known, now, sink)).await?;
                kept.due = Some(due);
                Ok(pass)
            }
        }
    };
    stop.run_until_cancelled(pass).await.unwrap_or(Err(SourceError::Stopped))
}

/// Whether anything may have changed since the last complete pass: cheap where a connection is
/// kept, not to be asked where a server wants to be left alone for a while, else always.
pub async fn glance(reader: &Reader, kept: &mut Kept, stop: &CancellationToken) -> Glance {
    match reader {
        Reader::Imap(settings, _) => {
            let glance = Box::pin(imap::glance(settings, &mut kept.imap));
            stop.run_until_cancelled(glance).await.unwrap_or(Glance::Changed)
        }
        _ if kept.due.is_some_and(|due| Instant::now() < due) => Glance::Same,
        _ => Glance::Changed,
    }
}

/// Waits for news, at most `most`.
pub async fn wait(
    reader: &Reader,
    kept: &mut Kept,
    most: Duration,
    stop: &CancellationToken,
) -> Woken {
    let woken = async {
        match reader {
            Reader::Imap(..) => Box::pin(imap::wait(&mut kept.imap, most)).await,
            Reader::Ics(settings, watch) => {
                Box::pin(ics::wait(settings, watch, kept.stamp, most)).await
            }
            Reader::Caldav(..)
            | Reader::Maildir(_)
            | Reader::Feed(_)
            | Reader::GoogleCalendar(_)
            | Reader::GraphCalendar(_) => {
                tokio::time::sleep(most).await;
                Woken::Time
            }
        }
    };
    stop.run_until_cancelled(woken).await.unwrap_or(Woken::Stopped)
}
