//! Mail on disk: one Maildir, a Maildir++ tree, or a tree of Maildirs in plain directories.
//!
//! Guarantees that nothing is changed on disk, that a file is known by its name without flags (so
//! that reading a message elsewhere does not make it new), that only the first 64 KiB of a new
//! file are read, 1 MiB where its header says that it holds an invitation, and that a mailbox in
//! which nothing is new costs the listing of its directories.
//! A listing that fails is an error, never an emptied mailbox. Finding mailboxes is left to
//! `layout`, listing and reading to `scan`; all of it runs on blocking threads.

mod calendar;
mod layout;
mod scan;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use self::layout::Found;
use self::scan::{Listing, NewFile};
use super::{Pass, SkipReason, Skipped, SourceError};
use crate::model::{Cursor, Delta, KnownMailbox, RawItem};

/// How many files make one delta.
const CHUNK: usize = 1000;

/// One tree to read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory that is a Maildir or holds some.
    pub path: PathBuf,
    /// Mailboxes not to read, by name as people see it or as on disk (without the leading dot of
    /// Maildir++), in any case; what lies below one is excluded too.
    pub exclude_mailboxes: Vec<String>,
}

/// How many mailboxes a pass would read, and those that it would not.
///
/// # Errors
/// [`SourceError::Misconfigured`] if there is no Maildir at the path or it may not be read.
pub async fn probe(settings: &Settings) -> Result<(usize, Vec<Skipped>), SourceError> {
    let path = settings.path.clone();
    let found = blocking(move || layout::find(&path)).await??;
    let (chosen, skipped) = layout::choose(found, &settings.exclude_mailboxes);
    Ok((chosen.len(), skipped))
}

/// Makes one complete pass: sends deltas with the files that are new, newest first, and for every
/// mailbox a last one that is `complete`, empty where nothing is new.
///
/// # Errors
/// [`SourceError::Misconfigured`] if there is no Maildir at the path or it may not be read,
/// [`SourceError::Stopped`] when `sink` is closed.
pub async fn read(
    settings: &Settings,
    known: &[KnownMailbox],
    sink: mpsc::Sender<Delta>,
) -> Result<Pass, SourceError> {
    let path = settings.path.clone();
    let found = blocking(move || layout::find(&path)).await??;
    let (chosen, skipped) = layout::choose(found, &settings.exclude_mailboxes);
    let mut pass = Pass { skipped, ..Pass::default() };
    for mailbox in chosen {
        let seen = known
            .iter()
            .find(|known| known.name == mailbox.info.name)
            .map_or_else(Vec::new, |known| known.seen.clone());
        let directory = mailbox.directory.clone();
        match blocking(move || scan::list(&directory, &seen)).await? {
            Ok(listing) => {
                let sent = send(&mailbox, listing, &sink).await?;
                pass.messages = pass.messages.saturating_add(sent);
                pass.mailboxes = pass.mailboxes.saturating_add(1);
            }
            Err(error) => pass.skipped.push(Skipped {
                mailbox: mailbox.info.name,
                role: Some(mailbox.info.role),
                reason: SkipReason::Refused(error.kind().to_string()),
            }),
        }
    }
    Ok(pass)
}

/// Reads what is new in a mailbox and sends it; answers with the number of items.
async fn send(
    mailbox: &Found,
    listing: Listing,
    sink: &mpsc::Sender<Delta>,
) -> Result<u64, SourceError> {
    let mut vanished = listing.vanished;
    let total = Some(listing.total);
    let chunks = chunks(&listing.new);
    let last = chunks.len().saturating_sub(1);
    let mut sent = 0u64;
    for (place, chunk) in chunks.into_iter().enumerate() {
        let items: Vec<RawItem> = blocking(move || scan::read(&chunk)).await?;
        sent = sent.saturating_add(items.len() as u64);
        let delta = Delta {
            mailbox: mailbox.info.clone(),
            items,
            vanished: std::mem::take(&mut vanished),
            complete: place == last,
            cursor: Cursor::Maildir,
            total,
        };
        sink.send(delta).await.map_err(|_| SourceError::Stopped)?;
    }
    Ok(sent)
}

/// The files in pieces, in their order; one empty piece if there are none.
fn chunks(files: &[NewFile]) -> Vec<Arc<[NewFile]>> {
    if files.is_empty() {
        return vec![Arc::from([])];
    }
    files.chunks(CHUNK).map(Arc::from).collect()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| SourceError::Unreachable("the reading thread ended early".to_owned()))
}
