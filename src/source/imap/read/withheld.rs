//! What a server says it holds and does not give: it is looked for, asked for again, and told.
//!
//! A FETCH that ends with OK proves little. What is missing by the sequence numbers of a window is
//! looked for in a list of UIDs and asked for once more; what is listed and not given is put aside,
//! and what is held and not even listed stops the mailbox, for a while.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::super::fetch::{self, Flight};
use super::super::plan::{Reach, Step, Way};
use super::super::quirks::Provider;
use super::super::session::Failure;
use super::{Open, Reader};
use crate::model::{MailboxInfo, RawItem};
use crate::source::SourceError;

/// Which mailboxes were found to hold more than they list, by name, and since when. For an hour it
/// is taken for a passing fault of the server, for what is passed over then is never asked for
/// again; a mailbox for which it is how things are must not be held up for good.
#[derive(Debug, Default)]
pub(in crate::source::imap) struct Doubts(HashMap<String, Instant>);

/// How long a server may take to list what it holds.
const PASSING: Duration = Duration::from_secs(3600);

impl Doubts {
    fn raise(&mut self, mailbox: &str, now: Instant) -> Result<(), Failure> {
        let since = *self.0.entry(mailbox.to_owned()).or_insert(now);
        if now.saturating_duration_since(since) >= PASSING {
            tracing::warn!("a mailbox holds more than the server lists; that is passed over");
            return Ok(());
        }
        let what = "the server holds more messages than it lists".to_owned();
        Err(Failure::Over(SourceError::Protocol(what)))
    }

    /// Forgets what was in doubt about a mailbox that has been read to its end.
    pub(in crate::source::imap) fn dispel(&mut self, mailbox: &str) {
        self.0.remove(mailbox);
    }
}

impl Reader<'_> {
    /// The items of a step with those that the server lists and has not given (Exchange answers a
    /// FETCH with OK and leaves messages out). Asked only where there are fewer than there must be.
    pub(super) async fn withheld(
        &mut self,
        step: &Step,
        mut items: Vec<RawItem>,
        flight: &mut Flight,
        open: Open<'_>,
    ) -> Result<Vec<RawItem>, Failure> {
        let few = match step.expected {
            Some(count) => items.len() < count as usize,
            None => items.is_empty() || self.line.quirks.provider == Provider::Exchange,
        };
        if !few {
            return Ok(items);
        }
        // What was asked ahead is read and forgotten: its answers would be taken for this one's.
        self.forget(std::mem::take(flight), open).await?;
        let conversation = &mut self.line.conversation;
        let listed = fetch::uids(conversation, &step.uids).await?;
        let mut lacking = lacking(&listed, &items);
        if let (Some(first), Some(last)) = (lacking.first(), lacking.last()) {
            // What a busy server leaves out it often gives when it is asked again.
            let wanted =
                |item: &RawItem| lacking.iter().any(|uid| i64::from(*uid) == item.number());
            match fetch::window(conversation, &(*first..=*last), &self.labels).await {
                Ok(second) => items.extend(second.into_iter().filter(wanted)),
                Err(trouble) => self.resume(&trouble, open).await?,
            }
            lacking = self::lacking(&listed, &items);
        }
        let why = "the server lists it and does not give it";
        items.extend(lacking.into_iter().map(|uid| {
            let item = i64::from(uid);
            RawItem::Unreadable { item, why: why.to_owned() }
        }));
        if self.is_contradicted(step, items.len(), open).await? {
            self.doubts.raise(&open.info.name, Instant::now())?;
        }
        Ok(items)
    }

    /// Whether the mailbox holds more in a step than was found there, by the server's own word.
    async fn is_contradicted(
        &mut self,
        step: &Step,
        found: usize,
        open: Open<'_>,
    ) -> Result<bool, Failure> {
        let held = self.line.conversation.held();
        match step.expected {
            Some(count) => {
                // What has been deleted meanwhile is told.
                let deleted = open.snapshot.exists.saturating_sub(held);
                Ok(found < count.saturating_sub(deleted) as usize)
            }
            None if found > 0 || held == 0 || step.way != Way::Up => Ok(false),
            None => {
                let last = fetch::places(&mut self.line.conversation, &held.to_string()).await?;
                Ok(last.last().is_none_or(|place| step.uids.contains(&place.uid)))
            }
        }
    }

    /// Asks again for messages that the server could not give before, of a mailbox that has been
    /// read so far, which does not change by it.
    ///
    /// # Errors
    /// What ends the pass. What concerns this mailbox alone waits for the next one.
    pub(in crate::source::imap) async fn again(
        &mut self,
        info: &MailboxInfo,
        retry: &[i64],
        (mut reach, uid_validity): (Reach, u32),
    ) -> Result<(), SourceError> {
        let uids = retry.iter().filter_map(|item| u32::try_from(*item).ok());
        let todo: VecDeque<Step> =
            uids.map(|uid| Step { uids: uid..=uid, way: Way::Again, expected: None }).collect();
        if todo.is_empty() {
            return Ok(());
        }
        let done = match self.line.examine(&info.name).await {
            Ok(snapshot) if snapshot.uid_validity == uid_validity => {
                let steps = (todo, VecDeque::new());
                self.steps(Open { info, snapshot }, &mut reach, steps).await.map(|_| ())
            }
            Ok(_) => Ok(()),
            Err(failure) => Err(failure),
        };
        match done {
            Ok(()) | Err(Failure::No(_)) => Ok(()),
            Err(Failure::Over(SourceError::Protocol(why))) => {
                self.reconnect(SourceError::Protocol(why)).await
            }
            Err(Failure::Over(error)) => Err(error),
        }
    }
}

/// The UIDs that are listed and not among the items.
pub(in crate::source::imap) fn lacking(listed: &[u32], items: &[RawItem]) -> Vec<u32> {
    let given: HashSet<i64> = items.iter().map(RawItem::number).collect();
    listed.iter().copied().filter(|uid| !given.contains(&i64::from(*uid))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_and_not_listed_is_passed_over_after_an_hour_and_no_sooner() {
        let (mut doubts, begun) = (Doubts::default(), Instant::now());
        for (minutes, passed_over) in [(0, false), (1, false), (59, false), (60, true), (61, true)]
        {
            let now = begun + Duration::from_secs(minutes * 60);
            assert_eq!(doubts.raise("INBOX", now).is_ok(), passed_over, "{minutes}");
        }
        doubts.dispel("INBOX");
        assert!(doubts.raise("INBOX", begun + PASSING).is_err(), "begun anew");
    }
}
