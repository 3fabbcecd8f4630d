//! Tries a source as far as a pass would go before it reads anything: the check of an admin.
//!
//! Goes the way of the passes themselves, so that what works here works there. Changes and keeps
//! nothing; an iCalendar file or feed and the calendars of Google and Microsoft are read through,
//! as there is no smaller question to ask them.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Kept, Reader, Scope, Skipped, SourceError, caldav, imap, maildir, read};
use crate::model::Timestamp;

/// What was found out, in the order in which it is: what is `None` was not reached, or is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// Until when the server's certificate is valid.
    pub certificate_until: Option<Timestamp>,
    /// What the server says that it can do, sorted.
    pub capabilities: Option<Vec<String>>,
    /// Whether the login was accepted.
    pub logged_in: bool,
    /// The server's clock.
    pub server_at: Option<Timestamp>,
    /// Where calendars were found, by the origins of their URLs.
    pub discovered: Option<Vec<String>>,
    /// How many mailboxes or calendars would be read, and those that would not.
    pub mailboxes: Option<(usize, Vec<Skipped>)>,
}

/// Tries it; `found` holds what was found out until it ended, with or without an error.
///
/// # Errors
/// Any [`SourceError`] that a pass would end with.
pub async fn probe(reader: &Reader, found: &mut Probe, now: Timestamp) -> Result<(), SourceError> {
    match reader {
        Reader::Imap(settings, tls) => Box::pin(imap::probe_telling(settings, tls, found)).await,
        Reader::Caldav(settings, clients) => {
            Box::pin(caldav::probe(settings, clients, found)).await
        }
        Reader::Maildir(settings) => {
            found.mailboxes = Some(maildir::probe(settings).await?);
            Ok(())
        }
        Reader::Ics(..)
        | Reader::Feed(_)
        | Reader::GoogleCalendar(_)
        | Reader::GraphCalendar(_) => whole(reader, found, now).await,
    }
}

/// Reads all of it into nowhere.
async fn whole(reader: &Reader, found: &mut Probe, now: Timestamp) -> Result<(), SourceError> {
    let (sink, mut deltas) = mpsc::channel(1);
    let (mut kept, stop) = (Kept::default(), CancellationToken::new());
    let reading = read(reader, &mut kept, Scope::Everything, &[], now, sink, &stop);
    let draining = async { while deltas.recv().await.is_some() {} };
    let (pass, ()) = tokio::join!(reading, draining);
    let pass = pass?;
    found.logged_in = true;
    found.mailboxes = Some((pass.mailboxes, pass.skipped));
    Ok(())
}
