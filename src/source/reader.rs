//! Any source behind one call: which adapter reads it, and with what settings.

use std::sync::Arc;

use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Pass, SourceError, ics, imap, maildir};
use crate::model::{Delta, KnownMailbox, Timestamp};

/// How a source is read.
#[derive(Clone, Debug)]
pub enum Reader {
    /// A login on an IMAP server, with the TLS settings that all share.
    Imap(Arc<imap::Settings>, Arc<ClientConfig>),
    /// A Maildir or Maildir++ tree.
    Maildir(maildir::Settings),
    /// An iCalendar file.
    Ics(ics::Settings),
}

impl Reader {
    /// The word for its kind in the configuration and in the database.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Imap(..) => "imap",
            Self::Maildir(_) => "maildir",
            Self::Ics(_) => "ics",
        }
    }

    /// The server that it shares with other sources, if it is on one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Imap(settings, _) => Some(&settings.host),
            Self::Maildir(_) | Self::Ics(_) => None,
        }
    }
}

/// Makes one complete pass over a source.
///
/// # Errors
/// Any [`SourceError`]; what was sent before stands.
pub async fn read(
    reader: &Reader,
    known: &[KnownMailbox],
    now: Timestamp,
    sink: mpsc::Sender<Delta>,
    stop: &CancellationToken,
) -> Result<Pass, SourceError> {
    match reader {
        // Boxed: the largest future would otherwise be paid for by every source.
        Reader::Imap(settings, tls) => Box::pin(imap::read(settings, tls, known, sink, stop)).await,
        Reader::Maildir(settings) => Box::pin(maildir::read(settings, known, sink, stop)).await,
        Reader::Ics(settings) => Box::pin(ics::read(settings, known, now, sink)).await,
    }
}
